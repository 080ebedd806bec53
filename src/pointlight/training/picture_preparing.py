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

from pointlight.body import EXTENDED_KEYPOINTS, BodyModel, SmplBody
from pointlight.configuration import differences, told
from pointlight.cues import (
    EXACT_FLOW,
    FRAME_S,
    CropConfig,
    CropFrames,
    PairPictures,
    cut,
    cut_labels,
    flow_of_pair,
    picture_from_crop,
)
from pointlight.errors import PointlightError
from pointlight.files import atomic_path, ensure_folder
from pointlight.flow import find_flow
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator import VideoClip
from pointlight.simulator.clips import (
    ClipMaker,
    find_synthesis_recipe,
    open_maker,
    tracks_of_clips,
)
from pointlight.training.motions import learnt_body
from pointlight.training.picture_bank import (
    FLOW_STEP_PX,
    FORMAT_VERSION,
    KNOWN,
    SETTINGS,
    STATE,
    TRACK_TENSORS,
    PictureBank,
    PictureBankConfig,
    part_file,
    read_settings,
)
from pointlight.training.picture_clips import HIDDEN, exact_flow, group_of, parts_of
from pointlight.training.picture_sources import sources_of
from pointlight.training.stored_clips import StoredClips, absolute

_USUAL_COUNT, _USUAL_VALIDATION = 4000, 128


def prepare_banks(
    out: Path | str,
    *,
    recipe: str | None = None,
    count: int | None = None,
    validation: int | None = None,
    motion: Path | Sequence[Path] | None = None,
    backgrounds: Path | None = None,
    surreal: Path | None = None,
    surreal_depth: bool = True,
    shards: Sequence[Path | str] | str = (),
    smpl: Path | None = None,
    flow: str = "dis",
    seed: int = 0,
    cache: Path | None = None,
    share: tuple[int, int] = (0, 1),
    progress: ProgressCallback = silent,
) -> dict[str, PictureBank]:
    """Pictures to train on and to watch training on, each of their own split; the command line calls it.

    Args:
        out: folder for both; pictures that are there stay.
        recipe: of clips; "full" if not given. Those of shards have their own, which it must be.
        count: clips to train on, rounded up; 4000 if not given, of shards all whole parts.
        validation: clips to watch, likewise; 128 if not given, of shards all whole parts.
        motion: folder of motion capture, or several; procedural motions if not given.
        backgrounds: folder of videos; procedural scenes if not given.
        surreal: folder of SURREAL, whose people then take the place of rendered ones.
        surreal_depth: read SURREAL's depth files.
        shards: addresses of `pointlight synthesize`, whose clips are taken instead of new ones.
        smpl: an official SMPL file, whose pose and shape are then the truth where clips have them; SURREAL's do.
        flow: the optical flow that is kept; "exact" is that of the people as they were drawn.
        seed: of the clips.
        cache: of motions and of windows of the videos; the usual one if not given.
        share: (number, of how many) that this process makes, where several fill one folder.
        progress: told of every clip.

    Returns:
        Banks by split.

    Raises:
        PointlightError: a source that cannot be used, or pictures of other settings in the folder.
    """
    exact = flow == EXACT_FLOW
    if not exact:
        find_flow(flow)
    addresses = absolute([shards] if isinstance(shards, str) else shards)
    if addresses and (backgrounds is not None or surreal is not None):
        raise PointlightError(
            "shards have their people and backgrounds; give --shards, or --backgrounds and --surreal"
        )
    body, folder, kept = learnt_body(smpl), Path(out), PictureBankConfig(flow=flow)
    sources = sources_of(motion, backgrounds, surreal, surreal_depth, cache)
    wanted = {"validation": (validation, _USUAL_VALIDATION), "train": (count, _USUAL_COUNT)}
    for split, (number, usual) in wanted.items():
        if addresses:
            clips: ClipMaker | StoredClips = StoredClips(addresses, split, exact=exact)
            if recipe not in (None, clips.recipe):
                raise PointlightError(
                    f"the clips of {', '.join(addresses)} are of the recipe {clips.recipe!r}, not {recipe!r}; leave "
                    "--recipe out"
                )
            usual = len(clips) // kept.clips_per_part * kept.clips_per_part
        else:
            clips = open_maker(
                find_synthesis_recipe(recipe or "full").with_options(split=split), sources, progress
            )
        prepare_pictures(
            folder / split,
            clips,
            usual if number is None else number,
            seed=seed,
            body=body,
            config=kept,
            share=share,
            progress=progress,
        )
    return {split: PictureBank(folder / split, split) for split in ("train", "validation")}


