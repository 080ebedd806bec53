"""Skirts, dresses and the lower parts of coats: one sheet of cloth around both legs, which follows them without a hole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import no_type_check

import numba
import numpy as np

from pointlight.values import by_value

COLUMNS = 56
ROWS = 16

_INSIDE_M = 0.004
"""The inner side lies so far within the outer one."""
_INSIDE_SHADE = 0.45
_TUCKED_M = np.array([0.022, 0.008])
"""Its upper rows begin inside the body, so that no edge stands off."""
_SOFT_M = 0.10
"""How softly cloth goes from one leg over to the other; it cuts the corner by a seventh of this at most."""
_BLEND_M = 0.06
"""Above and below the hips trunk and legs both hold the cloth."""

_HIP_Y = 0.074
_LEG_M = 0.816
"""Height of the mean adult's hip joints at rest, and from there to the ankles."""


@by_value
@dataclass(frozen=True)
class Drape:
    """Cloth that hangs from the hips around both legs; lengths in metres on the mean adult.

    Attributes:
        top_m: height (y at rest) where it begins.
        end_m: height of its hem.
        ease_m: how far it stands off the hips.
        flare: growth of that per metre downwards.
        hang: 1 falls straight from its widest place, 0 follows the legs.
        pleats_m: depth of its folds at the hem.
        phases: (3,) of the folds, radians.
        waves: (3,) how many folds go round.
        gap: opening in front, a share of the circumference; 0 is closed.
        tile: (P, P, 3) uint8 sRGB, its fabric.
        tile_m: side of the tile.
        shift_m: where the tile begins, around and along.
    """

    top_m: float
    end_m: float
    ease_m: float
    flare: float
    hang: float
    pleats_m: float
    phases: tuple[float, float, float]
    waves: tuple[int, int, int]
    gap: float
    tile: np.ndarray
    tile_m: float
    shift_m: tuple[float, float]


@dataclass(frozen=True)
class SheetGrid:
    """How a sheet's points hang together; the outer side first, then the inner one.

    Attributes:
        faces: (F, 3) int32.
        uv: (U, 2) float32, around and along from 0 to 1.
        uv_faces: (F, 3) int32.
    """

    faces: np.ndarray
    uv: np.ndarray
    uv_faces: np.ndarray


@dataclass(frozen=True)
class Hanging:
    """A drape cut to one person.

    Attributes:
        drape: what hangs.
        along_m: (R,) of the rows down from the hips' height; negative above.
        angle: (C,) radians of the columns from the person's left through the front.
        radius_m: (R, C) how far the cloth lies from the middle of what it covers.
        shade: (N,) float32 share of the light that reaches the points of both sides.
        parts: (N,) uint8, 1 + index of the joint that carries them.
    """

    drape: Drape
    along_m: np.ndarray
    angle: np.ndarray
    radius_m: np.ndarray
    shade: np.ndarray
    parts: np.ndarray


@lru_cache(maxsize=2)
def sheet_grid(closed: bool) -> SheetGrid:
    """The sheet's mesh: two sides and a hem; closed all round, or with two edges."""
    points = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    inside = points + ROWS * COLUMNS
    corners = np.arange(ROWS * (COLUMNS + 1)).reshape(ROWS, COLUMNS + 1)
    faces, uv_faces = [], []

    def quad(places: tuple[int, int, int, int], texels: tuple[int, int, int, int]) -> None:
        faces.extend(((places[0], places[1], places[2]), (places[0], places[2], places[3])))
        uv_faces.extend(((texels[0], texels[1], texels[2]), (texels[0], texels[2], texels[3])))

    for c in range(COLUMNS if closed else COLUMNS - 1):
        d = (c + 1) % COLUMNS
        for r in range(ROWS - 1):
            # Columns run from the person's left over the front: seen from outside the next one lies to the left.
            outer = (corners[r, c], corners[r, c + 1], corners[r + 1, c + 1], corners[r + 1, c])
            inner = (corners[r, c], corners[r + 1, c], corners[r + 1, c + 1], corners[r, c + 1])
            quad((points[r, c], points[r, d], points[r + 1, d], points[r + 1, c]), outer)
            quad((inside[r, c], inside[r + 1, c], inside[r + 1, d], inside[r, d]), inner)
        hem = (corners[-1, c], corners[-1, c + 1], corners[-1, c + 1], corners[-1, c])
        quad((points[-1, c], points[-1, d], inside[-1, d], inside[-1, c]), hem)
    around, along = np.meshgrid(np.linspace(0, 1, COLUMNS + 1), np.linspace(0, 1, ROWS))
    return SheetGrid(
        np.array(faces, np.int32),
        np.stack((around.ravel(), along.ravel()), axis=-1).astype(np.float32),
        np.array(uv_faces, np.int32),
    )


