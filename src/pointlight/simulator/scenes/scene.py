"""A scene: who moves how, before which camera, and what chance hides. Everything that is drawn is drawn here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch

from pointlight.body import EXTENDED_KEYPOINTS, BodyModel
from pointlight.errors import PointlightError
from pointlight.motion import BodyMotion, MotionBank, VarietyConfig, mirror, vary
from pointlight.randomness import stream
from pointlight.simulator.clip import CLIP_FRAMES
from pointlight.simulator.scenes.cameras import (
    SURREAL_CAMERA,
    CameraConfig,
    CameraPath,
    middle_of,
    sample_camera,
)
from pointlight.simulator.scenes.detector_noise import MEDIAPIPE_V1, DetectorNoise
from pointlight.simulator.scenes.keypoint_masking import (
    KeypointMaskingConfig,
    KeypointMaskingDraws,
    draw_masking,
)
from pointlight.simulator.scenes.population import draw_shape
from pointlight.values import by_value


@dataclass(frozen=True)
class SceneConfig:
    """The distribution of scenes. Defaults are ours; the paper's keypoint masking is in `KeypointMaskingConfig`.

    Attributes:
        name: under which figures are reported.
        split: of the motion bank; no scene mixes splits.
        frames: a clip's length at 30 frames/s (paper, section 3.2: 31).
        group_power: groups of motions are drawn with the length to this power; 1 draws by length, 0 evenly.
        mirror: share of mirrored motions.
        ages: "adults", or "all" with children and the old; beyond the paper.
        variety: changes of the motion, beyond the paper.
        camera: distribution of cameras.
        masking: appendix B.
        noise: errors of the detector, beyond the paper.
        other_noises: detectors of other kinds; each clip has one of all these, with equal chances.
        focal_known: share of clips for which the network is told the true focal length; otherwise it is told the
            picture's diagonal, as for a video of unknown lens.
    """

    name: str = "pointlight"
    split: str = "train"
    frames: int = CLIP_FRAMES
    group_power: float = 0.5
    mirror: float = 0.5
    ages: Literal["adults", "all"] = "adults"
    variety: VarietyConfig = field(default_factory=VarietyConfig)
    camera: CameraConfig = field(default_factory=CameraConfig)
    masking: KeypointMaskingConfig = field(default_factory=KeypointMaskingConfig)
    noise: DetectorNoise = field(default_factory=DetectorNoise)
    other_noises: tuple[DetectorNoise, ...] = ()
    focal_known: float = 0.5

    @property
    def noises(self) -> tuple[DetectorNoise, ...]:
        """All kinds of detector that a clip may have."""
        return (self.noise, *self.other_noises)


@by_value
@dataclass(frozen=True)
class Scene:
    """One drawn scene, ready for either rendering.

    Attributes:
        seed: with `index` and the configuration's name, where it comes from.
        index: number of the sample.
        motion: the body's motion in the world, fitted to the person's leg length.
        shape: (S,) float32, the body's shape.
        camera: path and lens.
        assumed_focal_px: the focal length that the network is told.
        masking: what chance hides.
        noise: kind of detector that sees it.
    """

    seed: int
    index: int
    motion: BodyMotion
    shape: np.ndarray
    camera: CameraPath
    assumed_focal_px: float
    masking: KeypointMaskingDraws
    noise: DetectorNoise

    @property
    def assumed_principal_px(self) -> tuple[float, float]:
        """(x, y) the principal point that the network is told: the picture's middle, wherever the camera's own is."""
        return middle_of(self.camera.image_size)


class SceneSampler:
    """Draws scenes from a motion bank; a scene is a pure function of (configuration, bank, seed, index)."""

    def __init__(self, config: SceneConfig, bank: MotionBank, body: BodyModel) -> None:
        self.config = config
        self.bank = bank
        self.body = body
        self._clips = [i for i in bank.indices(config.split) if bank.clips[i].frames >= config.frames]
        if not self._clips:
            raise PointlightError(
                f"none of the {len(bank.clips)} motions belongs to the split {config.split!r} and has {config.frames} "
                "frames; give more motions, or a splits.csv (docs/motion.md)"
            )
        self._chance = _clip_chances(bank, self._clips, config.group_power)
        self._mean_legs = float(body.leg_length_m(body.mean_shape))

    def sample(self, seed: int, index: int) -> Scene:
        """Draw scene `index`."""
        motion = self._draw_motion(seed, index)
        return self.scene_of(motion, seed, index)

    def scene_of(self, motion: BodyMotion, seed: int, index: int) -> Scene:
        """Draw everything but the motion, which is given (evaluation walks through whole clips)."""
        config = self.config
        shape = draw_shape(config.ages, self.body, stream(seed, index, "shape"))
        legs = float(self.body.leg_length_m(torch.from_numpy(shape))) / self._mean_legs
        motion = replace(motion, translation_m=(motion.translation_m * legs).astype(np.float32))
        camera = sample_camera(config.camera, motion.translation_m, stream(seed, index, "camera"))
        known = stream(seed, index, "told focal").random() < config.focal_known
        told = camera.focal_px if known else float(np.hypot(*camera.image_size))
        masking = draw_masking(config.masking, seed, index, len(motion.pose), EXTENDED_KEYPOINTS)
        noise = config.noises[stream(seed, index, "detector's kind").integers(len(config.noises))]
        return Scene(seed, index, motion, shape, camera, told, masking, noise)

    def _draw_motion(self, seed: int, index: int) -> BodyMotion:
        config = self.config
        rng = stream(seed, index, "motion")
        motion = self._draw_window(rng)
        donor = self._draw_window(rng)
        if config.variety.active:
            motion = vary(motion, donor, config.variety, stream(seed, index, "variety"))
        if rng.random() < config.mirror:
            motion = mirror(motion)
        return motion

    def _draw_window(self, rng: np.random.Generator) -> BodyMotion:
        clip = self._clips[int(np.searchsorted(self._chance, rng.random(), side="right"))]
        start = int(rng.integers(0, self.bank.clips[clip].frames - self.config.frames + 1))
        return self.bank.motion(clip, start, self.config.frames)


def _clip_chances(bank: MotionBank, clips: list[int], power: float) -> np.ndarray:
    """Cumulative chances of clips: within a group by length, between groups by length to `power`."""
    entries = [bank.clips[i] for i in clips]
    totals: dict[str, float] = {}
    for entry in entries:
        totals[entry.group] = totals.get(entry.group, 0.0) + entry.frames
    weights = np.array([entry.frames * totals[entry.group] ** (power - 1) for entry in entries])
    chances = np.cumsum(weights / weights.sum())
    chances[-1] = 1.0 + 1e-9
    return chances


def surreal_scenes(config: SceneConfig) -> SceneConfig:
    """The same scenes before SURREAL's camera, for the paper's recipes."""
    return replace(config, name=f"{config.name}-surreal", camera=SURREAL_CAMERA)


EVAL_V1 = SceneConfig(
    name="eval-v1",
    split="heldout",
    variety=VarietyConfig.none(),
    camera=CameraConfig(
        distance_m=(2.2, 9.0), focal_widths=(0.9, 2.2), elevation_deg=(5.0, 12.0), roll_deg=6.0
    ),
    noise=DetectorNoise(white=0.012, bias=0.01),
    focal_known=1.0,
)
"""What all reported figures on simulation are measured on. A change needs a new name and the old figures run again.

Of a person's size (diagonal of the box of the 12 keypoints): white noise 1.2 % and bias 1 %; 5 % of keypoints flipped
singly, 8 % hidden in blocks, 15 % of clips with a total occlusion; and appendix B's own rules. The true focal length is
told.
"""

EVAL_V1_PERFECT = replace(
    EVAL_V1,
    name="eval-v1-perfect",
    masking=KeypointMaskingConfig(
        self_occlusion=False, frame_edge=False, unhide_legs=0.0, flip=0.0, total_occlusion=0.0, block=0.0
    ),
    noise=DetectorNoise(),
)
"""The same scenes with exact and complete keypoints: the limit of lifting."""

EVAL_MEDIAPIPE_V1 = replace(EVAL_V1, name="eval-mediapipe-v1", noise=MEDIAPIPE_V1)
"""The same scenes as seen by a detector that errs as mediapipe does."""
