"""A clip as a few small files: pictures as H.264, layers without loss or at a stated step, the truth as it is."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import torch
from av.error import FFmpegError

from pointlight.body import BodyState
from pointlight.errors import PointlightError
from pointlight.simulator.clip import FRAMES_PER_SECOND
from pointlight.simulator.clips.codec import decode_frames, encode_frames
from pointlight.simulator.clips.composite import Provenance, VideoClip
from pointlight.simulator.clips.layer_packing import (
    UNKNOWN,
    inflated,
    largest_of,
    numbers_of,
    packed_labels,
    packed_mask,
    packed_numbers,
    packed_pairs,
    pairs_of,
    rows_of,
    whole_steps,
)
from pointlight.simulator.clips.sensor import codec_options
from pointlight.simulator.scenes.cameras import CameraPath

CLIP_FORMAT_VERSION = 4
"""Of what is written; 2 and 3, whose layers were deflated otherwise and whose sensors had other noise, are read too."""

_READ_VERSIONS = (2, 3, CLIP_FORMAT_VERSION)

FRAMES_CODEC = {"preset": "ultrafast", "qp": "16"}
"""x264's: about 40 dB on real video. A constant quantiser spares the search for how hard a picture is."""

DEPTH_STEP_M = 0.00025
FLOW_STEP_PX = 1 / 64
"""Depth and flow are stored in whole steps; a clip whose values would not fit has larger ones, and says so."""

_MASKS = {"mask": "mask", "amodal_mask": "whole_mask", "occluder": "occluder", "others": "others"}
_FLOWS = ("flow_forward_px", "flow_backward_px")
_NUMBERS = {"depth", *_FLOWS}
_ARRAYS = {
    "joints_px": "joints_px",
    "joints_camera_m": "joints_camera_m",
    "out_of_frame": "outside",
    "self_occluded": "behind",
    "occluded": "covered",
    "detections_px": "detections_px",
    "visible": "visible",
    "totally_occluded": "totally_occluded",
}
"""Fields of `VideoClip` with the names under which they are stored."""

_CAMERA_ARRAYS = {
    "R_camera_world": "camera_rotation",
    "translation_m": "camera_translation_m",
    "principal_px": "camera_principal_px",
}
"""Fields of its camera with theirs."""


def encode_clip(clip: VideoClip, rate_factor: int | None = None) -> dict[str, bytes]:
    """The clip's files by suffix: frames.mp4, layers.npz, truth.npz, json; the same bytes for the same clip.

    Masks, parts and all numbers of joints, camera and body are kept exactly. Depth and flow are rounded to the steps
    that the JSON names.

    Args:
        clip: what is stored.
        rate_factor: of the codec that belongs to the clip's sensor, where its frames have not yet gone through it;
            otherwise frames lose only what H.264 with `FRAMES_CODEC` loses.
    """
    layers, steps = _packed_layers(clip)
    options = FRAMES_CODEC if rate_factor is None else codec_options(rate_factor)
    truth = {stored: getattr(clip, name) for name, stored in _ARRAYS.items()}
    for name, stored in _CAMERA_ARRAYS.items():
        truth[stored] = getattr(clip.camera, name)
    if clip.state is not None:
        for name in ("pose", "shape", "root", "translation"):
            truth[f"state_{name}"] = getattr(clip.state, name).numpy()
    described = {
        "format_version": CLIP_FORMAT_VERSION,
        "size": [clip.frames.shape[2], clip.frames.shape[1]],
        "frames": len(clip.frames),
        "frames_per_second": FRAMES_PER_SECOND,
        "focal_px": clip.camera.focal_px,
        "told_focal_px": clip.assumed_focal_px,
        "part_names": clip.part_names,
        "joint_names": clip.joint_names,
        "keypoint_names": clip.keypoint_names,
        "steps": steps,
        "has_occluder": bool(clip.occluder.any()),
        "provenance": clip.provenance.as_json(),
    }
    return {
        "frames.mp4": encode_frames(clip.frames, options),
        "json": json.dumps(described, indent=1, sort_keys=True).encode(),
        "layers.npz": _npz(layers),
        "truth.npz": _npz(truth),
    }


