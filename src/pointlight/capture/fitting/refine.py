"""Refinement: the network's body is fitted to the 2D keypoints over time, staying near the network where they say little.

Adam on small corrections: rotations of the joints and of the root, the body's place, and one shape for the track.
Everything is weighed in standard deviations, so that the cost is minus a log-likelihood. Beyond the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from pointlight.body import BodyModel, BodyState
from pointlight.capture.fitting.lifting import LiftedTrack, Track2D
from pointlight.geometry import project, rotvec_to_rotmat
from pointlight.progress import Progress, ProgressCallback, silent

PIECE_FRAMES = 600
"""Longer tracks are fitted in pieces, so that memory does not grow with the video."""

OVERLAP_FRAMES = 60
"""Of neighbouring pieces, over which one fades into the other."""

_BETAS = (0.9, 0.95)
"""Of Adam."""


@dataclass(frozen=True)
class RefineConfig:
    """How the evidence is weighed; all are standard deviations. Chosen on simulation (docs/log.md).

    Attributes:
        keypoint: of a keypoint's place, in person sizes (the diagonal of its box).
        robust: in standard deviations; keypoints farther off pull no harder (Geman and McClure).
        trunk_deg: of a rotation of spine, neck, head and collar bones from what the network says.
        arm_deg: of a shoulder's, elbow's or wrist's.
        leg_deg: of a hip's, knee's, ankle's or the toes'.
        root_deg: of the root's.
        shape: of the numbers of shape.
        change_deg_s: of the change of these corrections in a second.
        depth: of the logarithm of distance from where the body was placed.
        depth_s: of its change in a second.
        lateral_offset: of the place across the line of sight, over the distance.
        lateral_s: of its change in a second.
        acceleration: of a keypoint against the root, m/s^2, over steps of about 1/30 s.
        stand_m_s: of the speed of a foot that stands still in the picture.
        still: speed in the picture at which a foot half stands, in person sizes a second.
        overstretch_deg: of the angle by which a knee or an elbow is bent the wrong way, beyond
        overstretch_from_deg: of it, which some people's joints do.
        steps: of Adam.
        learning_rate: of its first step, in radians.
    """

    keypoint: float = 0.012
    robust: float = 3.0
    trunk_deg: float = 15.0
    arm_deg: float = 25.0
    leg_deg: float = 15.0
    root_deg: float = 5.0
    shape: float = 0.15
    change_deg_s: float = 50.0
    depth: float = 0.1
    depth_s: float = 0.2
    lateral_offset: float = 0.03
    lateral_s: float = 0.1
    acceleration: float = 30.0
    stand_m_s: float = 0.3
    still: float = 0.1
    overstretch_deg: float = 5.0
    overstretch_from_deg: float = 10.0
    steps: int = 160
    learning_rate: float = 0.015


@dataclass(frozen=True)
class _Corrections:
    """What is added to a track.

    Attributes:
        turns: (T, J, 3) rotation vectors of the root, in camera axes, and of the joints, in their own.
        offsets: (T, 3) slopes sideways and downwards, and the logarithm of depth.
        shape_delta: (S,).
    """

    turns: Tensor
    offsets: Tensor
    shape_delta: Tensor

    @staticmethod
    def none(start: BodyState) -> _Corrections:
        frames, joints = start.pose.shape[:2]
        sizes = ((frames, joints + 1, 3), (frames, 3), (len(start.shape),))
        return _Corrections(*(torch.zeros(size) for size in sizes))

    def apply(self, start: BodyState, body: BodyModel) -> BodyState:
        """The corrected body; a change of depth alone keeps it where it appears in the picture."""
        place = start.translation * self.offsets[:, 2:].exp()
        sideways = place[:, :2] + self.offsets[:, :2] * place[:, 2:]
        turns = rotvec_to_rotmat(self.turns)
        return BodyState(
            start.pose @ turns[:, 1:],
            (start.shape + self.shape_delta).clamp(*body.shape_range()),
            turns[:, 0] @ start.root,
            torch.cat((sideways, place[:, 2:]), dim=-1),
        )


@dataclass(frozen=True)
class _Piece:
    """A stretch of a track as tensors.

    Attributes:
        start: the body that the network says.
        points: (T, K, 2) keypoints in pixels.
        seen: (T, K) 1 where there is one.
        size_px: of the person, in the whole track.
        focal: in pixels.
        principal: (2,).
        time_s: (T,) from the stretch's first frame.
        stands: (T-1, 2) how surely the left and the right foot stand between two frames, 0 to 1.
    """

    start: BodyState
    points: Tensor
    seen: Tensor
    size_px: float
    focal: Tensor
    principal: Tensor
    time_s: Tensor
    stands: Tensor


def refine(
    track: Track2D,
    lifted: LiftedTrack,
    body: BodyModel,
    names: tuple[str, ...],
    config: RefineConfig | None = None,
    *,
    progress: ProgressCallback = silent,
) -> LiftedTrack:
    """Fit a lifted track to its keypoints.

    Args:
        track: the keypoints.
        lifted: where to start; its translation puts the body where it is seen.
        body: whose pose it is.
        names: of the track's keypoints.
        config: weights.
        progress: told how many steps are done.
    """
    config = config or RefineConfig()
    frames = len(track.time_s)
    spans = _spans(frames)
    size_px = _person_size(track.points_px, track.visible & ~lifted.occluded[:, None])
    stands = _stands(track, names, size_px, config.still)
    pieces = [_piece(track, lifted, span, size_px, stands) for span in spans]
    total = config.steps * len(pieces)
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        progress(Progress("refine", done, total, unit="step"))

    # The stretch that shows most of the person says how the person is built.
    order = sorted(range(len(pieces)), key=lambda i: -float(pieces[i].seen.sum()))
    fits: dict[int, _Corrections] = {}
    shape_delta: Tensor | None = None
    for i in order:
        fits[i] = _fit(pieces[i], body, names, config, shape_delta, count)
        shape_delta = fits[i].shape_delta
    merged = _merge([fits[i] for i in range(len(pieces))], spans, frames)
    end = merged.apply(_state(lifted, slice(0, frames)), body)
    return replace(
        lifted,
        pose=end.pose.numpy(),
        root=end.root.numpy(),
        shape=end.shape.numpy(),
        translation_m=end.translation.numpy(),
    )


def _fit(
    piece: _Piece,
    body: BodyModel,
    names: tuple[str, ...],
    config: RefineConfig,
    shape_delta: Tensor | None,
    count: Callable[[], None],
) -> _Corrections:
    """The corrections of one stretch; `shape_delta` is the shape's where it is known already."""
    free = _Corrections.none(piece.start)
    if shape_delta is not None:
        free = replace(free, shape_delta=shape_delta)
    wanted = [free.turns, free.offsets, *([] if shape_delta is not None else [free.shape_delta])]
    for values in wanted:
        values.requires_grad_(True)
    adam = _Adam(wanted)
    for step in range(config.steps):
        cost = _cost(piece, free, body, names, config)
        gradients = torch.autograd.grad(cost, wanted)
        adam.step(gradients, config.learning_rate * (1 - step / config.steps) ** 0.5)
        count()
    return _Corrections(*(value.detach() for value in vars(free).values()))


