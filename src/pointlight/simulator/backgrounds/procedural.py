"""Backgrounds without any video: textured layers at several depths, a moving camera, moving things; the path is exact."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from pointlight.configuration import config_sha256, repr_sha256
from pointlight.errors import PointlightError
from pointlight.motion import SPLITS
from pointlight.randomness import smooth_noise, stream
from pointlight.simulator.backgrounds.camera_motion import integrated
from pointlight.simulator.backgrounds.patterns import SIDE_PX, TEXTURE_SPLITS, make_texture, periodic_curve
from pointlight.simulator.backgrounds.windows import Window, WindowSource
from pointlight.simulator.clip import CLIP_FRAMES, HEIGHT, WIDTH

_FLOW_STEP_PX = 4


@dataclass(frozen=True)
class ProceduralConfig:
    """The distribution of procedural scenes. Speeds are in pixels a frame at 240x320.

    Attributes:
        moving_share: share of scenes whose camera moves; about half of the real videos' cameras do.
        pan_px: standard deviation of the camera's steady motion in x; in y it is a third of it.
        shake_px: standard deviation of the shake's path, pixels.
        roll_deg: standard deviation of the turn over the whole clip.
        zoom: standard deviation of the logarithm of the change of size over the whole clip.
        layers: least and most layers before the backdrop.
        things: least and most things that move by themselves.
        thing_px: standard deviation of their speed.
        noise: standard deviation of the sensor's noise, in grey levels, uniform up to this.
    """

    moving_share: float = 0.65
    pan_px: float = 2.0
    shake_px: float = 1.5
    roll_deg: float = 2.0
    zoom: float = 0.05
    layers: tuple[int, int] = (1, 4)
    things: tuple[int, int] = (1, 4)
    thing_px: float = 2.5
    noise: float = 3.0


@dataclass(frozen=True)
class ProceduralScene:
    """A made scene.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        matrices: (L, T, 2, 3) from continuous pixels to each layer's texture, from the backdrop to the front.
        owner: (T, H, W) uint8, the layer that is most of a pixel's colour.
    """

    frames: np.ndarray
    matrices: np.ndarray
    owner: np.ndarray

    def flow(self, frame: int, step_px: int = 1) -> np.ndarray:
        """True flow from `frame` to the next at every `step_px`-th pixel, (h, w, 2) float64."""
        y, x = np.mgrid[0 : self.owner.shape[1] : step_px, 0 : self.owner.shape[2] : step_px]
        layer = self.owner[frame, y, x]
        points = np.stack((x + 0.5, y + 0.5, np.ones_like(x, float)), -1)
        now, after = _square(self.matrices[:, frame]), _square(self.matrices[:, frame + 1])
        moves = np.linalg.inv(after) @ now
        return (moves[layer] @ points[..., None])[..., :2, 0] - points[..., :2]

    def path_px(self) -> np.ndarray:
        """(T, 2) float32, the integrated median of the true flow."""
        flows = [self.flow(frame, _FLOW_STEP_PX).reshape(-1, 2) for frame in range(len(self.frames) - 1)]
        return integrated(np.array([np.median(flow, axis=0) for flow in flows]))


class ProceduralWindows:
    """Made windows of one split, as `Windows` gives them; window i is a pure function of (config, seed, split, i)."""

    def __init__(
        self,
        count: int,
        seed: int,
        split: str = "train",
        config: ProceduralConfig | None = None,
        frames: int = CLIP_FRAMES,
    ) -> None:
        """Choose the scenes.

        Args:
            count: how many there are.
            seed: of all of them.
            split: decides which families of textures are used.
            config: their distribution.
            frames: T of a window.
        """
        if split not in SPLITS:
            raise PointlightError(f"there is no split {split!r}; choose one of {', '.join(SPLITS)}")
        if count < 1:
            raise PointlightError(f"{count} made backgrounds are none; ask for 1 or more")
        self.split = split
        self.config = config or ProceduralConfig()
        self._count = count
        self._seed = seed
        self._frames = frames

    @property
    def sha256(self) -> str:
        """Of what the windows depend on."""
        length = [] if self._frames == CLIP_FRAMES else [self._frames]
        return config_sha256([self._count, self._seed, self.split, self.config, TEXTURE_SPLITS, *length])

    def __len__(self) -> int:
        return self._count

    def has_people(self, number: int) -> bool | None:
        """Never."""
        return False

    def scene(self, number: int) -> ProceduralScene:
        """What window `number` shows, with its flow."""
        rng = stream(self._seed, number, f"procedural background {self.split}")
        return make_scene(self.config, self.split, rng, self._frames)

    def read(self, number: int) -> Window:
        """Make window `number`."""
        scene = self.scene(number)
        # Fingerprints name the streams that superpixels are drawn from, so that they stay as version 0.1.0 made them.
        families = sorted(TEXTURE_SPLITS.items())
        fingerprint = repr_sha256((self._count, self._seed, self.split, self.config, families))
        source = WindowSource(
            file=f"procedural/{self._seed}/{number}",
            group="procedural",
            split=self.split,
            fingerprint=f"{fingerprint[:16]}-{number}",
            number=number,
            start_s=0.0,
            source_fps=30.0,
            thinned=1,
            crop_px=(0.0, 0.0, float(WIDTH), float(HEIGHT)),
            size=(WIDTH, HEIGHT),
            has_people=False,
            camera_moves=None,
            permissive=True,
        )
        return Window(scene.frames, {"exact": scene.path_px()}, source, None)


def make_scene(
    config: ProceduralConfig, split: str, rng: np.random.Generator, frames: int = CLIP_FRAMES
) -> ProceduralScene:
    """Paint layers and look at them with a moving camera.

    Args:
        config: the distribution.
        split: decides which families of textures are used.
        rng: the generator.
        frames: T.
    """
    families = [family for family, of in TEXTURE_SPLITS.items() if of == split]
    camera = _camera(config, frames, rng)
    view = _view(config, camera is not None, frames, rng)
    camera = np.zeros((frames, 2)) if camera is None else camera
    textures, matrices, bounds = [], [], []

    def add(texture: np.ndarray, own: np.ndarray, wraps: int) -> None:
        textures.append(texture)
        matrices.append(own @ view)
        bounds.append(wraps)

    backdrop = _opaque(make_texture(_one(families, rng), rng))
    nearness = rng.uniform(0.4, 1.0)
    add(backdrop, _moved(-nearness * camera, rng.uniform(0, SIDE_PX, 2), rng.uniform(0.8, 1.5)), _ALL)
    count = int(rng.integers(config.layers[0], config.layers[1] + 1))
    levels = np.sort(rng.uniform(0.25, 0.95, count)) * HEIGHT
    for level in levels:
        nearness += rng.uniform(0.05, 0.35)
        texture = _with_skyline(make_texture(_one(families, rng), rng), rng)
        offset = np.array([rng.uniform(0, SIDE_PX), _SKYLINE_PX - level])
        add(texture, _moved(-nearness * camera, offset, 1.0), _ALONG)
    for _ in range(int(rng.integers(config.things[0], config.things[1] + 1))):
        texture = _blob(make_texture(_one(families, rng), rng), rng)
        add(texture, _thing(config, nearness, camera, rng), _NONE)
    if rng.random() < 0.25:
        nearness += rng.uniform(0.3, 0.8)
        texture = _posts(make_texture(_one(families, rng), rng), rng)
        add(texture, _moved(-nearness * camera, rng.uniform(0, SIDE_PX, 2), 1.0), _ALL)
    stacked = np.stack(matrices)[:, :, :2]
    grain = (rng.normal(0, 1, (256, 256)) * rng.uniform(0, config.noise)).astype(np.float32)
    shifts = rng.integers(0, 256, (frames, 2))
    pictures, owner = _paint(
        np.stack(textures), stacked.astype(np.float32), np.array(bounds), grain, shifts, HEIGHT, WIDTH
    )
    return ProceduralScene(pictures, stacked, owner)


_NONE, _ALONG, _ALL = 0, 1, 2
"""How a texture goes on beyond its sides: not at all; to the left and right, with its last row below; everywhere."""

_SKYLINE_PX = 120


def _camera(config: ProceduralConfig, frames: int, rng: np.random.Generator) -> np.ndarray | None:
    """Where the scene goes in the picture, (T, 2) pixels for things at nearness 1; None stands still."""
    if rng.random() >= config.moving_share:
        return None
    pan = rng.normal(0, 1, 2) * config.pan_px * np.array([1.0, 1 / 3])
    pace = 1 + 0.4 * smooth_noise(frames, 1, rng)
    steady = np.cumsum(pan * pace, axis=0)
    shake = smooth_noise(frames, 2, rng, (1.0, 6.0)) * config.shake_px * rng.uniform(0, 1.5)
    return steady + shake


def _view(config: ProceduralConfig, moving: bool, frames: int, rng: np.random.Generator) -> np.ndarray:
    """(T, 3, 3) from pixels to the pixels of a camera that does not roll or zoom."""
    angle = (
        np.radians(rng.normal(0, config.roll_deg)) * smooth_noise(frames, 1, rng, (0.1, 1.0))[:, 0] * moving
    )
    size = np.exp(rng.normal(0, config.zoom) * np.linspace(-1, 1, frames) * moving)
    about = np.array([WIDTH / 2, HEIGHT / 2])
    turn = _square(_turned(angle, 1 / size))
    return _shifted(np.tile(about, (frames, 1))) @ turn @ _shifted(np.tile(-about, (frames, 1)))


def _moved(path: np.ndarray, offset: np.ndarray, scale: float) -> np.ndarray:
    """(T, 3, 3) to a texture of a layer; its pixels are `scale` times finer than the picture's."""
    return (
        np.diag([scale, scale, 1.0]) @ _shifted(path) + _shifted(np.tile(offset, (len(path), 1))) - np.eye(3)
    )