LAYERS = ("frames", "masks", "parts", "depth", "flow")
"""What `decode_clip` can leave out. Everything else of a clip is small and always there."""


def decode_clip(files: Mapping[str, bytes], layers: Collection[str] = LAYERS) -> VideoClip:
    """The clip of `encode_clip`'s files.

    Args:
        files: by suffix.
        layers: of `LAYERS`, what to decode; arrays of the others have no frames, their first dimension is 0.

    Raises:
        PointlightError: a file is missing, broken or of another format, or there is no such layer.
    """
    if unknown := sorted(set(layers) - set(LAYERS)):
        raise PointlightError(f"a clip has no layer {unknown[0]!r}; its layers are {', '.join(LAYERS)}")
    try:
        described = json.loads(files["json"])
        if described["format_version"] not in _READ_VERSIONS:
            raise PointlightError(
                f"the clip is of format {described['format_version']}, not {CLIP_FORMAT_VERSION}; make it again"
            )
        truth = _read_npz(files["truth.npz"])
        pictured = set(layers) - {"frames"}
        packed = _read_npz(files["layers.npz"], _needed(pictured)) if pictured else {}
        stored = _layers(packed, described["format_version"])
        frames = decode_frames(files["frames.mp4"]) if "frames" in layers else None
        return _unpacked(described, frames, stored, truth, pictured)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, zlib.error, FFmpegError) as error:
        raise PointlightError(f"a clip is incomplete or broken ({error!r}); make it again") from error


def provenance_of(files: Mapping[str, bytes]) -> Provenance:
    """Where a clip comes from, without reading its pictures.

    Raises:
        PointlightError: its JSON is missing or broken.
    """
    try:
        return Provenance(**json.loads(files["json"])["provenance"])
    except (KeyError, TypeError, ValueError) as error:
        raise PointlightError(
            f"a clip does not say where it comes from ({error!r}); make it again"
        ) from error


