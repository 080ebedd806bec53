"""`pointlight doctor`: what is here, what is missing, what to do about it."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import typer

_PACKAGES = (
    "torch",
    "numpy",
    "numba",
    "av",
    "ai-edge-litert",
)
_OPTIONAL = {
    "opencv-contrib-python-headless": "for optical flow and networks that see pictures: pointlight[flow]",
    "tensorboard": "to watch training: pointlight[train]",
}


def doctor() -> None:
    """Say whether this machine can run predict, and what to do where it cannot."""
    typer.echo(f"Python {platform.python_version()} on {platform.platform()}")
    for package in (*_PACKAGES, *_OPTIONAL):
        try:
            typer.echo(f"  {package} {version(package)}")
        except PackageNotFoundError:
            use = f" ({_OPTIONAL[package]})" if package in _OPTIONAL else ""
            typer.echo(f"  {package} is not installed{use}")
    good = all([_try("detector", _detector), _try("video encoder", _encoder), _try("cache folder", _cache)])
    _say_networks()
    typer.echo("predict can run here" if good else "predict cannot run here; see above")
    raise typer.Exit(0 if good else 1)


def _try(what: str, check: Callable[[], str]) -> bool:
    try:
        typer.echo(f"  {what}: {check()}")
    except Exception as error:  # whatever it is, the person wants to read it here
        typer.echo(f"  {what}: FAILS, {error}")
        return False
    return True


def _detector() -> str:
    from pointlight.capture import MediapipeDetector

    return MediapipeDetector().source


def _say_networks() -> None:
    """Which of the detector's networks are there, after the detector has fetched what it could."""
    from pointlight.capture.detection import how_to_get_network, networks_there

    for network, path in networks_there().items():
        typer.echo(f"  {network.name}: {path or f'not there; {how_to_get_network(network)}'}")


def _encoder() -> str:
    av = importlib.import_module("av")
    av.codec.Codec("libx264", "w")
    return f"libx264 in PyAV {av.__version__}"


def _cache() -> str:
    from pointlight.files import ensure_folder
    from pointlight.motion import default_cache

    return str(ensure_folder(default_cache()))
