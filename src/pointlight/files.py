"""Files appear under their name only when they are whole."""

from __future__ import annotations

import errno
import hashlib
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pointlight.errors import PointlightError


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target` (same suffix); rename it to `target` when the block succeeds.

    Args:
        target: where the file shall stand in the end; its folder is made if need be.

    Raises:
        PointlightError: the folder cannot be made or written to, or the file cannot be written.
    """
    target = Path(target)
    ensure_folder(target.parent)
    temporary = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}.partial{target.suffix}")
    try:
        temporary.touch()
        mode = temporary.stat().st_mode
        yield temporary
        os.chmod(temporary, mode)  # some writers make files that only their owner may read
        os.replace(temporary, target)
    except OSError as error:
        raise PointlightError(
            f"cannot write {target} ({error.strerror or error}); free its place or choose another"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def check_folder(folder: Path) -> Path:
    """See that `folder` can be made and written to, as far as that shows beforehand; make nothing.

    Raises:
        PointlightError: it cannot.
    """
    folder = Path(folder)
    there = folder.absolute()
    while not os.path.exists(there):  # Path.exists raises where a folder may not be looked into
        there = there.parent
    if not there.is_dir():
        reason = errno.EEXIST if there == folder.absolute() else errno.ENOTDIR
    elif not os.access(there, os.W_OK | os.X_OK):
        reason = errno.EACCES
    else:
        return folder
    raise PointlightError(_unwritable(folder, os.strerror(reason)))


def ensure_folder(folder: Path) -> Path:
    """Make `folder` and see that it can be written to.

    Raises:
        PointlightError: it cannot.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{uuid.uuid4().hex[:8]}.probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise PointlightError(_unwritable(folder, str(error.strerror))) from error
    return folder


def sweep_partials(folder: Path) -> None:
    """Remove what `atomic_path` left in a folder when its process was killed; nobody else may write there now."""
    for rest in Path(folder).glob(".*.????????.partial*"):
        if rest.is_file():
            rest.unlink(missing_ok=True)


@contextmanager
def only_run(lock: Path, address: str) -> Iterator[None]:
    """Refuse a second run at the same place; the lock falls with the process that holds it.

    Raises:
        PointlightError: another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with open(lock, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PointlightError(f"another run is writing to {address}; wait for its end") from None
        except OSError:  # a file system without locks
            pass
        yield


def _unwritable(folder: Path, reason: str) -> str:
    return f"cannot write to the folder {folder} ({reason}); choose one that you may write to"


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
