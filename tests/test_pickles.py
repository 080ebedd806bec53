"""Other people's pickles: what is admitted arrives unchanged, everything else is refused in one sentence."""

from __future__ import annotations

import codecs
import copyreg
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from old_pickles import Foreign, old_pickle, write_old_pickle
from scipy import sparse

from pointlight.errors import PointlightError
from pointlight.pickles import read_pickle

PLAIN = {
    "name": "walk",
    "number": 3,
    "share": 0.5,
    "big": 2**70,
    "nothing": None,
    "yes": True,
    "list": [1, ("a", 2.0)],
    "set": {1, 2},
    "floats": np.arange(6.0).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "flags": np.array([True, False]),
    "places": np.array([4294967295, 0], np.uint32),
    "scalar": np.float32(1.5),
    "people": [np.zeros((1, 72)), np.ones((1, 72))],
}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_plain_types_come_back(tmp_path: Path, protocol: int) -> None:
    content = PLAIN | {"bytes": b"\x00\xff", "order": OrderedDict(a=1)}
    path = tmp_path / "file.pkl"
    path.write_bytes(pickle.dumps(content, protocol))
    read = read_pickle(path, "a file")
    assert set(read) == set(content)
    assert all(same(value, read[key]) for key, value in content.items())


def test_old_pickles_come_back(tmp_path: Path) -> None:
    """Python 2's byte strings, numpy's old module names, alignment as whole numbers."""
    path = write_old_pickle(tmp_path / "file.pkl", PLAIN)
    assert b"numpy.core.multiarray" in path.read_bytes() and b"_core" not in path.read_bytes()
    read = read_pickle(path, "a file")
    assert set(read) == set(PLAIN)
    assert all(same(value, read[key]) for key, value in PLAIN.items())


def test_chumpy_and_sparse_matrices_become_arrays(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(5, 3, 4))
    array = Foreign("chumpy.ch", "Ch", {"x": values, "_dirty_vars": {"x"}, "_itr": None})
    chosen = np.arange(values.size).reshape(5, 3, 4)[..., :2]
    select = {"a": array, "idxs": chosen.ravel(), "preferred_shape": (5, 3, 2), "_dirty_vars": set()}
    matrix = sparse.random(4, 6, 0.5, "csc", rng=np.random.default_rng(1))
    parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "_shape": (4, 6)}
    content = {
        "array": array,
        "select": Foreign("chumpy.reordering", "Select", select),
        "columns": Foreign("scipy.sparse.csc", "csc_matrix", parts | {"maxprint": 50, "format": "csc"}),
    }
    read = read_pickle(write_old_pickle(tmp_path / "file.pkl", content), "a file")
    assert np.array_equal(read["array"], values)
    assert np.array_equal(read["select"], values[..., :2])
    assert np.array_equal(read["columns"], matrix.toarray())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_todays_scipy_too(tmp_path: Path, protocol: int) -> None:
    columns = sparse.csc_matrix(np.eye(3))
    path = tmp_path / "file.pkl"
    path.write_bytes(pickle.dumps({"columns": columns, "rows": columns.tocsr()}, protocol))
    read = read_pickle(path, "a file")
    assert np.array_equal(read["columns"], np.eye(3)) and np.array_equal(read["rows"], np.eye(3))


class Runs:
    """Calls a function when it is read."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (Runs(os.mkdir, "made"), r"\.mkdir"),
        (Runs(eval, "1"), r"builtins\.eval|__builtin__\.eval"),
        (Runs(getattr, "text", "upper"), r"getattr"),
        ({"deep": [1, (Path("x"),)]}, r"pathlib"),
        ({"vertices": Foreign("chumpy.ch_ops", "add", {})}, r"chumpy\.ch_ops\.add"),
        ({"rule": Foreign("numpy", "load", {})}, r"numpy\.load"),
    ],
)
def test_anything_else_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: Any, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "file.pkl"
    foreign = (
        any(isinstance(value, Foreign) for value in content.values()) if isinstance(content, dict) else False
    )
    path.write_bytes(old_pickle(content) if foreign else pickle.dumps(content, 2))
    with pytest.raises(PointlightError, match=named) as caught:
        read_pickle(path, "a sequence of 3DPW")
    sentence = str(caught.value)
    assert str(path) in sentence and "only arrays and plain types" in sentence and "\n" not in sentence
    assert sentence.endswith("give a sequence of 3DPW")
    assert not (tmp_path / "made").exists()


def test_only_held_objects_are_rebuilt(tmp_path: Path) -> None:
    """Copyreg's function would make an object of any class."""
    path = tmp_path / "file.pkl"
    call = copyreg._reconstructor  # pyright: ignore[reportAttributeAccessIssue]
    path.write_bytes(pickle.dumps(Runs(call, np.ndarray, object, None), 2))
    with pytest.raises(PointlightError, match="cannot be read as a pickle"):
        read_pickle(path, "a file")


def test_bytes_are_not_encoded_by_whatever_is_named(tmp_path: Path) -> None:
    """Looking a codec up imports a module of its name."""
    path = tmp_path / "file.pkl"
    path.write_bytes(pickle.dumps(Runs(codecs.encode, "text", "rot13"), 2))
    with pytest.raises(PointlightError, match="bytes in the encoding rot13 are not expected"):
        read_pickle(path, "a file")


@pytest.mark.parametrize("damage", [b"", b"no pickle at all", None])
def test_damage_is_said(tmp_path: Path, damage: bytes | None) -> None:
    path = tmp_path / "file.pkl"
    path.write_bytes(pickle.dumps(PLAIN)[:-40] if damage is None else damage)
    with pytest.raises(PointlightError, match=r"cannot be read as a pickle .*; give a file$"):
        read_pickle(path, "a file")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(PointlightError, match=r"there is no file .*none\.pkl; give a file"):
        read_pickle(tmp_path / "none.pkl", "a file")
