"""Weights in files: a model that rebuilds itself alone, and the state of a run that goes on bit for bit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from pointlight import __version__
from pointlight.body import MEAN_ADULT_SHAPE, AnnyBody, BodyModel
from pointlight.configuration import from_plain, to_plain
from pointlight.cues import KEYPOINT_SETS, point_feature_count
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.network import Martinez, MartinezConfig, MotionHMR, MotionHMRConfig
from pointlight.simulator import FRAMES_PER_SECOND, TRACK_POINTS

FORMAT_VERSION = 1
DATA_ACKNOWLEDGEMENT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. The database was created with funding from "
    "NSF EIA-0196217. ReActIdle: MIT, (c) 2025 RSAIT, arXiv 2509.05023."
)


@dataclass(frozen=True)
class Checkpoint:
    """A trained network with what is needed to use it.

    Attributes:
        model: the network, in evaluation mode.
        config: its configuration.
        name: what it is called.
        sha256: of the file it came from; empty for one that was never saved.
        metadata: recipe, command, lineage, steps, data, figures.
    """

    model: MotionHMR | Martinez
    config: MotionHMRConfig | MartinezConfig
    name: str
    sha256: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def keypoint_set(self) -> str:
        """The input set's name."""
        config = self.config
        return config.keypoint_set if isinstance(config, MartinezConfig) else config.encoder.keypoint_set

    @property
    def next_frame(self) -> bool:
        """Whether a pair's input holds both of its frames."""
        return isinstance(self.config, MotionHMRConfig) and self.config.encoder.next_frame


def build_network(
    config: MotionHMRConfig | MartinezConfig, body: BodyModel, mean_pose: Tensor | None = None
) -> MotionHMR | Martinez:
    """A network with fresh weights.

    Args:
        config: which network, and its sizes.
        body: whose joints and shape it predicts.
        mean_pose: (J-1, 3, 3) where the regressor starts; the rest pose if not given.
    """
    if isinstance(config, MartinezConfig):
        inputs = point_feature_count(config.keypoint_set, next_frame=False)
        targets = (len(TRACK_POINTS), 3)
        return Martinez(inputs, torch.zeros(targets), torch.ones(targets), config)
    if mean_pose is None:
        mean_pose = torch.eye(3).expand(len(body.joint_names) - 1, 3, 3)
    mean_shape = torch.as_tensor(MEAN_ADULT_SHAPE, dtype=torch.float32)
    return MotionHMR(config, mean_pose, mean_shape, body.shape_names.index("age"))


def save_checkpoint(
    path: Path, model: nn.Module, config: MotionHMRConfig | MartinezConfig, body: BodyModel, **metadata: Any
) -> None:
    """Write weights as fp16 safetensors, with configuration and metadata in the header."""
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    header = {
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "config": to_plain(config),
        "body": body.name,
        "body_sha256": body.sha256,
        "keypoints": list(KEYPOINT_SETS[_keypoint_set(config)]),
        "frames_per_second": FRAMES_PER_SECOND,
        "acknowledgement": DATA_ACKNOWLEDGEMENT,
        **metadata,
    }
    with atomic_path(path) as temporary:
        save_file(weights, temporary, metadata={"pointlight": json.dumps(header, sort_keys=True)})


def load_checkpoint(name_or_path: str | Path, body: BodyModel | None = None) -> Checkpoint:
    """Load a shipped model by name, or one from a file.

    Raises:
        PointlightError: no such model, not one of ours, or made for another version, body or joint set.
    """
    path = _find(name_or_path)
    body = body or AnnyBody()
    header, weights = _read(path)
    if header.get("format_version") != FORMAT_VERSION:
        raise PointlightError(
            f"{path} is a checkpoint of format {header.get('format_version')}, this version reads format "
            f"{FORMAT_VERSION}; train it again or use the version that wrote it"
        )
    union = MotionHMRConfig | MartinezConfig
    config = from_plain(union, header["config"], str(path))  # pyright: ignore[reportArgumentType]
    if header["body_sha256"] != body.sha256:
        raise PointlightError(
            f"{path} was trained with another body ({header['body']} {header['body_sha256'][:8]}, here "
            f"{body.name} {body.sha256[:8]}); use the version of Pointlight that trained it"
        )
    if tuple(header["keypoints"]) != KEYPOINT_SETS.get(_keypoint_set(config)):
        raise PointlightError(f"{path} was trained with another set of keypoints; train it again")
    model = build_network(config, body)
    try:
        model.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
        )
    except RuntimeError as error:
        raise PointlightError(
            f"{path} holds weights that do not fit its own configuration; it is damaged"
        ) from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Checkpoint(model.eval(), config, path.stem, digest, header)


def shipped_models() -> tuple[str, ...]:
    """Names of the models inside the package."""
    folder = Path(str(files("pointlight"))) / "weights"
    return tuple(sorted(path.stem for path in folder.glob("*.safetensors")))


def _find(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix == ".safetensors" or path.exists():
        if path.is_dir() and (path / "best.safetensors").exists():
            path = path / "best.safetensors"
        if not path.is_file():
            raise PointlightError(f"there is no model file {path}")
        return path
    if str(name_or_path) in shipped_models():
        return Path(str(files("pointlight"))) / "weights" / f"{name_or_path}.safetensors"
    raise PointlightError(
        f"there is no model {str(name_or_path)!r}; shipped are {', '.join(shipped_models()) or 'none'}, "
        "anything else is the path of a .safetensors file"
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as reader:
            text = (reader.metadata() or {}).get("pointlight")
            weights = {name: reader.get_tensor(name) for name in reader.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise PointlightError(
            f"{path} is not a readable safetensors file; give a model of Pointlight"
        ) from error
    if text is None:
        raise PointlightError(f"{path} is not a model of Pointlight; its header lacks our configuration")
    return json.loads(text), weights


def _keypoint_set(config: MotionHMRConfig | MartinezConfig) -> str:
    return config.keypoint_set if isinstance(config, MartinezConfig) else config.encoder.keypoint_set
