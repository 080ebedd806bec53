"""What people wear: garments as parts of the body's surface with varied boundaries, and how far they stand off."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace

import numpy as np

Bounds = tuple[tuple[str, float, float], ...]

GROWN = 0.6
"""Anny's number of an age from which men may have beards and bald heads."""

_FAR = 9.0

_PATTERNED = (
    "plain", "melange", "stripes", "checks", "tartan", "dots", "blobs", "motifs", "triangles", "diagonals", "chevrons",
)  # fmt: skip
_PLAIN = ("plain", "melange")
_SOBER = ("plain", "plain", "melange", "pinstripes", "checks")
_LEGWEAR = ("plain", "plain", "denim", "melange", "pinstripes", "checks", "blobs")

_NEUTRALS = ((24, 24, 26), (52, 53, 56), (104, 104, 106), (172, 171, 168), (232, 230, 225), (246, 246, 244))
_COMMON = (
    (28, 36, 62),
    (48, 66, 104),
    (86, 110, 146),
    (176, 158, 128),
    (102, 80, 60),
    (70, 74, 56),
    (120, 36, 40),
)


@dataclass(frozen=True)
class Garment:
    """A garment before its fabric is chosen; lengths in metres on the mean adult (see `surface.FIELDS`).

    Attributes:
        name: such as "trousers".
        bounds: (field, low, high); it covers where all hold.
        kinds: kinds of fabric to choose from; none for one flat colour.
        colours: (3, 3) sRGB in 0..255, the ground first.
        is_hair: takes the colour of the hair.
        soft_m: width of the edge.
        wobble_m: how far the edge wanders.
        hem: how much darker it is along its edge.
        thickness_m: how far it stands off.
        flare: growth of that per metre below `flare_below_m`.
        flare_below_m: height.
        sleeve_flare: growth per metre along the arm.
        folds_m: amplitude of folds.
        fold_length_m: of folds along x, y, z.
        smooth: how much less the body's own forms show through, 0 to 1.
    """

    name: str
    bounds: Bounds
    kinds: tuple[str, ...]
    colours: np.ndarray
    is_hair: bool = False
    soft_m: float = 0.004
    wobble_m: float = 0.003
    hem: float = 0.25
    thickness_m: float = 0.003
    flare: float = 0.0
    flare_below_m: float = 0.0
    sleeve_flare: float = 0.0
    folds_m: float = 0.0
    fold_length_m: tuple[float, float, float] = (0.10, 0.14, 0.10)
    smooth: float = 0.9


@dataclass(frozen=True)
class Outfit:
    """Garments in the order in which they are put on, and the face.

    Attributes:
        garments: hair first, then from the skin outwards.
        eyes: (3,) sRGB of the irises.
        lips: brightness and redness of the lips against plain ones, (3,).
        beard: 0 to 1, how dense.
        beard_top_m: how high it reaches.
    """

    garments: tuple[Garment, ...]
    eyes: np.ndarray
    lips: np.ndarray
    beard: float
    beard_top_m: float


def draw_outfit(rng: np.random.Generator, person: dict[str, float], hat: float, barefoot: float) -> Outfit:
    """Draw what somebody wears.

    Args:
        rng: of this purpose.
        person: the shape by name; sex and age have a say.
        hat: share of people with one.
        barefoot: share of people without shoes.
    """
    female = rng.random() < 0.08 + 0.84 * person["gender"]
    grown = person["age"] > GROWN
    garments = _hair(rng, female, grown)
    style = rng.random()
    if female and style < 0.16:
        garments += [*_shoes(rng, barefoot, tights=True), _dress(rng)]
    else:
        bottom = _bottom(rng, female)
        top = _top(rng, female)
        tucked = rng.random() < 0.3
        shoes = _shoes(rng, barefoot, tights=bottom[0].name == "skirt")
        garments += [*shoes, top, *bottom] if tucked else [*shoes, *bottom, top]
        garments += _print(rng, top)
    if rng.random() < 0.22:
        garments.append(_jacket(rng))
    if rng.random() < hat:
        garments.append(_hat(rng))
    if rng.random() < 0.04:
        garments.append(_gloves(rng))
    eyes = np.array([[70, 44, 28], [96, 66, 40], [88, 96, 70], [96, 122, 146]], float)
    made_up = female and rng.random() < 0.35 and grown
    bearded = not female and rng.random() < 0.4 and grown
    return Outfit(
        tuple(garments),
        eyes[rng.choice(4, p=(0.5, 0.25, 0.1, 0.15))],
        np.array([1.0, 0.75, 0.8]) if made_up else np.ones(3),
        float(rng.uniform(0.2, 0.85)) if bearded else 0.0,
        float(rng.uniform(0.69, 0.73)),
    )


