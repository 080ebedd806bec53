"""From a body in camera axes to one in the world: up, the floor, feet that stand, the root's path.

Everything rests on the body's own evidence; nothing here looks at pictures.
"""

from pointlight.capture.world.finding import WorldConfig, find_worlds
from pointlight.capture.world.gravity import Known
from pointlight.capture.world.sliding import FootSlide, foot_slide
from pointlight.capture.world.upright import ASSET as UPRIGHT_ASSET
from pointlight.capture.world.upright import pose_features, up_in_root
from pointlight.capture.world.words import words_of_worlds

__all__ = [
    "UPRIGHT_ASSET",
    "FootSlide",
    "Known",
    "WorldConfig",
    "find_worlds",
    "foot_slide",
    "pose_features",
    "up_in_root",
    "words_of_worlds",
]
