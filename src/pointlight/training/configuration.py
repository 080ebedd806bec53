"""Frozen dataclasses to JSON and back; an unknown key is an error."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, TypeVar

from pointlight.errors import PointlightError

T = TypeVar("T")

OLD_TYPES = {
    "HidingConfig": "KeypointMaskingConfig",
    "LooksConfig": "AppearanceConfig",
}
OLD_FIELDS = {
    "SceneConfig": {"hiding": "masking"},
    "DetectorNoise": {"exchange": "swap", "limb_exchange": "limb_swap"},
    "SynthesisConfig": {"looks": "appearance"},
}
"""Names of version 0.1.0, by the type's name of today; read for one release more."""


def to_plain(value: Any) -> Any:
    """A dataclass tree as dictionaries, lists and plain values; each dataclass carries its type's name."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: type[T], plain: Any, where: str) -> T:
    """Inverse of `to_plain`.

    Args:
        kind: the dataclass to build.
        plain: what `to_plain` made.
        where: the file it comes from, for errors.

    Raises:
        PointlightError: a key is unknown or missing, or the type is another one.
    """
    return _build(kind, _renamed(plain), where)


def _renamed(plain: Any) -> Any:
    """The same tree with the names of today."""
    if isinstance(plain, list):
        return [_renamed(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    name = OLD_TYPES.get(plain.get("type", ""), plain.get("type"))
    fields = OLD_FIELDS.get(name or "", {})
    renamed = {fields.get(key, key): _renamed(value) for key, value in plain.items()}
    return renamed | {"type": name} if "type" in plain else renamed


def _build(kind: Any, plain: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin in (types.UnionType, typing.Union):
        options = typing.get_args(kind)
        if type(plain) in options:  # a plain value, or None
            return plain
        for option in options:
            if isinstance(plain, dict) and plain.get("type") == getattr(option, "__name__", None):
                return _build(option, plain, where)
        raise PointlightError(f"{where} holds a configuration of an unknown type; it is of another version")
    if origin is tuple:
        inner = typing.get_args(kind)
        kinds = [inner[0]] * len(plain) if len(inner) == 2 and inner[1] is Ellipsis else inner
        return tuple(_build(k, item, where) for k, item in zip(kinds, plain, strict=True))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        kind = _subclass(kind, plain.get("type"))
        hints = typing.get_type_hints(kind)
        given = {key: value for key, value in plain.items() if key != "type"}
        known = {field.name for field in dataclasses.fields(kind)}
        if plain.get("type") != kind.__name__ or set(given) != known:
            odd = sorted(set(given) ^ known)
            raise PointlightError(
                f"{where} was written by another version of Pointlight (its {kind.__name__} differs in "
                f"{', '.join(odd) or 'its type'}); train it again or use the version that wrote it"
            )
        return kind(**{key: _build(hints[key], value, where) for key, value in given.items()})
    return plain


def _subclass(kind: type, name: str | None) -> type:
    """The type of that name among a dataclass and those derived from it; itself if there is none."""
    for derived in kind.__subclasses__():
        found = _subclass(derived, name)
        if found.__name__ == name:
            return found
    return kind
