"""People from SURREAL's files as layers: whoever has SURREAL and Kinetics gets the paper's own data set.

What the files do not tell is left open: there is no flow in the sense of ours (`_gtflow.mat` says neither direction nor
sign), so that it is NaN; and points of `TRACK_POINTS` that are no joints of SMPL's are NaN and outside, but for those
that the user's own SMPL files give.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from pointlight.body import SMPL_JOINTS, BodyModel, BodyState
from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.randomness import stream
from pointlight.simulator.clip import CLIP_FRAMES
from pointlight.simulator.people.layers import PersonLayer
from pointlight.simulator.people.surreal_files import (
    R_SURREAL_CAMERA_WORLD,
    SURREAL_FOCAL_PX,
    SURREAL_SIZE,
    SurrealInfo,
    find_surreal,
    read_surreal_depth,
    read_surreal_frames,
    read_surreal_info,
    read_surreal_segmentation,
    surreal_name,
)
from pointlight.simulator.scenes.cameras import CameraPath
from pointlight.simulator.scenes.tracks import TRACK_POINTS
from pointlight.simulator.scenes.visibility import behind_surface

SURREAL_POINTS: tuple[str, ...] = (*SMPL_JOINTS, *(name for name in TRACK_POINTS if name not in SMPL_JOINTS))
"""SMPL's 24 joints, then the points of tracks that are none of them."""

_MOST_DRAWS = 100


@dataclass(frozen=True)
class SurrealConfig:
    """How SURREAL's people are taken.

    Attributes:
        split: of SURREAL.
        frames: a clip's length.
        shift: how a person follows the background: by "whole" pixels, or "subpixel", which interpolates colours. The
            paper translates and does not say how; whole pixels keep its hard masks and blend no colours.
        depth: read the `_depth.mat` files (82 GB for all of SURREAL). Without them nothing is hidden behind the
            body, and depths are NaN.
        depth_along_ray: see `read_surreal_depth`.
    """

    split: str = "train"
    frames: int = CLIP_FRAMES
    shift: Literal["whole", "subpixel"] = "whole"
    depth: bool = True
    depth_along_ray: bool = True


class SurrealPeople:
    """Draws people from a folder of SURREAL; a person is a pure function of (files, configuration, seed, index).

    Attributes:
        config: how people are taken.
        bodies: the user's SMPL by gender.
        files: the `_info.mat` of all clips.
        sha256: of the configuration and of the files' names and sizes.
    """

    def __init__(
        self, folder: Path, config: SurrealConfig, bodies: Mapping[str, BodyModel] | None = None
    ) -> None:
        """List the clips.

        Args:
            folder: SURREAL's.
            config: how people are taken.
            bodies: the user's SMPL by gender, "female" and "male", for the crown.

        Raises:
            PointlightError: there are none.
        """
        self.config = config
        self.bodies = dict(bodies or {})
        self.files = find_surreal(folder, config.split)
        self._named: set[Path] = set()
        names = [f"{surreal_name(path)} {path.stat().st_size}" for path in self.files]
        self.sha256 = config_sha256([config, sorted(self.bodies), names])

    def sample(self, seed: int, index: int, path_px: np.ndarray) -> tuple[PersonLayer, str]:
        """Draw a clip of one person, who follows the background's `path_px` (T, 2), and say where it comes from.

        Files that are too short are passed over, broken ones as well, named once in a warning.

        Raises:
            PointlightError: none of many drawn clips will do.
        """
        rng = stream(seed, index, "surreal")
        frames = self.config.frames
        for _ in range(_MOST_DRAWS):
            path = self.files[int(rng.integers(len(self.files)))]
            place = rng.random()
            try:
                info = read_surreal_info(path)
                if info.frames < frames:
                    continue
                start = int(place * (info.frames - frames + 1))
                person = surreal_person(path, info, start, path_px, self.config, self.bodies.get(info.gender))
            except PointlightError as error:
                if path not in self._named:
                    self._named.add(path)
                    warnings.warn(f"a clip of SURREAL is passed over: {error}", stacklevel=2)
                continue
            return person, f"surreal/{self.config.split}/{surreal_name(path)} {start}-{start + frames}"
        raise PointlightError(
            f"of {_MOST_DRAWS} clips drawn from {len(self.files)} of SURREAL none has {frames} frames that can be"
            " read; give a whole copy of SURREAL"
        )


