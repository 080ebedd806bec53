"""The body: the interface `BodyModel`, Anny and the user's own SMPL behind it, and the distribution of shapes.

Joint and keypoint sets by name and the compiled asset live here too.
"""

from pointlight.body.anny import AnnyBody
from pointlight.body.figures import FIGURES, figure_vertices, find_figure
from pointlight.body.joints import (
    COCO_KEYPOINTS,
    EVALUATION_JOINTS,
    EXTENDED_KEYPOINTS,
    FOOT_KEYPOINTS,
    NETWORK_KEYPOINTS,
    indices_of,
    mirror_order,
    mirrored_name,
)
from pointlight.body.kinematics import BodyState, KeypointRule, Posed, forward_kinematics
from pointlight.body.mass import mass_kg
from pointlight.body.model import BodyModel, Person
from pointlight.body.shape import ADULT_AGE, MEAN_ADULT_SHAPE, SHAPE_NAMES, sample_adult_shapes
from pointlight.body.smpl import SMPL_JOINTS, SMPL_SHAPES, SmplBody

__all__ = [
    "ADULT_AGE",
    "COCO_KEYPOINTS",
    "EVALUATION_JOINTS",
    "EXTENDED_KEYPOINTS",
    "FIGURES",
    "FOOT_KEYPOINTS",
    "MEAN_ADULT_SHAPE",
    "NETWORK_KEYPOINTS",
    "SHAPE_NAMES",
    "SMPL_JOINTS",
    "SMPL_SHAPES",
    "AnnyBody",
    "BodyModel",
    "BodyState",
    "KeypointRule",
    "Person",
    "Posed",
    "SmplBody",
    "figure_vertices",
    "find_figure",
    "forward_kinematics",
    "indices_of",
    "mass_kg",
    "mirror_order",
    "mirrored_name",
    "sample_adult_shapes",
]
