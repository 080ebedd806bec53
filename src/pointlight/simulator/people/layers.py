"""A person in a picture, whoever drew them: what `render.py` and `surreal.py` make and `composite.py` takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pointlight.body import BodyState
from pointlight.simulator.scenes.cameras import CameraPath
from pointlight.values import by_value


@by_value
@dataclass(frozen=True)
class PersonLayer:
    """One person over T frames of H x W pixels, on nothing.

    Attributes:
        colour: (T, H, W, 3) uint8 RGB; 0 where the person is not.
        mask: (T, H, W) bool, pixels whose centre the person covers; hard, as in the paper.
        depth_m: (T, H, W) float32, z in the camera; inf where the person is not.
        parts: (T, H, W) uint8, 1 + the index in `part_names`; 0 where the person is not.
        part_names: of the parts.
        flow_forward_px: (T-1, H, W, 2) float32, where the surface seen in frame t goes until t+1; NaN where the person
            is not.
        flow_backward_px: (T-1, H, W, 2) float32, where the surface seen in frame t+1 was in t, less where it is.
        joint_names: of the joints; at least the points of `TRACK_POINTS`.
        joints_px: (T, J, 2) float32.
        joints_camera_m: (T, J, 3) float32.
        out_of_frame: (T, J) bool, joints outside the picture that was drawn.
        self_occluded: (T, J) bool, joints at least 20 cm behind the person's own surface (appendix B).
        camera: lens and path; its principal point follows the background's motion.
        state: the body in camera axes with leading dimension T: Anny's where we drew it, SMPL's from SURREAL's files; None
            if it is not known.
    """

    colour: np.ndarray
    mask: np.ndarray
    depth_m: np.ndarray
    parts: np.ndarray
    part_names: tuple[str, ...]
    flow_forward_px: np.ndarray
    flow_backward_px: np.ndarray
    joint_names: tuple[str, ...]
    joints_px: np.ndarray
    joints_camera_m: np.ndarray
    out_of_frame: np.ndarray
    self_occluded: np.ndarray
    camera: CameraPath
    state: BodyState | None
