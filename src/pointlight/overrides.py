"""One field of a frozen configuration changed by its path: `loss.reprojection=0.1`."""

from __future__ import annotations

import ast
import dataclasses
import math
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pointlight.errors import PointlightError, did_you_mean

T = TypeVar("T")
PathParts = tuple[str, ...]

_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_MANY = 8
"""Up to so many fields of a dataclass are named one by one."""


def with_changes(config: T, changes: Sequence[str]) -> T:
    """A configuration with single fields changed; their types follow from the annotations.

    Args:
        config: a tree of frozen dataclasses.
        changes: each "path=value". A path is names with dots between them, `[k]` for entry k of a tuple. A value is a
            number, true or false, none, text, or values with commas between them for a tuple; for a dataclass the
            name of its type stands for its defaults, in which further fields may be changed.

    Raises:
        PointlightError: a path that is not there (the nearest ones are said), one that is given twice, or a value that
            cannot stand there.
    """
    wanted: dict[PathParts, str] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        path = _parts(name.strip())
        if not equals or not path:
            raise PointlightError(
                f"the change {change!r} is not understood; give PATH=VALUE, such as loss.pairs=10"
            )
        if path in wanted:
            raise PointlightError(f"{name.strip()} is given twice, {wanted[path]} and {value}; give it once")
        wanted[path] = value.strip()
    return _changed(config, type(config), wanted, ()) if wanted else config


def changes_between(before: Any, after: Any) -> tuple[str, ...]:
    """What `with_changes` is given to make one configuration of another.

    Args:
        before: a tree of frozen dataclasses.
        after: another of the same type.
    """
    return tuple(_between(before, after, ()))


def _between(before: Any, after: Any, path: PathParts) -> Iterator[str]:
    if isinstance(before, tuple) and isinstance(after, tuple):
        if before != after and _are_dataclasses(after) and len(before) == len(after):
            for k, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from _between(old, new, (*path, f"[{k}]"))
        elif before != after:
            yield f"{_name(path)}={_text(after)}"
    elif dataclasses.is_dataclass(after) and not isinstance(after, type):
        if type(before) is not type(after):
            yield f"{_name(path)}={type(after).__name__}"
            before = type(after)()
        for field in dataclasses.fields(after):
            yield from _between(getattr(before, field.name), getattr(after, field.name), (*path, field.name))
    elif before != after:
        yield f"{_name(path)}={_text(after)}"


def remarks(
    name: str, before: Any, after: Any, changes: Sequence[str], ignored: Callable[[str], str]
) -> tuple[str, ...]:
    """Sentences for whoever changes fields of a recipe: on those without effect, and on those that the recipe sets itself.

    Args:
        name: of the recipe.
        before: the recipe.
        after: with the changes.
        changes: as given to `with_changes`.
        ignored: of a path, why it has no effect; empty where it has one.
    """
    own, now = dict(field_paths(before)), dict(field_paths(after))
    said = []
    for path in paths_of(changes):
        if because := ignored(path):
            said.append(f"{path} changes nothing: {because}")
        elif path in own and path in now and own[path] == now[path]:
            said.append(f"{path} is {own[path]} in recipe {name!r} anyway")
        elif path in own and path in now and _set_by_hand(before, _parts(path)):
            said.append(f"recipe {name!r} sets {path} to {own[path]}; it is {now[path]} now")
    return tuple(said)


def paths_of(changes: Sequence[str]) -> tuple[str, ...]:
    """The paths that are changed."""
    return tuple(change.partition("=")[0].strip() for change in changes)


def _set_by_hand(config: Any, path: PathParts) -> bool:
    """Whether a field has another value than its dataclass gives it."""
    for part in path[:-1]:
        config = config[int(part[1:-1])] if part.startswith("[") else getattr(config, part)
    (field,) = [each for each in dataclasses.fields(config) if each.name == path[-1]]
    return field.default is not dataclasses.MISSING and getattr(config, field.name) != field.default


def field_paths(config: Any, above: PathParts = ()) -> Iterator[tuple[str, Any]]:
    """Every path of a configuration that holds a plain value or a tuple of them, with the value."""
    if dataclasses.is_dataclass(config):
        for field in dataclasses.fields(config):
            yield from field_paths(getattr(config, field.name), (*above, field.name))
    elif _are_dataclasses(config):
        for k, entry in enumerate(config):
            yield from field_paths(entry, (*above, f"[{k}]"))
    else:
        yield _name(above), config


def _are_dataclasses(value: Any) -> bool:
    return (
        isinstance(value, tuple) and bool(value) and all(dataclasses.is_dataclass(entry) for entry in value)
    )


def _parts(name: str) -> PathParts:
    """`scenes.other_noises[0].white` as ("scenes", "other_noises", "[0]", "white"); none for what is no path."""
    if not re.fullmatch(r"\w+(\[\d+\])*(\.\w+(\[\d+\])*)*", name):
        return ()
    return tuple(re.findall(r"\w+|\[\d+\]", name))


def _name(path: PathParts) -> str:
    return ".".join(path).replace(".[", "[")


