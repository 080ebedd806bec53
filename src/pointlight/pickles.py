"""Pickles that others wrote, read without running anything of theirs: arrays and plain types, nothing else.

A pickle may call any function that its reader can import. This reader finds only what is listed here; chumpy's
arrays and scipy's sparse matrices, which SMPL files hold, become plain arrays without chumpy or scipy's classes.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from pointlight.errors import PointlightError

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
_BUILTINS = ("__builtin__", "builtins")


def read_pickle(path: Path, kind: str) -> Any:
    """Read a pickle of Python 2 or 3 that holds numpy arrays and plain types.

    Args:
        path: the file.
        kind: what it should be, for errors: "a sequence file of 3DPW".

    Returns:
        Its content; texts of Python 2 as str. Chumpy's arrays and scipy's sparse matrices among the values of
        a dictionary are dense numpy arrays.

    Raises:
        PointlightError: there is no such file, it is no pickle, or it asks for anything but arrays and plain types.
    """
    path = Path(path)
    if not path.is_file():
        raise PointlightError(f"there is no file {path}; give {kind}")
    try:
        with open(path, "rb") as stream:
            content = _Reader(stream, path, kind).load()
        if isinstance(content, dict):
            content = {key: _opened(value) for key, value in content.items()}
    except PointlightError:
        raise
    except Exception as error:  # a broken pickle can raise anything
        raise PointlightError(
            f"{path} cannot be read as a pickle ({type(error).__name__}: {error}); give {kind}"
        ) from error
    return content


class _Held:
    """An object of another library: its state without its code."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def array(self) -> np.ndarray:
        """What it stands for."""
        raise NotImplementedError


class _ChumpyArray(_Held):
    """`chumpy.ch.Ch`: its values are its attribute x."""

    def array(self) -> np.ndarray:
        return np.asarray(_opened(self.state["x"]))


class _ChumpySelection(_Held):
    """`chumpy.reordering.Select`: entries of a flattened array, reshaped."""

    def array(self) -> np.ndarray:
        whole = np.asarray(_opened(self.state["a"]))
        return whole.ravel()[np.asarray(self.state["idxs"])].reshape(self.state["preferred_shape"])


class _SparseColumns(_Held):
    """`scipy.sparse.csc_matrix`."""

    make: Callable[..., Any] = sparse.csc_matrix

    def array(self) -> np.ndarray:
        state = self.state
        shape = state["_shape"] if "_shape" in state else state["shape"]
        return type(self).make((state["data"], state["indices"], state["indptr"]), shape=shape).toarray()


class _SparseRows(_SparseColumns):
    """`scipy.sparse.csr_matrix`."""

    make = sparse.csr_matrix


def _opened(value: Any) -> Any:
    return value.array() if isinstance(value, _Held) else value


def _dtype(name: str, align: int = 0, copy: int = 1) -> np.dtype[Any]:
    """Old pickles give whole numbers where numpy now wants truth values."""
    return np.dtype(name, align=bool(align), copy=bool(copy))


def _rebuilt(kind: type, base: type, state: object) -> _Held:
    """In place of copyreg's function, which would make anything."""
    if not issubclass(kind, _Held):
        raise pickle.UnpicklingError(f"{kind.__name__} is not rebuilt in this way")
    return kind()


def _latin_bytes(text: str, encoding: str) -> bytes:
    """In place of `codecs.encode`, by which Python 3 writes bytes into old protocols."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding} are not expected")
    return text.encode("latin1")


_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _dtype,
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _latin_bytes,
    ("copy_reg", "_reconstructor"): _rebuilt,
    ("copyreg", "_reconstructor"): _rebuilt,
    ("chumpy.ch", "Ch"): _ChumpyArray,
    ("chumpy.reordering", "Select"): _ChumpySelection,
    **{(module, "_reconstruct"): np.zeros(1).__reduce__()[0] for module in _MULTIARRAY},
    **{(module, "scalar"): np.float64(0).__reduce__()[0] for module in _MULTIARRAY},
    **{(module, "_frombuffer"): np.zeros(1).__reduce_ex__(5)[0] for module in _NUMERIC},
    **{(f"scipy.sparse.{module}", "csc_matrix"): _SparseColumns for module in ("csc", "_csc")},
    **{(f"scipy.sparse.{module}", "csr_matrix"): _SparseRows for module in ("csr", "_csr")},
    **{(m, t.__name__): t for m in _BUILTINS for t in (object, set, frozenset, complex, bytearray)},
}
"""What a pickle may name, and what it gets."""


class _Reader(pickle.Unpickler):
    def __init__(self, stream: Any, path: Path, kind: str) -> None:
        super().__init__(stream, encoding="latin1")
        self._path, self._kind = path, kind

    def find_class(self, module: str, name: str) -> Any:
        """Only what is admitted."""
        if (module, name) not in _ADMITTED:
            raise PointlightError(
                f"{self._path} is refused: the pickle asks for {module}.{name}, but only arrays and plain types are read;"
                f" give {self._kind}"
            )
        return _ADMITTED[module, name]
