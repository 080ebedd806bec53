"""Dense pretraining in simulation: an encoder of pictures learns to say where keypoints and body parts are.

The paper begins with ImageNet. A small network that begins with nothing does not learn people from RGB or flow on a
small budget; this stands in for ImageNet, and is the same for every encoder, whatever its channels.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pointlight.body import NETWORK_KEYPOINTS, AnnyBody, BodyModel
from pointlight.configuration import config_sha256, differences, to_plain, told
from pointlight.cues import PictureCueConfig, heatmaps
from pointlight.errors import PointlightError
from pointlight.files import atomic_path, ensure_folder
from pointlight.network import PictureEncoder
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.training.data import batches
from pointlight.training.optimisers import OptimiserConfig, learning_rate, make_optimiser
from pointlight.training.picture_clips import ClipSupply
from pointlight.training.picture_data import DenseBatch, PictureBatches
from pointlight.training.picture_sources import open_pictures
from pointlight.training.processes import refuse_several
from pointlight.training.recipes import Recipe, find_training_recipe
from pointlight.training.run_state import STATE, load_state, save_state
from pointlight.training.trunks import picture_encoder, save_trunk

TRUNK = "trunk.safetensors"
"""What a run leaves for `pointlight train --trunk`."""

_RUN = "pretraining.json"
_VALIDATION_SEED = 1002
_VALIDATION_BATCHES = 8
_HEAD = 64


_OPTIMISER = OptimiserConfig(
    kind="soap",
    batch=24,
    learning_rate=1e-3,
    warmup=100,
    steps=1000,
    average=0.0,
    evaluate_every=100,
    save_every=100,
)


@dataclass(frozen=True)
class PretrainingConfig:
    """How encoders are pretrained, all alike.

    Attributes:
        pairs: that are seen of a clip at once.
        heatmaps: weight of the loss on keypoints' heatmaps beside that on parts.
        optimiser: how; its batch counts clips.
    """

    pairs: int = 4
    heatmaps: float = 4.0
    optimiser: OptimiserConfig = field(default_factory=lambda: _OPTIMISER)


class DenseHead(nn.Module):
    """From an encoder's maps to heatmaps of keypoints and scores of parts, at a `PARTS_STEP`-th of the crop."""

    def __init__(self, widths: list[int], parts: int) -> None:
        super().__init__()
        self.across = nn.ModuleList(nn.Conv2d(width, _HEAD, 1) for width in widths)
        self.last = nn.Conv2d(_HEAD, _HEAD, 3, padding=1)
        self.output = nn.Conv2d(_HEAD, len(NETWORK_KEYPOINTS) + 1 + parts, 1)

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Logits (N, 12, S, S) of heatmaps and (N, 1 + parts, S, S) of parts."""
        values = self.across[-1](maps[-1])
        for across, finer in zip(reversed(list(self.across)[:-1]), reversed(maps[:-1]), strict=True):
            values = nn.functional.interpolate(values, size=finer.shape[-2:]) + across(finer)
        values = self.output(torch.relu(self.last(torch.relu(values))))
        count = len(NETWORK_KEYPOINTS)
        return values[:, :count], values[:, count:]


class Dense(nn.Module):
    """An encoder with its head."""

    def __init__(self, encoder: PictureEncoder, body: BodyModel) -> None:
        super().__init__()
        self.encoder = encoder
        with torch.no_grad():
            maps = encoder.maps(torch.zeros(1, *encoder.cues.input_shape))
        self.head = DenseHead([values.shape[1] for values in maps], len(body.joint_names))

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """See `DenseHead`."""
        return self.head(self.encoder.maps(inputs))


def pretrain(
    recipe_name: str,
    out: Path | str,
    *,
    pictures: Path | str,
    steps: int | None = None,
    resume: bool = False,
    seed: int = 0,
    workers: int = 1,
    config: PretrainingConfig | None = None,
    progress: ProgressCallback = silent,
) -> Path:
    """Pretrain the encoder of a recipe that sees pictures.

    Args:
        recipe_name: whose encoder.
        out: the run's folder.
        pictures: of `prepare_pictures`, with "train" and "validation" in it.
        steps: length of the run; the configuration's if not given.
        resume: go on with the run in `out`.
        seed: of weights and draws.
        workers: processes that make data.
        config: how; the usual if not given.
        progress: told of every step.

    Returns:
        The file for `train(trunk=...)`.

    Raises:
        PointlightError: the recipe sees no pictures, something given is not what a resumed run was begun with, or
            training diverged.
    """
    refuse_several("pretraining")
    recipe = find_training_recipe(recipe_name)
    if recipe.trunk != "any":
        raise PointlightError(
            f"{recipe_name} has no use for a pretrained encoder; pretrain that of another recipe"
        )
    body = AnnyBody()
    sources = open_pictures(Path(pictures), recipe, body)
    config = config or PretrainingConfig()
    folder = ensure_folder(Path(out))
    settings = {
        "recipe": to_plain(recipe.network),
        "scenes": to_plain(recipe.scenes),
        "config": to_plain(config),
        "steps": steps or config.optimiser.steps,
        "seed": seed,
        "pictures_sha256": sources.sha256 if sources else "",
    }
    _check_folder(folder, settings, resume=resume)
    assert sources is not None
    torch.manual_seed(seed)
    network = recipe.network.build(body)
    model = Dense(picture_encoder(network, folder), body)
    train, validation = (
        _DenseSource(recipe, clips, body, each, config)
        for clips, each in ((sources.train, seed), (sources.validation, _VALIDATION_SEED))
    )
    held = [validation.make(number) for number in range(_VALIDATION_BATCHES)]
    optimiser = make_optimiser(model, config.optimiser)
    last, step, started = int(settings["steps"]), 0, time.monotonic()
    before_s = 0.0
    if resume:
        numbers = load_state(folder, model, {}, optimiser)
        step, before_s = int(numbers["step"]), float(numbers["seconds"])

    def save() -> None:
        seconds = before_s + time.monotonic() - started
        save_state(folder, model, {}, optimiser, {"step": step, "seconds": seconds})
        said = {"steps": step, "seconds": round(seconds), "pretraining_sha256": config_sha256(settings)}
        save_trunk(folder / TRUNK, network, **said)

    note = ""
    upcoming = batches(train, step, workers=workers)
    while step < last:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(config.optimiser, step, last)
        model.train()
        loss, _ = dense_loss(model, next(upcoming), config)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), config.optimiser.clip)
        optimiser.step()
        step += 1
        if not math.isfinite(float(loss.detach())):
            raise PointlightError(f"pretraining diverged at step {step}; begin another run with a lower rate")
        if step % config.optimiser.evaluate_every == 0 or step == last:
            scores = _watched(model, held, config)
            note = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
            with open(folder / "validation.jsonl", "a") as lines:
                lines.write(json.dumps({"step": step, **scores}) + "\n")
        if step % config.optimiser.save_every == 0 or step == last:
            save()
        progress(Progress("pretrain", step, last, note or f"loss {float(loss.detach()):.3f}", unit="step"))
    return folder / TRUNK


def dense_loss(
    model: nn.Module, batch: DenseBatch, config: PretrainingConfig
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum and its parts, over pairs that show anything."""
    heat, parts = model(batch.inputs[batch.shown])
    points, truth = batch.points_crop[batch.shown], batch.parts[batch.shown]
    inside = (points.abs() < 1).all(-1)
    wanted = heatmaps(points, inside, heat.shape[-1])
    losses = {
        # Few pixels are near a keypoint: these count as much as all others.
        "heatmaps": nn.functional.binary_cross_entropy_with_logits(heat, wanted, weight=1 + 10 * wanted),
        "parts": nn.functional.cross_entropy(parts, truth),
    }
    return config.heatmaps * losses["heatmaps"] + losses["parts"], losses