def surreal_person(
    path: Path,
    info: SurrealInfo,
    start: int,
    path_px: np.ndarray,
    config: SurrealConfig,
    body: BodyModel | None = None,
) -> PersonLayer:
    """Frames `start` to `start + config.frames` of a clip as a layer.

    The person is translated by the background's path, "using the center frame of the clip as a reference" (appendix
    A), and with it the principal point. What SURREAL's own picture cut off stays cut off.

    Args:
        path: of the `_info.mat`; the clip's other files lie beside it.
        info: read from it.
        start: first frame.
        path_px: (T, 2) the background's displacement against its centre frame.
        config: how.
        body: SMPL of this gender, for points that are no joints.

    Raises:
        PointlightError: a file is missing, broken or too short.
    """
    count = config.frames
    if start < 0 or start + count > info.frames:
        raise PointlightError(
            f"{path} has {info.frames} frames, where {start} to {start + count} are asked for; take a longer clip"
        )
    if path_px.shape != (count, 2):
        raise ValueError(f"a path of {path_px.shape} does not fit {count} frames")
    window = slice(start, start + count)
    valid = info.valid[window]
    parts = read_surreal_segmentation(path, start, count)
    parts[~valid] = 0
    colour = read_surreal_frames(path, start, count)
    depth = np.full(parts.shape, np.nan, np.float32)
    if config.depth:
        depth = read_surreal_depth(path, start, count, along_ray=config.depth_along_ray)
    joints, state = _joints(info, window, body)
    points = SURREAL_FOCAL_PX * joints[..., :2] / joints[..., 2:] + np.array(SURREAL_SIZE) / 2
    cut_off = ~_in_picture(points) | ~(joints[..., 2] > 0.1)
    self_occluded = behind_surface(points, joints[..., 2], np.where(parts > 0, depth, np.inf))

    move_px = np.asarray(path_px, np.float64)
    if config.shift == "whole":
        move_px = np.rint(move_px)
    colour, depth, parts = _moved(colour, depth, parts, move_px)
    points = points + move_px[:, None]
    gone = np.full((count - 1, *parts.shape[1:], 2), np.nan, np.float32)
    mask = parts > 0
    return PersonLayer(
        colour=colour,
        mask=mask,
        depth_m=np.where(mask, depth, np.inf).astype(np.float32),
        parts=parts,
        part_names=SMPL_JOINTS,
        flow_forward_px=gone,
        flow_backward_px=gone,
        joint_names=SURREAL_POINTS,
        joints_px=points.astype(np.float32),
        joints_camera_m=joints.astype(np.float32),
        out_of_frame=cut_off | ~_in_picture(points),
        self_occluded=self_occluded,
        camera=CameraPath(
            R_camera_world=np.tile(R_SURREAL_CAMERA_WORLD, (count, 1, 1)).astype(np.float32),
            translation_m=np.tile(-R_SURREAL_CAMERA_WORLD @ info.camera_world_m, (count, 1)).astype(
                np.float32
            ),
            focal_px=SURREAL_FOCAL_PX,
            principal_px=(np.array(SURREAL_SIZE) / 2 + move_px).astype(np.float32),
            image_size=SURREAL_SIZE,
        ),
        state=state,
    )


def _joints(info: SurrealInfo, window: slice, body: BodyModel | None) -> tuple[np.ndarray, BodyState]:
    """(T, J, 3) of `SURREAL_POINTS`, NaN where there is nobody or it is not known, and the body in SMPL's terms."""
    valid = info.valid[window]
    joints = np.full((len(valid), len(SURREAL_POINTS), 3), np.nan)
    joints[valid, : len(SMPL_JOINTS)] = info.joints_camera_m[window][valid]
    rotations = torch.from_numpy(info.rotations[window]).float()
    state = BodyState(
        pose=rotations[:, 1:],
        shape=torch.from_numpy(info.betas).float().expand(len(valid), -1),
        root=rotations[:, 0],
        translation=torch.from_numpy(info.joints_camera_m[window][:, 0]).float(),
    )
    if body is not None:
        names = tuple(n for n in SURREAL_POINTS if n in body.keypoint_names and n not in SMPL_JOINTS)
        with torch.no_grad():
            further = body.keypoints(state, names).numpy()
        for number, name in enumerate(names):
            joints[valid, SURREAL_POINTS.index(name)] = further[valid, number]
    return joints, state