def cut_to(
    drape: Drape, rest_m: np.ndarray, parts: np.ndarray, joints_m: np.ndarray, joint_names: tuple[str, ...]
) -> Hanging:
    """Fit a drape around a person's hips and legs at rest.

    Args:
        drape: what hangs.
        rest_m: (V, 3) the dressed body at rest.
        parts: (V,) 1 + index of the joint that moves a vertex most.
        joints_m: (J, 3) at rest.
        joint_names: of the J.
    """
    place = {name: joints_m[i].astype(np.float32) for i, name in enumerate(joint_names)}
    scale = float(place["left_hip"][1] - place["left_ankle"][1]) / _LEG_M
    top, end = scale * (drape.top_m - _HIP_Y), scale * (drape.end_m - _HIP_Y)
    # Close rows at the top, where it goes over into what is worn on the body.
    along = -np.concatenate(([top, top - 0.02 * scale], np.linspace(top - 0.045 * scale, end, ROWS - 2)))
    turn = 2 * np.pi * (1 - drape.gap)
    # The seam of a closed sheet is behind, the opening of another in front.
    start = -np.pi / 2 if drape.gap == 0 else np.pi / 2 + np.pi * drape.gap
    steps = np.arange(COLUMNS) / (COLUMNS if drape.gap == 0 else COLUMNS - 1)
    angle = start + turn * steps
    number = {name: i + 1 for i, name in enumerate(joint_names)}
    lower = np.isin(
        parts, [number[f"{side}_{n}"] for side in ("left", "right") for n in ("hip", "knee", "ankle")]
    )
    trunk = np.isin(parts, [number[n] for n in ("pelvis", "spine1")])
    radius = _girth(
        np.ascontiguousarray(rest_m[lower | trunk], np.float32),
        trunk[lower | trunk],
        np.stack([place[f"{side}_{n}"] for side in ("left", "right") for n in ("hip", "knee", "ankle")]),
        along.astype(np.float32),
        angle.astype(np.float32),
    )
    radius = _hung(radius, along, drape)
    down = (along - along[0]) / (along[-1] - along[0])
    folds = sum(np.cos(n * angle + phase) for n, phase in zip(drape.waves, drape.phases, strict=True))
    ease = drape.ease_m * np.minimum(1.0, 0.15 + 2.5 * down) + drape.flare * (along - along[0])
    ease[:2] -= _TUCKED_M
    radius = radius + scale * (ease[:, None] + drape.pleats_m * down[:, None] * np.asarray(folds)[None])
    shade = np.ones((2, ROWS, COLUMNS), np.float32)
    shade[0] = 1 + np.clip(6 * drape.pleats_m * down[:, None] * np.asarray(folds)[None], -0.25, 0.1)
    shade[1] = _INSIDE_SHADE * (0.5 + 0.5 * down[:, None])
    thigh = float(np.linalg.norm(place["left_knee"] - place["left_hip"]))
    left = (np.cos(angle) > 0)[None]
    sides = [np.where(left, number[f"left_{n}"], number[f"right_{n}"]) for n in ("hip", "knee")]
    owner = np.where(along[:, None] < 0.05, number["pelvis"], np.where(along[:, None] < thigh, *sides))
    return Hanging(
        drape,
        along.astype(np.float32),
        angle.astype(np.float32),
        radius.astype(np.float32),
        shade.reshape(-1),
        np.tile(owner.astype(np.uint8).ravel(), 2),
    )