@torch.no_grad()
def _watched(model: nn.Module, held: list[DenseBatch], config: PretrainingConfig) -> dict[str, float]:
    """On validation: the loss, the keypoints' error in half crops where their bells are highest, the mask's overlap."""
    model.eval()
    losses, errors, both, either = [], [], 0.0, 0.0
    for batch in held:
        loss, _ = dense_loss(model, batch, config)
        losses.append(float(loss))
        heat, parts = model(batch.inputs[batch.shown])
        side = heat.shape[-1]
        best = heat.flatten(-2).argmax(-1)
        found = (torch.stack((best % side, best // side), dim=-1) + 0.5) * (2 / side) - 1
        points = batch.points_crop[batch.shown]
        inside = (points.abs() < 1).all(-1)
        errors.append((found - points).norm(dim=-1)[inside])
        person, truth = parts.argmax(1) > 0, batch.parts[batch.shown] > 0
        both += float((person & truth).sum())
        either += float((person | truth).sum())
    return {
        "loss": sum(losses) / len(losses),
        "keypoint_half_crops": float(torch.cat(errors).median()),
        "mask_overlap": both / max(either, 1.0),
    }


class _DenseSource:
    """Batches for pretraining by number."""

    def __init__(
        self, recipe: Recipe, clips: ClipSupply, body: BodyModel, seed: int, config: PretrainingConfig
    ) -> None:
        cues = recipe.network.cues
        assert recipe.pictures is not None and isinstance(cues, PictureCueConfig)
        size = config.optimiser.batch
        self._batches = PictureBatches(
            clips, recipe.scenes, recipe.pictures, cues, body, seed=seed, size=size
        )
        self._pairs = config.pairs

    def make(self, number: int) -> DenseBatch:
        return self._batches.dense(number, self._pairs)


def _check_folder(folder: Path, settings: dict[str, Any], *, resume: bool) -> None:
    """See that a folder is for this run.

    Raises:
        PointlightError: it holds a run and none is resumed, none is there to resume, or it is of other settings.
    """
    path = folder / _RUN
    if not resume:
        if (folder / STATE).exists():
            raise PointlightError(
                f"{folder} holds a run already; go on with --resume or choose another --out"
            )
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(settings, indent=1))
        return
    try:
        there = json.loads(path.read_text())
    except (OSError, ValueError):
        raise PointlightError(
            f"there is no pretraining to resume in {folder}; start one without --resume"
        ) from None
    if found := differences(there, settings):
        raise PointlightError(f"{told(found, folder)}; resume with what it was begun with")
