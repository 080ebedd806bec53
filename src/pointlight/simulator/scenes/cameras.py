"""Where the camera stands, what lens it has, and how it moves during a clip."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numba
import numpy as np

from pointlight.randomness import smooth_noise
from pointlight.values import by_value

Range = tuple[float, float]


@dataclass(frozen=True)
class CameraConfig:
    """The distribution of cameras. Angles in degrees, lengths in metres.

    Attributes:
        distance_m: uniform distance from the person's hips.
        focal_widths: focal length in units of the picture's longer side, log-uniform.
        elevation_deg: mean and standard deviation; positive looks down on the person.
        elevation_limits_deg: clipping of the elevation.
        roll_deg: standard deviation of the roll.
        roll_limit_deg: clipping of the roll.
        image_sizes: (width, height) in pixels, drawn evenly.
        person_heights: how large a person of 1.7 m may be against the picture's height, at most; farther away or
            a shorter lens is taken where it would be more.
        off_centre: the person's place, uniform, as a share of the half picture that is left beside it.
        handheld_deg: standard deviation of hand shake; 0 is a tripod.
        moving_share: share of clips whose camera moves by itself (pans, follows, walks).
    """

    distance_m: Range = (2.0, 10.0)
    focal_widths: Range = (0.7, 2.2)
    elevation_deg: tuple[float, float] = (8.0, 14.0)
    elevation_limits_deg: Range = (-20.0, 45.0)
    roll_deg: float = 11.0
    roll_limit_deg: float = 30.0
    image_sizes: tuple[tuple[int, int], ...] = ((320, 240), (426, 240), (240, 426), (240, 320), (320, 320))
    person_heights: float = 1.1
    off_centre: float = 0.9
    handheld_deg: float = 0.4
    moving_share: float = 0.4


SURREAL_CAMERA = CameraConfig(
    distance_m=(5.0, 11.0),
    focal_widths=(600 / 320, 600 / 320),
    elevation_deg=(0.0, 0.0),
    elevation_limits_deg=(0.0, 0.0),
    roll_deg=0.0,
    roll_limit_deg=0.0,
    image_sizes=((320, 240),),
    person_heights=10.0,
    off_centre=0.0,
    handheld_deg=0.0,
    moving_share=0.0,
)
"""SURREAL's camera: 60 mm on 32 mm film at 320x240, level, still, about 8 m away, aimed at the first frame's hips."""


@by_value
@dataclass(frozen=True)
class CameraPath:
    """A camera over the frames of a clip; `x_camera = R_camera_world @ x_world + translation`.

    Attributes:
        R_camera_world: (T, 3, 3) float32, from the axes of the world to those of the camera.
        translation_m: (T, 3) float32.
        focal_px: focal length.
        principal_px: (T, 2) float32.
        image_size: (width, height) in pixels.
    """

    R_camera_world: np.ndarray
    translation_m: np.ndarray
    focal_px: float
    principal_px: np.ndarray
    image_size: tuple[int, int]


def sample_camera(config: CameraConfig, hips_world_m: np.ndarray, rng: np.random.Generator) -> CameraPath:
    """Draw a camera that sees a person whose hips move along `hips_world_m` (T, 3)."""
    frames = len(hips_world_m)
    width, height = config.image_sizes[rng.integers(len(config.image_sizes))]
    focal = max(width, height) * float(np.exp(rng.uniform(*np.log(config.focal_widths))))
    distance = rng.uniform(*config.distance_m)
    nearest = 1.7 * focal / (config.person_heights * height)
    if nearest > distance:
        distance = min(nearest, config.distance_m[1])
        focal = min(focal, distance * config.person_heights * height / 1.7)
    azimuth = rng.uniform(0, 2 * np.pi)
    lowest, highest = config.elevation_limits_deg
    elevation = np.radians(min(max(rng.normal(*config.elevation_deg), lowest), highest))
    most = config.roll_limit_deg
    roll = np.radians(min(max(rng.normal(0, 1) * config.roll_deg, -most), most))
    place = config.off_centre * rng.uniform(-1, 1, 2)

    target = hips_world_m[0] if config.off_centre == 0 else hips_world_m.mean(0)
    away = np.array(
        [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)]
    )
    position = target + distance * away
    position[1] = max(position[1], 0.1)
    aimed = look_at(position, target, roll)

    # Turn the camera aside so that the person does not stand in the middle.
    person = np.array([0.7, 1.7]) * focal / distance
    room = np.maximum(0.5 * (np.array([width, height]) - person), 0)
    angles = np.arctan2(place * room, focal)
    aimed = _turn(np.array([-angles[1], angles[0], 0.0])) @ aimed

    moving = rng.random() < config.moving_share
    sway, walk = _movement(config, moving, frames, rng)
    R_camera_world = np.einsum("tij,jk->tik", sway, aimed)
    centre = position + walk
    if moving and rng.random() < 0.5:  # follow the person
        centre = centre + rng.uniform(0.3, 1.0) * (hips_world_m - target)
    translation = -np.einsum("tij,tj->ti", R_camera_world, centre)
    principal = np.empty((frames, 2), np.float32)
    principal[:] = (width / 2, height / 2)
    return CameraPath(
        R_camera_world=R_camera_world.astype(np.float32),
        translation_m=translation.astype(np.float32),
        focal_px=float(focal),
        principal_px=principal,
        image_size=(width, height),
    )


def middle_of(image_size: tuple[int, int]) -> tuple[float, float]:
    """(x, y) of a picture's middle, the principal point that is assumed where none is known."""
    return image_size[0] / 2, image_size[1] / 2


