"""`summary.json`: how a run went and how good it is; written last, it says that a folder is whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pointlight import __version__
from pointlight.body import AnnyBody
from pointlight.capture.capture import Capture
from pointlight.capture.detection.person_box import PersonBox
from pointlight.capture.options import PredictOptions
from pointlight.capture.quality import Quality, quality_of
from pointlight.files import atomic_path

if TYPE_CHECKING:
    from pointlight.capture.results import Diagnostics

SUMMARY = "summary.json"
REPORT = "report.html"
"""The page of a result, which `pointlight.report` writes."""

FORMAT_VERSION = 1

MOST_NAMED = 4
"""Joints that the words name; `unseen_share` has all."""

SLIM_BELOW, HEAVY_ABOVE = 20.0, 28.0
"""Body mass index, kg/m^2; a sixth of the adults that the networks have seen lie beyond each."""

_GIVEN = {"height": "height_m", "weight": "weight_kg"}

_NOT_COMPARED = ("model",)
"""Its weights are, by their SHA-256."""


@dataclass(frozen=True)
class VideoFile:
    """A video as it was when it was read.

    Attributes:
        path: absolute.
        bytes: its size.
        modified_ns: when it was last written, nanoseconds since 1970.
    """

    path: str
    bytes: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> VideoFile:
        """A file that is there."""
        stat = path.stat()
        return cls(str(path.absolute()), stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True)
class Summary:
    """How one video's run went.

    Attributes:
        video: the file it was made from.
        options: by their names, as JSON has them.
        pointlight: its version.
        model_sha256: of the network's weights.
        files: names of the files that were written before this one.
        frames: of the video.
        frames_with_body: frames with at least one body.
        frames_per_s: of the video.
        seconds: by stage.
        warnings: a sentence on everything that was lost.
        people: the figures of each person.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_to_folder("video.mp4", "result", end_s=0.2, refine=False, overlay=False)
        >>> result.summary.frames_with_body, result.summary.files
        (6, ('poses.npz',))
    """

    video: VideoFile
    options: dict[str, Any]
    pointlight: str
    model_sha256: str
    files: tuple[str, ...]
    frames: int
    frames_with_body: int
    frames_per_s: float
    seconds: dict[str, float]
    warnings: tuple[str, ...]
    people: tuple[Quality, ...]

    @property
    def hints(self) -> tuple[str, ...]:
        """Of all people, each once."""
        return tuple(dict.fromkeys(hint for person in self.people for hint in person.hints))

    def save(self, folder: Path) -> Path:
        """Write it, whole or not at all."""
        content = {"format_version": FORMAT_VERSION, **asdict(self)}
        path = folder / SUMMARY
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: Path) -> Summary | None:
        """What stands in a folder; None where there is none, or not one of this version."""
        try:
            content = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
            if content.pop("format_version") != FORMAT_VERSION:
                return None
            return cls(
                **{
                    **content,
                    "video": VideoFile(**content["video"]),
                    "files": tuple(content["files"]),
                    "warnings": tuple(content["warnings"]),
                    "people": tuple(Quality.from_json(person) for person in content["people"]),
                }
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def is_of(self, video: VideoFile, options: PredictOptions, model_sha256: str) -> bool:
        """Whether the same video with the same options gives this again."""
        return (
            (self.video.bytes, self.video.modified_ns) == (video.bytes, video.modified_ns)
            and _compared(self.options) == _compared(options_json(options))
            and self.model_sha256 == model_sha256
        )

    def words(self) -> list[str]:
        """The figures in plain words, a line each."""
        lines = []
        for number, person in enumerate(self.people):
            of = f"person {number}: " if len(self.people) > 1 else ""
            lines.append(
                f"{of}{self.frames} frames, a body in {person.frames_with_body} ({person.share_with_body:.0%}), of these "
                f"{person.frames_hardly_seen} inferred while hardly seen, "
                f"{person.frames_sides_put_back} with left and right put back"
            )
            figures = [
                f"joints {person.distance_median_px:.1f} px from the detections"
                f" ({person.distance_median_share:.1%} of the person's size)"
                if person.distance_median_px is not None and person.distance_median_share is not None
                else "",
                f"jitter {person.jitter_m_s3:.0f} m/s^3" if person.jitter_m_s3 is not None else "",
                f"limbs' lengths in 2D spread by {person.limb_spread_share:.0%}"
                if person.limb_spread_share is not None
                else "",
                _slide_words(person),
                f"{len(person.cuts_s)} {'cut' if len(person.cuts_s) == 1 else 'cuts'}",
            ]
            lines.append(of + ", ".join(filter(None, figures)))
            if person.stature_m is not None and person.weight_kg is not None:
                lines.append(f"{of}{_shape_words(person.stature_m, person.weight_kg, self.options)}")
            if person.unseen_share:
                lines.append(f"{of}guesses: {_unseen_words(person.unseen_share)}")
            if person.depth_flips:
                flips = ", ".join(f"{flip.limb} at {flip.time_s:.2f} s" for flip in person.depth_flips)
                lines.append(f"{of}likely wrong in depth before or after: {flips}")
        times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items())
        total = sum(self.seconds.values())
        lines.append(f"{times}; {self.frames / max(total, 1e-9):.1f} frames/s in all")
        return lines


def _unseen_words(shares: Mapping[str, float]) -> str:
    """The joints that were missed most, and how many more there are."""
    words = [f"{name.replace('_', ' ')} not seen in {share:.0%} of frames" for name, share in shares.items()]
    more = len(words) - MOST_NAMED
    return ", ".join(words[:MOST_NAMED]) + (f", and {more} more joints" if more > 0 else "")


def _shape_words(stature_m: float, weight_kg: float, options: Mapping[str, Any]) -> str:
    """How tall, heavy and broad the body is, and which of it the user has said."""
    index = weight_kg / stature_m**2
    build = "slim" if index < SLIM_BELOW else "heavy" if index > HEAVY_ABOVE else "average"
    guesses = [f"--{name}" for name in ("height", "weight") if options.get(_GIVEN[name]) is None]
    told = f"; {' and '.join(guesses)} {'set' if len(guesses) > 1 else 'sets'} what is a guess here"
    words = f"the body is {stature_m:.2f} m tall and weighs about {weight_kg:.0f} kg, of {build} build"
    return words + (told if guesses else "")


def _slide_words(person: Quality) -> str:
    if person.foot_slide_m_s is None:
        return ""
    seen = person.foot_slide_seen_m_s
    before = "" if seen is None else f" ({seen:.2f} before they were set down)"
    return f"standing feet slide {person.foot_slide_m_s:.2f} m/s{before}"


def forget_earlier(folder: Path) -> None:
    """What is about to be written is of another run than the summary and the page that may lie there."""
    for name in (SUMMARY, REPORT):
        (folder / name).unlink(missing_ok=True)


def summary_of(
    video: VideoFile,
    options: PredictOptions,
    captures: Sequence[Capture],
    files: Sequence[Path],
    diagnostics: Diagnostics,
    body: AnnyBody,
) -> Summary:
    """The summary of a run.

    Args:
        video: the file as it was before it was read.
        options: what was asked for.
        captures: one a person, at least one.
        files: that were written.
        diagnostics: of the run.
        body: that everybody was made with.
    """
    everybody = (diagnostics, *diagnostics.others)
    seconds: dict[str, float] = {}
    for stage, spent_s in diagnostics.seconds:
        seconds[stage] = round(seconds.get(stage, 0.0) + spent_s, 3)
    return Summary(
        video=video,
        options=options_json(options),
        pointlight=__version__,
        model_sha256=captures[0].model_sha256,
        files=tuple(path.name for path in files),
        frames=diagnostics.frames,
        frames_with_body=int(np.any([capture.valid for capture in captures], axis=0).sum()),
        frames_per_s=round(captures[0].fps, 4),
        seconds=seconds,
        warnings=diagnostics.warnings,
        people=tuple(
            quality_of(capture, one.repaired, one.foot_slide, refined=options.refine, body=body)
            for capture, one in zip(captures, everybody, strict=True)
        ),
    )


def options_json(options: PredictOptions) -> dict[str, Any]:
    """Options as JSON has them."""
    return {field.name: _plain(getattr(options, field.name)) for field in fields(options)}


def _plain(value: Any) -> Any:
    if isinstance(value, PersonBox):
        return asdict(value)
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Path) else value


def _compared(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _NOT_COMPARED}
