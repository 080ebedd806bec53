"""One clip from its number: scene, appearance, background, occluder and sensor put together; the recipes of Table 2."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from pointlight.body import BodyModel
from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.flow import find_flow
from pointlight.motion import SPLITS, MotionBank, VarietyConfig
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.randomness import stream
from pointlight.simulator.backgrounds.sampler import (
    VARIED_BACKGROUNDS,
    BackgroundClip,
    BackgroundConfig,
    BackgroundSampler,
)
from pointlight.simulator.backgrounds.windows import Window, Windows
from pointlight.simulator.clip import HEIGHT, WIDTH
from pointlight.simulator.clips.composite import CompositeConfig, Provenance, VideoClip, composite
from pointlight.simulator.clips.occluders import (
    Occluder,
    OccluderConfig,
    SuperpixelMap,
    draw_occluder,
    draw_superpixels,
    is_kept,
    read_superpixels,
    superpixels_file,
    superpixels_key,
    write_superpixels,
)
from pointlight.simulator.clips.sensor import SensorConfig, apply_sensor, motion_of
from pointlight.simulator.people.appearance import PAPER_APPEARANCE, AppearanceConfig
from pointlight.simulator.people.layers import PersonLayer
from pointlight.simulator.people.sources import People, RenderedPeople, Subject
from pointlight.simulator.scenes.cameras import CameraConfig
from pointlight.simulator.scenes.keypoint_masking import KeypointMaskingConfig
from pointlight.simulator.scenes.scene import Scene, SceneConfig, surreal_scenes
from pointlight.values import by_value


@dataclass(frozen=True)
class SynthesisConfig:
    """The distribution of clips with pictures. Without arguments it is the paper's, with our people.

    Attributes:
        name: of the recipe.
        scenes: who moves how before which camera, and what chance hides; its pictures must have the backgrounds' size,
            320x240.
        appearance: clothes, skin and light.
        backgrounds: what is behind.
        track: the person follows the background's motion ("No background tracking" in Table 2 does without).
        occluders: what stands before the person.
        bystanders: share of clips with another simulated person in the picture; beyond the paper.
        totally_occluded: what a totally occluded frame looks like, see `CompositeConfig`.
        sensor: what camera and codec do to the frames; beyond the paper.
    """

    name: str
    scenes: SceneConfig
    appearance: AppearanceConfig = PAPER_APPEARANCE
    backgrounds: BackgroundConfig = field(default_factory=lambda: BackgroundConfig(flow="dis"))
    track: bool = True
    occluders: OccluderConfig = field(default_factory=OccluderConfig)
    bystanders: float = 0.0
    totally_occluded: Literal["kept", "absent"] = "kept"
    sensor: SensorConfig = field(default_factory=SensorConfig.none)

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.scenes.camera.image_sizes != ((WIDTH, HEIGHT),):
            raise PointlightError(
                f"the cameras of {self.name} take pictures of {self.scenes.camera.image_sizes}, but backgrounds are "
                f"{WIDTH}x{HEIGHT}; set image_sizes to (({WIDTH}, {HEIGHT}),)"
            )
        if self.appearance.split != self.scenes.split:
            raise PointlightError(
                f"{self.name} takes textures of the split {self.appearance.split!r} and motions of "
                f"{self.scenes.split!r}; one clip has one split"
            )

    @property
    def split(self) -> str:
        """Of everything in its clips."""
        return self.scenes.split

    @property
    def sha256(self) -> str:
        """Of all settings, and of the pictures themselves where there are some."""
        return config_sha256(self)

    def of_split(self, split: str) -> SynthesisConfig:
        """The same recipe for another split.

        Raises:
            PointlightError: there is no such split.
        """
        if split not in SPLITS:
            raise PointlightError(f"there is no split {split!r}; choose one of {', '.join(SPLITS)}")
        return replace(
            self, scenes=replace(self.scenes, split=split), appearance=replace(self.appearance, split=split)
        )

    def with_options(
        self,
        *,
        split: str = "train",
        flow: str | None = None,
        people: bool = True,
        pictures: Path | None = None,
        total_occlusions: bool = True,
    ) -> SynthesisConfig:
        """The same recipe with what is chosen for one data set.

        Args:
            split: of everything in its clips.
            flow: what finds the path of a background's camera, a name of `find_flow`; the recipe's own if not given.
            people: whether backgrounds may show people.
            pictures: folder of pictures to make clothes of, beside procedural fabrics.
            total_occlusions: whether some frames are taken away as a whole.

        Raises:
            PointlightError: there is no such split or flow.
        """
        if flow is not None:
            find_flow(flow)
        config = self.of_split(split)
        config = replace(
            config,
            backgrounds=replace(config.backgrounds, flow=flow or config.backgrounds.flow, people=people),
            appearance=replace(config.appearance, pictures=pictures),
        )
        return config if total_occlusions else without_total_occlusions(config)


def _paper(name: str) -> SynthesisConfig:
    """SURREAL's camera, motions as they are, nothing that the paper does not name."""
    scenes = SceneConfig(
        name=name,
        variety=VarietyConfig.none(),
        masking=KeypointMaskingConfig(block=0.0),
        focal_known=1.0,
        group_power=1.0,
    )
    # The paper's flow is TV-L1, a second a pair; DIS agrees (docs/synthesis.md) and is what bulk data is made with.
    return SynthesisConfig(name, surreal_scenes(scenes))


