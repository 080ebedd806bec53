"""Frozen dataclasses as plain values that JSON knows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A tree of dataclasses as dictionaries, lists and plain values; optional fields are left out where they are empty."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {field.name: plain(entry) for field, entry in fields.items() if not _absent(field, entry)}
    if isinstance(value, Mapping):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [plain(entry) for entry in value]
    return value


def _absent(field: dataclasses.Field[Any], value: Any) -> bool:
    """Whether a field that some rows lack is lacking here."""
    if field.default_factory is not dataclasses.MISSING:
        return value == field.default_factory()
    return value is None and field.default is None
