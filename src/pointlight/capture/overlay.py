"""The picture of a result: the body on the person, beside the same body turned by 60 degrees (the paper's Figure 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointlight.body import AnnyBody, BodyState
from pointlight.capture.capture import Capture
from pointlight.capture.painting import OPACITY, PALETTES, BodyPainter
from pointlight.capture.states import body_states
from pointlight.errors import PointlightError
from pointlight.media import Frame, Sound, VideoReader, VideoWriter
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.threads import ahead, in_order, usable_threads

TURN_DEG = 60.0
"""Figure 5: "the same mesh rotated by 60 degrees"."""

_BACKGROUND_RGB = (38, 40, 46)
_NOBODY_RGB = (190, 60, 60)
_FAINT = 0.45
_FRAMES_AHEAD = 4
_TALL_M, _WIDE_M = 2.3, 1.6
"""A person of 2.2 m with raised arms fits."""


def write_overlay(
    captures: Capture | Sequence[Capture],
    video: Path,
    out: Path,
    body: AnnyBody,
    *,
    size_px: int | None = 1280,
    figure: str = "neutral",
    progress: ProgressCallback = silent,
) -> tuple[str, ...]:
    """Write the overlay of captures, frame by frame; it begins at 0, goes as fast as the video, and keeps its sound.

    Args:
        captures: of this video, one a person; all of the same frames.
        video: read once more; memory does not grow with its length.
        out: the mp4, whole or not at all.
        body: the captures' model.
        size_px: longest side of the written picture; None keeps the video's height.
        figure: what bodies look like, see `FIGURES`.
        progress: told how many frames are drawn.

    Returns:
        Sentences on what the overlay lacks.

    Raises:
        PointlightError: the video is another one than the captures'.
    """
    people = [captures] if isinstance(captures, Capture) else list(captures)
    first = people[0]
    width, height = first.image_size
    scale = 1.0 if size_px is None else min(1.0, size_px / max(2 * width, height))
    panel = (max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2)))
    start_s = float(first.time_s[0]) if first.frame_index[0] > 0 else None
    reader = VideoReader(video, start_s, size=panel)
    if reader.source_size != first.image_size:
        raise PointlightError(
            f"{video} has pictures of {reader.source_size} pixels, the capture is of {first.image_size};"
            " give the video that it was made of"
        )
    stage = _Stage(people, body, panel, scale, figure)
    sound = Sound(reader, float(first.time_s[0]), float(first.time_s[-1]) + 1 / first.fps)
    threads, done, begun_s = usable_threads(), 0, 0.0
    with VideoWriter(out, first.fps, (2 * panel[0], panel[1]), sound=sound) as writer:
        frames = ahead(_of_capture(reader, first), _FRAMES_AHEAD)
        for panels, time_s in in_order(stage.draw, frames, threads):
            begun_s = begun_s if done else time_s
            writer.write(panels, time_s - begun_s)
            done += 1
            progress(Progress("overlay", done, len(first), unit="frame"))
        if done < len(first):
            raise PointlightError(
                f"{video} has {done} of the {len(first)} frames of the capture; give the video that it was made of"
            )
    return sound.warnings


@dataclass(frozen=True)
class _Picture:
    """A frame of the video and where it stands in the captures."""

    number: int
    frame: Frame


def _of_capture(reader: VideoReader, capture: Capture) -> Iterator[_Picture]:
    position = {int(index): number for number, index in enumerate(capture.frame_index)}
    left = len(capture)
    for frame in reader:
        number = position.get(frame.index)
        if number is not None:
            yield _Picture(number, frame)
            left -= 1
            if not left:
                return


class _Actor:
    """One person: states, and a painter for each shot, in which the shape is another."""

    def __init__(self, capture: Capture, body: AnnyBody, number: int, figure: str) -> None:
        self.capture = capture
        self.states = body_states(capture, body)
        palette = PALETTES[number % len(PALETTES)]
        self._painters = [BodyPainter(body, shape, palette, figure) for shape in capture.shot_shapes]

    def painter(self, number: int) -> BodyPainter:
        """Of a frame."""
        return self._painters[int(self.capture.shot[number])]

    def vertices(self, number: int) -> np.ndarray:
        """(V, 3) in a frame, camera axes, metres."""
        states = self.states
        state = BodyState(
            states.pose[number], states.shape[number], states.root[number], states.translation[number]
        )
        return self.painter(number).vertices(state)


class _Stage:
    """Draws frames: the video with everybody on the left, everybody seen from the side on the right."""

    def __init__(
        self, people: Sequence[Capture], body: AnnyBody, panel: tuple[int, int], scale: float, figure: str
    ) -> None:
        self._actors = [_Actor(capture, body, number, figure) for number, capture in enumerate(people)]
        self._scale = scale
        self._turned = _TurnedView(people, panel)
        self._blank = np.empty((panel[1], 2 * panel[0], 3), np.uint8)
        self._blank[:] = _BACKGROUND_RGB

    def draw(self, picture: _Picture) -> tuple[np.ndarray, float]:
        """Both panels (H, 2 W, 3) of a frame, and its time."""
        number, image = picture.number, picture.frame.image
        canvas = self._blank.copy()
        left, right = canvas[:, : image.shape[1]], canvas[:, image.shape[1] :]
        left[:] = image
        here = [actor for actor in self._actors if actor.capture.valid[number]]
        bodies = [(actor, actor.vertices(number)) for actor in here]
        if not bodies:
            right[:, :8] = _NOBODY_RGB
        for actor, vertices in _farthest_first(bodies):
            capture = actor.capture
            principal = (capture.principal_px[0] * self._scale, capture.principal_px[1] * self._scale)
            # Frames in which the person is hardly seen are drawn fainter: the body is inferred there.
            opacity = _FAINT if capture.occluded[number] else OPACITY
            focal = capture.focal_px * self._scale
            actor.painter(number).draw(left, vertices, focal, principal, opacity)
        view = self._turned
        for actor, vertices in _farthest_first([(actor, view.see(vertices)) for actor, vertices in bodies]):
            actor.painter(number).draw(right, vertices, view.focal_px, view.principal_px, 1.0)
        return canvas, picture.frame.time_s


def _farthest_first(bodies: list[tuple[_Actor, np.ndarray]]) -> list[tuple[_Actor, np.ndarray]]:
    return sorted(bodies, key=lambda pair: -float(pair[1][:, 2].mean()))


class _TurnedView:
    """The camera of the right panel: for one person aimed at the body's middle, for several standing still."""

    def __init__(self, people: Sequence[Capture], panel: tuple[int, int]) -> None:
        self.principal_px = (panel[0] / 2, panel[1] / 2)
        angle = np.radians(TURN_DEG)
        cosine, sine = np.cos(angle), np.sin(angle)
        self._turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]], np.float32)
        self._middle: np.ndarray | None = None
        half_m = np.array((_WIDE_M / 2, _TALL_M / 2))
        deep_m = 0.0
        if len(people) > 1:
            places = np.concatenate([capture.translation_camera_m[capture.valid] for capture in people])
            # A body that is thrown far off for a moment does not make the others small.
            low, high = np.percentile(places @ self._turn.T, (2, 98), axis=0)
            self._middle = ((low + high) / 2).astype(np.float32)
            half_m = half_m + (high - low)[:2] / 2
            deep_m = float(high[2] - low[2]) / 2
        self.distance_m = 5.0 + 2 * deep_m
        room = np.array(panel) / 2 / half_m
        self.focal_px = float(room.min()) * (self.distance_m - deep_m)

    def see(self, vertices_camera_m: np.ndarray) -> np.ndarray:
        """Vertices turned about the picture's vertical, before this camera."""
        if self._middle is None:
            middle = 0.5 * (vertices_camera_m.min(0) + vertices_camera_m.max(0))
            turned = (vertices_camera_m - middle) @ self._turn.T
        else:
            turned = vertices_camera_m @ self._turn.T - self._middle
        return turned + np.array([0, 0, self.distance_m], np.float32)
