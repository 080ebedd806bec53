"""Weights in files: a model that rebuilds itself alone, and the state of a run that goes on bit for bit."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from pointlight import __version__
from pointlight.body import AnnyBody, BodyModel
from pointlight.configuration import from_plain, to_plain
from pointlight.cues import KEYPOINT_SETS, PointCueConfig
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.flow import FLOW_WEIGHTS
from pointlight.network import MartinezConfig, MotionHMRConfig, NetworkConfig, PoseNetwork, find_device
from pointlight.simulator import CLIP_FRAMES, FRAMES_PER_SECOND

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
        clip_frames: of the clips that it was trained on, and so of the windows that it is used on.
        metadata: recipe, command, lineage, steps, data, figures.
    """

    model: PoseNetwork
    config: NetworkConfig
    name: str
    sha256: str = ""
    clip_frames: int = CLIP_FRAMES
    metadata: dict[str, Any] = field(default_factory=dict)

    def on(self, device: str) -> Checkpoint:
        """The same with its network on a device.

        Raises:
            PointlightError: there is no such device here.
        """
        return replace(self, model=self.model.to(find_device(device)))


def save_checkpoint(
    path: Path, model: PoseNetwork, body: BodyModel, *, clip_frames: int = CLIP_FRAMES, **metadata: Any
) -> None:
    """Write weights as fp16 safetensors, with configuration and metadata in the header."""
    weights = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in model.state_dict().items()
    }
    header = {
        "format_version": FORMAT_VERSION,
        "version": __version__,
        "config": to_plain(model.config),
        "body": body.name,
        "body_sha256": body.sha256,
        "keypoints": list(model.config.cues.keypoints),
        "frames_per_second": FRAMES_PER_SECOND,
        "clip_frames": clip_frames,
        "acknowledgement": DATA_ACKNOWLEDGEMENT,
        **metadata,
    }
    with atomic_path(path) as temporary:
        save_file(weights, temporary, metadata={"pointlight": json.dumps(header, sort_keys=True)})


def load_checkpoint(name_or_path: str | Path, body: BodyModel | None = None) -> Checkpoint:
    """Load a shipped model by name, or one from a file.

    Args:
        name_or_path: a name of `shipped_models`, a file of weights, or the folder of a run.
        body: whose joints the model gives; Anny if not given.

    Returns:
        The network in evaluation mode with what its file says of it.

    Raises:
        PointlightError: no such model, not one of ours, or made for another version, body or joint set.

    Example:
        >>> import pointlight
        >>> checkpoint = pointlight.load_model("points")
        >>> checkpoint.name, checkpoint.clip_frames
        ('points', 31)
    """
    path = _find(name_or_path)
    body = body or AnnyBody()
    header, weights = _read(path)
    if header.get("format_version") != FORMAT_VERSION:
        raise PointlightError(
            f"{path} is a checkpoint of format {header.get('format_version')}, this version reads format "
            f"{FORMAT_VERSION}; train it again or use the version that wrote it"
        )
    config = _read_config(header, str(path))
    if header["body_sha256"] != body.sha256:
        smpl = "give load_model the SmplBody of that file; commands know our own body alone"
        ours = "use the version of Pointlight that trained it"
        raise PointlightError(
            f"{path} was trained with another body ({header['body']} {header['body_sha256'][:8]}, here "
            f"{body.name} {body.sha256[:8]}); {smpl if header['body'] == 'smpl' else ours}"
        )
    if config.cues.keypoint_set not in KEYPOINT_SETS or tuple(header["keypoints"]) != config.cues.keypoints:
        raise PointlightError(f"{path} was trained with another set of keypoints; train it again")
    model = config.build(body)
    try:
        model.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in weights.items()}
        )
    except RuntimeError as error:
        raise PointlightError(
            f"{path} holds weights that do not fit its own configuration; it is damaged"
        ) from error
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    frames = int(header.get("clip_frames", CLIP_FRAMES))
    return Checkpoint(model.eval(), config, path.stem, digest, frames, header)


def shipped_models() -> tuple[str, ...]:
    """Names of the pose networks inside the package; one for flow is none of them.

    Returns:
        Names for `PredictOptions.model` and `load_model`, sorted.

    Example:
        >>> import pointlight
        >>> "points" in pointlight.shipped_models()
        True
    """
    folder = Path(str(files("pointlight"))) / "weights"
    return tuple(sorted(path.stem for path in folder.glob("*.safetensors") if path.name != FLOW_WEIGHTS))


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


def _read_config(header: dict[str, Any], where: str) -> NetworkConfig:
    union = MotionHMRConfig | MartinezConfig
    return from_plain(union, network_of_today(header["config"]), where)  # pyright: ignore[reportArgumentType]


def network_of_today(plain: dict[str, Any]) -> dict[str, Any]:
    """A stored configuration of a network in the fields of today; version 0.1.0 kept the input among the sizes."""
    if "cues" in plain:
        return plain
    old = plain.get("encoder", plain)
    cues = PointCueConfig(old.get("keypoint_set", ""), next_frame=old.get("next_frame", False))
    moved = ("keypoint_set", "next_frame")
    plain = {name: value for name, value in plain.items() if name not in moved} | {"cues": to_plain(cues)}
    if "encoder" in plain:
        plain["encoder"] = {k: v for k, v in plain["encoder"].items() if k not in moved}
    return plain