def draw_colours(rng: np.random.Generator) -> np.ndarray:
    """(3, 3) sRGB that people wear together: a ground, a second that differs from it, a third."""
    colours = [_colour(rng)]
    while len(colours) < 3:
        other = _colour(rng)
        if len(colours) > 1 or np.abs(other - colours[0]).sum() > 90:
            colours.append(other)
    contrast = rng.uniform(0.25, 1.0)
    return np.stack([colours[0], *(colours[0] + contrast * (other - colours[0]) for other in colours[1:])])


def _kinds(rng: np.random.Generator) -> tuple[str, ...]:
    """Half of what people wear has no pattern."""
    return _PLAIN if rng.random() < 0.5 else _PATTERNED


def _colour(rng: np.random.Generator) -> np.ndarray:
    kind = rng.random()
    if kind < 0.36:
        base = np.array(_NEUTRALS[rng.integers(len(_NEUTRALS))], float)
    elif kind < 0.62:
        base = np.array(_COMMON[rng.integers(len(_COMMON))], float)
    else:
        base = 255 * np.array(
            colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.25, 0.95), rng.uniform(0.2, 0.95))
        )
    return (base * (1 + 0.1 * rng.standard_normal()) + rng.normal(0, 6, 3)).clip(8, 248)


def _hair(rng: np.random.Generator, female: bool, grown: bool) -> list[Garment]:
    """A cap of hair, and for long hair what hangs over neck and back; bald people have none."""
    if rng.random() < (0.01 if female else 0.12) and grown:
        return []
    none = np.zeros((3, 3))
    long = rng.random() < (0.65 if female else 0.08)
    thick = rng.uniform(0.006, 0.035) if long or rng.random() < 0.5 else rng.uniform(0.001, 0.008)
    line = rng.uniform(-0.012, 0.008) if female or rng.random() < 0.7 else rng.uniform(0.0, 0.03)
    style = dict(is_hair=True, soft_m=0.008, wobble_m=0.006, hem=0.0, folds_m=0.25 * thick, smooth=0.5)
    cap: Bounds = (("hairline", line, _FAR), ("top", 0.6, _FAR))
    pieces = [Garment("hair", cap, (), none, thickness_m=thick, **style)]  # type: ignore[arg-type]
    if long:
        ends = rng.uniform(0.42, 0.68)
        fall: Bounds = (
            ("behind", rng.uniform(0.0, 0.02), _FAR),
            ("top", ends, 0.80),
            ("across", -1, rng.uniform(0.085, 0.13)),
        )
        pieces.append(Garment("long hair", fall, (), none, thickness_m=0.4 * thick + 0.012, **style))  # type: ignore[arg-type]
    return pieces


def styled(outfit: Outfit, rng: np.random.Generator) -> Outfit:
    """The outfit with a style of hair (a round mass of curls, a bun, a plait down the back) and soles of any height."""
    kind, first, second, third = rng.random(4)
    garments = []
    for piece in outfit.garments:
        if piece.name == "hair" and kind < 0.12:
            thick = 0.035 + 0.05 * first
            piece = replace(
                piece,
                thickness_m=thick,
                folds_m=0.006,
                fold_length_m=(0.03, 0.03, 0.03),
                wobble_m=0.01,
                smooth=1.0,
            )
        garments.append(piece)
        if (
            piece.name == "hair"
            and 0.12 <= kind < 0.26
            and any(g.name == "long hair" for g in outfit.garments)
        ):
            garments[-1] = replace(piece, thickness_m=0.006 + 0.01 * first)
            high = 0.74 + 0.09 * second
            bun: Bounds = (("behind", 0.05, _FAR), ("top", high - 0.035, high + 0.035), ("across", -1, 0.04))
            garments.append(replace(piece, name="bun", bounds=bun, thickness_m=0.04 + 0.03 * third))
        if piece.name == "soles":
            edge: Bounds = (("drop", -_FAR, -0.806 + 0.014 * first),)
            garments[-1] = replace(piece, bounds=edge, thickness_m=0.015 + 0.008 * second)
    if any(piece.name == "bun" for piece in garments):
        garments = [piece for piece in garments if piece.name != "long hair"]
    elif 0.26 <= kind < 0.36:
        plait: Bounds = (("behind", 0.02, _FAR), ("top", 0.45 + 0.1 * first, 0.80), ("across", -1, 0.03))
        garments = [
            replace(piece, name="plait", bounds=plait, thickness_m=0.03 + 0.01 * second)
            if piece.name == "long hair"
            else piece
            for piece in garments
        ]
    return replace(outfit, garments=tuple(garments))