def _hung(radius: np.ndarray, along: np.ndarray, drape: Drape) -> np.ndarray:
    """Smooth around, and not drawn in below what is wider, as far as it hangs freely."""
    smooth = radius
    for _ in range(2):
        if drape.gap == 0:
            smooth = 0.5 * smooth + 0.25 * (np.roll(smooth, 1, 1) + np.roll(smooth, -1, 1))
        else:
            padded = np.pad(smooth, ((0, 0), (1, 1)), mode="edge")
            smooth = 0.5 * smooth + 0.25 * (padded[:, :-2] + padded[:, 2:])
    hung = np.maximum(smooth, radius)
    for row in range(1, len(hung)):
        free = hung[row - 1] - (1 - drape.hang) * 0.35 * (along[row] - along[row - 1])
        hung[row] = np.maximum(hung[row], free)
    return hung


def hang(
    hanging: Hanging, transforms: np.ndarray, joints_m: np.ndarray, joint_names: tuple[str, ...]
) -> np.ndarray:
    """(T, N, 3) float32 points of both sides in the frames of a clip.

    Args:
        hanging: cut to the person.
        transforms: (T, J, 3, 4) from rest to the frames.
        joints_m: (J, 3) at rest.
        joint_names: of the J.
    """
    rows = [joint_names.index(f"{side}_{n}") for side in ("left", "right") for n in ("hip", "knee", "ankle")]
    moved = (transforms[..., :3] @ joints_m[..., None])[..., 0] + transforms[..., 3]
    pelvis = transforms[:, joint_names.index("pelvis"), :, :3]
    frames = np.empty((len(transforms), 2 * ROWS * COLUMNS, 3), np.float32)
    for t in range(len(transforms)):
        _hang(
            np.ascontiguousarray(moved[t, rows], np.float32),
            np.ascontiguousarray(pelvis[t], np.float32),
            hanging.along_m,
            hanging.angle,
            hanging.radius_m,
            frames[t],
        )
    return frames


