"""README.txt beside exported files: units, axes, rates, skeleton and source of each, for formats that cannot say it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from pointlight import __version__
from pointlight.export.person import Person

WORLD = """\
World: right-handed, y up, metres, the floor at y = 0. Formats turn it to their own habit, as said below.
Left and right are the person's own. Frame k is shown k / fps seconds after the first frame of the motion."""

MARKS = """\
Frames are "seen", "inferred" (the person is hardly seen there) or "filled" (nobody is found there: the pose between
the frames around is shown, or held, so that time goes on)."""


def readme_text(
    people: Sequence[Person], files: Mapping[str, Sequence[str]], words: Mapping[str, str]
) -> str:
    """The whole text.

    Args:
        people: everybody who was written.
        files: names of the files of each format.
        words: what is said of each format.
    """
    lines = [f"Motion exported by Pointlight {__version__}.", "", WORLD, MARKS, ""]
    for person in people:
        motion = person.motion
        lines += [
            f"{motion.name}: {motion.source}",
            f"  {len(motion)} frames at {motion.fps:.6g} frames/s; the first is shown {motion.start_s:.3f} s into the video",
            *_wrapped(motion.words_of_marks()),
            *(line for note in motion.notes for line in _wrapped(note)),
            f"  skeleton: {person.rig.name}, at rest in {'a T-pose' if person.rigged.t_pose else 'an A-pose'}",
            "",
        ]
    for name, written in files.items():
        shown = written if len(written) <= 4 else [written[0], "...", written[-1]]
        lines += [f"{name}: {', '.join(shown)}", *(f"  {line}" for line in words[name].splitlines()), ""]
    return "\n".join(lines)


def _wrapped(sentence: str) -> list[str]:
    return wrap(sentence, 110, initial_indent="  ", subsequent_indent="  ")