def _neckline(rng: np.random.Generator, loose: bool) -> Bounds:
    """Round, V-shaped, or a collar."""
    kind = rng.random()
    if kind < 0.25 and not loose:
        return (("top", -_FAR, rng.uniform(0.63, 0.665)),)
    if kind < 0.5:
        return (("top", -_FAR, 0.625), ("neck", 0.066, _FAR), ("vee", -_FAR, rng.uniform(0.40, 0.52)))
    return (("top", -_FAR, 0.625), ("neck", rng.uniform(0.07, 0.13 if loose else 0.10), _FAR))


def _top(rng: np.random.Generator, female: bool) -> Garment:
    hem = rng.uniform(-0.10, 0.12)
    style = rng.random()
    thickness, folds, kinds = rng.uniform(0.003, 0.014), rng.uniform(0.001, 0.005), _kinds(rng)
    if style < 0.12:
        sleeve, neck = rng.uniform(-0.14, -0.05), _neckline(rng, loose=True)
        name = "tank top"
        hem = rng.uniform(0.1, 0.25) if female and rng.random() < 0.3 else hem
    elif style < 0.55:
        sleeve, neck, name = rng.uniform(0.06, 0.24), _neckline(rng, loose=female), "t-shirt"
    elif style < 0.8:
        sleeve, neck, name = rng.uniform(0.40, 0.495), _neckline(rng, loose=False), "long-sleeved shirt"
    else:
        sleeve, neck, name = rng.uniform(0.45, 0.51), _neckline(rng, loose=False), "sweater"
        thickness, folds = rng.uniform(0.012, 0.03), rng.uniform(0.003, 0.008)
    bounds: Bounds = (("arm", -_FAR, sleeve), ("drop", hem, _FAR), *neck)
    loose = rng.random() < 0.4
    return Garment(
        name,
        bounds,
        kinds,
        draw_colours(rng),
        thickness_m=thickness,
        flare=rng.uniform(0.0, 0.10) if loose else 0.0,
        flare_below_m=0.40,
        sleeve_flare=rng.uniform(0, 0.06) if loose else 0.0,
        folds_m=folds,
    )


def _bottom(rng: np.random.Generator, female: bool) -> list[Garment]:
    waist = rng.uniform(0.10, 0.20)
    style = rng.random()
    colours = draw_colours(rng)
    if rng.random() < 0.35:
        colours[:2] = [[40, 56, 92], [96, 120, 160]]
    if female and style < 0.14:
        end = rng.uniform(-0.55, -0.18)
        return [
            Garment(
                "skirt", (("drop", end, waist),), _PATTERNED, colours,
                thickness_m=0.006, flare=rng.uniform(0.12, 0.28), flare_below_m=0.05, folds_m=rng.uniform(0.002, 0.008),
                fold_length_m=(0.09, 0.6, 0.09), smooth=1.0,
            )
        ]  # fmt: skip
    if style < 0.4:
        end = rng.uniform(-0.34, -0.10)
        name = "shorts"
        thickness, flare = rng.uniform(0.004, 0.016), rng.uniform(0.0, 0.10)
    elif female and style < 0.55:
        end, name, thickness, flare = rng.uniform(-0.72, -0.5), "leggings", 0.001, 0.0
    else:
        end, name = rng.uniform(-0.785, -0.66), "trousers"
        thickness, flare = rng.uniform(0.004, 0.016), rng.choice((0.0, rng.uniform(0.0, 0.05)))
    pieces = [
        Garment(
            name, (("drop", end, waist),), _LEGWEAR, colours, thickness_m=thickness, flare=flare,
            flare_below_m=-0.05, folds_m=min(0.5 * thickness, rng.uniform(0.001, 0.007)),
        )
    ]  # fmt: skip
    if rng.random() < 0.12:
        stripe: Bounds = (("drop", end, waist - 0.02), ("outer", -1, rng.uniform(0.008, 0.022)))
        pieces.append(Garment("side stripe", stripe, (), colours[1:].repeat(2, 0)[:3], hem=0, thickness_m=0))
    if rng.random() < 0.25:
        belt: Bounds = (("drop", waist - 0.035, waist),)
        pieces.append(
            Garment("belt", belt, (), np.tile(_colour(rng) * 0.5, (3, 1)), thickness_m=thickness + 0.003)
        )
    return pieces


