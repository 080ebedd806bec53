"""Configurations: frozen dataclasses to JSON and back, the hash that says which one it is, and in what two differ."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pointlight.errors import PointlightError
from pointlight.files import file_sha256

T = TypeVar("T")
Difference = tuple[str, Any, Any]
"""A field's dotted name, its value there and its value here."""

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

_ADDED = "added"

_ABSENT = "nothing"
_LONGEST_SHOWN = 60


def added(default: Any) -> Any:
    """A field that version 0.1.0 did not have; `default` is what it acted by.

    Configurations stored before are read with it, and where it stands the field is left out of what is stored and of the
    identity, so that their hashes stay. `repr`, by which that version hashed, leaves the field out.
    """
    return dataclasses.field(default=default, repr=False, metadata={_ADDED: True})


def to_plain(value: Any) -> Any:
    """A dataclass tree as dictionaries, lists and plain values; each dataclass carries its type's name."""
    return _tree(value, "", lambda leaf, where: leaf)


def identity(tree: Any) -> Any:
    """What a configuration is, as plain values: `to_plain` with each path replaced by the hash of what lies there.

    A file is its content. A folder is the names and contents of the files in it, hidden ones left out; where it lies
    and what it is called do not matter.

    Raises:
        PointlightError: a path cannot be read.
        TypeError: a value that JSON does not know, or a key that is no text.
        ValueError: a number that is not finite.
    """
    return _tree(tree, "", _identity_of_leaf)


def config_sha256(tree: Any) -> str:
    """The hash of a configuration: of the canonical JSON of its `identity`, in hex.

    Canonical is: keys sorted, no white space, floats as `repr` says them (1 and 1.0 are two values), tuples as lists,
    letters beyond ASCII escaped. A tree that was stored and read again has the same hash.

    Args:
        tree: dataclasses, dictionaries, lists, tuples, paths and plain values, in one another.

    Raises:
        PointlightError, TypeError, ValueError: as `identity`.
    """
    text = json.dumps(identity(tree), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def repr_sha256(value: Any) -> str:
    """SHA-256 of Python's `repr`, which was the identity of configurations up to version 0.1.0.

    Only for what such a hash has named already: streams of chance whose draws must stay, and caches and runs of
    those versions, which are looked for under it for one release more.
    """
    return hashlib.sha256(repr(value).encode()).hexdigest()


def differences(there: Any, here: Any, name: str = "") -> list[Difference]:
    """In which fields two trees of plain values differ, sorted; equal numbers are equal, 1 and 1.0 too.

    Args:
        there: one tree, as `to_plain` or `identity` makes it.
        here: the other.
        name: of the whole.
    """
    if isinstance(there, dict) and isinstance(here, dict):
        prefix = f"{name}." if name else ""
        if there.get("type") != here.get("type"):
            return [(f"{prefix}type", there.get("type", _ABSENT), here.get("type", _ABSENT))]
        return [
            found
            for key in sorted({*there, *here})
            for found in differences(there.get(key, _ABSENT), here.get(key, _ABSENT), f"{prefix}{key}")
        ]
    if isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        pairs = enumerate(zip(there, here, strict=True))
        return [found for k, (a, b) in pairs for found in differences(a, b, f"{name}[{k}]")]
    return [] if there == here else [(name, there, here)]


def told(found: Sequence[Difference], place: object, most: int = 3) -> str:
    """Differences as part of a sentence: "seed is 0 in OUT, 1 was given".

    Args:
        found: at least one.
        place: where the first values stand.
        most: how many are told; of the others only how many there are.
    """
    parts = [f"{name} is {_shown(there)} in {place}, {_shown(here)} was given" for name, there, here in found]
    rest = len(parts) - most
    return "; ".join(parts[:most]) + (f"; {rest} more differ" if rest > 0 else "")


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _tree(value: Any, where: str, leaf: Callable[[Any, str], Any]) -> Any:
    """The tree in dictionaries and lists; `leaf` is given every other value and its dotted name.

    Fields that were added and stand at their defaults are left out.
    """
    prefix = f"{where}." if where else ""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: _tree(getattr(value, field.name), f"{prefix}{field.name}", leaf)
            for field in dataclasses.fields(value)
            if not (_is_added(field) and getattr(value, field.name) == field.default)
        }
        return {"type": type(value).__name__, **fields}
    if isinstance(value, dict):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"{where or 'the configuration'} has the key {odd[0]!r}; keys are texts")
        return {key: _tree(item, f"{prefix}{key}", leaf) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_tree(item, f"{where}[{k}]", leaf) for k, item in enumerate(value)]
    return leaf(value, where)


