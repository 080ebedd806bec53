"""How a person looks, drawn once a clip: skin, hair, clothes and light."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pointlight.body import SHAPE_NAMES
from pointlight.randomness import stream
from pointlight.simulator.drawing.lighting import draw_light
from pointlight.simulator.people.drapes import Drape
from pointlight.simulator.people.fabrics import TILE_PX, Fabric, picture_fabrics, procedural_fabrics
from pointlight.simulator.people.wardrobe import Garment, Outfit, draw_outfit, styled
from pointlight.values import by_value

Bounds = tuple[tuple[str, float, float], ...]

_TOPS = ("tank top", "t-shirt", "long-sleeved shirt", "sweater", "print")
_DRAPED = ("skirt", "dress", "jacket")
_DRAPE_TOP_M = 0.10
_UNDER_M = -0.06
"""What hangs begins a little above the hips; under it the body wears its fabric down to here."""


@dataclass(frozen=True)
class AppearanceConfig:
    """The distribution of appearances.

    Attributes:
        split: of the families of textures; no draw mixes splits.
        clothing_offset: clothes have a thickness and change the silhouette; otherwise they are paint, as in SURREAL.
        thickness: factor on how far clothes stand off.
        skirts: skirts, dresses and long coats hang round both legs as one sheet; otherwise each leg has its own.
        styles: more styles of hair and heights of soles.
        lighting: "varied" (sky, a main light and their colours) or "surreal" (the nine coefficients of SURREAL's
            generator, the same for red, green and blue).
        pictures: folder of pictures to make clothes of, beside the fabrics made by rule.
        picture_share: share of garments made of these pictures, where there are some.
        hat: share of people with a hat or a cap.
        barefoot: share of people without shoes.
        occlusion_shade: how much creases, armpits and other hollows are darkened; 0 is off.
    """

    split: str = "train"
    clothing_offset: bool = True
    thickness: float = 1.0
    skirts: bool = True
    styles: bool = True
    lighting: str = "varied"
    pictures: Path | None = None
    picture_share: float = 0.3
    hat: float = 0.12
    barefoot: float = 0.06
    occlusion_shade: float = 0.6


PAPER_APPEARANCE = AppearanceConfig(
    clothing_offset=False, skirts=False, styles=False, lighting="surreal", occlusion_shade=0.0
)
"""As in SURREAL: clothes are paint on the body, under nine random coefficients of light."""


@by_value
@dataclass(frozen=True)
class Layer:
    """One thing that covers a part of the body; later layers lie over earlier ones.

    Attributes:
        name: such as "trousers".
        bounds: (field, low, high) in the surface's `FIELDS`; it covers where all hold.
        tile: (TILE_PX, TILE_PX, 3) uint8 sRGB, its fabric.
        tile_m: side of the tile on the body.
        shift_m: where the tile begins, around and along.
        soft_m: width of its edge.
        wobble_m: how far its edge wanders.
        hem: how much darker it is along its edge.
        thickness_m: how far it stands off the body.
        flare: growth of that per metre of height below `flare_below_m`.
        flare_below_m: height on the mean adult.
        sleeve_flare: growth of the thickness per metre along the arm.
        folds_m: amplitude of folds.
        fold_waves: (n, 4) wave vectors on the mean adult at rest in radians/m, and phases, of edge and folds.
        smooth: how much the body's own forms show through less, 0 to 1.
    """

    name: str
    bounds: Bounds
    tile: np.ndarray
    tile_m: float = 0.4
    shift_m: tuple[float, float] = (0.0, 0.0)
    soft_m: float = 0.003
    wobble_m: float = 0.0
    hem: float = 0.0
    thickness_m: float = 0.0
    flare: float = 0.0
    flare_below_m: float = 0.0
    sleeve_flare: float = 0.0
    folds_m: float = 0.0
    fold_waves: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    smooth: float = 0.0


@by_value
@dataclass(frozen=True)
class Appearance:
    """One person's appearance, ready to draw.

    Attributes:
        layers: the skin first.
        fabrics: names of the families of textures used, for provenance.
        split: their split.
        light: (9, 3) float32 spherical-harmonics coefficients of the light in red, green and blue, world axes; order
            (l, m) = (0,0), (1,-1), (1,0), (1,1), (2,-2), ..., (2,2) with y up.
        occlusion_shade: as configured.
        offset: whether clothes stand off the body.
        drapes: what hangs round both legs, from the innermost outwards.
    """

    layers: tuple[Layer, ...]
    fabrics: tuple[str, ...]
    split: str
    light: np.ndarray
    occlusion_shade: float
    offset: bool
    drapes: tuple[Drape, ...] = ()


def draw_appearance(config: AppearanceConfig, seed: int, index: int, shape: np.ndarray) -> Appearance:
    """Draw the appearance of scene `index`, a pure function of the arguments (and of the folder of pictures).

    Args:
        config: the distribution.
        seed: of the configuration.
        index: of the scene.
        shape: (6,) of the person; age and sex have a say in hair and clothes.

    Raises:
        PointlightError: the folder of pictures holds none.
    """
    person = dict(zip(SHAPE_NAMES, np.asarray(shape).tolist(), strict=True))
    skin = draw_skin(stream(seed, index, "skin"))
    hair = draw_hair_colour(stream(seed, index, "hair colour"), skin, person["age"])
    outfit = draw_outfit(stream(seed, index, "outfit"), person, config.hat, config.barefoot)
    if config.styles:
        outfit = styled(outfit, stream(seed, index, "styles"))
    shelf = _Shelf(config, stream(seed, index, "fabrics"))
    layers = [_skin_layer(skin, stream(seed, index, "skin texture"))]
    layers += _face(skin, hair, outfit)
    for garment in outfit.garments:
        layers.append(_sewn(garment, shelf, hair, config, stream(seed, index, f"garment {garment.name}")))
    drapes: tuple[Drape, ...] = ()
    if config.skirts:
        layers, drapes = _draped(layers, stream(seed, index, "drapes"))
    light = draw_light(config.lighting, stream(seed, index, "light"))
    return Appearance(
        tuple(layers),
        tuple(shelf.used),
        config.split,
        light,
        config.occlusion_shade,
        config.clothing_offset,
        drapes,
    )


def draw_skin(rng: np.random.Generator) -> np.ndarray:
    """(3,) sRGB in 0..255, even over the individual typology angle of human skin.

    The angle is atan((L* - 50) / b*); dermatology calls skin above 55 degrees very light and below -30 dark
    (Chardon et al. 1991).
    """
    angle = np.radians(rng.uniform(-52, 58))
    yellow = 12 + 5.5 * np.cos(1.2 * angle) + rng.normal(0, 1.2)
    red = 10 + rng.normal(0, 1.4) + 1.5 * np.cos(angle)
    lightness = 50 + yellow * np.tan(angle)
    return lab_to_srgb(np.array([lightness, red, yellow]))


def draw_hair_colour(rng: np.random.Generator, skin: np.ndarray, age: float) -> np.ndarray:
    """(3,) sRGB: black to blond, rarely light on dark skin, grey with age, dyed now and then."""
    if rng.random() < 0.04:
        return 255 * np.array(colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.4, 0.9), rng.uniform(0.3, 0.9)))
    lightness = float(skin.mean()) / 255
    fair = rng.random() ** 1.5 * np.clip((lightness - 0.35) / 0.35, 0.08, 1)
    steps = np.array([[22, 18, 17], [48, 33, 25], [92, 62, 40], [148, 108, 66], [202, 168, 112]], float)
    colour = np.array([np.interp(fair * (len(steps) - 1), range(len(steps)), channel) for channel in steps.T])
    if rng.random() < 0.12:
        colour = colour * (1.25, 0.85, 0.7)
    grey = np.clip((age - 0.80) / 0.15 + rng.normal(0, 0.35), 0, 1)
    return (colour * (1 - grey) + grey * rng.uniform(120, 225)).clip(0, 255)


def lab_to_srgb(lab: np.ndarray) -> np.ndarray:
    """(3,) CIELAB (D65) to sRGB in 0..255, clipped (IEC 61966-2-1)."""
    fy = (lab[0] + 16) / 116
    f = np.array([fy + lab[1] / 500, fy, fy - lab[2] / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * (0.95047, 1.0, 1.08883)
    matrix = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    linear = (matrix @ xyz).clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


class _Shelf:
    """Fabrics to choose from, and which were taken."""

    def __init__(self, config: AppearanceConfig, rng: np.random.Generator) -> None:
        self._split = config.split
        self._pictures = picture_fabrics(config.pictures, config.split) if config.pictures else ()
        self._picture_share = config.picture_share
        self._rng = rng
        self.used: list[str] = []

    def take(self, kinds: tuple[str, ...], colours: np.ndarray) -> np.ndarray:
        """A tile of one of these kinds, or of a picture."""
        pictures, number = self._rng.random(), self._rng.random()
        if self._pictures and pictures < self._picture_share:
            choice: tuple[Fabric, ...] = self._pictures
        else:
            choice = procedural_fabrics(self._split, kinds) or procedural_fabrics(self._split)
        fabric = choice[int(number * len(choice))]
        self.used.append(fabric.name)
        return fabric.tile(colours)


def _flat(colour: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.asarray(colour).clip(0, 255).round().astype(np.uint8), (TILE_PX, TILE_PX, 3))


def _grainy(colour: np.ndarray, amount: float, rng: np.random.Generator, along: int = 1) -> np.ndarray:
    """A colour with grain, drawn out along the tile's second axis (hair) or not (skin)."""
    grain = rng.standard_normal((TILE_PX // along, TILE_PX)).repeat(along, axis=0)[:TILE_PX]
    return (colour * (1 + amount * grain[..., None])).clip(0, 255).round().astype(np.uint8)


def _skin_layer(skin: np.ndarray, rng: np.random.Generator) -> Layer:
    return Layer("skin", (), _grainy(skin, 0.025, rng), tile_m=0.7)


def _face(skin: np.ndarray, hair: np.ndarray, outfit: Outfit) -> list[Layer]:
    """Eyes, brows, lips, and what the outfit says of beard and cheeks; bounds on the mean adult's face."""
    lips = skin * (0.92, 0.76, 0.76) * outfit.lips
    socket = skin * (0.82, 0.79, 0.78)
    layers = [
        Layer("sockets", (("eye", -1, 0.017), ("forward", 0.1, 9)), _flat(socket), soft_m=0.012),
        Layer("eyes", (("eyeball", 0, 9),), _flat(np.array([188, 182, 176])), soft_m=0.001),
        Layer("irises", (("eyeball", 0, 9), ("eye", -1, 0.0085)), _flat(outfit.eyes), soft_m=0.002),
        Layer("pupils", (("eyeball", 0, 9), ("eye", -1, 0.0045)), _flat(np.array([10, 8, 8])), soft_m=0.002),
        Layer(
            "brows",
            (("across", 0.012, 0.046), ("top", 0.7895, 0.7975), ("forward", 0.1, 9)),
            _flat(0.75 * hair + 0.25 * skin),
            soft_m=0.004,
        ),
        Layer(
            "lips",
            (("across", -1, 0.022), ("top", 0.697, 0.7135), ("forward", 0.135, 9)),
            _flat(lips),
            soft_m=0.005,
        ),
    ]
    if outfit.beard > 0:
        shade = hair * outfit.beard + skin * (1 - outfit.beard)
        jaw = (
            ("top", 0.640, outfit.beard_top_m),
            ("forward", 0.045, 9),
            ("hairline", -0.5, 0.0),
            ("neck", 0.06, 1),
        )
        lip = (("top", 0.7135, 0.727), ("across", -1, 0.028), ("forward", 0.13, 9))
        layers.insert(0, Layer("beard", jaw, _flat(shade), soft_m=0.024, thickness_m=0.006 * outfit.beard))
        layers.insert(1, Layer("moustache", lip, _flat(shade), soft_m=0.01))
    return layers


def _sewn(
    garment: Garment, shelf: _Shelf, hair: np.ndarray, config: AppearanceConfig, rng: np.random.Generator
) -> Layer:
    """A garment of the outfit as a layer, with a fabric."""
    if garment.kinds:
        tile = shelf.take(garment.kinds, garment.colours)
        tile_m = float(rng.uniform(0.22, 0.5))
    else:
        colour = hair if garment.is_hair else garment.colours[0]
        tile = _grainy(colour, 0.16, rng, along=8) if garment.is_hair else _flat(colour)
        tile_m = 0.25
    waves = _waves(rng, garment.fold_length_m)
    scale = config.thickness if config.clothing_offset else 0.0
    return Layer(
        name=garment.name,
        bounds=garment.bounds,
        tile=tile,
        tile_m=tile_m,
        shift_m=(float(rng.random()), float(rng.random())),
        soft_m=garment.soft_m,
        wobble_m=garment.wobble_m,
        hem=garment.hem,
        thickness_m=scale * garment.thickness_m,
        flare=scale * garment.flare,
        flare_below_m=garment.flare_below_m,
        sleeve_flare=scale * garment.sleeve_flare,
        folds_m=scale * garment.folds_m,
        fold_waves=waves,
        smooth=garment.smooth if config.clothing_offset else 0.0,
    )


def _draped(layers: list[Layer], rng: np.random.Generator) -> tuple[list[Layer], tuple[Drape, ...]]:
    """What reaches below the hips as one sheet: the layers without it, and the sheets."""
    result, drapes = [], []
    for layer in layers:
        bounds = {name: (low, high) for name, low, high in layer.bounds}
        end = bounds.get("drop", (0.0, 0.0))[0]
        hang, sway, phases = rng.random(), rng.random(), 2 * np.pi * rng.random(3)
        waves = rng.permutation(np.arange(3, 11))[:3]
        if drapes and layer.name in _TOPS and end < _DRAPE_TOP_M:
            layer = _ended(layer, _DRAPE_TOP_M - 0.01)  # what hangs begins under it
        if layer.name in _DRAPED and end < _UNDER_M - 0.04:
            flare = layer.flare if layer.name != "jacket" else 0.5 * layer.flare + 0.08
            inner = drapes[-1] if drapes else None
            drapes.append(
                Drape(
                    top_m=_DRAPE_TOP_M,
                    end_m=end,
                    ease_m=0.006 + (inner.ease_m + 0.008 if inner else 0.0),
                    flare=flare + (inner.flare if inner else 0.0),
                    hang=0.3 + 0.7 * hang,
                    pleats_m=0.12 * sway * flare * (_DRAPE_TOP_M - end),
                    phases=(float(phases[0]), float(phases[1]), float(phases[2])),
                    waves=(int(waves[0]), int(waves[1]), int(waves[2])),
                    gap=min(2 * max(bounds["front"][0], 0.0), 0.2) if "front" in bounds else 0.0,
                    tile=layer.tile,
                    tile_m=layer.tile_m,
                    shift_m=layer.shift_m,
                )
            )
            layer = replace(_ended(layer, _UNDER_M), flare=0.0)
        result.append(layer)
    return result, tuple(drapes)


def _ended(layer: Layer, low_m: float) -> Layer:
    """The layer with its hem at a height."""
    bounds = tuple((name, low_m if name == "drop" else low, high) for name, low, high in layer.bounds)
    return replace(layer, bounds=bounds)


def _waves(rng: np.random.Generator, length_m: tuple[float, float, float]) -> np.ndarray:
    """(6, 4) wave vectors of about these lengths along x, y, z, and phases."""
    vectors = rng.standard_normal((6, 3)) * (2 * np.pi / np.asarray(length_m))
    return np.column_stack((vectors, rng.uniform(0, 2 * np.pi, 6))).astype(np.float32)
