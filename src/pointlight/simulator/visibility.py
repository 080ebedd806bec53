"""Which keypoints the body itself hides: the paper's 20 cm rule on capsules instead of a depth map.

Appendix B: keypoints "at least 20cm behind the depth map of the mesh" count as hidden. The depth map is replaced by
capsules about the limbs, whose entry along the ray through a keypoint is found in closed form.
"""

from __future__ import annotations

import numba
import numpy as np

CAPSULES: tuple[tuple[str, str, float], ...] = (
    ("pelvis", "spine2", 0.072),
    ("spine2", "neck", 0.048),
    ("left_hip", "left_collar", 0.096),
    ("right_hip", "right_collar", 0.096),
    ("left_shoulder", "right_shoulder", 0.075),
    ("left_hip", "right_hip", 0.068),
    ("head", "head_top", 0.064),
    ("left_shoulder", "left_elbow", 0.041),
    ("left_elbow", "left_wrist", 0.029),
    ("right_shoulder", "right_elbow", 0.041),
    ("right_elbow", "right_wrist", 0.029),
    ("left_hip", "left_knee", 0.075),
    ("left_knee", "left_ankle", 0.043),
    ("right_hip", "right_knee", 0.075),
    ("right_knee", "right_ankle", 0.043),
    ("left_ankle", "left_toes", 0.026),
    ("right_ankle", "right_toes", 0.026),
    ("left_hip", "spine2", 0.062),
    ("right_hip", "spine2", 0.062),
    ("left_shoulder", "spine2", 0.074),
    ("right_shoulder", "spine2", 0.074),
    ("spine1", "spine1", 0.060),
    ("neck", "head", 0.052),
    ("left_wrist", "left_wrist", 0.045),
    ("right_wrist", "right_wrist", 0.045),
    ("left_hip", "left_hip", 0.130),
    ("right_hip", "right_hip", 0.130),
)
"""Axis ends (joints of the body's skeleton, and the crown) and radius in metres of the mean adult.

Fitted to the mesh's depth over 1,200 training scenes by coordinate descent (`benchmarks/self_occlusion.py` compares).
"""

HIDDEN_BEHIND_M = 0.20
"""Appendix B: "keypoints that are at least 20cm behind the depth map of the mesh in 3D are considered hidden"."""


def capsule_ends(joint_names: tuple[str, ...]) -> np.ndarray:
    """(C, 2) indices of the capsules' axis ends in `(*joint_names, "head_top")`."""
    names = (*joint_names, "head_top")
    return np.array([(names.index(start), names.index(end)) for start, end, _ in CAPSULES], np.int64)


def capsule_radii() -> np.ndarray:
    """(C,) radii in metres for a body of 1.7 m."""
    return np.array([radius for *_, radius in CAPSULES], np.float32)


@numba.njit(cache=True, error_model="numpy")
def self_hidden(
    points: np.ndarray, ends: np.ndarray, radii: np.ndarray, girth: np.ndarray, behind_m: float
) -> np.ndarray:
    """Say which points lie more than `behind_m` behind the body's surface, seen from the origin.

    Args:
        points: (N, K, 3) points in camera axes, metres.
        ends: (N, C, 2, 3) capsule axes in camera axes, metres.
        radii: (C,) capsule radii.
        girth: (N,) factor on the radii.
        behind_m: least depth behind the surface.

    Returns:
        (N, K) bool.
    """
    bodies, count = points.shape[0], points.shape[1]
    hidden = np.zeros((bodies, count), np.bool_)
    for n in range(bodies):
        for k in range(count):
            px, py, pz = points[n, k, 0], points[n, k, 1], points[n, k, 2]
            if pz <= 0.05:
                continue
            # The ray is s * (px, py, pz); s = 1 is the point, so depth is s * pz.
            limit = 1.0 - behind_m / pz
            if limit <= 0.0:
                continue
            for c in range(ends.shape[1]):
                if _capsule_entry(px, py, pz, ends[n, c, 0], ends[n, c, 1], radii[c] * girth[n]) < limit:
                    hidden[n, k] = True
                    break
    return hidden


@numba.njit(cache=True, error_model="numpy", inline="always")
def _capsule_entry(px: float, py: float, pz: float, a: np.ndarray, b: np.ndarray, radius: float) -> float:
    """Smallest s > 0 at which s * p enters the capsule from a to b; a large number where it does not."""
    far = 1e9
    bax, bay, baz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    baba = bax * bax + bay * bay + baz * baz
    pp = px * px + py * py + pz * pz
    bap = bax * px + bay * py + baz * pz
    baa = -(bax * a[0] + bay * a[1] + baz * a[2])
    pa = -(px * a[0] + py * a[1] + pz * a[2])
    aa = a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
    # The infinite cylinder first.
    qa = baba * pp - bap * bap
    qb = baba * pa - baa * bap
    qc = baba * aa - baa * baa - radius * radius * baba
    disc = qb * qb - qa * qc
    if disc < 0.0:
        return far
    if qa > 1e-12:
        s = (-qb - np.sqrt(disc)) / qa
        along = baa + s * bap
        if 0.0 < along < baba and s > 0.0:
            return s
        first = along <= 0.0
    else:
        first = bap > 0.0
    # Then the ball at the nearer end.
    ox, oy, oz = (-a[0], -a[1], -a[2]) if first else (-b[0], -b[1], -b[2])
    half = px * ox + py * oy + pz * oz
    disc = half * half - pp * (ox * ox + oy * oy + oz * oz - radius * radius)
    if disc < 0.0:
        return far
    s = (-half - np.sqrt(disc)) / pp
    return s if s > 0.0 else far