def _dress(rng: np.random.Generator) -> Garment:
    sleeve = rng.choice((rng.uniform(-0.14, -0.05), rng.uniform(0.06, 0.2), rng.uniform(0.35, 0.5)))
    bounds: Bounds = (
        ("arm", -_FAR, float(sleeve)),
        ("drop", rng.uniform(-0.6, -0.15), _FAR),
        *_neckline(rng, loose=True),
    )
    return Garment(
        "dress", bounds, _PATTERNED, draw_colours(rng), thickness_m=rng.uniform(0.003, 0.008),
        flare=rng.uniform(0.08, 0.26), flare_below_m=0.10, folds_m=rng.uniform(0.001, 0.006),
        fold_length_m=(0.09, 0.5, 0.09), smooth=1.0,
    )  # fmt: skip


def _jacket(rng: np.random.Generator) -> Garment:
    bounds: Bounds = (
        ("arm", -_FAR, rng.uniform(0.44, 0.51)),
        ("drop", rng.uniform(-0.4 if rng.random() < 0.3 else -0.1, 0.08), _FAR),
        ("top", -_FAR, rng.uniform(0.62, 0.66)),
        ("neck", 0.064, _FAR),
    )
    if rng.random() < 0.6:
        bounds = (*bounds, ("front", rng.uniform(0.01, 0.08), _FAR))
    else:
        bounds = (*bounds, ("vee", -_FAR, rng.uniform(0.3, 0.6)))
    return Garment(
        "jacket", bounds, _SOBER if rng.random() < 0.7 else _PATTERNED, draw_colours(rng),
        thickness_m=rng.uniform(0.014, 0.032), flare=rng.uniform(0, 0.05), flare_below_m=0.3,
        sleeve_flare=rng.uniform(0, 0.03), folds_m=rng.uniform(0.002, 0.008), wobble_m=0.008,
    )  # fmt: skip


def _shoes(rng: np.random.Generator, barefoot: float, tights: bool) -> list[Garment]:
    pieces = []
    if tights and rng.random() < 0.35:
        colours = np.tile(_colour(rng) * rng.uniform(0.3, 1), (3, 1))
        pieces.append(
            Garment("tights", (("drop", -_FAR, 0.1),), (), colours, hem=0, thickness_m=0.0005, smooth=0.2)
        )
    if rng.random() < barefoot:
        return pieces
    if rng.random() < 0.6:
        top = rng.uniform(-0.70, -0.48)
        pieces.append(
            Garment(
                "socks", (("drop", -_FAR, top),), ("plain", "plain", "stripes"), draw_colours(rng), smooth=0.4
            )
        )
    high = rng.uniform(-0.64, -0.42) if rng.random() < 0.12 else rng.uniform(-0.755, -0.70)
    colours = draw_colours(rng)
    if rng.random() < 0.5:
        colours[0] = rng.uniform(15, 60) * np.ones(3)
    pieces.append(
        Garment("shoes", (("drop", -_FAR, high),), ("plain",), colours, thickness_m=0.013, smooth=1.0)
    )
    sole = np.tile(rng.choice((rng.uniform(20, 50), rng.uniform(180, 245))) * np.ones(3), (3, 1))
    pieces.append(
        Garment("soles", (("drop", -_FAR, -0.802),), (), sole, hem=0, thickness_m=0.015, smooth=1.0)
    )
    return pieces


def _print(rng: np.random.Generator, top: Garment) -> list[Garment]:
    """A picture or a stripe over the chest."""
    kind = rng.random()
    if kind < 0.2:
        size, middle = rng.uniform(0.05, 0.11), rng.uniform(0.33, 0.43)
        bounds: Bounds = (("front", -1, size), ("top", middle - size, middle + size), ("arm", -_FAR, -0.02))
    elif kind < 0.3:
        middle, size = rng.uniform(0.2, 0.45), rng.uniform(0.02, 0.07)
        bounds = (("drop", middle - size, middle + size), ("arm", -_FAR, -0.1))
    else:
        return []
    bounds = (*bounds, *top.bounds)
    thick = top.thickness_m + 0.0005
    kinds = ("motifs", "triangles", "blobs", "dots", "chevrons", "plain")
    return [Garment("print", bounds, kinds, draw_colours(rng), hem=0, thickness_m=thick, wobble_m=0.0)]


def _hat(rng: np.random.Generator) -> Garment:
    line = rng.uniform(-0.012, 0.018)
    return Garment(
        "hat", (("hairline", line, _FAR), ("top", 0.72, _FAR)), ("plain", "melange", "stripes", "checks"),
        draw_colours(rng), thickness_m=rng.uniform(0.008, 0.03), folds_m=0.002, smooth=1.0,
    )  # fmt: skip


def _gloves(rng: np.random.Generator) -> Garment:
    return Garment(
        "gloves", (("arm", rng.uniform(0.44, 0.5), _FAR),), ("plain",), draw_colours(rng), smooth=0.3
    )
