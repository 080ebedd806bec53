"""One clip from its number: scene, appearance, background, occluder and sensor put together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pointlight.body import BodyModel
from pointlight.errors import PointlightError
from pointlight.motion import MotionBank
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.randomness import stream
from pointlight.simulator.backgrounds.sampler import BackgroundClip, BackgroundSampler
from pointlight.simulator.backgrounds.windows import Window, Windows
from pointlight.simulator.clips.composite import CompositeConfig, Provenance, VideoClip, composite
from pointlight.simulator.clips.files import CLIP_FORMAT_VERSION, encode_clip
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
from pointlight.simulator.clips.recipes import SynthesisConfig
from pointlight.simulator.clips.sensor import (
    SensorConfig,
    apply_camera,
    compress,
    draw_rate_factor,
    motion_of,
)
from pointlight.simulator.people.layers import PersonLayer
from pointlight.simulator.people.sources import People, RenderedPeople, Subject
from pointlight.simulator.scenes.scene import Scene
from pointlight.values import by_value


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
        self._latest: tuple[tuple[int, int], BackgroundClip] | None = None
        self._versions = {
            "pointlight": _version(),
            "clips": str(CLIP_FORMAT_VERSION),
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
        return self.people.scene(seed, index, self._path(self._background(seed, index)))

    def _background(self, seed: int, index: int) -> BackgroundClip:
        """Of clip `index`; the latest is kept, since who asks for a clip often asks for its scene too."""
        if self._latest is None or self._latest[0] != (seed, index):
            self._latest = (seed, index), self._backgrounds.sample(seed, index)
        return self._latest[1]

    def clip(self, seed: int, index: int) -> VideoClip:
        """Clip `index`."""
        return self.parts(seed, index).clip

    def files(self, seed: int, index: int, progress: ProgressCallback = silent) -> dict[str, bytes]:
        """The files of clip `index`, which `decode_clip` reads; `progress` as in `parts`.

        Where the sensor has a codec its stream is what is stored, and holds the very frames of `clip(seed, index)`.
        Otherwise they are `encode_clip`'s.
        """
        clip = self._before_codec(seed, index, progress).clip
        files = encode_clip(clip, draw_rate_factor(self.config.sensor, seed, index))
        progress(Progress("encode", 1, 1))
        return files

    def parts(self, seed: int, index: int, progress: ProgressCallback = silent) -> ClipParts:
        """Clip `index` with what it is made of.

        Args:
            seed: of all clips.
            index: of this one.
            progress: told of each stage when it has ended (1 of 1), so that a stopwatch can subscribe.
        """
        parts = self._before_codec(seed, index, progress)
        rate_factor = draw_rate_factor(self.config.sensor, seed, index)
        if rate_factor is None:
            return parts
        clip = replace(parts.clip, frames=compress(parts.clip.frames, rate_factor))
        progress(Progress("codec", 1, 1))
        return replace(parts, clip=clip)

    def _before_codec(self, seed: int, index: int, progress: ProgressCallback) -> ClipParts:
        """Clip `index` as its camera gives it."""
        config = self.config
        background = self._background(seed, index)
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
            clip = replace(clip, frames=apply_camera(clip.frames, config.sensor, seed, index, motion))
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