def _recipes() -> dict[str, SynthesisConfig]:
    """Table 2 is cumulative; total occlusions stay on, of which it is silent (`without_total_occlusions`)."""
    full = _paper("full")
    clear = replace(full, name="no_occlusions", occluders=replace(full.occluders, superpixel=False))
    untracked = replace(clear, name="no_tracking_no_occlusions", track=False)
    static = replace(
        untracked, name="static_no_occlusions", backgrounds=replace(full.backgrounds, static=True)
    )
    # A camera that moves by itself would leave the background standing: here all motion is the background's. Pictures
    # are small: people farther away would be a few pixels.
    camera = CameraConfig(
        distance_m=(2.0, 7.0),
        focal_widths=(0.9, 2.2),
        elevation_deg=(6.0, 10.0),
        roll_deg=4.0,
        roll_limit_deg=15.0,
        image_sizes=((WIDTH, HEIGHT),),
        handheld_deg=0.0,
        moving_share=0.0,
    )
    ours = SynthesisConfig(
        "pointlight",
        SceneConfig(name="pointlight-pictures", camera=camera, masking=KeypointMaskingConfig(block=0.0)),
        appearance=AppearanceConfig(),
        backgrounds=VARIED_BACKGROUNDS,
        occluders=replace(full.occluders, box=0.1),
        bystanders=0.15,
        sensor=SensorConfig(),
    )
    return {recipe.name: recipe for recipe in (full, clear, untracked, static, ours)}


SYNTHESIS_RECIPES: dict[str, SynthesisConfig] = _recipes()
"""The rows of the paper's Table 2 (our people before SURREAL's camera), and `pointlight`, ours."""


def find_synthesis_recipe(name: str) -> SynthesisConfig:
    """The recipe of that name.

    Raises:
        PointlightError: there is none.
    """
    if name not in SYNTHESIS_RECIPES:
        raise PointlightError(f"there is no recipe {name!r}; there are: {', '.join(SYNTHESIS_RECIPES)}")
    return SYNTHESIS_RECIPES[name]


WITHOUT_TOTAL_OCCLUSIONS = "-no_total_occlusions"
"""What the name of such a recipe ends in."""


def without_total_occlusions(config: SynthesisConfig) -> SynthesisConfig:
    """The same clips with no frame taken away as a whole."""
    masking = replace(config.scenes.masking, total_occlusion=0.0)
    return replace(
        config,
        name=f"{config.name}{WITHOUT_TOTAL_OCCLUSIONS}",
        scenes=replace(config.scenes, masking=masking),
    )


@by_value
@dataclass(frozen=True)
class ClipParts:
    """A clip and what it was put together from.

    Attributes:
        subject: whom it is about; its scene's tracks agree with the clip, its camera follows the background.
        background: what is behind.
        bystander: another person, on nothing; None for none.
        pixels: the background's superpixels, as it shows them; None where none were asked for.
        occluder: None for none.
        clip: the result.
    """

    subject: Subject
    background: BackgroundClip
    bystander: PersonLayer | None
    pixels: SuperpixelMap | None
    occluder: Occluder | None
    clip: VideoClip