class _Adam:
    """Adam (Kingma and Ba 2015) on a few tensors; with torch's own comes its compiler, seconds and 60 MB of every run."""

    def __init__(self, values: list[Tensor]) -> None:
        self._values = values
        self._means = [torch.zeros_like(value) for value in values]
        self._squares = [torch.zeros_like(value) for value in values]
        self._steps = 0

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], rate: float) -> None:
        """Go down once."""
        self._steps += 1
        first, second = (1 - beta**self._steps for beta in _BETAS)
        rows = zip(self._values, gradients, self._means, self._squares, strict=True)
        for value, gradient, mean, square in rows:
            mean.lerp_(gradient, 1 - _BETAS[0])
            square.mul_(_BETAS[1]).addcmul_(gradient, gradient, value=1 - _BETAS[1])
            size = (square / second).sqrt_().add_(1e-8)
            value.addcdiv_(mean, size, value=-rate / first)


def _cost(
    piece: _Piece, free: _Corrections, body: BodyModel, names: tuple[str, ...], config: RefineConfig
) -> Tensor:
    now = free.apply(piece.start, body)
    places = body.keypoints(now, names)
    there = project(places, piece.focal, piece.principal)
    error = ((there - piece.points) / (piece.size_px * config.keypoint)).square().sum(-1)
    limit = config.robust**2
    root, change = np.radians((config.root_deg, config.change_deg_s)).tolist()
    joints = _joint_deviations(body, config)[:, None]
    offset = free.offsets.new_tensor((config.lateral_offset, config.lateral_offset, config.depth))
    cost = (
        (piece.seen * limit * error / (limit + error)).sum()
        + (free.turns[:, 1:] / joints).square().sum()
        + (free.turns[:, 0] / root).square().sum()
        + (free.offsets / offset).square().sum()
        + (free.shape_delta / config.shape).square().sum() * len(piece.time_s) / 30
        + _overstretch(now.pose, body, config)
    )
    if len(piece.time_s) < 2:
        return cost
    step_s = piece.time_s.diff().clamp_min(1e-3)
    # What changes over time must not weigh more at a higher frame rate.
    per_frame = float(step_s.median() * 30)
    speed = free.offsets.new_tensor((config.lateral_s, config.lateral_s, config.depth_s))
    turning = free.turns.flatten(1).diff(dim=0) / (change * step_s[:, None])
    moving = free.offsets.diff(dim=0) / (speed * step_s[:, None])
    feet = [[names.index(name) for name in foot if name in names] for foot in _FEET]
    foot_speed = places[:, [*feet[0], *feet[1]]].diff(dim=0) / step_s[:, None, None] / config.stand_m_s
    standing = torch.stack(
        [part.mean(-1) for part in foot_speed.square().sum(-1).split([*map(len, feet)], 1)]
    )
    cost = cost + per_frame * (
        turning.square().sum() + moving.square().sum() + (standing * piece.stands.T).sum()
    )
    # Steps of about 1/30 s, whatever the video's rate: the noise of a second difference grows with its square.
    lag = max(1, round(float(1 / 30 / step_s.median())))
    if len(piece.time_s) > 2 * lag:
        inner = places - now.translation[:, None]
        second = inner[2 * lag :] - 2 * inner[lag:-lag] + inner[: -2 * lag]
        span_s = (piece.time_s[2 * lag :] - piece.time_s[: -2 * lag]) / 2
        second = second / span_s[:, None, None].square()
        cost = cost + per_frame * (second / config.acceleration).square().sum()
    return cost


