"""Results as JSON and back. A field's name is its key; keys of earlier versions stand beside for one release."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pointlight.errors import PointlightError
from pointlight.evaluation.earlier_keys import earlier_keys
from pointlight.evaluation.plain import plain
from pointlight.evaluation.results import (
    ROW_TYPES,
    EvaluationResult,
    EvaluationSpec,
    ReferenceQuality,
)
from pointlight.files import atomic_path

FORMAT_VERSION = 1

_NUMBERS = {float: (int, float), int: (int,), str: (str,), bool: (bool,)}


def to_json(result: EvaluationResult[Any]) -> str:
    """The result as JSON text: format version, specification, rows, the reference's quality, and earlier keys."""
    tree = {
        "format_version": FORMAT_VERSION,
        "spec": plain(result.spec),
        "rows": [plain(row) for row in result.rows],
        "reference_quality": [plain(quality) for quality in result.reference_quality],
    }
    return json.dumps(tree | earlier_keys(result), indent=1, allow_nan=False)


def from_json(text: str, where: str = "this text") -> EvaluationResult[Any]:
    """The result that `to_json` wrote.

    Args:
        text: JSON.
        where: the file that it comes from, for errors.

    Raises:
        PointlightError: it is no result, or one of another version.
    """
    try:
        tree = json.loads(text)
        version = tree.get("format_version")
    except (ValueError, AttributeError) as error:
        raise PointlightError(
            f"{where} holds no evaluation; give a file that evaluate --json wrote"
        ) from error
    if version != FORMAT_VERSION:
        raise PointlightError(
            f"{where} holds an evaluation of format {version or 'before 1, without a specification'}, this version"
            f" reads format {FORMAT_VERSION}; evaluate again or use the version that wrote it"
        )
    try:
        spec = _typed(EvaluationSpec, tree["spec"])
        rows = tuple(_typed(ROW_TYPES[spec.protocol], row) for row in tree["rows"])
        quality = tuple(_typed(ReferenceQuality, entry) for entry in tree["reference_quality"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PointlightError(
            f"{where} holds an evaluation that is damaged ({error}); evaluate again"
        ) from error
    return EvaluationResult(spec, rows, quality)


def write_result(path: Path | str, result: EvaluationResult[Any]) -> None:
    """Write a result as JSON.

    Args:
        path: the file; its folder must be there.
        result: what an evaluation gave.

    Returns:
        Nothing; `read_result` gives it back, equal to the last digit.

    Raises:
        PointlightError: the file cannot be written.

    Example:
        >>> import pointlight
        >>> result = pointlight.read_result("result.json")
        >>> pointlight.write_result("again.json", result)
        >>> pointlight.read_result("again.json") == result
        True
    """
    text = to_json(result)
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(text)


def read_result(path: Path | str) -> EvaluationResult[Any]:
    """The result in a file of `write_result`, or of `evaluate --json`.

    Args:
        path: the file.

    Returns:
        What the evaluation gave, typed: specification, rows, the reference's quality.

    Raises:
        PointlightError: there is no such file, or it holds something else.

    Example:
        >>> import pointlight
        >>> result = pointlight.read_result("result.json")
        >>> result.spec.protocol, result.row("points").variant
        ('synthetic', 'network')
    """
    path = Path(path)
    if not path.is_file():
        raise PointlightError(f"there is no file {path}; give one that evaluate --json wrote")
    return from_json(path.read_text(encoding="utf-8-sig", errors="replace"), str(path))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """Types of a dataclass's fields by name."""
    return typing.get_type_hints(kind)


def _typed(kind: Any, tree: Any) -> Any:
    """A value of the annotated type from what `plain` made of it."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        if tree is None and types.NoneType in inside:
            return None
        (kind,) = (one for one in inside if one is not types.NoneType)
        return _typed(kind, tree)
    if origin is tuple:
        kinds = [inner for inner in inside if inner is not Ellipsis]
        kinds = kinds * len(tree) if Ellipsis in inside else kinds
        return tuple(_typed(one, entry) for one, entry in zip(kinds, tree, strict=True))
    if origin is Mapping:
        return {key: _typed(inside[1], entry) for key, entry in tree.items()}
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _typed(hints[name], tree[name]) for name in hints if name in tree})
    if kind in _NUMBERS and (
        not isinstance(tree, _NUMBERS[kind]) or isinstance(tree, bool) != (kind is bool)
    ):
        raise TypeError(f"{tree!r} is no {kind.__name__}")
    return tree
