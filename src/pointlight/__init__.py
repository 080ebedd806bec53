"""Pointlight: from ordinary video to a moving 3D body, with networks that have only seen simulated people.

Nothing here imports torch until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointlight.body import MEAN_ADULT_SHAPE, AnnyBody, BodyModel, BodyState
    from pointlight.capture import (
        Capture,
        Diagnostics,
        FolderResult,
        ManyResult,
        PersonBox,
        PredictOptions,
        PredictResult,
        Quality,
        Summary,
        VideoResult,
        body_states,
        predict,
        predict_many,
        predict_to_folder,
        predict_with_diagnostics,
    )
    from pointlight.errors import PointlightError
    from pointlight.evaluation import (
        EvaluationResult,
        evaluate_multiview,
        evaluate_published,
        evaluate_synthetic,
        read_result,
        reproduce_table,
        tables,
        write_result,
    )
    from pointlight.progress import Progress
    from pointlight.simulator import VideoClip, read_clips, synthesize_clip
    from pointlight.training import ClipShards, shipped_models, train
    from pointlight.training import load_checkpoint as load_model

__version__ = "0.1.0"

_PUBLIC = {
    "AnnyBody": ("pointlight.body", "AnnyBody"),
    "BodyModel": ("pointlight.body", "BodyModel"),
    "BodyState": ("pointlight.body", "BodyState"),
    "Capture": ("pointlight.capture", "Capture"),
    "ClipShards": ("pointlight.training", "ClipShards"),
    "Diagnostics": ("pointlight.capture", "Diagnostics"),
    "EvaluationResult": ("pointlight.evaluation", "EvaluationResult"),
    "FolderResult": ("pointlight.capture", "FolderResult"),
    "MEAN_ADULT_SHAPE": ("pointlight.body", "MEAN_ADULT_SHAPE"),
    "ManyResult": ("pointlight.capture", "ManyResult"),
    "PersonBox": ("pointlight.capture", "PersonBox"),
    "PointlightError": ("pointlight.errors", "PointlightError"),
    "PredictOptions": ("pointlight.capture", "PredictOptions"),
    "PredictResult": ("pointlight.capture", "PredictResult"),
    "Progress": ("pointlight.progress", "Progress"),
    "Quality": ("pointlight.capture", "Quality"),
    "Summary": ("pointlight.capture", "Summary"),
    "VideoClip": ("pointlight.simulator", "VideoClip"),
    "VideoResult": ("pointlight.capture", "VideoResult"),
    "body_states": ("pointlight.capture", "body_states"),
    "evaluate_multiview": ("pointlight.evaluation", "evaluate_multiview"),
    "evaluate_published": ("pointlight.evaluation", "evaluate_published"),
    "evaluate_synthetic": ("pointlight.evaluation", "evaluate_synthetic"),
    "reproduce_table": ("pointlight.evaluation", "reproduce_table"),
    "load_model": ("pointlight.training", "load_checkpoint"),
    "predict": ("pointlight.capture", "predict"),
    "predict_many": ("pointlight.capture", "predict_many"),
    "predict_to_folder": ("pointlight.capture", "predict_to_folder"),
    "predict_with_diagnostics": ("pointlight.capture", "predict_with_diagnostics"),
    "read_clips": ("pointlight.simulator", "read_clips"),
    "read_result": ("pointlight.evaluation", "read_result"),
    "shipped_models": ("pointlight.training", "shipped_models"),
    "synthesize_clip": ("pointlight.simulator", "synthesize_clip"),
    "tables": ("pointlight.evaluation", "tables"),
    "train": ("pointlight.training", "train"),
    "write_result": ("pointlight.evaluation", "write_result"),
}

__all__ = [
    "MEAN_ADULT_SHAPE",
    "AnnyBody",
    "BodyModel",
    "BodyState",
    "Capture",
    "ClipShards",
    "Diagnostics",
    "EvaluationResult",
    "FolderResult",
    "ManyResult",
    "PersonBox",
    "PointlightError",
    "PredictOptions",
    "PredictResult",
    "Progress",
    "Quality",
    "Summary",
    "VideoClip",
    "VideoResult",
    "__version__",
    "body_states",
    "evaluate_multiview",
    "evaluate_published",
    "evaluate_synthetic",
    "load_model",
    "predict",
    "predict_many",
    "predict_to_folder",
    "predict_with_diagnostics",
    "read_clips",
    "read_result",
    "reproduce_table",
    "shipped_models",
    "synthesize_clip",
    "tables",
    "train",
    "write_result",
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
