"""Dataclasses that hold arrays: equal by value, and shown in one line."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")

_MOST_ITEMS = 4
_LONGEST_TEXT = 60


def by_value(kind: type[T]) -> type[T]:
    """Decorate a dataclass that holds arrays: `==` compares all values, `repr` is one line without the arrays' numbers.

    Arrays are equal with the same shape and exactly the same values; NaN is equal to NaN. There is no hash, as of
    arrays themselves. Where the dataclass has `repr=False`, the class's own `__repr__` stays.
    """
    replaced: dict[str, Any] = {"__eq__": _equal_by_fields, "__hash__": None}
    if vars(kind)["__dataclass_params__"].repr:
        replaced["__repr__"] = _one_line
    for name, value in replaced.items():
        setattr(kind, name, value)
    return kind


def is_by_value(kind: type) -> bool:
    """Whether `by_value` decorates it."""
    return kind.__eq__ is _equal_by_fields


def equal_values(a: Any, b: Any) -> bool:
    """Whether two values are the same, arrays in them included; NaN is equal to NaN.

    Args:
        a: arrays, tensors, dataclasses, mappings, lists, tuples, plain values, in one another.
        b: the other.
    """
    if _is_array(a) or _is_array(b):
        return _is_array(a) and _is_array(b) and _is_tensor(a) == _is_tensor(b) and _equal_arrays(a, b)
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(equal_values(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        pairs = zip(a, b, strict=False)
        return (
            isinstance(a, list) == isinstance(b, list)
            and len(a) == len(b)
            and all(equal_values(*pair) for pair in pairs)
        )
    return bool(a == b) or (bool(a != a) and bool(b != b))


def _equal_by_fields(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    names = [field.name for field in dataclasses.fields(self) if field.compare]
    return all(equal_values(getattr(self, name), getattr(other, name)) for name in names)


def _is_array(value: Any) -> bool:
    """NumPy's and torch's, without a need for torch; single numbers are none."""
    return hasattr(value, "dtype") and getattr(value, "ndim", 0) > 0


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "device") and hasattr(value, "cpu")


def _equal_arrays(a: Any, b: Any) -> bool:
    if tuple(a.shape) != tuple(b.shape):
        return False
    if _is_tensor(a) and a.device != b.device:
        a, b = a.cpu(), b.cpu()
    return bool(((a == b) | ((a != a) & (b != b))).all())


def _one_line(self: Any) -> str:
    shown = [field.name for field in dataclasses.fields(self) if field.repr]
    return f"{type(self).__name__}({', '.join(f'{name}={_short(getattr(self, name))}' for name in shown)})"


def _short(value: Any) -> str:
    """A value in a few words: of arrays the type and the shape."""
    if _is_array(value):
        kind = str(value.dtype).removeprefix("torch.")
        return f"{kind}[{', '.join(str(length) for length in value.shape)}]"
    if isinstance(value, list | tuple | Mapping) and len(value) > _MOST_ITEMS:
        return f"<{len(value)} items>"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_short(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        inside = ", ".join(_short(entry) for entry in value)
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    text = " ".join(repr(value).split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 3]}..."
