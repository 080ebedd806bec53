"""A clip as a few small files: pictures as H.264, layers without loss or at a stated step, the truth as it is."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import Any

import av
import numpy as np
import torch
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from pointlight.body import BodyState
from pointlight.errors import PointlightError
from pointlight.simulator.clip import FRAMES_PER_SECOND
from pointlight.simulator.clips.composite import Provenance, VideoClip
from pointlight.simulator.scenes.cameras import CameraPath

CLIP_FORMAT_VERSION = 2

FRAMES_QUALITY = 12
"""x264's constant rate factor: about 40 dB on real video."""

DEPTH_STEP_M = 0.00025
FLOW_STEP_PX = 1 / 64
"""Depth and flow are stored in whole steps; a clip whose values would not fit has larger ones, and says so."""

_BT709 = 1
_MASKS = {"mask": "mask", "amodal_mask": "whole_mask", "occluder": "occluder", "others": "others"}
_FLOWS = ("flow_forward_px", "flow_backward_px")
_UNKNOWN = -32768
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
"""Fields of `VideoClip` with the names under which format 2 stores them."""

_CAMERA_ARRAYS = {
    "R_camera_world": "camera_rotation",
    "translation_m": "camera_translation_m",
    "principal_px": "camera_principal_px",
}
"""Fields of its camera with theirs."""


def encode_clip(clip: VideoClip) -> dict[str, bytes]:
    """The clip's files by suffix: frames.mp4, layers.npz, truth.npz, json; the same bytes for the same clip.

    Masks, parts and all numbers of joints, camera and body are kept exactly. Frames lose what H.264 at
    `FRAMES_QUALITY` loses, depth and flow are rounded to the steps that the JSON names.
    """
    layers, steps = _packed_layers(clip)
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
        "frames.mp4": _encode_frames(clip.frames),
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
        if described["format_version"] != CLIP_FORMAT_VERSION:
            raise PointlightError(
                f"the clip is of format {described['format_version']}, not {CLIP_FORMAT_VERSION}; make it again"
            )
        truth = _read_npz(files["truth.npz"])
        pictured = set(layers) - {"frames"}
        stored = _read_npz(files["layers.npz"], _needed(pictured)) if pictured else {}
        frames = decode_frames(files["frames.mp4"]) if "frames" in layers else None
        return _unpacked(described, frames, stored, truth, pictured)
    except (KeyError, ValueError, OSError, zipfile.BadZipFile, FFmpegError) as error:
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
    """Masks as bits; parts, depth and flow only where the person is, as differences along the rows."""
    layers = {stored: np.packbits(getattr(clip, name)) for name, stored in _MASKS.items()}
    # Numbers of pixels are several times as fast to pick by as masks.
    inside = np.flatnonzero(clip.amodal_mask)
    picture = clip.amodal_mask[0].size
    layers["parts"] = clip.parts.ravel()[inside]
    depth = clip.depth_m.ravel()[inside].astype(np.float64)
    # The whole depth may be unknown (SURREAL's people without depth files).
    known = bool(np.isfinite(depth).all()) and depth.size > 0
    nearest = float(depth.min()) if known else 0.0
    depth_step = max(DEPTH_STEP_M, float(np.ptp(depth)) / 65535) if known else DEPTH_STEP_M
    steps = {"depth_m": depth_step, "depth_from_m": nearest, "depth_known": float(known)}
    if known:
        layers["depth"] = _differences(np.rint((depth - nearest) / depth_step).astype(np.uint16))
    all_but_last = inside[inside < clip.amodal_mask.size - picture]
    all_but_first = inside[inside >= picture] - picture
    for name, where in zip(_FLOWS, (all_but_last, all_but_first), strict=True):
        flow = getattr(clip, name).reshape(-1, 2)[where]
        finite = np.isfinite(flow)
        largest = float(np.abs(flow[finite]).max(initial=0.0))
        step = max(FLOW_STEP_PX, largest / 32767)
        whole_steps = np.where(finite, np.rint(np.where(finite, flow, 0) / step), _UNKNOWN).astype(np.int16)
        layers[name] = np.stack([_differences(whole_steps[:, axis]) for axis in range(2)])
        steps[name] = step
    return layers, steps


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
        return np.unpackbits(stored[name], count=count * height * width).view(bool).reshape(volume)

    blank = (0, height, width)
    masks = {name: mask(old) if "masks" in layers else np.zeros(blank, bool) for name, old in _MASKS.items()}
    whole = mask(_MASKS["amodal_mask"]) if layers else np.zeros(blank, bool)
    parts = np.zeros(volume if "parts" in layers else blank, np.uint8)
    if "parts" in layers:
        parts[whole] = stored["parts"]
    depth = np.full(volume if "depth" in layers else blank, np.inf, np.float32)
    if "depth" in layers and steps["depth_known"]:
        depth[whole] = steps["depth_from_m"] + _summed(stored["depth"]).astype(np.float64) * steps["depth_m"]
    elif "depth" in layers:
        depth[whole] = np.nan
    flows = {name: np.full((*blank, 2), np.nan, np.float32) for name in _FLOWS}
    if "flow" in layers:
        for name, where in zip(_FLOWS, (whole[:-1], whole[1:]), strict=True):
            flows[name] = np.full((count - 1, height, width, 2), np.nan, np.float32)
            values = np.stack([_summed(stored[name][axis]) for axis in range(2)], axis=-1)
            flows[name][where] = np.where(values == _UNKNOWN, np.nan, values * np.float64(steps[name]))
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


