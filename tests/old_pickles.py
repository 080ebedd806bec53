"""Pickles as Python 2 wrote them: byte strings, old module names, and objects of libraries that are not here."""

from __future__ import annotations

import io
import pickle
import struct
from pathlib import Path
from typing import Any, ClassVar

import numpy as np


class Foreign:
    """Stands for an object of another library: pickled under its module and name, with its state."""

    def __init__(self, module: str, name: str, state: dict[str, Any]) -> None:
        self.module, self.name, self.state = module, name, state


class _Writer(pickle._Pickler):  # the one in Python can be bent to old ways
    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)

    def _text(self, value: str | bytes) -> None:
        data = value.encode("latin1") if isinstance(value, str) else value
        self.write(b"T" + struct.pack("<i", len(data)) + data)  # BINSTRING, which Python 3 never writes

    dispatch[str] = dispatch[bytes] = _text

    def save_global(self, obj: Any, name: str | None = None) -> None:
        module = {"builtins": "__builtin__"}.get(obj.__module__, obj.__module__)
        self._name(module.replace("numpy._core", "numpy.core"), obj.__name__)

    def _name(self, module: str, name: str) -> None:
        self.write(f"c{module}\n{name}\n".encode())

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, np.dtype):
            name, align, copy = obj.__reduce__()[1]
            return np.dtype, (name, int(align), int(copy)), obj.__reduce__()[2]
        return NotImplemented

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Foreign):
            self._name(obj.module, obj.name)
            self.write(b")\x81")  # EMPTY_TUPLE, NEWOBJ
            self.save(obj.state)
            self.write(b"b")  # BUILD
            return
        super().save(obj, save_persistent_id)

    dispatch[type] = save_global
    dispatch[type(np.zeros)] = save_global


def old_pickle(content: Any) -> bytes:
    stream = io.BytesIO()
    _Writer(stream, protocol=2).dump(content)
    return stream.getvalue()


def write_old_pickle(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(old_pickle(content))
    return path
