"""Making prepared banks: clips are synthesized, cut around their people, their flow is found, and the rest let go."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pointlight.body import EXTENDED_KEYPOINTS, AnnyBody, BodyModel
from pointlight.configuration import differences, told
from pointlight.cues import (
    FRAME_S,
    ArrayFrames,
    CropConfig,
    CropFrames,
    PairPictures,
    cut,
    cut_labels,
    flow_on_pictures,
    picture_from_crop,
)
from pointlight.errors import PointlightError
from pointlight.files import atomic_path, ensure_folder
from pointlight.flow import find_flow
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator import VideoClip
from pointlight.simulator.clips import (
    ClipMaker,
    Sources,
    find_synthesis_recipe,
    open_maker,
    tracks_of_clips,
)
from pointlight.training.picture_bank import (
    FLOW_STEP_PX,
    FORMAT_VERSION,
    SETTINGS,
    STATE,
    TRACK_TENSORS,
    PictureBank,
    PictureBankConfig,
    part_file,
    read_settings,
)
from pointlight.training.picture_clips import HIDDEN, group_of


def prepare_banks(
    out: Path | str,
    *,
    recipe: str = "full",
    count: int = 4000,
    validation: int = 128,
    motion: Path | Sequence[Path] | None = None,
    backgrounds: Path | None = None,
    flow: str = "dis",
    seed: int = 0,
    cache: Path | None = None,
    share: tuple[int, int] = (0, 1),
    progress: ProgressCallback = silent,
) -> dict[str, PictureBank]:
    """Pictures to train on and to watch training on, each of their own split; the command line calls it.

    Args:
        out: folder for both; pictures that are there stay.
        recipe: of clips.
        count: clips to train on, rounded up.
        validation: clips to watch, rounded up.
        motion: folder of motion capture, or several; procedural motions if not given.
        backgrounds: folder of videos; procedural scenes if not given.
        flow: the optical flow that is kept.
        seed: of the clips.
        cache: of motions and of windows of the videos; the usual one if not given.
        share: (number, of how many) that this process makes, where several fill one folder.
        progress: told of every clip.

    Returns:
        Banks by split.

    Raises:
        PointlightError: a source that cannot be used, or pictures of other settings in the folder.
    """
    find_flow(flow)
    body, folder = AnnyBody(), Path(out)
    several = motion if motion is None or isinstance(motion, str | Path) else tuple(map(Path, motion))
    sources = Sources(
        motion=Path(several) if isinstance(several, str) else several, backgrounds=backgrounds, cache=cache
    )
    for split, wanted in (("validation", validation), ("train", count)):
        config = find_synthesis_recipe(recipe).with_options(split=split)
        maker = open_maker(config, sources, progress)
        kept = PictureBankConfig(flow=flow)
        prepare_pictures(
            folder / split,
            maker,
            wanted,
            seed=seed,
            body=body,
            config=kept,
            share=share,
            progress=progress,
        )
    return {split: PictureBank(folder / split, split) for split in ("train", "validation")}


def prepare_pictures(
    out: Path | str,
    maker: ClipMaker,
    count: int,
    *,
    seed: int = 0,
    body: BodyModel,
    config: PictureBankConfig | None = None,
    share: tuple[int, int] = (0, 1),
    progress: ProgressCallback = silent,
) -> PictureBank:
    """Make clips and keep what is around their people; a bank that is there is made larger.

    Args:
        out: the bank's folder.
        maker: of the clips.
        count: how many there shall be, rounded up to whole parts.
        seed: of the clips.
        body: whose pose and shape are the truth.
        config: what is kept; the usual if not given.
        share: (number, of how many) this process makes, where several fill one bank.
        progress: told of every clip.

    Raises:
        PointlightError: the folder holds a bank of other settings, or cannot be written to.
    """
    config = config or PictureBankConfig()
    folder = ensure_folder(Path(out))
    settings = {
        "format_version": FORMAT_VERSION,
        "recipe": maker.config.name,
        "split": maker.config.split,
        "seed": seed,
        "versions": maker.versions,
        "config": {entry.name: getattr(config, entry.name) for entry in fields(config)},
    }
    write_settings(folder, settings)
    size = config.clips_per_part
    parts = range(share[0], -(-count // size), share[1])
    missing = [number for number in parts if not part_file(folder, number).exists()]
    total = len(missing) * size
    for done, number in enumerate(missing):
        clips = []
        for index in range(number * size, (number + 1) * size):
            clips.append(
                _prepared(maker.clip(seed, index), body, config) | {"group": group_of(maker, seed, index)}
            )
            progress(Progress("pictures", done * size + len(clips), total, unit="clip"))
        _write_part(part_file(folder, number), clips)
    return PictureBank(folder)


def _prepared(clip: VideoClip, body: BodyModel, config: PictureBankConfig) -> dict[str, Any]:
    """One clip's arrays by name."""
    tracks = tracks_of_clips([clip], body)
    chosen = [clip.joint_names.index(name) for name in EXTENDED_KEYPOINTS]
    hidden = {name: getattr(clip, name)[:, chosen] for name in HIDDEN}
    exact = tracks.points_px[..., : len(EXTENDED_KEYPOINTS), :]
    there = torch.from_numpy(~hidden["out_of_frame"])[None]
    crops = CropFrames.of(exact, there, tracks.assumed_focal_px, tracks.assumed_principal_px)
    maps = maps_around(crops, tracks.assumed_principal_px, config)[0].numpy()
    seen = np.where(clip.mask, clip.parts, 0).astype(np.uint8)
    to_parts = np.diag((config.side_px / config.parts_px, config.side_px / config.parts_px, 1))
    pairs = range(len(clip.frames) - 1)
    frames = ArrayFrames(clip.frames)
    state = tracks.state
    return {
        **cut_pairs([frames.pair(pair) for pair in pairs], maps, config),
        "parts": np.stack([cut_labels(seen[pair], maps[pair] @ to_parts, config.parts_px) for pair in pairs]),
        "to_picture": maps[:-1],
        **{name: getattr(tracks, name)[0].numpy() for name in TRACK_TENSORS},
        **{f"state_{name}": getattr(state, name)[0].numpy() for name in STATE},
        **hidden,
    }


