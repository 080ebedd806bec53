"""Pointlight: from ordinary video to a moving 3D body, with networks that have only seen simulated people.

Nothing here imports torch until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointlight.body import AnnyBody, BodyModel, BodyState
    from pointlight.capture import Capture, PredictOptions, predict
    from pointlight.errors import PointlightError
    from pointlight.simulator import synthesize_clip
    from pointlight.training import load_checkpoint as load_model

__version__ = "0.1.0"

_PUBLIC = {
    "AnnyBody": ("pointlight.body", "AnnyBody"),
    "BodyModel": ("pointlight.body", "BodyModel"),
    "BodyState": ("pointlight.body", "BodyState"),
    "Capture": ("pointlight.capture", "Capture"),
    "PointlightError": ("pointlight.errors", "PointlightError"),
    "PredictOptions": ("pointlight.capture", "PredictOptions"),
    "load_model": ("pointlight.training", "load_checkpoint"),
    "predict": ("pointlight.capture", "predict"),
    "synthesize_clip": ("pointlight.simulator", "synthesize_clip"),
}

__all__ = [
    "AnnyBody",
    "BodyModel",
    "BodyState",
    "Capture",
    "PointlightError",
    "PredictOptions",
    "__version__",
    "load_model",
    "predict",
    "synthesize_clip",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name in _PUBLIC:
        module, attribute = _PUBLIC[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'pointlight' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Public names, imported or not."""
    return sorted({*globals(), *__all__})
