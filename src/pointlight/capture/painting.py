"""How a body is painted into a picture: one colour for its left, one for its right, a pair of its own for every person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import no_type_check

import numba
import numpy as np
import torch

from pointlight.body import AnnyBody, BodyState, figure_vertices
from pointlight.simulator.drawing import NO_FACE, Raster, rasterise, vertex_normals

OPACITY = 0.85
FAINT = 0.38
"""Of what is a guess."""
_LIGHT = np.array([-0.35, -0.6, -0.72])
_NEAR_M = 0.05


@dataclass(frozen=True)
class Palette:
    """RGB of the left limbs, the right limbs, and what lies between."""

    left: tuple[int, int, int]
    right: tuple[int, int, int]
    middle: tuple[int, int, int]


PALETTES = (
    Palette((235, 140, 95), (95, 150, 235), (205, 205, 210)),
    Palette((165, 225, 120), (45, 145, 75), (190, 215, 185)),
    Palette((220, 165, 245), (140, 75, 205), (210, 190, 225)),
    Palette((250, 220, 100), (190, 135, 20), (230, 215, 170)),
    Palette((130, 230, 225), (20, 140, 155), (180, 220, 220)),
    Palette((255, 155, 165), (195, 50, 85), (230, 190, 195)),
)
"""Orange and blue for the first; everybody else's left is the light one of two shades."""


class BodyPainter:
    """Draws one person's body; left and right have colours of their own, so that exchanged sides are seen."""

    def __init__(
        self, body: AnnyBody, shape: np.ndarray, palette: Palette = PALETTES[0], figure: str = "neutral"
    ) -> None:
        """Prepare what does not change from frame to frame.

        Args:
            body: the model.
            shape: (S,) the person's.
            palette: the person's.
            figure: what the surface looks like, of `FIGURES`.
        """
        self._body = body
        shape_tensor = torch.from_numpy(shape)
        self._person = body.person(shape_tensor)
        self._rest = figure_vertices(body, shape_tensor, figure).numpy()
        self._faces = body.faces[body.face_is_outside].numpy().astype(np.int32)
        self._colours = _tints(body, palette)
        self._movers = body.main_joints()

    def vertices(self, state: BodyState) -> np.ndarray:
        """(V, 3) of one frame's state, camera axes, metres."""
        posed = self._body.posed(state, self._person)
        return self._body.skin_vertices(self._rest, self._body.bone_transforms(posed, self._person).numpy())

    def draw(
        self,
        image: np.ndarray,
        vertices_camera_m: np.ndarray,
        focal_px: float,
        principal_px: tuple[float, float],
        opacity: float = OPACITY,
        guessed: np.ndarray | None = None,
    ) -> None:
        """Paint the body into an (H, W, 3) uint8 picture; (J,) `guessed` names the body joints whose limbs are faint."""
        vertices = np.ascontiguousarray(vertices_camera_m, np.float32)
        left, top, right, bottom = _window(vertices, focal_px, principal_px, (image.shape[1], image.shape[0]))
        if left >= right or top >= bottom:
            return
        principal = (principal_px[0] - left, principal_px[1] - top)
        raster = Raster.blank(right - left, bottom - top)
        rasterise(vertices, self._faces, focal_px, principal, raster, near_m=_NEAR_M)
        normals = vertex_normals(vertices, self._faces)
        part = image[top:bottom, left:right]
        opacities = np.full(len(vertices), opacity, np.float32)
        if guessed is not None:
            opacities[guessed[self._movers]] = min(opacity, FAINT)
        _shade(part, raster.face, raster.barycentric, self._faces, normals, self._colours, _LIGHT, opacities)


def _window(
    vertices: np.ndarray, focal_px: float, principal_px: tuple[float, float], size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in whole pixels of the part of a picture that a body can be seen in."""
    depth = vertices[:, 2]
    if depth.min() <= _NEAR_M:
        return 0, 0, size[0], size[1]
    places = vertices[:, :2] * (focal_px / depth[:, None]) + np.asarray(principal_px)
    low = np.clip(np.floor(places.min(0)) - 1, 0, size).astype(int)
    high = np.clip(np.ceil(places.max(0)) + 1, 0, size).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _tints(body: AnnyBody, palette: Palette) -> np.ndarray:
    """(V, 3) float32 colours by the joint that moves each vertex most."""
    sides = [
        palette.left
        if name.startswith("left_")
        else palette.right
        if name.startswith("right_")
        else palette.middle
        for name in body.joint_names
    ]
    return np.array(sides, np.float32)[body.main_joints()]


@numba.njit(cache=True, nogil=True)
@no_type_check
def _shade(
    image: np.ndarray,
    face_of: np.ndarray,
    barycentric: np.ndarray,
    faces: np.ndarray,
    normals: np.ndarray,
    colours: np.ndarray,
    light: np.ndarray,
    opacities: np.ndarray,
) -> None:
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            f = face_of[y, x]
            if f == NO_FACE:
                continue
            wa, wb = barycentric[y, x, 0], barycentric[y, x, 1]
            wc = 1 - wa - wb
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            opacity = wa * opacities[a] + wb * opacities[b] + wc * opacities[c]
            bright = 0.0
            for k in range(3):
                bright += light[k] * (wa * normals[a, k] + wb * normals[b, k] + wc * normals[c, k])
            bright = 0.35 + 0.65 * max(bright, 0.0) + 0.12 * max(-bright, 0.0)
            for k in range(3):
                colour = (wa * colours[a, k] + wb * colours[b, k] + wc * colours[c, k]) * bright
                image[y, x, k] = int(
                    min(255.0, opacity * min(colour, 255.0) + (1 - opacity) * image[y, x, k])
                )