def _joint_deviations(body: BodyModel, config: RefineConfig) -> Tensor:
    """(J-1,) radians, by the limb that a joint turns."""
    limbs = {
        **dict.fromkeys(("hip", "knee", "ankle", "toes"), config.leg_deg),
        **dict.fromkeys(("shoulder", "elbow", "wrist"), config.arm_deg),
    }
    degrees = [limbs.get(name.split("_")[-1], config.trunk_deg) for name in body.joint_names[1:]]
    return torch.tensor(degrees).deg2rad()


def _overstretch(pose: Tensor, body: BodyModel, config: RefineConfig) -> Tensor:
    """The cost of knees and elbows that are bent the wrong way."""
    turns = pose[:, [body.joint_names.index(joint) - 1 for joint in body.hinge_axes]]
    # Of a turn by an angle about an axis, the antisymmetric part holds the axis times the sine.
    crossed = turns.transpose(-1, -2) - turns
    sine = 0.5 * torch.stack((crossed[..., 1, 2], crossed[..., 2, 0], crossed[..., 0, 1]), dim=-1)
    wrong = -(sine * sine.new_tensor([*body.hinge_axes.values()])).sum(-1)
    wrong = wrong - np.sin(np.radians(config.overstretch_from_deg))
    return (wrong.clamp_min(0) / np.radians(config.overstretch_deg)).square().sum()


def _spans(frames: int) -> list[slice]:
    """Stretches of about `PIECE_FRAMES` that overlap by `OVERLAP_FRAMES`."""
    if frames <= PIECE_FRAMES:
        return [slice(0, frames)]
    count = int(np.ceil((frames - OVERLAP_FRAMES) / (PIECE_FRAMES - OVERLAP_FRAMES)))
    edges = np.linspace(0, frames - OVERLAP_FRAMES, count + 1).round().astype(int)
    return [slice(int(a), int(b) + OVERLAP_FRAMES) for a, b in pairwise(edges)]