class ClipMaker:
    """Makes clips; each is a pure function of (config, people, windows, seed, index)."""

    def __init__(self, config: SynthesisConfig, people: People, windows: Windows) -> None:
        """Bring the sources together.

        Args:
            config: the distribution.
            people: who is shown; `rendered` draws them from the configuration's scenes.
            windows: of the same split.

        Raises:
            PointlightError: sources of several splits, or none that may be used.
        """
        if windows.split != config.split:
            raise PointlightError(
                f"{config.name} is of the split {config.split!r}, its backgrounds of {windows.split!r}; "
                "one clip has one split"
            )
        self.config = config
        self.people = people
        self.windows = windows
        self._backgrounds = BackgroundSampler(windows, config.backgrounds, config.scenes.frames)
        self._versions = {
            "pointlight": _version(),
            "recipe": config.sha256[:16],
            "backgrounds": windows.sha256[:16],
            **people.versions,
        }

    @staticmethod
    def rendered(config: SynthesisConfig, bank: MotionBank, windows: Windows, body: BodyModel) -> ClipMaker:
        """A maker of clips with people drawn from a motion bank."""
        return ClipMaker(config, RenderedPeople(config.scenes, config.appearance, bank, body), windows)

    @property
    def versions(self) -> dict[str, str]:
        """What clips depend on beside seed and number, by name."""
        return dict(self._versions)

    def scene(self, seed: int, index: int) -> Scene:
        """Scene `index` with the camera that follows its background; its tracks are those of `clip(seed, index)`.

        Raises:
            PointlightError: the people are not rendered from scenes.
        """
        if not isinstance(self.people, RenderedPeople):
            raise PointlightError(f"the people of {self.config.name} come from files and have no scenes")
        return self.people.scene(seed, index, self._path(self._backgrounds.sample(seed, index)))

    def clip(self, seed: int, index: int) -> VideoClip:
        """Clip `index`."""
        return self.parts(seed, index).clip

    def parts(self, seed: int, index: int, progress: ProgressCallback = silent) -> ClipParts:
        """Clip `index` with what it is made of.

        Args:
            seed: of all clips.
            index: of this one.
            progress: told of each stage when it has ended (1 of 1), so that a stopwatch can subscribe.
        """
        config = self.config
        background = self._backgrounds.sample(seed, index)
        progress(Progress("background", 1, 1))
        subject = self.people.subject(seed, index, self._path(background), progress)
        person = subject.layer
        pixels = self._superpixels(background) if config.occluders.superpixel else None
        progress(Progress("superpixels", 1, 1))
        occluder = draw_occluder(
            background.frames,
            background.path_px,
            pixels,
            person,
            config.occluders,
            stream(seed, index, "occluder"),
        )
        progress(Progress("occluder", 1, 1))
        bystander, others = None, {}
        if stream(seed, index, "has bystander").random() < config.bystanders:
            bystander, others = self._bystander(subject)
            progress(Progress("bystander", 1, 1))
        source = background.provenance.source
        shown = f"{source.file} window {source.number} at {source.start_s:.3f} s"
        provenance = Provenance(
            recipe=config.name,
            seed=seed,
            index=index,
            sources={**subject.sources, "background": shown, **others},
            splits={**subject.splits, "background": source.split},
            versions=self._versions,
        )
        people = [person] if bystander is None else [person, bystander]
        rules = CompositeConfig(config.scenes.masking, subject.noise, config.totally_occluded)
        clip = composite(people, background.frames, occluder, subject.masking, rules, provenance)
        clip = replace(clip, assumed_focal_px=subject.assumed_focal_px)
        progress(Progress("composite", 1, 1))
        if config.sensor != SensorConfig.none():
            motion = motion_of(clip.flow_forward_px, clip.flow_backward_px, clip.mask)
            clip = replace(clip, frames=apply_sensor(clip.frames, config.sensor, seed, index, motion))
            progress(Progress("sensor", 1, 1))
        return ClipParts(subject, background, bystander, pixels, occluder, clip)

    def _bystander(self, subject: Subject) -> tuple[PersonLayer | None, dict[str, str]]:
        """Another person and where it comes from; nobody where it is not in the picture or hides too much."""
        layer, sources = self.people.bystander(subject)
        before = layer.mask & (layer.depth_m < subject.layer.depth_m)
        hides = bool((before & subject.layer.mask).any())
        if not layer.mask.any() or (
            hides and not is_kept(before, subject.layer, self.config.occluders.least_joints)
        ):
            return None, {}
        return layer, sources

    def _path(self, background: BackgroundClip) -> np.ndarray:
        """(T, 2) what the person follows."""
        return background.path_px if self.config.track else np.zeros_like(background.path_px)

    def _superpixels(self, background: BackgroundClip) -> SuperpixelMap:
        """The window's own map, the same whether it is found or made, as this background shows it."""
        provenance = background.provenance
        pixels = window_superpixels(background.window, provenance.flow, self.config.occluders)
        return replace(pixels, labels=provenance.as_shown(pixels.labels))


def window_superpixels(window: Window, flow: str, config: OccluderConfig) -> SuperpixelMap:
    """The superpixels of a window, from its folder where they lie there; otherwise made, and put there.

    Count and weight are drawn from a stream of the window's own, so that one map serves all clips over it.

    Args:
        window: of a cache, or made.
        flow: whose path is taken away; "none" for none.
        config: how they are made.
    """
    path_px = window.paths_px.get(flow, np.zeros((len(window.frames), 2), np.float32))
    key = superpixels_key(flow, config)
    path = None if window.folder is None else superpixels_file(window.folder, key)
    if path is not None and path.exists():
        try:
            return read_superpixels(path)
        except PointlightError:
            path.unlink(missing_ok=True)  # a broken map costs no run, it is made again
    rng = stream(0, window.source.number, f"superpixels {window.source.fingerprint} {key}")
    pixels = draw_superpixels(window.frames, path_px, config, rng)
    if path is not None:
        write_superpixels(path, pixels)
    return pixels


def _version() -> str:
    from pointlight import __version__

    return __version__
