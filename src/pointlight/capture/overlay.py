"""The picture of a result: the body on the person, beside the same body turned by 60 degrees (the paper's Figure 5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pointlight.body import AnnyBody, BodyState
from pointlight.capture.capture import Capture
from pointlight.capture.contact_sheet import ContactSheet
from pointlight.capture.guessed import guessed_limbs
from pointlight.capture.painting import FAINT, OPACITY, PALETTES, BodyPainter
from pointlight.capture.states import body_states, world_states
from pointlight.capture.turned_view import TurnedView
from pointlight.errors import PointlightError
from pointlight.media import Frame, Sound, VideoReader, VideoWriter
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.threads import ahead, in_order, usable_threads

_BACKGROUND_RGB = (38, 40, 46)
_NOBODY_RGB = (190, 60, 60)
_FRAMES_AHEAD = 4


def write_overlay(
    captures: Capture | Sequence[Capture],
    video: Path,
    out: Path,
    body: AnnyBody,
    *,
    size_px: int | None = 1280,
    figure: str = "neutral",
    sheet: Path | None = None,
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
        sheet: a PNG of eight frames at even distances over the video, written beside; None for none.
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
    chosen = None if sheet is None else ContactSheet(len(first), (2 * panel[0], panel[1]))
    threads, done, begun_s = usable_threads(), 0, 0.0
    with VideoWriter(out, first.fps, (2 * panel[0], panel[1]), sound=sound) as writer:
        frames = ahead(_of_capture(reader, first), _FRAMES_AHEAD)
        for panels, time_s in in_order(stage.draw, frames, threads):
            begun_s = begun_s if done else time_s
            writer.write(panels, time_s - begun_s)
            if chosen is not None:
                chosen.add(done, panels, time_s)
            done += 1
            progress(Progress("overlay", done, len(first), unit="frame"))
        if done < len(first):
            raise PointlightError(
                f"{video} has {done} of the {len(first)} frames of the capture; give the video that it was made of"
            )
    if sheet is not None and chosen is not None:
        chosen.save(sheet)
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

    def __init__(self, capture: Capture, body: AnnyBody, number: int, figure: str, *, in_world: bool) -> None:
        self.capture, self.number = capture, number
        self.guessed = guessed_limbs(capture)
        self._states = body_states(capture, body)
        self._turned = world_states(capture, body) if in_world else self._states
        palette = PALETTES[number % len(PALETTES)]
        self._painters = [BodyPainter(body, shape, palette, figure) for shape in capture.shot_shapes]

    def painter(self, number: int) -> BodyPainter:
        """Of a frame."""
        return self._painters[int(self.capture.shot[number])]

    def vertices(self, number: int) -> np.ndarray:
        """(V, 3) in a frame, camera axes, metres."""
        return self._vertices(self._states, number)

    def turned_vertices(self, number: int) -> np.ndarray:
        """(V, 3) in a frame, in the axes that the turned view takes, metres."""
        return self._vertices(self._turned, number)

    def _vertices(self, states: BodyState, number: int) -> np.ndarray:
        state = BodyState(
            states.pose[number], states.shape[number], states.root[number], states.translation[number]
        )
        return self.painter(number).vertices(state)


class _Stage:
    """Draws frames: the video with everybody on the left, everybody seen from the side on the right."""

    def __init__(
        self, people: Sequence[Capture], body: AnnyBody, panel: tuple[int, int], scale: float, figure: str
    ) -> None:
        self._turned = TurnedView(people, panel)
        self._actors = [
            _Actor(capture, body, number, figure, in_world=self._turned.in_world)
            for number, capture in enumerate(people)
        ]
        self._scale = scale
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
            opacity = FAINT if capture.occluded[number] else OPACITY
            focal = capture.focal_px * self._scale
            guessed = actor.guessed[number]
            actor.painter(number).draw(left, vertices, focal, principal, opacity, guessed)
        view = self._turned
        turned = [(one, view.see(one.number, number, one.turned_vertices(number))) for one in here]
        if here:
            view.draw_floor(right, number)
        for actor, vertices in _farthest_first(turned):
            guessed = actor.guessed[number]
            actor.painter(number).draw(right, vertices, view.focal_px, view.principal_px, 1.0, guessed)
        return canvas, picture.frame.time_s


def _farthest_first(bodies: list[tuple[_Actor, np.ndarray]]) -> list[tuple[_Actor, np.ndarray]]:
    return sorted(bodies, key=lambda pair: -float(pair[1][:, 2].mean()))