def _differences(values: np.ndarray) -> np.ndarray:
    """Neighbours' differences, modulo the type's range: smooth surfaces become small numbers."""
    return np.diff(values, prepend=values.dtype.type(0))


def _summed(differences: np.ndarray) -> np.ndarray:
    return np.cumsum(differences, dtype=differences.dtype)


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """As `numpy.savez_compressed`, but fast and without a date, so that equal arrays are equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, array in sorted(arrays.items()):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue(), compresslevel=1)
    return buffer.getvalue()


def _read_npz(content: bytes, names: set[str] | None = None) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files if names is None or name in names}


def _encode_frames(frames: np.ndarray) -> bytes:
    """H.264 in MP4 by one thread: the number of threads would change the bytes."""
    buffer = io.BytesIO()
    reformatter = VideoReformatter()
    with av.open(buffer, "w", format="mp4") as container:
        options = {"crf": str(FRAMES_QUALITY), "preset": "ultrafast", "threads": "1"}
        video = container.add_stream("libx264", rate=Fraction(int(FRAMES_PER_SECOND)), options=options)
        video.height, video.width = frames.shape[1:3]
        video.pix_fmt = "yuv420p"
        for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
            setattr(video.codec_context, name, _BT709)
        for image in np.ascontiguousarray(frames):
            picture = av.VideoFrame.from_numpy_buffer(image, format="rgb24")  # a view, not a copy
            picture = reformatter.reformat(
                picture, format="yuv420p", dst_colorspace=_BT709, dst_color_range="MPEG"
            )
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    return buffer.getvalue()


def decode_frames(content: bytes) -> np.ndarray:
    """The pictures (T, H, W, 3) uint8 RGB of a clip's frames.mp4."""
    reformatter = VideoReformatter()
    images = []
    with av.open(io.BytesIO(content), "r") as container:
        video = container.streams.video[0]
        assert isinstance(video, VideoStream)
        video.thread_type = "NONE"
        for picture in container.decode(video):
            picture = reformatter.reformat(picture, format="rgb24", src_colorspace=_BT709)
            images.append(picture.to_ndarray())
    return np.stack(images) if images else np.zeros((0, 0, 0, 3), np.uint8)
