"""Motion clips at another frame rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from pointlight.geometry import interpolate_rotations
from pointlight.motion.clip import MotionClip


def resample(clip: MotionClip, fps: float) -> MotionClip:
    """The clip at `fps`, first frame at the same time: rotations spherically, the root's place linearly.

    Where the old rate is a whole multiple of the new one, frames are taken as they are.
    """
    step = clip.fps / fps
    if clip.frames == 1:
        return replace(clip, fps=fps)
    if abs(step - round(step)) < 1e-6 * step and round(step) >= 1:
        every = slice(None, None, round(step))
        return replace(
            clip,
            rotations=np.ascontiguousarray(clip.rotations[every]),
            root_translation_m=np.ascontiguousarray(clip.root_translation_m[every]),
            translations_m=None if clip.translations_m is None else clip.translations_m[every],
            fps=fps,
        )
    times_s = np.arange(clip.frames) / clip.fps
    query_s = np.arange(int(np.floor(times_s[-1] * fps + 1e-6)) + 1) / fps
    rotations = interpolate_rotations(
        torch.from_numpy(clip.rotations), torch.from_numpy(times_s), torch.from_numpy(query_s)
    )
    root = np.stack([np.interp(query_s, times_s, column) for column in clip.root_translation_m.T], axis=-1)
    return replace(
        clip,
        rotations=rotations.numpy(),
        root_translation_m=root.astype(np.float32),
        translations_m=None
        if clip.translations_m is None
        else _between(clip.translations_m, times_s, query_s),
        fps=fps,
    )


def _between(values: np.ndarray, times_s: np.ndarray, query_s: np.ndarray) -> np.ndarray:
    """(Q, J, 3) float32, linearly between the frames of (T, J, 3)."""
    columns = values.reshape(len(values), -1).T
    found = np.stack([np.interp(query_s, times_s, column) for column in columns], axis=-1)
    return found.reshape(len(query_s), *values.shape[1:]).astype(np.float32)
