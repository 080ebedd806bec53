"""A person as a layer of pictures on nothing: drawn from a scene and dressed, or read from SURREAL's files.

What is behind and before them is not known here.
"""

from pointlight.simulator.people.appearance import (
    PAPER_APPEARANCE,
    Appearance,
    AppearanceConfig,
    Layer,
    draw_appearance,
)
from pointlight.simulator.people.drapes import Drape
from pointlight.simulator.people.layers import PersonLayer
from pointlight.simulator.people.render import behind_surface, camera_state, render_person
from pointlight.simulator.people.sources import (
    SURREAL_SPLITS,
    People,
    RenderedPeople,
    Subject,
    SurrealPeopleSource,
)
from pointlight.simulator.people.surreal import SURREAL_POINTS, SurrealConfig, SurrealPeople, surreal_person
from pointlight.simulator.people.surreal_files import (
    R_SURREAL_CAMERA_WORLD,
    SURREAL_FOCAL_PX,
    SURREAL_SIZE,
    SurrealInfo,
    find_surreal,
    read_surreal_info,
    surreal_name,
    surreal_pictures,
    surreal_video,
)

__all__ = [
    "PAPER_APPEARANCE",
    "R_SURREAL_CAMERA_WORLD",
    "SURREAL_FOCAL_PX",
    "SURREAL_POINTS",
    "SURREAL_SIZE",
    "SURREAL_SPLITS",
    "Appearance",
    "AppearanceConfig",
    "Drape",
    "Layer",
    "People",
    "PersonLayer",
    "RenderedPeople",
    "Subject",
    "SurrealConfig",
    "SurrealInfo",
    "SurrealPeople",
    "SurrealPeopleSource",
    "behind_surface",
    "camera_state",
    "draw_appearance",
    "find_surreal",
    "read_surreal_info",
    "render_person",
    "surreal_name",
    "surreal_person",
    "surreal_pictures",
    "surreal_video",
]
