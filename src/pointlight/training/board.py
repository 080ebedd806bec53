"""TensorBoard beside the run's own files."""

from __future__ import annotations

from pathlib import Path


class Board:
    """TensorBoard where it is installed and a folder is given; the run's own files hold the same figures."""

    def __init__(self, folder: Path | None) -> None:
        self._writer = None
        if folder is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self._writer = SummaryWriter(str(folder / "tensorboard"))

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *error: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def scalars(self, values: dict[str, float], step: int) -> None:
        """Write numbers of one step by name."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)