def _merge(fits: list[_Corrections], spans: list[slice], frames: int) -> _Corrections:
    """All stretches' corrections in one, faded into each other where they overlap."""
    if len(fits) == 1:
        return fits[0]
    total = torch.zeros(frames)
    sums = {name: torch.zeros(frames, *getattr(fits[0], name).shape[1:]) for name in _OVER_TIME}
    for number, (fit, span) in enumerate(zip(fits, spans, strict=True)):
        length = span.stop - span.start
        weight = torch.ones(length)
        ramp = (torch.arange(OVERLAP_FRAMES) + 0.5) / OVERLAP_FRAMES
        if number > 0:
            weight[:OVERLAP_FRAMES] = ramp
        if number < len(fits) - 1:
            weight[-OVERLAP_FRAMES:] = ramp.flip(0)
        total[span] += weight
        for name, values in sums.items():
            own = getattr(fit, name)
            values[span] += own * weight.reshape(-1, *([1] * (own.ndim - 1)))
    means = {name: values / total.reshape(-1, *([1] * (values.ndim - 1))) for name, values in sums.items()}
    return _Corrections(**means, shape_delta=fits[0].shape_delta)


_FEET = tuple(tuple(f"{side}_{part}" for part in ("ankle", "heel", "big_toe")) for side in ("left", "right"))

_OVER_TIME = ("turns", "offsets")


def _state(lifted: LiftedTrack, span: slice) -> BodyState:
    arrays = (lifted.pose[span], lifted.shape, lifted.root[span], lifted.translation_m[span])
    return BodyState(*(torch.from_numpy(np.ascontiguousarray(array, np.float32)) for array in arrays))


def _stands(track: Track2D, names: tuple[str, ...], size_px: float, still: float) -> np.ndarray:
    """(T-1, 2) how surely each foot stands, by the speed of what is seen of it over about 0.1 s in the picture."""
    frames = len(track.time_s)
    result = np.zeros((max(frames - 1, 0), 2), np.float32)
    if frames < 3:
        return result
    around = max(1, round(0.05 / float(np.median(np.diff(track.time_s)))))
    before = np.maximum(np.arange(frames - 1) - around, 0)
    after = np.minimum(np.arange(frames - 1) + 1 + around, frames - 1)
    span_s = track.time_s[after] - track.time_s[before]
    for side, feet in enumerate(_FEET):
        columns = [names.index(name) for name in feet if name in names]
        both = track.visible[after][:, columns] & track.visible[before][:, columns]
        moved = track.points_px[after][:, columns] - track.points_px[before][:, columns]
        speed = np.linalg.norm(moved, axis=-1) / size_px / span_s[:, None]
        mean = (speed * both).sum(1) / np.maximum(both.sum(1), 1)
        result[:, side] = np.where(both.any(1), 1 / (1 + (mean / still) ** 4), 0)
    return result


def _piece(track: Track2D, lifted: LiftedTrack, span: slice, size_px: float, stands: np.ndarray) -> _Piece:
    seen = track.visible[span] & ~lifted.occluded[span, None]
    return _Piece(
        start=_state(lifted, span),
        points=torch.from_numpy(np.where(seen[..., None], track.points_px[span], 0).astype(np.float32)),
        seen=torch.from_numpy(seen.astype(np.float32)),
        size_px=size_px,
        focal=torch.tensor(track.focal_px, dtype=torch.float32),
        principal=torch.from_numpy(track.principal_px.astype(np.float32)),
        time_s=torch.from_numpy((track.time_s[span] - track.time_s[span.start]).astype(np.float32)),
        stands=torch.from_numpy(stands[span.start : span.stop - 1]),
    )


def _person_size(points_px: np.ndarray, seen: np.ndarray) -> float:
    """The median diagonal of the visible points' box, pixels; a limb stretched out is no larger person."""
    low = np.where(seen[..., None], points_px, np.inf).min(1)
    high = np.where(seen[..., None], points_px, -np.inf).max(1)
    extent = (high - low)[np.asarray(seen.any(1))]
    return max(float(np.median(np.linalg.norm(extent, axis=-1))), 1.0) if len(extent) else 1.0