def maps_around(crops: CropFrames, principal_px: Tensor, config: PictureBankConfig) -> Tensor:
    """(..., T, 3, 3) from the pixels of what a bank keeps of each frame to the whole picture's."""
    wide = replace(crops, boxes=replace(crops.boxes, size_px=crops.boxes.size_px * config.margin))
    return picture_from_crop(wide, principal_px, CropConfig(config.side_px, turned=False))


def cut_pairs(
    pairs: Iterable[PairPictures], maps: np.ndarray, config: PictureBankConfig
) -> dict[str, np.ndarray]:
    """What a bank keeps of the pictures of P pairs.

    Args:
        pairs: in order.
        maps: (P or more, 3, 3) of `maps_around`.
        config: what is kept.

    Returns:
        `BankFrames.rgb` and `BankFrames.flow`, as of 1/30 s.
    """
    estimator, side = find_flow(config.flow), config.side_px
    rgb, flow = [], []
    for pair, to_picture in zip(pairs, maps, strict=False):
        assert pair.second is not None
        rgb.append(cut(pair.first, to_picture, side))
        moved = flow_on_pictures(pair.first, pair.second, to_picture, side, estimator)
        flow.append(moved if pair.step_s == FRAME_S else moved * np.float32(FRAME_S / pair.step_s))
    limit = np.iinfo(np.int16)
    steps = np.clip(np.rint(np.stack(flow) / FLOW_STEP_PX), limit.min, limit.max).astype(np.int16)
    return {"rgb": np.stack(rgb), "flow": steps}


def _write_part(path: Path, clips: Sequence[dict[str, Any]]) -> None:
    """One part of a bank."""
    write_arrays(path, {name: np.stack([clip[name] for clip in clips]) for name in clips[0]})


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Arrays as they are, without compression, so that they can be mapped into memory."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, **arrays)


def write_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Say what a bank is made by.

    Raises:
        PointlightError: the folder's was made by something else.
    """
    path = folder / SETTINGS
    if path.exists():
        there = read_settings(folder)
        if found := differences(there, settings):
            raise PointlightError(f"{told(found, folder)}; prepare other pictures in another folder")
        return
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(settings, indent=1))
