"""`pointlight preview`."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli import clip_options as options
from pointlight.errors import PointlightError

CLIPS_SHOWN = 48


def preview(
    clips: Annotated[str, typer.Argument(help="Folder or address of shards that synthesize has made.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the pictures; CLIPS/preview if not given.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="At most so many clips, from the first.")] = CLIPS_SHOWN,
    split: options.Split = "train",
) -> None:
    """Draw stored clips for people to look at: each one's layers as a video, and a contact sheet of all."""
    for path in preview_clips(clips, preview_folder(clips, out), split=split, count=count):
        typer.echo(str(path))


def preview_folder(clips: str, out: Path | None) -> Path:
    """Where the pictures of clips go.

    Raises:
        PointlightError: the clips lie at an address, and no folder is given.
    """
    if out is None and "://" in clips:
        raise PointlightError(
            "a preview beside an address needs a folder; name one with `pointlight preview --out FOLDER`"
        )
    return out or Path(clips) / "preview"


def preview_clips(clips: str, out: Path, *, split: str, count: int = CLIPS_SHOWN) -> list[Path]:
    """Draw the first clips; the files written."""
    from pointlight.simulator import read_clips
    from pointlight.simulator.clips import write_preview

    return write_preview(islice(read_clips(clips, split=split), count), out)