def _changed(value: Any, kind: Any, wanted: Mapping[PathParts, str], above: PathParts) -> Any:
    """The value with all that lies below it changed at once, so that only the whole has to fit together."""
    if () in wanted:
        value = _value(kind, wanted[()], _name(above))
        wanted = {path: text for path, text in wanted.items() if path}
    if not wanted:
        return value
    below: dict[str, dict[PathParts, str]] = {}
    for path, text in wanted.items():
        below.setdefault(path[0], {})[path[1:]] = text
    if isinstance(value, tuple):
        return _changed_entries(value, kind, below, above)
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        first = next(iter(below))
        held = "none" if value is None else repr(value)
        raise PointlightError(
            f"there is no field {_name((*above, first))}: {_name(above)} is {held}, and has no fields"
        )
    hints = typing.get_type_hints(type(value))
    names = [field.name for field in dataclasses.fields(value)]
    fields: dict[str, Any] = {}
    for name, inner in below.items():
        if name not in names:
            raise PointlightError(_unknown(value, names, name, above))
        fields[name] = _changed(getattr(value, name), hints[name], inner, (*above, name))
    try:
        return dataclasses.replace(value, **fields)
    except ValueError as error:
        where = ", ".join(_name((*above, name)) for name in fields)
        raise PointlightError(f"{where} cannot be so: {error}") from error


def _changed_entries(
    value: tuple[Any, ...], kind: Any, below: Mapping[str, Mapping[PathParts, str]], above: PathParts
) -> tuple[Any, ...]:
    entries = list(value)
    (inner, *_) = [one for one in _options(kind) if typing.get_origin(one) is tuple] or [tuple[Any, ...]]
    kinds = typing.get_args(inner)
    for name, wanted in below.items():
        index = int(name[1:-1]) if name.startswith("[") else len(value)
        if index >= len(value):
            there = f"{_name(above)}[0] to [{len(value) - 1}]" if value else "it is empty"
            raise PointlightError(f"there is no entry {_name((*above, name))}; {there}")
        one = kinds[0] if kinds[-1] is Ellipsis else kinds[index]
        entries[index] = _changed(value[index], one, wanted, (*above, name))
    return tuple(entries)


def _unknown(value: Any, names: Sequence[str], name: str, above: PathParts) -> str:
    """The sentence for a field that is not there: near names here, or the same name elsewhere below."""
    whole = _name((*above, name))
    elsewhere = [path for path, _ in field_paths(value, above) if path.rpartition(".")[2] == name]
    if elsewhere:
        return f"there is no field {whole}; did you mean {' or '.join(elsewhere[:3])}?"
    return f"there is no field {whole}; {did_you_mean(whole, [_name((*above, each)) for each in names])}"


def _options(kind: Any) -> tuple[Any, ...]:
    """The types that a field may hold."""
    return typing.get_args(kind) if typing.get_origin(kind) in (types.UnionType, typing.Union) else (kind,)


def _value(kind: Any, text: str, where: str) -> Any:
    """The text as a value of the annotated type; of several types the first that it fits."""
    options = _options(kind)
    if type(None) in options and text.lower() == "none":
        return None
    options = tuple(option for option in options if option is not type(None))
    for option in options:
        try:
            return _one(option, text)
        except (ValueError, SyntaxError):
            continue
    meant = [_meant(option) for option in options] + (["none"] if type(None) in _options(kind) else [])
    raise PointlightError(f"{where} is {' or '.join(dict.fromkeys(meant))}, not {text!r}")


def _one(kind: Any, text: str) -> Any:
    origin = typing.get_origin(kind)
    if origin is typing.Literal:
        found = [value for value in typing.get_args(kind) if str(value) == text]
        if not found:
            raise ValueError
        return found[0]
    if origin is tuple:
        return _tuple(kind, _literal(text if text.startswith(("(", "[")) else f"({text},)"))
    if kind is str:
        return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
    if kind is Path:
        return Path(text)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        derived = [one for one in _with_derived(kind) if one.__name__ == text.removesuffix("()")]
        if not derived:
            raise ValueError
        try:
            return derived[0]()
        except TypeError as error:
            raise ValueError from error
    if kind is bool:
        if text.lower() not in _TRUTH:
            raise ValueError
        return _TRUTH[text.lower()]
    return _plain(kind, _literal(text))


def _with_derived(kind: type) -> list[type]:
    """A type and all that are derived from it."""
    return [kind, *(one for derived in kind.__subclasses__() for one in _with_derived(derived))]


def _tuple(kind: Any, values: Any) -> tuple[Any, ...]:
    kinds = typing.get_args(kind)
    if not isinstance(values, list | tuple):
        raise ValueError
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(values)
    if len(kinds) != len(values):
        raise ValueError
    return tuple(_plain(one, value) for one, value in zip(kinds, values, strict=True))


def _plain(kind: Any, value: Any) -> Any:
    """A value of Python's own types as the annotated one: 1 is a fine float, 1.0 a fine whole number, True is neither."""
    for option in _options(kind):
        if typing.get_origin(option) is tuple and isinstance(value, list | tuple):
            return _tuple(option, value)
        if option is type(None) and value is None:
            return None
        if option in (bool, str) and type(value) is option:
            return value
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if option is int and number and value == int(value):
            return int(value)
        if option is float and number:
            return float(value)
    raise ValueError


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError from error


_WORDS = {float: "a number", int: "a whole number", bool: "true or false", str: "text", Path: "a path"}


def _meant(kind: Any) -> str:
    """What may stand in a field of this type, in words."""
    if kind in _WORDS:
        return _WORDS[kind]
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " or ".join(str(value) for value in inside)
    if origin is tuple:
        words = [
            " or ".join(_meant(option) for option in _options(one)) for one in inside if one is not Ellipsis
        ]
        return f"values such as ({words[0]}, ...)" if Ellipsis in inside else f"({', '.join(words)})"
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
        shown = ", ".join(names[:_MANY]) + (" and more" if len(names) > _MANY else "")
        return f"a {kind.__name__} with the fields {shown}, of which one is given"
    return str(kind)


def _text(value: Any) -> str:
    """A plain value as `with_changes` reads it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
