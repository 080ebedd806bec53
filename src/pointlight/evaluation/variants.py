"""Ways of running one network that stand beside each other in every evaluation, each named once."""

from __future__ import annotations

from dataclasses import dataclass

from pointlight.errors import PointlightError


@dataclass(frozen=True)
class Variant:
    """One way of running a network: what a protocol's predictor is told, and what the result is called.

    Attributes:
        key: in JSON.
        title: in tables, behind the model's name; empty for the network alone.
        protocols: that report it: "synthetic", "multiview", "published".
        overlap: average windows that overlap by half.
        mirror: average each window with its mirror image.
        refine: fit the body to the keypoints afterwards.
        true_focal: use the camera's own focal length instead of an assumed one.
        true_2d: see the reference joints as the camera sees them instead of detections.
    """

    key: str
    title: str
    protocols: tuple[str, ...]
    overlap: bool = False
    mirror: bool = False
    refine: bool = False
    true_focal: bool = False
    true_2d: bool = False


SYNTHETIC, MULTIVIEW, PUBLISHED = "synthetic", "multiview", "published"

_NETWORK = Variant("network", "", (SYNTHETIC, MULTIVIEW, PUBLISHED))

VARIANTS: tuple[Variant, ...] = (
    _NETWORK,
    Variant("overlap", "overlapping windows", (SYNTHETIC, MULTIVIEW, PUBLISHED), overlap=True),
    Variant("mirror", "mirror images averaged", (SYNTHETIC,), mirror=True),
    Variant(
        "averaged",
        "overlapping windows and mirror images",
        (SYNTHETIC, MULTIVIEW),
        overlap=True,
        mirror=True,
    ),
    Variant("refined", "as predict", (SYNTHETIC, MULTIVIEW), overlap=True, mirror=True, refine=True),
    Variant("true_focal", "true focal length", (MULTIVIEW, PUBLISHED), true_focal=True),
    Variant("true_2d", "true 2D", (MULTIVIEW,), true_2d=True),
    Variant(
        "true_2d_refined",
        "as predict, true 2D",
        (MULTIVIEW,),
        overlap=True,
        mirror=True,
        refine=True,
        true_2d=True,
    ),
)
"""In the order of tables; the first is the network alone. A new entry is run by its protocols and has rows of its own."""

NETWORK_ALONE = _NETWORK.key


def variants_of(protocol: str) -> tuple[Variant, ...]:
    """All variants that a protocol reports, the network alone first."""
    return tuple(variant for variant in VARIANTS if protocol in variant.protocols)


def find_variant(key: str) -> Variant:
    """The variant of this key.

    Raises:
        PointlightError: there is none.
    """
    for variant in VARIANTS:
        if variant.key == key:
            return variant
    raise PointlightError(
        f"there is no variant {key!r}; there are {', '.join(variant.key for variant in VARIANTS)}"
    )


@dataclass(frozen=True)
class Contender:
    """Who is scored: a model as one variant runs it.

    Attributes:
        model: the name of a model or baseline.
        variant: key of how it was run.
        baseline: it only stands beside those that were asked for.
    """

    model: str
    variant: str = NETWORK_ALONE
    baseline: bool = False

    @property
    def title(self) -> str:
        """What tables call it."""
        title = find_variant(self.variant).title
        name = f"{self.model}, {title}" if title else self.model
        return f"{name} (baseline)" if self.baseline else name
