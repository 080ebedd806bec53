"""A network in a .tflite file, run by LiteRT; its threads share out outputs, so their number changes no bit."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pointlight.errors import PointlightError


class LiteNetwork:
    """One input picture, outputs by name."""

    def __init__(self, file: Path, threads: int = 1) -> None:
        """Load a network.

        Args:
            file: the network.
            threads: that work on one picture.

        Raises:
            PointlightError: LiteRT is not installed, or this system cannot load it.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            missing = isinstance(error, ModuleNotFoundError)
            state = f"is not there (no module {error.name})" if missing else f"cannot be loaded ({error})"
            raise PointlightError(
                f"the detector needs the Python package ai-edge-litert, which {state}; run:"
                " pip install --force-reinstall ai-edge-litert, or give 2D keypoints with --keypoints FILE"
            ) from error
        # Its bytes, since on Windows LiteRT opens no path with letters beyond ASCII; they must outlive the interpreter.
        self._content = file.read_bytes()
        with _silence():
            self._interpreter = Interpreter(model_content=self._content, num_threads=threads)
            self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._outputs = {each["name"]: each["index"] for each in self._interpreter.get_output_details()}

    def __call__(self, picture: np.ndarray, *outputs: str) -> list[np.ndarray]:
        """The named outputs for a picture (H, W, 3) float32."""
        self._interpreter.set_tensor(self._input, picture[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(self._outputs[name]) for name in outputs]


@contextmanager
def _silence() -> Iterator[None]:
    """Send the process's error output nowhere while C++ libraries announce themselves."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