def size_m(hanging: Hanging) -> tuple[float, float]:
    """Circumference at half length and length."""
    middle = hanging.radius_m[ROWS // 2]
    around = float(middle.mean()) * abs(float(hanging.angle[-1] - hanging.angle[0])) + 0.4
    return around, float(hanging.along_m[-1] - hanging.along_m[0])


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _on_leg(leg: np.ndarray, along: float) -> tuple[float, float, float, float, float, float]:
    """A place and the direction on the chain hip, knee, ankle (3, 3), so far from the hip; beyond its ends it goes on."""
    tx, ty, tz = leg[1, 0] - leg[0, 0], leg[1, 1] - leg[0, 1], leg[1, 2] - leg[0, 2]
    thigh = np.sqrt(tx * tx + ty * ty + tz * tz)
    if along <= thigh:
        first, start = 0, np.float32(0.0)
    else:
        tx, ty, tz = leg[2, 0] - leg[1, 0], leg[2, 1] - leg[1, 1], leg[2, 2] - leg[1, 2]
        first, start = 1, thigh
    length = np.sqrt(tx * tx + ty * ty + tz * tz)
    tx, ty, tz = tx / length, ty / length, tz / length
    far = along - start
    return leg[first, 0] + far * tx, leg[first, 1] + far * ty, leg[first, 2] + far * tz, tx, ty, tz


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _girth(
    points: np.ndarray, of_trunk: np.ndarray, legs: np.ndarray, along: np.ndarray, angle: np.ndarray
) -> np.ndarray:
    """(R, C) how far the body reaches at rest from the cloth's middle in each direction."""
    rows, columns = len(along), len(angle)
    reach = np.zeros((rows, columns), np.float32)
    cosine, sine = np.cos(angle), np.sin(angle)
    for n in range(len(points)):
        side, towards = (0, np.float32(1.0)) if points[n, 0] > 0 else (3, np.float32(-1.0))
        leg = legs[side : side + 3]
        below = leg[0, 1] - points[n, 1]
        if of_trunk[n] and below > _BLEND_M:
            below = np.float32(_BLEND_M)
        for r in range(rows):
            above = along[r] - along[r - 1] if r > 0 else np.float32(0.0)
            beneath = along[r + 1] - along[r] if r < rows - 1 else above
            if below - along[r] > np.float32(0.6) * beneath + np.float32(0.008):
                continue
            if along[r] - below > np.float32(0.6) * above + np.float32(0.008):
                continue
            cx, _, cz, _, _, _ = _on_leg(leg, max(along[r], np.float32(0.0)))
            for c in range(columns):
                if cosine[c] * towards < np.float32(-0.1):
                    continue  # the other leg's side
                value = (points[n, 0] - cx) * cosine[c] + (points[n, 2] - cz) * sine[c]
                reach[r, c] = max(reach[r, c], value)
    return reach


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _hang(
    legs: np.ndarray,
    pelvis: np.ndarray,
    along: np.ndarray,
    angle: np.ndarray,
    radius: np.ndarray,
    points: np.ndarray,
) -> None:
    """Points (2 R C, 3) around both legs; each row goes round the two places as far down the legs as it is long.

    Its plane is carried down from the pelvis by the smallest turns; what faces one leg more than the other keeps to it.
    """
    rows, columns = len(along), len(angle)
    inside = rows * columns
    directions = np.empty((rows, 3), np.float32)
    for r in range(rows):
        way = max(along[r], np.float32(0.0))
        a, b = _on_leg(legs[:3], way), _on_leg(legs[3:], way)
        share = min(max((along[r] + np.float32(_BLEND_M)) / np.float32(2 * _BLEND_M), 0.0), 1.0)
        for i in range(3):
            # Legs that point apart have no mean: the trunk has a say everywhere.
            directions[r, i] = share * (a[3 + i] + b[3 + i]) - (np.float32(2.3) - 2 * share) * pelvis[i, 1]
    e1 = pelvis[:, 0].copy()
    e2 = pelvis[:, 2].copy()
    d = -pelvis[:, 1].copy()
    for r in range(rows):
        # A mean over neighbouring rows rounds the knee.
        wanted = np.zeros(3, np.float32)
        for k in range(max(r - 2, 0), min(r + 3, rows)):
            wanted += directions[k] / np.sqrt((directions[k] ** 2).sum())
        wanted /= np.sqrt((wanted**2).sum())
        cosine = d[0] * wanted[0] + d[1] * wanted[1] + d[2] * wanted[2]
        if cosine > -0.99:
            for e in (e1, e2):
                # The smallest turn that brings d onto `wanted`.
                over = (e[0] * wanted[0] + e[1] * wanted[1] + e[2] * wanted[2]) / (1 + cosine)
                e -= over * (d + wanted)
        d[:] = wanted
        way = max(along[r], np.float32(0.0))
        a, b = _on_leg(legs[:3], way), _on_leg(legs[3:], way)
        up = min(along[r], np.float32(0.0))
        apart1 = apart2 = np.float32(0.0)
        for i in range(3):
            apart1 += (a[i] - b[i]) * e1[i]
            apart2 += (a[i] - b[i]) * e2[i]
        for c in range(columns):
            x, y = np.cos(angle[c]), np.sin(angle[c])
            mine = np.float32(0.5) + np.float32(0.5) * np.tanh(
                (x * apart1 + y * apart2) / np.float32(_SOFT_M)
            )
            for i in range(3):
                middle = mine * a[i] + (1 - mine) * b[i] - up * pelvis[i, 1]
                out = x * e1[i] + y * e2[i]
                points[r * columns + c, i] = middle + radius[r, c] * out
                points[inside + r * columns + c, i] = middle + (radius[r, c] - np.float32(_INSIDE_M)) * out