def _is_added(field: dataclasses.Field) -> bool:
    return _ADDED in field.metadata


def _identity_of_leaf(value: Any, where: str) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{where or 'the value'} is {value}; a configuration has finite numbers only")
        return float(value)
    if isinstance(value, Path):
        return _identity_of_path(value)
    raise TypeError(
        f"{where or 'the value'} is a {type(value).__name__}; a configuration is made of dataclasses, dictionaries, "
        "lists, tuples, paths, texts, numbers, truth values and None"
    )


def _identity_of_path(path: Path) -> dict[str, str]:
    try:
        if not path.is_dir():
            return {"type": "file", "sha256": file_sha256(path)}
        inside = {
            file.relative_to(path).as_posix(): file_sha256(file)
            for file in path.rglob("*")
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
        }
    except OSError as error:
        raise PointlightError(
            f"cannot read {error.filename or path} ({error.strerror}); give a path that can be read"
        ) from error
    return {"type": "folder", "sha256": config_sha256(inside)}


def from_plain(kind: type[T], plain: Any, where: str) -> T:
    """Inverse of `to_plain`.

    Args:
        kind: the dataclass to build.
        plain: what `to_plain` made.
        where: the file it comes from, for errors.

    Raises:
        PointlightError: a key is unknown or missing, or the type is another one; which one is said.
    """
    return _build(kind, _renamed(plain), where)


def _renamed(plain: Any) -> Any:
    """The same tree with the names and fields of today."""
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
        return _build_one_of(typing.get_args(kind), plain, where)
    if origin is tuple:
        inner = typing.get_args(kind)
        alike = len(inner) == 2 and inner[1] is Ellipsis
        if not isinstance(plain, list) or not (alike or len(plain) == len(inner)):
            raise PointlightError(
                f"{where} holds {_shown(plain)} where a list of values stands; it is damaged"
            )
        kinds = [inner[0]] * len(plain) if alike else inner
        return tuple(_build(k, item, where) for k, item in zip(kinds, plain, strict=True))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if not isinstance(plain, dict):
            raise PointlightError(
                f"{where} holds {_shown(plain)} where a {kind.__name__} stands; it is damaged"
            )
        kind = _subclass(kind, plain.get("type"))
        hints = typing.get_type_hints(kind)
        given = {key: value for key, value in plain.items() if key != "type"}
        known = {field.name for field in dataclasses.fields(kind)}
        may_lack = {field.name for field in dataclasses.fields(kind) if _is_added(field)}
        if plain.get("type") != kind.__name__ or not known - may_lack <= set(given) <= known:
            odd = sorted((set(given) ^ known) - may_lack)
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


def _build_one_of(options: Sequence[Any], plain: Any, where: str) -> Any:
    """A value of a field that may hold several types."""
    if type(plain) in options or (type(plain) is int and float in options):  # a plain value, or None
        return plain
    for option in options:
        named = isinstance(plain, dict) and plain.get("type") == getattr(option, "__name__", None)
        if named or (isinstance(plain, list) and typing.get_origin(option) is tuple):
            return _build(option, plain, where)
    kind = plain.get("type") if isinstance(plain, dict) else _shown(plain)
    raise PointlightError(
        f"{where} holds a configuration of an unknown type ({kind}); it is of another version"
    )