def prepare_pictures(
    out: Path | str,
    maker: ClipMaker | StoredClips,
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
        maker: of the clips; or clips that are there.
        count: how many there shall be, rounded up to whole parts.
        seed: of the clips that are made.
        body: whose pose and shape are the truth.
        config: what is kept; the usual if not given.
        share: (number, of how many) this process makes, where several fill one bank.
        progress: told of every clip.

    Raises:
        PointlightError: the folder holds a bank of other settings, or cannot be written to; or fewer clips are there.
    """
    config = config or PictureBankConfig()
    folder = ensure_folder(Path(out))
    kept = {entry.name: getattr(config, entry.name) for entry in fields(config)}
    if isinstance(maker, StoredClips):
        whole = -(-count // config.clips_per_part) * config.clips_per_part
        if not 0 < whole <= len(maker):
            needed = max(whole, config.clips_per_part)
            raise PointlightError(
                f"there are {len(maker)} clips of the split {maker.split!r}, and {needed} are needed, since "
                f"{config.clips_per_part} are written at once; make more with `pointlight synthesize`"
            )
        made = {"recipe": maker.recipe, "split": maker.split, "shards": maker.made_by}
    else:
        made = {
            "recipe": maker.config.name,
            "split": maker.config.split,
            "seed": seed,
            "versions": maker.versions,
        }
    learnt = {"body": body.sha256} if isinstance(body, SmplBody) else {}
    settings = {"format_version": FORMAT_VERSION, **made, **learnt, "config": kept}
    write_settings(folder, settings)
    size = config.clips_per_part
    parts = range(share[0], -(-count // size), share[1])
    missing = [number for number in parts if not part_file(folder, number).exists()]
    total = len(missing) * size
    for done, number in enumerate(missing):
        clips = []
        for index in range(number * size, (number + 1) * size):
            if isinstance(maker, StoredClips):
                clip, group = maker.clip(index), ""
            else:
                clip, group = maker.clip(seed, index), group_of(maker, seed, index)
            clips.append(_prepared(clip, body, config) | {"group": group})
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
    seen = parts_of(clip, body)
    to_parts = np.diag((config.side_px / config.parts_px, config.side_px / config.parts_px, 1))
    pairs = range(len(clip.frames) - 1)
    state = tracks.state
    return {
        **cut_pairs([_pictures(clip, pair, config.flow) for pair in pairs], maps, config),
        "parts": np.stack([cut_labels(seen[pair], maps[pair] @ to_parts, config.parts_px) for pair in pairs]),
        "to_picture": maps[:-1],
        **{name: getattr(tracks, name)[0].numpy() for name in TRACK_TENSORS},
        **{f"state_{name}": getattr(state, name)[0].numpy() for name in STATE},
        **{name: _known(getattr(tracks, name), tracks.points_px.shape[1:-1], name) for name in KNOWN},
        **hidden,
    }


def _known(said: torch.Tensor | None, shape: torch.Size, name: str) -> np.ndarray:
    """What is known of a clip, of its points (T, N) or of its body ()."""
    if said is None:
        return np.ones(shape if name == "known" else (), bool)
    return said[0].numpy()


def _pictures(clip: VideoClip, pair: int, flow: str) -> PairPictures:
    """Of a pair of a clip, with exact flow where that is asked for."""
    first, second = clip.frames[pair], clip.frames[pair + 1]
    if flow != EXACT_FLOW:
        return PairPictures(first, second)
    return PairPictures(first, second, flow_px=exact_flow(clip, pair), flow_name=EXACT_FLOW)


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
    rgb, flow = [], []
    for pair, to_picture in zip(pairs, maps, strict=False):
        rgb.append(cut(pair.first, to_picture, config.side_px))
        moved = flow_of_pair(pair, to_picture, config.side_px, config.flow)
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
