"""Another simulated person who is in the picture too; beyond the paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pointlight.randomness import stream
from pointlight.simulator.scenes.scene import Scene, SceneSampler

_CANDIDATES = 4
_BESIDE_M, _BEYOND_M = 1.6, (-2.0, 3.0)
_APART_M = 0.7
"""Two people's pelvises are not nearer than that."""


def draw_bystander(subject: Scene, sampler: SceneSampler) -> Scene:
    """Somebody else before the subject's camera, a pure function of the subject's scene and the sampler.

    Of a few scenes the one whose person walks farthest is taken, so that people rather pass than stand. At one moment
    it is within 1.6 m beside the subject's place, between 2 m before it and 3 m behind it; it never comes nearer
    to the subject than 0.7 m, but may hide it.

    Args:
        subject: the scene; its camera is the bystander's too.
        sampler: that drew it.
    """
    rng = stream(subject.seed, subject.index, "bystander")
    seed = int(rng.integers(2**31))
    scenes = [sampler.sample(seed, index) for index in range(_CANDIDATES)]
    other = max(scenes, key=lambda scene: float(np.ptp(scene.motion.translation_m[:, [0, 2]], axis=0).max()))
    camera = subject.camera
    meeting = int(rng.integers(len(subject.motion.pose)))
    # The camera's axes on the ground.
    right, ahead = (camera.R_camera_world[meeting][row] * (1.0, 0.0, 1.0) for row in (0, 2))
    right, ahead = (axis / max(float(np.linalg.norm(axis)), 1e-6) for axis in (right, ahead))
    aside = rng.uniform(-_BESIDE_M, _BESIDE_M) * right + rng.uniform(*_BEYOND_M) * ahead
    own, theirs = subject.motion.translation_m, other.motion.translation_m
    shift = (own[meeting] - theirs[meeting] + aside) * (1.0, 0.0, 1.0)
    gap = np.linalg.norm((theirs + shift - own)[:, [0, 2]], axis=-1)
    if gap.min() < _APART_M:
        shift = shift + np.sign(aside @ ahead or 1.0) * (_APART_M + float(np.ptp(gap))) * ahead
    moved = replace(other.motion, translation_m=(theirs + shift).astype(np.float32))
    return replace(other, motion=moved, camera=camera)
