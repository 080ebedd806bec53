"""Tables: places of joints and points, and joint angles with a picture of them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from pointlight.capture import Capture, JointAngles
from pointlight.export.timeline import MARK_NAMES
from pointlight.export.world_motion import POINT_NAMES, WorldMotion

_WIDTH, _ROW, _LEFT, _TOP, _GAP = 1000, 130, 70, 44, 26
_LINE = {"left": (226, 120, 30), "right": (40, 105, 200), "trunk": (60, 60, 60)}
_GRID, _INK = (222, 222, 222), (40, 40, 40)


def positions_csv(motion: WorldMotion) -> str:
    """Metres in our world: skeleton joints ("joint_..."), then points of joints and skin as other formats have them.

    Which feet stand is said before them, where that is known.
    """
    names = [f"joint_{name}" for name in motion.joint_names] + list(POINT_NAMES)
    places = np.concatenate((motion.places_m, motion.points_m.astype(np.float64)), axis=1)
    header = ["frame", "time_s", "state", *(f"{name}_{axis}_m" for name in names for axis in "xyz")]
    states = [MARK_NAMES[mark] for mark in motion.marks.tolist()]
    if motion.contacts is not None:
        header[3:3] = ["left_foot_stands", "right_foot_stands"]
        feet = motion.contacts.astype(int).tolist()
        states = [f"{state},{left},{right}" for state, (left, right) in zip(states, feet, strict=True)]
    return _csv(header, motion.time_s, states, places.reshape(len(motion), -1), "%.5f")


def angles_csv(angles: JointAngles, capture: Capture) -> str:
    """Degrees by frame of the video; empty where there is no body, or no such angle."""
    states = [
        "absent" if not there else MARK_NAMES[int(hidden)]
        for there, hidden in zip(capture.valid.tolist(), capture.occluded.tolist(), strict=True)
    ]
    header = ["frame", "time_s", "state", *(f"{name}_deg" for name in angles.names)]
    times = angles.time_s - angles.time_s[0]
    return _csv(header, times, states, angles.degrees.astype(np.float64), "%.3f")


def angles_png(angles: JointAngles, capture: Capture) -> bytes:
    """A panel for each angle, left orange, right blue; dots instead of a line where the person is hardly seen."""
    groups: dict[str, list[str]] = {}
    for name in angles.names:
        side, _, rest = name.partition("_")
        groups.setdefault(rest if side in ("left", "right") else name, []).append(name)
    picture = Image.new("RGB", (_WIDTH, _TOP + len(groups) * (_ROW + _GAP)), "white")
    draw = ImageDraw.Draw(picture)
    seconds = angles.time_s - angles.time_s[0]
    span = max(float(seconds[-1]), 1e-9)
    across = _LEFT + seconds / span * (_WIDTH - _LEFT - 16)
    for number, (title, names) in enumerate(groups.items()):
        top = _TOP + number * (_ROW + _GAP)
        values = np.stack([angles.of(name) for name in names])
        seen = values[np.isfinite(values)]
        low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
        low, high = min(low, 0.0), max(high, 0.0)
        room = max(10.0, high - low)
        low, high = low - 0.05 * room, low + 1.05 * room

        def down(
            degrees: float | np.ndarray, top: int = top, low: float = low, high: float = high
        ) -> np.ndarray:
            return top + _ROW - (np.asarray(degrees) - low) / (high - low) * _ROW

        draw.text((_LEFT, top - 13), f"{title.replace('_', ' ')}, degrees", fill=_INK)
        step = next(each for each in (5, 10, 20, 30, 45, 90, 180, 360, 1e9) if (high - low) / each <= 6)
        for tick in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step + 0.0:
            y = float(down(tick))
            draw.line((_LEFT, y, _WIDTH - 16, y), fill=_INK if tick == 0 else _GRID)
            draw.text((_LEFT - 36, y - 6), f"{tick + 0.0:.0f}", fill=_INK)
        for name, degrees in zip(names, values, strict=True):
            _curve(draw, across, down(degrees), capture.occluded, _LINE[name.partition("_")[0]])
    words = (
        f"0 to {span:.2f} s; left orange, right blue; dots: the person is hardly seen; 0 = standing straight"
    )
    draw.text((_LEFT, 6), words, fill=_INK)
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def _curve(
    draw: ImageDraw.ImageDraw, x: np.ndarray, y: np.ndarray, hidden: np.ndarray, colour: tuple[int, int, int]
) -> None:
    for k in np.flatnonzero(np.isfinite(y)).tolist():
        if hidden[k]:
            draw.ellipse((x[k] - 1, y[k] - 1, x[k] + 1, y[k] + 1), fill=colour)
        elif k and np.isfinite(y[k - 1]) and not hidden[k - 1]:
            draw.line((x[k - 1], y[k - 1], x[k], y[k]), fill=colour, width=2)
        else:
            draw.point((x[k], y[k]), fill=colour)


def _csv(
    header: Sequence[str], times: np.ndarray, states: Iterable[str], values: np.ndarray, form: str
) -> str:
    row = ",".join([form] * values.shape[1])
    lines = [",".join(header)]
    for k, (time, state, each) in enumerate(zip(times.tolist(), states, values.tolist(), strict=True)):
        lines.append(f"{k},{time:.6f},{state}," + (row % tuple(each)).replace("nan", ""))
    return "\n".join(lines) + "\n"
