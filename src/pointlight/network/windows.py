"""Windows of a track, averaged where they overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields

import torch
from torch import Tensor

from pointlight.cues import Cues
from pointlight.geometry import nearest_rotation
from pointlight.network.protocol import FrameBodies
from pointlight.network.regressor import Prediction, frames_of_pairs

_WINDOWS_AT_ONCE = 64
_PICTURED_AT_ONCE = 8
"""Windows whose pictures are in memory together."""


@torch.no_grad()
def over_windows(
    predict: Callable[[Tensor], Prediction], cues: Cues, frames: int, *, overlap: bool
) -> FrameBodies:
    """Predict windows of tracks and average them by rotation.

    Args:
        predict: from inputs (N, frames-1, *shape) to predictions of pairs.
        cues: of tracks (B, T).
        frames: of a window; a shorter track is seen as it is.
        overlap: windows overlap by half and are weighted towards their middle; otherwise they follow one another.
    """
    tracks, count = cues.occluded.shape
    frames = min(frames, count)
    starts = window_starts(count, frames, frames // 2 if overlap else frames)
    index = starts.to(cues.inputs.device)[:, None] + torch.arange(frames, device=cues.inputs.device)
    parts = [frames_of_pairs(predict(inputs)) for inputs in _inputs_of(cues, index)]
    predicted = Prediction(
        *(
            torch.cat([getattr(part, entry.name) for part in parts]).unflatten(0, (tracks, len(starts)))
            for entry in fields(Prediction)
        )
    )
    # The last frame of a window is in the crop-ray frame of the frame before it.
    frame_of = index.clone()
    frame_of[:, -1] -= 1
    R_camera_ray = cues.R_ray_camera[:, frame_of].transpose(-1, -2)
    depth = cues.focal_crop[:, frame_of] / predicted.scale
    place = (R_camera_ray @ torch.cat((predicted.shift, depth[..., None]), dim=-1)[..., None])[..., 0]
    weights = _weights(frames, overlap=overlap).to(cues.inputs)
    seen = (~cues.occluded[:, index]).to(weights.dtype)  # (B, W, frames)

    def blend(values: Tensor) -> Tensor:
        """(B, W, frames, ...) to (B, T, ...): weighted means over the windows that hold a frame."""
        trailing = values.shape[3:]
        weighted = values * weights.reshape(-1, *([1] * len(trailing)))
        total = values.new_zeros(tracks, count, *trailing)
        total.index_add_(1, index.flatten(), weighted.flatten(1, 2))
        norm = weights.new_zeros(count).index_add_(0, index.flatten(), weights.repeat(len(starts)))
        return total / norm.reshape(-1, *([1] * len(trailing)))

    return FrameBodies(
        pose=nearest_rotation(blend(predicted.pose)),
        root=nearest_rotation(blend(R_camera_ray @ predicted.root)),
        shape=blend(predicted.shape.expand(-1, -1, frames, -1)),
        track_shape=_track_shape(predicted.shape, seen),
        place_m=blend(place),
    )


def _inputs_of(cues: Cues, windows: Tensor) -> Iterator[Tensor]:
    """Inputs of windows (N, frames-1, *shape), some at once, track by track; `windows` (W, frames) are their frames."""
    if cues.later is None:
        yield from cues.inputs[:, windows[:, :-1]].flatten(0, 1).split(_WINDOWS_AT_ONCE)
        return
    for some in windows[:, :-1].split(_PICTURED_AT_ONCE):
        first, last = int(some[0, 0]), int(some[-1, -1]) + 1
        yield cues.later.of(first, last).to(cues.inputs)[some - first]


def in_phases(predict: Callable[[Tensor], Prediction], stride: int) -> Callable[[Tensor], Prediction]:
    """A network that takes every `stride`-th pair, made to take them all: each phase by itself, then in order."""
    if stride == 1:
        return predict

    def look(inputs: Tensor) -> Prediction:
        count = inputs.shape[-2]
        phases = [range(first, count, stride) for first in range(min(stride, count))]
        parts = [predict(inputs[..., list(phase), :]) for phase in phases]
        order = torch.tensor([pair for phase in phases for pair in phase]).argsort().to(inputs.device)
        values = {}
        for entry in fields(Prediction):
            tensors = [getattr(part, entry.name) for part in parts]
            axis = inputs.ndim - 2
            if tensors[0].shape[axis] == 1 and len(phases[0]) > 1:  # one shape a clip
                values[entry.name] = torch.stack(tensors).mean(0)
            else:
                values[entry.name] = torch.cat(tensors, dim=axis).index_select(axis, order)
        return Prediction(**values)

    return look


def window_starts(count: int, length: int, stride: int) -> Tensor:
    """First frames of windows that cover `count` frames; the last one ends with the last frame."""
    starts = list(range(0, max(count - length, 0) + 1, stride))
    if starts[-1] + length < count:
        starts.append(count - length)
    return torch.tensor(starts)


def _weights(frames: int, *, overlap: bool) -> Tensor:
    """(frames,) a triangle, since a window knows most about its middle; all alike where windows do not overlap."""
    if not overlap:
        return torch.ones(frames)
    return 1.0 - (torch.arange(frames) - frames // 2).abs() / (frames // 2 + 1)


def _track_shape(shape: Tensor, seen: Tensor) -> Tensor:
    """(B, S) from one shape a window (B, W, 1, S), or one a frame (B, W, frames, S), by the frames that are seen."""
    if shape.shape[2] > 1:
        return (shape * seen[..., None]).sum((1, 2)) / seen.sum((1, 2)).clamp_min(1)[:, None]
    weight = seen.sum(2) + 1e-3
    return (shape[:, :, 0] * weight[..., None]).sum(1) / weight.sum(1, keepdim=True)
