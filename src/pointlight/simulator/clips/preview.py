"""Clips for people to look at: layers side by side as video, contact sheets, and the paper's Figure 2."""

from __future__ import annotations

import colorsys
import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.errors import PointlightError
from pointlight.flow import flow_colours
from pointlight.geometry import CROP_PX, crop_side_px, keypoint_box
from pointlight.media import VideoWriter, draw_label, tile, write_png
from pointlight.simulator.clip import FRAMES_PER_SECOND
from pointlight.simulator.clips.composite import VideoClip
from pointlight.simulator.clips.synthesis import ClipMaker, ClipParts

_SHOWN = (60, 230, 90)
_HIDDEN = (255, 60, 60)
_BONES = (
    *(("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in ("left", "right")
        for a, b in (
            ("shoulder", "elbow"),
            ("elbow", "wrist"),
            ("shoulder", "hip"),
            ("hip", "knee"),
            ("knee", "ankle"),
        )
    ),
)
_ENLARGED = 2
_MOST_TRIED = 400


@dataclass(frozen=True)
class _Scale:
    """What is darkest and brightest in a clip's pictures.

    Attributes:
        depth_m: nearest and farthest.
        flow_px: length of flow that is shown at full strength.
    """

    depth_m: tuple[float, float]
    flow_px: float

    @staticmethod
    def of(clip: VideoClip) -> _Scale:
        depth = clip.depth_m[clip.amodal_mask]
        depth = depth[np.isfinite(depth)]
        flow = clip.flow_forward_px[clip.amodal_mask[:-1]]
        lengths = np.linalg.norm(flow[np.isfinite(flow).all(-1)], axis=-1)
        return _Scale(
            (float(depth.min()), float(depth.max())) if depth.size else (0.0, 1.0),
            float(np.quantile(lengths, 0.98)) if lengths.size else 1.0,
        )


def _layer_pictures(clip: VideoClip, frame: int, scale: _Scale) -> list[np.ndarray]:
    """What is drawn of one frame: frame, parts, depth, flow, keypoints; each (H, W, 3) uint8.

    In the parts, white is the person under an occluder. The last frame shows the flow of the one before it.
    """
    frames, height, width = clip.frames.shape[:3]
    flow = clip.flow_forward_px[min(frame, frames - 2)] if frames > 1 else np.full((height, width, 2), np.nan)
    parts = _part_colours(clip, frame, _greyed(clip.frames[frame]))
    parts[clip.occluder[frame] & clip.amodal_mask[frame]] = 255
    return [
        clip.frames[frame],
        parts,
        _depth_colours(clip.depth_m[frame], scale.depth_m),
        flow_colours(flow, scale.flow_px),
        draw_keypoints(clip, frame),
    ]


def draw_keypoints(clip: VideoClip, frame: int) -> np.ndarray:
    """The frame with the keypoints that a detector gives: a dot if the network sees it, a red ring if not.

    A totally occluded frame has a red border: nothing of it is seen.
    """
    large = Image.fromarray(clip.frames[frame]).resize(
        (clip.frames.shape[2] * _ENLARGED, clip.frames.shape[1] * _ENLARGED), Image.Resampling.BICUBIC
    )
    pen = ImageDraw.Draw(large)
    points = clip.detections_px[frame] * _ENLARGED
    names = clip.keypoint_names
    for start, end in _BONES:
        if start in names and end in names:
            line = [tuple(points[names.index(name)]) for name in (start, end)]
            pen.line(line, fill=(255, 255, 255), width=1)
    for name, (x, y), seen in zip(names, points, clip.visible[frame], strict=True):
        radius = 4 if name in NETWORK_KEYPOINTS else 3
        box = (x - radius, y - radius, x + radius, y + radius)
        if seen:
            pen.ellipse(box, fill=_SHOWN if "right" not in name else (80, 170, 255), outline=(0, 0, 0))
        else:
            pen.ellipse(box, outline=_HIDDEN, width=2)
    if clip.totally_occluded[frame]:
        pen.rectangle((0, 0, large.width - 1, large.height - 1), outline=_HIDDEN, width=6)
    return np.asarray(large)


def write_layer_video(clip: VideoClip, path: Path | str) -> None:
    """A video of the layers side by side, at the clip's speed."""
    pictures = []
    scale = _Scale.of(clip)
    for frame in range(len(clip.frames)):
        cells = _layer_pictures(clip, frame, scale)
        height, width = cells[0].shape[:2]
        pictures.append(tile([_resized(cell, width, height) for cell in cells], 3))
    size = (pictures[0].shape[1], pictures[0].shape[0])
    with VideoWriter(path, FRAMES_PER_SECOND, size) as writer:
        for picture in pictures:
            writer.write(picture)


def clip_cell(clip: VideoClip) -> np.ndarray:
    """The middle frame with its keypoints and the clip's number; a contact sheet is a tile of these."""
    return draw_label(draw_keypoints(clip, len(clip.frames) // 2), str(clip.provenance.index), height_px=14)


def layer_sheet(clip: VideoClip, every: int = 6) -> np.ndarray:
    """Frames of one clip from left to right, its layers from top to bottom."""
    scale = _Scale.of(clip)
    columns = [_layer_pictures(clip, frame, scale) for frame in range(0, len(clip.frames), every)]
    height, width = columns[0][0].shape[:2]
    return tile(
        [_resized(column[row], width, height) for row in range(len(columns[0])) for column in columns],
        len(columns),
    )


def occluded_parts(maker: ClipMaker, seed: int, first: int = 0, least: float = 0.1) -> ClipParts:
    """The first clip, from number `first` on, with a superpixel before the person that a reader can see.

    Args:
        maker: of the clips.
        seed: of the clips.
        first: number to begin with.
        least: share of the person that it covers in the frame where it covers most.

    Raises:
        PointlightError: there is none within reach.
    """
    for index in range(first, first + _MOST_TRIED):
        parts = maker.parts(seed, index)
        if parts.occluder is None or parts.occluder.kind != "superpixel":
            continue
        covered = (parts.occluder.mask & parts.subject.layer.mask).sum((1, 2))
        if (covered / np.maximum(parts.subject.layer.mask.sum((1, 2)), 1)).max() >= least:
            return parts
    raise PointlightError(
        f"none of {_MOST_TRIED} clips of {maker.config.name} has a superpixel before the person; Figure 2 needs one"
    )


def draw_figure2(parts: ClipParts) -> np.ndarray:
    """Figure 2 of the paper from one clip: background, person, superpixel, composite, crop; (H, W, 3) uint8.

    The frame shown is the one in which the superpixel covers most of the person.
    """
    clip = parts.clip
    cover = clip.occluder & clip.amodal_mask
    frame = int(cover.sum((1, 2)).argmax())
    background = parts.background.frames[frame]
    person = np.where(
        parts.subject.layer.mask[frame][..., None], parts.subject.layer.colour[frame], np.uint8(255)
    )
    superpixel = np.where(clip.occluder[frame][..., None], np.uint8(255), np.uint8(0)).repeat(3, -1)
    cells = [
        ("background", background),
        ("superpixel", superpixel),
        ("superpixel of the video", np.where(clip.occluder[frame][..., None], background, background // 4)),
        ("person", person),
        ("composite", clip.frames[frame]),
        ("crop", _crop(clip, frame)),
    ]
    size = (clip.frames.shape[2] * _ENLARGED, clip.frames.shape[1] * _ENLARGED)
    return tile([draw_label(_fitted(image, size), words) for words, image in cells], 3)


def draw_stages(parts: ClipParts, frames: Sequence[int] = (0, 10, 20, 30)) -> np.ndarray:
    """How one clip comes about: a row for each stage, a column for each frame; (H, W, 3) uint8.

    The line in the first row is the path of the background, which the person takes in the second.
    """
    clip = parts.clip
    scale = _Scale.of(clip)
    moves = range(len(clip.frames) - 1)
    rows = {
        "background and its path": [_with_path(parts, t) for t in frames],
        "person, following it": [
            _on_nothing(parts.subject.layer.colour[t], parts.subject.layer.mask[t]) for t in frames
        ],
        "depth": [_depth_colours(parts.subject.layer.depth_m[t], scale.depth_m) for t in frames],
        "body parts": [_part_colours(clip, t, np.zeros_like(clip.frames[t])) for t in frames],
        "flow to the next frame": [
            flow_colours(parts.subject.layer.flow_forward_px[min(t, moves[-1])], scale.flow_px)
            for t in frames
        ],
    }
    if parts.pixels is not None:
        rows["superpixels"] = [_mean_colours(parts, t) for t in frames]
    if parts.occluder is not None:
        rows["the one drawn"] = [
            np.where(clip.occluder[t][..., None], parts.background.frames[t], parts.background.frames[t] // 4)
            for t in frames
        ]
    rows["clip"] = [clip.frames[t] for t in frames]
    rows["what a network sees"] = [draw_keypoints(clip, t) for t in frames]
    size = (clip.frames.shape[2], clip.frames.shape[1])
    cells = []
    for words, pictures in rows.items():
        row = [_resized(picture, *size) for picture in pictures]
        cells += [draw_label(row[0], words), *row[1:]]
    return tile(cells, len(frames))


def write_preview(clips: Iterable[VideoClip], folder: Path) -> list[Path]:
    """A video of layers for each clip and a contact sheet of all; the files written.

    Where a clip cannot be read, those before it are drawn all the same, and a warning says so.
    """
    files: list[Path] = []
    cells: list[np.ndarray] = []
    try:
        for clip in clips:
            name = f"{clip.provenance.index:08d}"
            files.append(folder / f"{name}.mp4")
            write_layer_video(clip, files[-1])
            cells.append(clip_cell(clip))
    except PointlightError as error:
        if not cells:
            raise
        warnings.warn(f"{error}; the {len(cells)} clips before it are drawn", stacklevel=2)
    if not cells:
        raise PointlightError("there are no clips to look at")
    files.append(folder / "contact_sheet.png")
    write_png(files[-1], tile(cells, min(6, math.ceil(math.sqrt(len(cells))))))
    return files


def _crop(clip: VideoClip, frame: int) -> np.ndarray:
    """The crop around the paper's 12 keypoints as the network's lies, if all are seen; black outside the picture."""
    points = clip.joints_px[frame, [clip.joint_names.index(name) for name in NETWORK_KEYPOINTS]]
    known = np.isfinite(points).all(-1)
    centre, diagonal = keypoint_box(torch.from_numpy(points), torch.from_numpy(known))
    side = crop_side_px(float(diagonal))
    left, top = (float(middle) - side / 2 for middle in centre)
    # Pillow's coordinates are continuous too, with (0, 0) at the outer corner.
    scale = side / CROP_PX
    picture = Image.fromarray(clip.frames[frame]).transform(
        (CROP_PX, CROP_PX),
        Image.Transform.AFFINE,
        (scale, 0, left, 0, scale, top),
        resample=Image.Resampling.BICUBIC,
    )
    return np.asarray(picture)


def _with_path(parts: ClipParts, frame: int) -> np.ndarray:
    """The background's frame; a line where a point that is in the middle at the centre frame goes until here."""
    picture = Image.fromarray(parts.background.frames[frame])
    pen = ImageDraw.Draw(picture)
    middle = np.array(picture.size) / 2
    places = [tuple(middle + step) for step in parts.background.path_px[: frame + 1]]
    pen.line(places, fill=(255, 220, 40), width=2)
    x, y = places[-1]
    pen.ellipse((x - 3, y - 3, x + 3, y + 3), fill=(255, 220, 40), outline=(0, 0, 0))
    return np.asarray(picture)


def _on_nothing(colour: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The person on a chequered ground, which stands still."""
    rows, columns = np.indices(mask.shape) // 12
    ground = np.where((rows + columns) % 2 == 0, np.uint8(214), np.uint8(240))
    return np.where(mask[..., None], colour, ground[..., None])


def _mean_colours(parts: ClipParts, frame: int) -> np.ndarray:
    """Each superpixel in its mean colour over the whole clip, with a dark line between them."""
    assert parts.pixels is not None
    labels = parts.pixels.labels
    counts = np.maximum(np.bincount(labels.ravel()), 1)
    means = [
        np.bincount(labels.ravel(), weights=parts.background.frames[..., channel].ravel()) / counts
        for channel in range(3)
    ]
    here = labels[frame]
    picture = np.stack([mean[here] for mean in means], axis=-1).astype(np.uint8)
    border = np.zeros(here.shape, bool)
    border[:, 1:] |= here[:, 1:] != here[:, :-1]
    border[1:] |= here[1:] != here[:-1]
    picture[border] = 20
    return picture


def _part_colours(clip: VideoClip, frame: int, ground: np.ndarray) -> np.ndarray:
    palette = [(0, 0, 0)] + [
        tuple(int(255 * c) for c in colorsys.hsv_to_rgb((k * 0.381966) % 1, 0.75, 0.95))
        for k in range(len(clip.part_names))
    ]
    colours = np.array(palette, np.uint8)[clip.parts[frame]]
    return np.where(clip.amodal_mask[frame][..., None], colours, ground)


def _depth_colours(depth_m: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Near is light, far is dark blue, nothing is black."""
    known = np.isfinite(depth_m)
    share = (np.where(known, depth_m, limits[1]) - limits[0]) / max(limits[1] - limits[0], 1e-6)
    near, far = np.array([255.0, 235.0, 170.0]), np.array([35.0, 40.0, 120.0])
    colour = near + share[..., None] * (far - near)
    return np.where(known[..., None], np.rint(colour), 0).astype(np.uint8)


def _greyed(image: np.ndarray) -> np.ndarray:
    grey = image.mean(-1, keepdims=True) * 0.5
    return np.broadcast_to(grey, image.shape).astype(np.uint8)


def _resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    if image.shape[:2] == (height, width):
        return image
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def _fitted(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Enlarged into a picture of `size` (width, height), in its middle."""
    scale = min(size[0] / image.shape[1], size[1] / image.shape[0])
    inner = _resized(image, round(image.shape[1] * scale), round(image.shape[0] * scale))
    picture = np.full((size[1], size[0], 3), 24, np.uint8)
    top, left = (size[1] - inner.shape[0]) // 2, (size[0] - inner.shape[1]) // 2
    picture[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return picture