def look_at(position_m: np.ndarray, target_m: np.ndarray, roll_rad: float) -> np.ndarray:
    """R_camera_world (3, 3) of a camera at `position_m` that looks at `target_m`, turned by `roll_rad` about its axis."""
    z = target_m - position_m
    z = z / np.linalg.norm(z)
    x = _cross(z, np.array([0.0, 1.0, 0.0]))
    x = x / max(float(np.linalg.norm(x)), 1e-9)
    y = _cross(z, x)
    return _turn(np.array([0.0, 0.0, roll_rad])) @ np.stack((x, y, z))


def _movement(
    config: CameraConfig, moving: bool, frames: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (T, 3, 3) of the camera about itself and its walk (T, 3) in metres, nothing at the middle frame."""
    shake = np.radians(config.handheld_deg) * smooth_noise(frames, 3, rng) * rng.uniform(0, 1.5)
    walk = 0.01 * np.sign(config.handheld_deg) * smooth_noise(frames, 3, rng) * rng.uniform(0, 1.5)
    if moving:
        line = np.linspace(-0.5, 0.5, frames)[:, None]
        shake = shake + line * np.radians(rng.normal(0, 1, 3) * np.array([3.0, 8.0, 1.0]))
        walk = walk + line * rng.normal(0, 1, 3) * np.array([0.4, 0.1, 0.4])
    shake = shake - shake[frames // 2]
    walk = walk - walk[frames // 2]
    return _turn(shake), walk


def _turn(angles: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) by angles (..., 3) in radians about x first, then y, then z."""
    sine, cosine = np.sin(angles).reshape(-1, 3), np.cos(angles).reshape(-1, 3)
    return _turns(sine, cosine).reshape(*angles.shape, 3)


@numba.njit(cache=True)
def _turns(sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """(N, 3, 3) from sines and cosines (N, 3); the camera has few angles, and NumPy takes its time for each product."""
    turn = np.empty((len(sine), 3, 3))
    for n in range(len(sine)):
        sx, sy, sz = sine[n]
        cx, cy, cz = cosine[n]
        turn[n, 0, 0], turn[n, 0, 1], turn[n, 0, 2] = cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx
        turn[n, 1, 0], turn[n, 1, 1], turn[n, 1, 2] = sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx
        turn[n, 2, 0], turn[n, 2, 1], turn[n, 2, 2] = -sy, cy * sx, cy * cx
    return turn


def _cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The cross product of two vectors (3,); NumPy's own takes ten times as long on so few numbers."""
    (a, b, c), (x, y, z) = first.tolist(), second.tolist()
    return np.array((b * z - c * y, c * x - a * z, a * y - b * x))


def follow(camera: CameraPath, path_px: np.ndarray) -> CameraPath:
    """A camera whose pictures move along with the background: its principal point takes the path.

    Args:
        camera: of the person.
        path_px: (T, 2), in pixels of the camera's picture.
    """
    if path_px.shape != camera.principal_px.shape:
        raise ValueError(f"a path of {len(path_px)} frames for a camera of {len(camera.principal_px)}")
    return replace(camera, principal_px=(camera.principal_px + path_px).astype(np.float32))
