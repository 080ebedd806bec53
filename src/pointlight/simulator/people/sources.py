"""Where a clip's people come from: rendered from scenes, or SURREAL's files; compositing sees no difference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pointlight.body import EXTENDED_KEYPOINTS, BodyModel
from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.motion import MotionBank
from pointlight.progress import Progress, ProgressCallback
from pointlight.randomness import stream
from pointlight.simulator.people.appearance import AppearanceConfig, draw_appearance
from pointlight.simulator.people.bystanders import draw_bystander
from pointlight.simulator.people.fabrics import picture_fabrics
from pointlight.simulator.people.layers import PersonLayer
from pointlight.simulator.people.render import render_person
from pointlight.simulator.people.surreal import SurrealPeople
from pointlight.simulator.scenes.cameras import follow
from pointlight.simulator.scenes.detector_noise import DetectorNoise
from pointlight.simulator.scenes.keypoint_masking import KeypointMaskingDraws, draw_masking
from pointlight.simulator.scenes.scene import Scene, SceneConfig, SceneSampler
from pointlight.values import by_value

SURREAL_SPLITS = {"train": "train", "validation": "val", "heldout": "test"}
"""SURREAL's names of our splits."""


@by_value
@dataclass(frozen=True)
class Subject:
    """Whom a clip is about, and what chance hides of them.

    Attributes:
        layer: the person on nothing.
        scene: from which tracks can be made too; None for people of files.
        masking: what chance hides.
        noise: kind of detector that sees the person.
        assumed_focal_px: the focal length that a network is told.
        sources: what was drawn by kind, for provenance.
        splits: of motion and textures.
    """

    layer: PersonLayer
    scene: Scene | None
    masking: KeypointMaskingDraws
    noise: DetectorNoise
    assumed_focal_px: float
    sources: dict[str, str]
    splits: dict[str, str]


class People(Protocol):
    """Draws subjects; each is a pure function of (what they are drawn from, seed, index, path)."""

    @property
    def versions(self) -> dict[str, str]:
        """What subjects depend on beside seed and number, by name."""
        ...

    def subject(self, seed: int, index: int, path_px: np.ndarray, progress: ProgressCallback) -> Subject:
        """Subject `index`, who follows the background's path (T, 2); `progress` is told of each stage that has ended."""
        ...

    def bystander(self, subject: Subject) -> tuple[PersonLayer, dict[str, str]]:
        """Somebody else before the subject's camera, and where they come from."""
        ...


class RenderedPeople:
    """New people in every clip, from a motion bank."""

    def __init__(
        self, scenes: SceneConfig, appearance: AppearanceConfig, bank: MotionBank, body: BodyModel
    ) -> None:
        """Bring the sources together.

        Args:
            scenes: who moves how before which camera.
            appearance: of the same split.
            bank: of motions.
            body: Anny.
        """
        self.bank = bank
        self.body = body
        self._appearance = appearance
        self._scenes = SceneSampler(scenes, bank, body)

    @property
    def versions(self) -> dict[str, str]:
        """As in `People`."""
        versions = {"motions": self.bank.sha256[:16], "body": self.body.sha256[:16]}
        if self._appearance.pictures is not None:
            names = [
                fabric.name for fabric in picture_fabrics(self._appearance.pictures, self._appearance.split)
            ]
            versions["pictures"] = config_sha256(names)[:16]
        return versions

    def scene(self, seed: int, index: int, path_px: np.ndarray) -> Scene:
        """Scene `index` with a camera that follows the path."""
        scene = self._scenes.sample(seed, index)
        return replace(scene, camera=follow(scene.camera, path_px))

    def subject(self, seed: int, index: int, path_px: np.ndarray, progress: ProgressCallback) -> Subject:
        """As in `People`."""
        scene = self.scene(seed, index, path_px)
        progress(Progress("scene", 1, 1))
        appearance = draw_appearance(self._appearance, seed, index, scene.shape)
        progress(Progress("appearance", 1, 1))
        layer = render_person(scene, appearance, self.body)
        progress(Progress("render", 1, 1))
        return Subject(
            layer=layer,
            scene=scene,
            masking=scene.masking,
            noise=scene.noise,
            assumed_focal_px=scene.assumed_focal_px,
            sources={"motion": scene.motion.name, "textures": ", ".join(appearance.fabrics)},
            splits={"motion": scene.motion.split, "textures": appearance.split},
        )

    def bystander(self, subject: Subject) -> tuple[PersonLayer, dict[str, str]]:
        """As in `People`."""
        assert subject.scene is not None
        other = draw_bystander(subject.scene, self._scenes)
        # Appearance by the other scene's own numbers, from the same families of textures.
        appearance = draw_appearance(self._appearance, other.seed, other.index, other.shape)
        layer = render_person(other, appearance, self.body)
        return layer, {"bystander": other.motion.name, "bystander's textures": ", ".join(appearance.fabrics)}


class SurrealPeopleSource:
    """SURREAL's people: with Kinetics behind them, the paper's own data set."""

    def __init__(self, scenes: SceneConfig, surreal: SurrealPeople) -> None:
        """Bring the sources together.

        Args:
            scenes: its split, keypoint masking and detectors are used; bodies, motions and cameras are SURREAL's.
            surreal: of the same split.

        Raises:
            PointlightError: SURREAL's part of another split.
        """
        if surreal.config.split != SURREAL_SPLITS[scenes.split]:
            raise PointlightError(
                f"SURREAL's part {surreal.config.split!r} is not of the split {scenes.split!r}; "
                f"take {SURREAL_SPLITS[scenes.split]!r}"
            )
        self._scenes = scenes
        self._surreal = surreal

    @property
    def versions(self) -> dict[str, str]:
        """As in `People`."""
        return {"people": self._surreal.sha256[:16]}

    def subject(self, seed: int, index: int, path_px: np.ndarray, progress: ProgressCallback) -> Subject:
        """As in `People`."""
        config = self._scenes
        layer, source = self._surreal.sample(seed, index, path_px)
        progress(Progress("SURREAL", 1, 1))
        kind = stream(seed, index, "detector's kind").integers(len(config.noises))
        return Subject(
            layer=layer,
            scene=None,
            masking=draw_masking(config.masking, seed, index, len(path_px), EXTENDED_KEYPOINTS),
            noise=config.noises[kind],
            assumed_focal_px=layer.camera.focal_px,
            sources={"motion": source, "textures": "surreal"},
            splits={"motion": config.split, "textures": config.split},
        )

    def bystander(self, subject: Subject) -> tuple[PersonLayer, dict[str, str]]:
        """There is none.

        Raises:
            PointlightError: always.
        """
        raise PointlightError(
            "people of SURREAL come one to a clip; take a recipe without bystanders, such as 'full'"
        )