def _thing(
    config: ProceduralConfig, nearness: float, camera: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(T, 3, 3) to the texture of something that moves by itself, turns and swings."""
    frames = len(camera)
    time = np.arange(frames)[:, None] - frames / 2
    speed = rng.normal(0, config.thing_px, 2) * np.array([1.0, 0.5])
    swing = smooth_noise(frames, 2, rng, (0.5, 3.0)) * rng.uniform(0, 5)
    centre = rng.uniform(0.05, 0.95, 2) * np.array([WIDTH, HEIGHT])
    parallax = camera - camera[frames // 2]
    place = centre + speed * time + swing + nearness * parallax
    angle = rng.normal(0, 0.02) * time[:, 0] + 0.15 * smooth_noise(frames, 1, rng)[:, 0] * rng.uniform(0, 1)
    finer = SIDE_PX / np.exp(rng.uniform(np.log(40), np.log(260)))
    turn = _square(_turned(angle, np.full(frames, finer)))
    middle = np.full((frames, 2), SIDE_PX / 2)
    return _shifted(middle) @ turn @ _shifted(-place)


def _with_skyline(texture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A layer that is seen below a ragged, hilly or stepped line."""
    kind = rng.integers(3)
    if kind == 0:
        line = periodic_curve(rng, rng.uniform(1.0, 2.0)) * rng.uniform(5, 30)
    elif kind == 1:
        line = periodic_curve(rng, 1, steps=int(rng.integers(4, 16))) * rng.uniform(10, 45)
    else:
        line = np.zeros(SIDE_PX)
    line = np.clip(_SKYLINE_PX + line, 4, 2 * _SKYLINE_PX)
    alpha = np.clip(np.arange(SIDE_PX)[:, None] + 0.5 - line, 0, 1)
    return np.dstack((texture, (255 * alpha).astype(np.uint8)))


def _blob(texture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A piece of texture with a closed outline: round, long or knobbly."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] - SIDE_PX / 2 + 0.5
    stretch = np.exp(abs(rng.normal(0, 0.5)))
    angle = np.arctan2(y * stretch, x)
    outline = periodic_curve(rng, rng.uniform(1.5, 2.5))
    place = (angle / (2 * np.pi) + 0.5) * SIDE_PX
    wave = np.interp(place, np.arange(SIDE_PX + 1), np.append(outline, outline[0]))
    radius = 170 * np.clip(1 + rng.uniform(0, 0.25) * wave, 0.3, 1.4)
    distance = np.hypot(x, y * stretch)
    alpha = np.clip((radius - distance) / 3 + 0.5, 0, 1)
    shade = 1 - 0.4 * np.clip(distance / radius, 0, 1) ** 3
    return np.dstack(((texture * shade[..., None]).astype(np.uint8), (255 * alpha).astype(np.uint8)))


def _posts(texture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A fence or trunks before everything."""
    count = int(rng.choice([1, 2, 4]))
    width = rng.uniform(6, 40)
    lean = periodic_curve(rng, 2.5)[:, None] * rng.uniform(0, 10)
    x = (np.arange(SIDE_PX)[None] + lean) % (SIDE_PX / count) - SIDE_PX / count / 2
    alpha = np.clip(width / 2 - np.abs(x), 0, 1)
    return np.dstack((texture, (255 * alpha).astype(np.uint8)))


def _opaque(texture: np.ndarray) -> np.ndarray:
    return np.dstack((texture, np.full(texture.shape[:2], 255, np.uint8)))


def _one(families: list[str], rng: np.random.Generator) -> str:
    return families[rng.integers(len(families))]


def _shifted(by: np.ndarray) -> np.ndarray:
    """(T, 3, 3) translations."""
    result = np.tile(np.eye(3), (len(by), 1, 1))
    result[:, :2, 2] = by
    return result


def _turned(angle: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """(T, 2, 3) rotations times scales about the origin."""
    cos, sin, zero = scale * np.cos(angle), scale * np.sin(angle), np.zeros_like(angle)
    return np.stack((np.stack((cos, -sin, zero), -1), np.stack((sin, cos, zero), -1)), -2)


def _square(matrices: np.ndarray) -> np.ndarray:
    """(..., 2, 3) with the row that makes them (..., 3, 3)."""
    last = np.broadcast_to(np.array([0.0, 0.0, 1.0]), (*matrices.shape[:-2], 1, 3))
    return np.concatenate((matrices, last), -2)


@numba.njit(cache=True, error_model="numpy")
def _paint(
    textures: np.ndarray,
    matrices: np.ndarray,
    bounds: np.ndarray,
    grain: np.ndarray,
    shifts: np.ndarray,
    height: int,
    width: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Look up every pixel's centre in the layers from the front until nothing shines through.

    Args:
        textures: (L, S, S, 4) uint8 RGBA, from the backdrop, which is opaque, to the front; S is a power of two.
        matrices: (L, T, 2, 3) float32 from continuous pixels to continuous texture pixels.
        bounds: (L,) how a texture goes on.
        grain: (G, G) float32 grey levels, G a power of two.
        shifts: (T, 2) where a frame's grain begins.
        height: H.
        width: W.

    Returns:
        (T, H, W, 3) uint8 and (T, H, W) uint8, the layer that gives most.
    """
    layers, frames = matrices.shape[0], matrices.shape[1]
    side, mask, grain_mask = textures.shape[1], textures.shape[1] - 1, grain.shape[0] - 1
    image = np.empty((frames, height, width, 3), np.uint8)
    owner = np.empty((frames, height, width), np.uint8)
    for t in range(frames):
        for v in range(height):
            for u in range(width):
                x, y = np.float32(u + 0.5), np.float32(v + 0.5)
                red = green = blue = np.float32(0)
                left, most, who = np.float32(1), np.float32(0), 0
                for k in range(layers - 1, -1, -1):
                    m = matrices[k, t]
                    a = m[0, 0] * x + m[0, 1] * y + m[0, 2] - np.float32(0.5)
                    b = m[1, 0] * x + m[1, 1] * y + m[1, 2] - np.float32(0.5)
                    i, j = int(np.floor(a)), int(np.floor(b))
                    if bounds[k] == 0 and (i < 0 or j < 0 or i >= side - 1 or j >= side - 1):
                        continue
                    if bounds[k] == 1 and j < 0:
                        continue
                    fa, fb = a - i, b - j
                    i0, i1 = i & mask, (i + 1) & mask
                    j0, j1 = j & mask, (j + 1) & mask
                    if bounds[k] == 1 and j >= side // 2:
                        # Below the painted half it goes on as its lower half, which is opaque everywhere.
                        j0 = side // 2 + (j & (side // 2 - 1))
                        j1 = side // 2 + ((j + 1) & (side // 2 - 1))
                    w00, w10 = (1 - fa) * (1 - fb), fa * (1 - fb)
                    w01, w11 = (1 - fa) * fb, fa * fb
                    p00, p10 = textures[k, j0, i0], textures[k, j0, i1]
                    p01, p11 = textures[k, j1, i0], textures[k, j1, i1]
                    alpha = (w00 * p00[3] + w10 * p10[3] + w01 * p01[3] + w11 * p11[3]) / np.float32(255)
                    part = left * alpha
                    if part <= 0:
                        continue
                    red += part * (w00 * p00[0] + w10 * p10[0] + w01 * p01[0] + w11 * p11[0])
                    green += part * (w00 * p00[1] + w10 * p10[1] + w01 * p01[1] + w11 * p11[1])
                    blue += part * (w00 * p00[2] + w10 * p10[2] + w01 * p01[2] + w11 * p11[2])
                    if part > most:
                        most, who = part, k
                    left -= part
                    if left < np.float32(0.004):
                        break
                noise = grain[(v + shifts[t, 0]) & grain_mask, (u + shifts[t, 1]) & grain_mask]
                image[t, v, u, 0] = np.uint8(min(max(red + noise + np.float32(0.5), 0), 255))
                image[t, v, u, 1] = np.uint8(min(max(green + noise + np.float32(0.5), 0), 255))
                image[t, v, u, 2] = np.uint8(min(max(blue + noise + np.float32(0.5), 0), 255))
                owner[t, v, u] = who
    return image, owner