def _in_picture(points_px: np.ndarray) -> np.ndarray:
    """(T, J) whether points lie in the picture, its border counted in as for tracks; False for NaN."""
    return np.asarray(((points_px >= 0) & (points_px <= SURREAL_SIZE)).all(-1))


def _moved(
    colour: np.ndarray, depth: np.ndarray, parts: np.ndarray, move_px: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures of the person alone, each translated; 0 where it is not. Parts and depth take the nearest pixel."""
    height, width = parts.shape[1:]
    new_colour, new_depth, new_parts = np.zeros_like(colour), np.zeros_like(depth), np.zeros_like(parts)
    for t, (dx, dy) in enumerate(move_px):
        if not parts[t].any():
            continue
        rows, columns = (np.flatnonzero(parts[t].any(axis)) for axis in (1, 0))
        box = np.s_[
            max(rows[0] - 2, 0) : min(rows[-1] + 3, height),
            max(columns[0] - 2, 0) : min(columns[-1] + 3, width),
        ]
        mask = parts[t][box] > 0
        # Beyond its edge the person goes on as at the edge, so that nothing of SURREAL's background mixes in.
        near_row, near_column = np.asarray(
            distance_transform_edt(~mask, return_distances=False, return_indices=True)
        )
        grown = (layer[t][box][near_row, near_column] for layer in (colour, depth, parts))
        whole_x, whole_y = int(np.floor(dx)), int(np.floor(dy))
        share = np.array([dx - whole_x, dy - whole_y])
        top, left = box[0].start + whole_y, box[1].start + whole_x
        values, near_depth, near_parts = grown
        cover = _between(mask.astype(np.float32), share, "constant") >= 0.5
        values = np.rint(_between(values.astype(np.float32), share, "edge")).astype(np.uint8)
        nearest = (int(share[0] > 0.5), int(share[1] > 0.5))
        layers = (
            (new_colour[t], values),
            (new_depth[t], _stepped(near_depth, *nearest, "edge")),
            (new_parts[t], _stepped(near_parts, *nearest, "edge")),
        )
        for target, values in layers:
            _paste(target, values, cover, top, left)
    return new_colour, new_depth, new_parts


def _stepped(values: np.ndarray, right: int, down: int, beyond: Literal["edge", "constant"]) -> np.ndarray:
    """A picture (H, W, ...) in a frame one larger, moved by 0 or 1 pixel; its edge or nothing fills the gap."""
    pad = ((down, 1 - down), (right, 1 - right)) + ((0, 0),) * (values.ndim - 2)
    return np.pad(values, pad, mode=beyond)


def _between(values: np.ndarray, share: np.ndarray, beyond: Literal["edge", "constant"]) -> np.ndarray:
    """A picture in a frame one larger, moved by shares of a pixel, bilinear."""
    x, y = (float(part) for part in share)
    result = (1 - x) * (1 - y) * _stepped(values, 0, 0, beyond)
    for weight, right, down in ((x * (1 - y), 1, 0), ((1 - x) * y, 0, 1), (x * y, 1, 1)):
        if weight:
            result += weight * _stepped(values, right, down, beyond)
    return result


def _paste(target: np.ndarray, values: np.ndarray, cover: np.ndarray, top: int, left: int) -> None:
    """Write the covered pixels of `values`, whose first lies at (top, left), into what of the target they meet."""
    height, width = target.shape[:2]
    y0, y1 = max(top, 0), min(top + cover.shape[0], height)
    x0, x1 = max(left, 0), min(left + cover.shape[1], width)
    if y0 >= y1 or x0 >= x1:
        return
    cut = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    target[y0:y1, x0:x1][cover[cut]] = values[cut][cover[cut]]
