"""Where a data set's files stand: a local folder, or any address that fsspec knows, behind one protocol."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

import fsspec

from pointlight.errors import PointlightError
from pointlight.files import atomic_path, ensure_folder

PAUSES_S = (1.0, 5.0)
"""Before an upload that broke off is tried again."""

_EXTRAS = {"s3": "s3", "gs": "gcs", "gcs": "gcs"}
"""Protocols whose package comes with one of Pointlight's extras."""

_OBJECT_STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss")
"""Protocols that show an object only when it is whole."""


class Storage(Protocol):
    """Files by name, flat. Each appears under its name only when it is whole.

    Attributes:
        address: as it was given.
    """

    address: str

    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is none.

        Raises:
            PointlightError: the storage cannot be read.
        """
        ...

    def open(self, name: str) -> IO[bytes]:
        """A file for reading bytes."""
        ...

    def put(self, name: str, content: bytes) -> None:
        """Write a small file.

        Raises:
            PointlightError: it cannot be written.
        """
        ...

    def move_in(self, path: Path, name: str) -> None:
        """Bring in a finished local file; it is gone from where it was.

        Raises:
            PointlightError: it cannot be written.
        """
        ...

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        ...

    def sweep(self) -> None:
        """Delete what interruptions left half-written."""
        ...

    def staging_folder(self, cache: Path, identity: bytes) -> Path:
        """A local folder for what is not yet whole; it need not exist.

        Args:
            cache: the user's folder for caches.
            identity: of what will be written; other content for the same address is staged in another place.
        """
        ...


def open_storage(address: Path | str) -> Storage:
    """The storage at an address.

    Args:
        address: a folder, or an address of fsspec such as s3://bucket/folder or memory://folder.

    Raises:
        PointlightError: no such protocol, or its package is missing.
    """
    protocol, separator, _ = str(address).partition("://")
    if not separator or protocol == "file":
        return LocalStorage(address)
    return RemoteStorage(address)


class LocalStorage:
    """A folder of this machine."""

    def __init__(self, address: Path | str) -> None:
        """Name the folder; it is made when something is written."""
        self.address = str(address)
        self._folder = Path(self.address.removeprefix("file://"))

    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is none."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _storage_error("read", f"{self.address.rstrip('/')}/{name}", error) from error

    def open(self, name: str) -> IO[bytes]:
        """A file for reading bytes."""
        return open(self._folder / name, "rb")

    def put(self, name: str, content: bytes) -> None:
        """Write a small file."""
        with atomic_path(self._folder / name) as temporary:
            temporary.write_bytes(content)

    def move_in(self, path: Path, name: str) -> None:
        """Rename a finished file, which must be of the same file system."""
        ensure_folder(self._folder)
        os.replace(path, self._folder / name)

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        (self._folder / name).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete what interruptions left half-written."""
        for rest in self._folder.glob(".*.partial*"):
            rest.unlink(missing_ok=True)

    def staging_folder(self, cache: Path, identity: bytes) -> Path:
        """Within the folder itself, so that finished files need only be renamed."""
        return self._folder / ".staging"


class RemoteStorage:
    """An address that fsspec knows. An upload that breaks off is tried again after each of `PAUSES_S`.

    Object stores show an object when it is whole. Elsewhere a file is written beside its place and moved.
    """

    def __init__(self, address: Path | str) -> None:
        """Find the file system of the address's protocol.

        Raises:
            PointlightError: no such protocol, or its package is missing.
        """
        self.address = str(address)
        protocol = self.address.partition("://")[0]
        self._shows_whole_files_only = protocol in _OBJECT_STORES
        try:
            self._files, self._root = fsspec.core.url_to_fs(self.address)
        except ImportError as error:
            extra = _EXTRAS.get(protocol)
            remedy = f"install pointlight[{extra}]" if extra else "install its fsspec package"
            raise PointlightError(f"{self.address} cannot be opened ({error}); {remedy}") from error
        except ValueError as error:
            raise PointlightError(f"{self.address} is at no address that fsspec knows ({error})") from error

    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is none."""
        with self._one_error("read", name):
            try:
                with self.open(name) as file:
                    return file.read()
            except FileNotFoundError:
                return None

    def open(self, name: str) -> IO[bytes]:
        """A file for reading bytes, streamed."""
        return self._files.open(self._path(name), "rb")

    def put(self, name: str, content: bytes) -> None:
        """Upload a small file."""
        self._upload(name, len(content), lambda target: self._files.pipe_file(target, content))

    def move_in(self, path: Path, name: str) -> None:
        """Upload a finished local file, then delete it here."""
        self._upload(name, path.stat().st_size, lambda target: self._files.put_file(str(path), target))
        path.unlink()

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        with self._one_error("write", name), suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def sweep(self) -> None:
        """Delete what interruptions left half-written."""
        if self._shows_whole_files_only:
            return
        with self._one_error("write", ""):
            if self._files.exists(self._root):
                for rest in self._files.ls(self._root, detail=False):
                    if _is_partial(rest.rpartition("/")[2]):
                        self._files.rm_file(rest)

    def staging_folder(self, cache: Path, identity: bytes) -> Path:
        """Among the caches of this machine."""
        key = hashlib.sha256(self.address.encode() + identity).hexdigest()[:16]
        return cache / f"staging-{key}"

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _upload(self, name: str, size: int, write: Callable[[str], None]) -> None:
        """Let `write` put `size` bytes under a path that it is given, and try again where that breaks off."""
        partial = self._path(
            name if self._shows_whole_files_only else f".{name}.{uuid.uuid4().hex[:8]}.partial"
        )
        for pause_s in (*PAUSES_S, None):
            try:
                with self._one_error("write", name):
                    self._files.makedirs(self._root, exist_ok=True)
                    write(partial)
                    if (there := self._files.size(partial)) not in (size, None):
                        raise OSError(f"{there} of {size} bytes arrived")
                    if not self._shows_whole_files_only:
                        self._files.mv(partial, self._path(name))
                return
            except PointlightError:
                if not self._shows_whole_files_only:
                    # It may not be there, or be out of reach; the next run's `sweep` deletes it.
                    with suppress(PointlightError), self._one_error("write", name):
                        self._files.rm_file(partial)
                if pause_s is None:
                    raise
                time.sleep(pause_s)

    @contextmanager
    def _one_error(self, what: str, name: str) -> Iterator[None]:
        """Turn whatever goes wrong at the address into a `PointlightError`."""
        try:
            yield
        # fsspec names no common base: each backend raises the errors of its own package (botocore's, aiohttp's,
        # google's), most of them neither OSError nor imported here.
        except Exception as error:
            raise _storage_error(what, f"{self.address.rstrip('/')}/{name}", error) from error


def _storage_error(what: str, where: str, error: Exception) -> PointlightError:
    reason = " ".join((str(error) or type(error).__name__).split())
    may = "written to" if what == "write" else "read"
    return PointlightError(f"cannot {what} {where} ({reason}); see that it may be {may}")


def _is_partial(name: str) -> bool:
    return name.startswith(".") and name.endswith(".partial")