def _packed_layers(clip: VideoClip) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Masks as bits; parts, depth and flow only where the person is, as differences along the rows; all deflated."""
    masks = {stored: getattr(clip, name) for name, stored in _MASKS.items()}
    layers = {stored: packed_mask(mask) for stored, mask in masks.items() if stored != "mask"}
    unhidden = np.array_equal(clip.mask, clip.amodal_mask)  # mostly; packing takes longer than finding out
    layers["mask"] = layers["whole_mask"] if unhidden else packed_mask(clip.mask)
    # Numbers of pixels are several times as fast to pick by as masks.
    inside = np.flatnonzero(clip.amodal_mask)
    picture = clip.amodal_mask[0].size
    layers["parts"] = packed_labels(clip.parts.ravel()[inside])
    depth = clip.depth_m.ravel()[inside].astype(np.float64)
    # The whole depth may be unknown (SURREAL's people without depth files).
    known = bool(np.isfinite(depth).all()) and depth.size > 0
    nearest = float(depth.min()) if known else 0.0
    depth_step = max(DEPTH_STEP_M, float(np.ptp(depth)) / 65535) if known else DEPTH_STEP_M
    steps = {"depth_m": depth_step, "depth_from_m": nearest, "depth_known": float(known)}
    if known:
        layers["depth"] = packed_numbers(np.rint((depth - nearest) / depth_step).astype(np.uint16))
    all_but_last = inside[inside < clip.amodal_mask.size - picture]
    all_but_first = inside[inside >= picture] - picture
    for name, where in zip(_FLOWS, (all_but_last, all_but_first), strict=True):
        flow = rows_of(np.ascontiguousarray(getattr(clip, name), np.float32), where)
        steps[name] = max(FLOW_STEP_PX, largest_of(flow) / 32767)
        layers[name] = packed_pairs(whole_steps(flow, np.float32(steps[name])))
    return layers, steps


def _layers(packed: dict[str, np.ndarray], version: int) -> dict[str, np.ndarray]:
    """Masks as bits, parts, and whole steps of depth and flow (2, N), out of what is stored."""
    if version == 2:
        numbers = {name: np.cumsum(packed[name], -1, packed[name].dtype) for name in _NUMBERS & packed.keys()}
        return packed | numbers
    layers = {name: inflated(content) for name, content in packed.items()}
    if "depth" in layers:
        layers["depth"] = numbers_of(layers["depth"]).view(np.uint16)
    for name in layers.keys() & set(_FLOWS):
        layers[name] = numbers_of(layers[name].reshape(2, -1)) if version == 3 else pairs_of(layers[name])
    return layers


def _needed(layers: set[str]) -> set[str]:
    """The arrays of layers.npz that some layers are decoded from; the amodal mask says where all others lie."""
    names = {_MASKS["amodal_mask"]}
    names |= set(_MASKS.values()) if "masks" in layers else set()
    return names | ({"parts", "depth"} & layers) | (set(_FLOWS) if "flow" in layers else set())


def _unpacked(
    described: dict[str, Any],
    frames: np.ndarray | None,
    stored: dict[str, np.ndarray],
    truth: dict[str, np.ndarray],
    layers: set[str],
) -> VideoClip:
    (width, height), count, steps = described["size"], described["frames"], described["steps"]
    volume = (count, height, width)
    if frames is None:
        frames = np.zeros((0, height, width, 3), np.uint8)
    elif frames.shape != (*volume, 3):
        raise ValueError(f"{frames.shape} pictures instead of {volume}")

    def mask(name: str) -> np.ndarray:
        if not stored[name].size:
            return np.zeros(volume, bool)
        return np.unpackbits(stored[name], count=count * height * width).view(bool).reshape(volume)

    blank = (0, height, width)
    masks = {name: mask(old) if "masks" in layers else np.zeros(blank, bool) for name, old in _MASKS.items()}
    whole = mask(_MASKS["amodal_mask"]) if layers else np.zeros(blank, bool)
    parts = np.zeros(volume if "parts" in layers else blank, np.uint8)
    if "parts" in layers:
        parts[whole] = stored["parts"]
    depth = np.full(volume if "depth" in layers else blank, np.inf, np.float32)
    if "depth" in layers and steps["depth_known"]:
        depth[whole] = steps["depth_from_m"] + stored["depth"].astype(np.float64) * steps["depth_m"]
    elif "depth" in layers:
        depth[whole] = np.nan
    flows = {name: np.full((*blank, 2), np.nan, np.float32) for name in _FLOWS}
    if "flow" in layers:
        for name, where in zip(_FLOWS, (whole[:-1], whole[1:]), strict=True):
            flows[name] = np.full((count - 1, height, width, 2), np.nan, np.float32)
            values = stored[name].T
            flows[name][where] = np.where(values == UNKNOWN, np.nan, values * np.float64(steps[name]))
    camera = CameraPath(
        **{name: truth[stored] for name, stored in _CAMERA_ARRAYS.items()},
        focal_px=described["focal_px"],
        image_size=(width, height),
    )
    state = None
    if "state_pose" in truth:
        parts_of_state = ("pose", "shape", "root", "translation")
        state = BodyState(*(torch.from_numpy(truth[f"state_{name}"]) for name in parts_of_state))
    return VideoClip(
        frames=frames,
        **masks,
        depth_m=depth,
        parts=parts,
        part_names=tuple(described["part_names"]),
        **flows,
        joint_names=tuple(described["joint_names"]),
        keypoint_names=tuple(described["keypoint_names"]),
        **{name: truth[stored] for name, stored in _ARRAYS.items()},
        camera=camera,
        assumed_focal_px=described["told_focal_px"],
        state=state,
        provenance=Provenance(**described["provenance"]),
    )


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """As `numpy.savez`, but without a date, so that equal arrays are equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in sorted(arrays.items()):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), content.getvalue())
    return buffer.getvalue()


def _read_npz(content: bytes, names: set[str] | None = None) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files if names is None or name in names}
