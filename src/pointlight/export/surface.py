"""A person's skin at rest, with four bones a vertex, as real-time programs want it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pointlight.body import AnnyBody, figure_vertices

BONES_A_VERTEX = 4

_COLOURS = {"middle": (0.62, 0.63, 0.66), "left": (0.85, 0.52, 0.25), "right": (0.30, 0.48, 0.72)}
"""Linear RGB: trunk and head grey, the person's left side orange, right side blue, as in the overlay."""


@dataclass(frozen=True)
class Surface:
    """The skin of one person at rest; V vertices, metres, body axes.

    Attributes:
        vertices_m: (V, 3) float32.
        normals: (V, 3) float32 unit vectors outwards.
        joints: (V, 4) int64 of the body's joints; 0 where the weight is 0.
        weights: (V, 4) float32, largest first, of sum 1.
        parts: triangles (F, 3) int64 of each part, with its name and colour (linear RGB).
    """

    vertices_m: np.ndarray
    normals: np.ndarray
    joints: np.ndarray
    weights: np.ndarray
    parts: tuple[tuple[str, tuple[float, float, float], np.ndarray], ...]

    @staticmethod
    def of(body: AnnyBody, shape: torch.Tensor, figure: str = "neutral") -> Surface:
        """The skin without the cavities of mouth and eyes."""
        faces = body.faces[body.face_is_outside].numpy()
        used, faces = np.unique(faces, return_inverse=True)
        faces = faces.reshape(-1, 3)
        vertices = figure_vertices(body, shape, figure).numpy()[used]
        joints, weights = _four_bones(body.skin_weights.numpy()[used])
        main = body.main_joints()[used]
        side_of = [
            next((side for side in ("left", "right") if name.startswith(side)), "middle")
            for name in body.joint_names
        ]
        # A triangle belongs to the side that most of its vertices move with; of three different ones, to the first.
        sides = np.array(side_of)[main][faces]
        side = np.where(sides[:, 1] == sides[:, 2], sides[:, 1], sides[:, 0])
        parts = tuple((name, colour, faces[side == name]) for name, colour in _COLOURS.items())
        return Surface(vertices, _normals(vertices, faces), joints, weights, parts)


def _four_bones(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The four largest of weights (V, J), with sum 1 as float32 too."""
    order = np.argsort(-weights, axis=1, kind="stable")[:, :BONES_A_VERTEX]
    chosen = np.take_along_axis(weights.astype(np.float64), order, 1)
    narrow = (chosen / chosen.sum(1, keepdims=True)).astype(np.float32)
    # What rounding leaves goes to the largest; validators forgive a millionth, and no more.
    narrow[:, 0] = 1.0 - narrow[:, 1:].astype(np.float64).sum(1)
    return np.where(narrow > 0, order, 0), narrow


def _normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) float32 unit normals, faces weighed by their area."""
    corners = vertices.astype(np.float64)[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros((len(vertices), 3))
    for corner in range(3):
        np.add.at(total, faces[:, corner], across)
    return (total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)).astype(np.float32)
