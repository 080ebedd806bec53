"""The training loop: resumable to the bit, watched on the validation split, best weights kept."""

from __future__ import annotations

import json
import math
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pointlight.body import AnnyBody, BodyModel
from pointlight.errors import PointlightError
from pointlight.files import atomic_path, ensure_folder
from pointlight.motion import MotionBank
from pointlight.network import Martinez, MotionHMR
from pointlight.randomness import stream
from pointlight.training.board import Board
from pointlight.training.checkpoint import build_network, load_checkpoint, save_checkpoint
from pointlight.training.configuration import from_plain, to_plain
from pointlight.training.data import Batch, BatchMaker, batches
from pointlight.training.losses import EVALUATION_INDICES, draw_pairs, martinez_loss, motion_hmr_loss
from pointlight.training.motions import mean_pose, training_bank
from pointlight.training.optimisers import follow_weights, learning_rate, make_optimiser
from pointlight.training.recipes import Recipe, find_recipe
from pointlight.training.run_state import load_state, save_state
from pointlight.training.threads import beside_workers
from pointlight.training.validation import Validation


@dataclass(frozen=True)
class Progress:
    """What a watcher is told after every step.

    Attributes:
        step: steps done.
        steps: of the whole run.
        loss: of this step.
        validation_mm: latest PA-MPJPE on the validation split; NaN before the first.
    """

    step: int
    steps: int
    loss: float
    validation_mm: float


class Trainer:
    """One run of one recipe in one folder."""

    def __init__(
        self,
        recipe: Recipe,
        out: Path,
        bank: MotionBank,
        *,
        body: BodyModel | None = None,
        seed: int = 0,
        init: str | None = None,
        workers: int = 1,
    ) -> None:
        """Set up a run, or what is needed to resume one.

        Args:
            recipe: what to train.
            out: the run's folder.
            bank: motions.
            body: whose joints are learned; Anny if not given.
            seed: of scenes and weights.
            init: name or file of weights to start from.
            workers: processes that make batches; 0 makes them in this one.
        """
        self.recipe = recipe
        self.out = ensure_folder(out)
        self.bank = bank
        self.body = body or AnnyBody()
        self.seed = seed
        self.workers = workers
        self.lineage: list[dict[str, Any]] = []
        self.steps = recipe.optimiser.steps
        torch.manual_seed(seed)
        self.model = self._build(init)
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.optimiser = make_optimiser(self.model, recipe.optimiser)
        self.step = 0
        self.seconds = 0.0
        self.best_mm = math.inf
        self.latest_mm = math.nan

    def resume(self) -> None:
        """Go on where the folder's last checkpoint stands."""
        stored = json.loads((self.out / "run.json").read_text()) if (self.out / "run.json").exists() else None
        if stored is not None:
            before = from_plain(Recipe, stored["recipe"], str(self.out / "run.json"))
            if before.network != self.recipe.network:
                raise PointlightError(f"{self.out} holds a run of another network; use another --out")
        numbers = load_state(self.out, self.model, self.average, self.optimiser)
        self.step, self.seconds = numbers["step"], numbers["seconds"]
        self.best_mm = math.inf if numbers["best_mm"] is None else numbers["best_mm"]
        self.latest_mm = math.nan if numbers["latest_mm"] is None else numbers["latest_mm"]
        self.lineage = numbers["lineage"]

    def run(
        self,
        *,
        steps: int | None = None,
        minutes: float | None = None,
        watch: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        """Train until `steps` are done in all, or `minutes` have passed in this call.

        The state is saved at the end and every `save_every` steps; an interruption loses at most that.
        """
        settings = self.recipe.optimiser
        last = self.steps = steps if steps is not None else settings.steps
        self._write_run_file(last)
        validation = Validation(self.recipe, self.bank, self.body)
        started = time.monotonic()
        seconds_before = self.seconds
        stream = batches(self._batch_maker(), self.step, workers=self.workers)
        with Board(self.out) as board:
            try:
                while self.step < last:
                    loss, parts = self.step_on(next(stream), last)
                    self.step += 1
                    self.seconds = seconds_before + time.monotonic() - started
                    if not math.isfinite(loss):
                        raise PointlightError(
                            f"training diverged at step {self.step}; resume from {self.out} with a lower rate"
                        )
                    if self.step % 50 == 0:
                        board.scalars(
                            {"loss/total": loss} | {f"loss/{k}": v for k, v in parts.items()}, self.step
                        )
                    if self.step % settings.evaluate_every == 0 or self.step == last:
                        self._evaluate(validation, board)
                    if self.step % settings.save_every == 0:
                        self._save()
                    watch(Progress(self.step, last, loss, self.latest_mm))
                    if minutes is not None and time.monotonic() - started > 60 * minutes:
                        break
            finally:
                if math.isfinite(self.seconds):
                    self._save()
            if self.step % settings.evaluate_every and self.step != last:
                self._evaluate(validation, board)
                self._save()

    def _build(self, init: str | None) -> MotionHMR | Martinez:
        network = build_network(
            self.recipe.network, self.body, mean_pose(self.bank, self.recipe.scenes.split)
        )
        if isinstance(network, Martinez):
            _standardise(network, self._batch_maker().make(0))
        if init is not None:
            loaded = load_checkpoint(init, self.body)
            if loaded.config != self.recipe.network:
                raise PointlightError(f"{init} is another network than recipe {self.recipe.name!r} trains")
            network.load_state_dict(loaded.model.state_dict())
            self.lineage = [
                *loaded.metadata.get("lineage", []),
                {key: loaded.metadata.get(key) for key in ("recipe_name", "steps", "seed", "seconds")}
                | {"sha256": loaded.sha256},
            ]
        return network

    def _batch_maker(self) -> BatchMaker:
        network = self.recipe.network
        points = network.encoder if hasattr(network, "encoder") else None  # pyright: ignore[reportAttributeAccessIssue]
        return BatchMaker(
            self.recipe.scenes,
            self.bank,
            self.body,
            keypoint_set=points.keypoint_set if points else network.keypoint_set,  # pyright: ignore[reportAttributeAccessIssue]
            next_frame=points.next_frame if points else False,
            seed=self.seed,
            size=self.recipe.optimiser.batch,
        )

    def step_on(self, batch: Batch, last: int | None = None) -> tuple[float, dict[str, float]]:
        """One step; returns the loss and its unweighted parts. The count of steps is the caller's."""
        settings = self.recipe.optimiser
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(settings, self.step, last or settings.steps)
        self.model.train()
        rng = stream(self.seed, self.step, "pairs")
        pairs = draw_pairs(batch.features.shape[1], self.recipe.loss.pairs, rng)
        targets = batch.targets.of_pairs(pairs)
        if isinstance(self.model, Martinez):
            loss, parts = martinez_loss(self.model, batch.features[:, pairs], targets)
        else:
            predicted = self.model(batch.features, pairs)
            loss, parts = motion_hmr_loss(predicted, targets, self.body, self.recipe.loss)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip)
        self.optimiser.step()
        if isinstance(self.model, Martinez):
            self.model.bound_norms()
        follow_weights(self.average, self.model, min(settings.average, self.step / (self.step + 10)))
        return float(loss.detach()), {name: float(value.detach()) for name, value in parts.items()}

    def _evaluate(self, validation: Validation, board: Board) -> None:
        judged = build_network(self.recipe.network, self.body)
        judged.load_state_dict(self.average)
        scores = validation.score(judged.eval())
        self.latest_mm = scores["pa_mpjpe_mm"]
        board.scalars({f"validation/{name}": value for name, value in scores.items()}, self.step)
        with open(self.out / "validation.jsonl", "a") as lines:
            lines.write(json.dumps({"step": self.step, "seconds": round(self.seconds), **scores}) + "\n")
        metadata = self._metadata() | {"validation": scores}
        save_checkpoint(self.out / "latest.safetensors", judged, self.recipe.network, self.body, **metadata)
        if self.latest_mm < self.best_mm:
            self.best_mm = self.latest_mm
            save_checkpoint(self.out / "best.safetensors", judged, self.recipe.network, self.body, **metadata)

    def _metadata(self) -> dict[str, Any]:
        return {
            "recipe_name": self.recipe.name,
            "recipe": to_plain(self.recipe),
            "steps": self.step,
            "seconds": round(self.seconds),
            "seed": self.seed,
            "motion_sha256": self.bank.sha256,
            "lineage": self.lineage,
            "command": self._command(),
        }

    def _command(self) -> str:
        """What makes such weights again; the lineage has the sha256 of WEIGHTS, `motion_sha256` is FOLDER's."""
        words = ["pointlight train", self.recipe.name, f"--seed {self.seed}", f"--steps {self.steps}"]
        words += ["--init WEIGHTS"] if self.lineage else []
        captured = any(not entry.name.startswith("procedural/") for entry in self.bank.clips)
        words += ["--motion FOLDER"] if captured else []
        return " ".join(words)

    def _save(self) -> None:
        numbers = {
            "step": self.step,
            "seconds": self.seconds,
            "best_mm": self.best_mm if math.isfinite(self.best_mm) else None,
            "latest_mm": self.latest_mm if math.isfinite(self.latest_mm) else None,
            "lineage": self.lineage,
        }
        save_state(self.out, self.model, self.average, self.optimiser, numbers)

    def _write_run_file(self, last: int) -> None:
        run = {
            "recipe": to_plain(self.recipe),
            "seed": self.seed,
            "steps": last,
            "motion_sha256": self.bank.sha256,
            "body_sha256": self.body.sha256,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "machine": platform.machine(),
            "commit": _git("rev-parse", "HEAD"),
            "diff": _git("diff", "HEAD", "--", "src"),
        }
        with atomic_path(self.out / "run.json") as temporary:
            temporary.write_text(json.dumps(run, indent=1))


def train(
    recipe_name: str,
    out: Path,
    *,
    motion: Path | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    resume: bool = False,
    init: str | None = None,
    seed: int = 0,
    workers: int = 1,
    cache: Path | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
    watch_motion: Callable[[int, int], None] = lambda done, total: None,
) -> Trainer:
    """Train a recipe, or go on training it; what the command line calls.

    Raises:
        PointlightError: unknown recipe, unusable folder, nothing to resume, a run there already,
            divergence.
    """
    recipe = find_recipe(recipe_name)
    if not resume and (out / "last.safetensors").exists():
        raise PointlightError(f"{out} holds a run already; go on with --resume or choose another --out")
    body = AnnyBody()
    bank = training_bank(motion, body, cache, floor=recipe.floor, watch=watch_motion)
    with beside_workers(workers):
        trainer = Trainer(recipe, out, bank, body=body, seed=seed, init=init, workers=workers)
        if resume:
            trainer.resume()
        trainer.run(steps=steps, minutes=minutes, watch=watch)
    return trainer


def _standardise(network: Martinez, batch: Batch) -> None:
    points = batch.targets.points_ray_m[:, :, 0]
    points = points - points[..., EVALUATION_INDICES[4:6], :].mean(-2, keepdim=True)
    network.mean.copy_(points.mean((0, 1)))
    network.deviation.copy_(points.std((0, 1)).clamp_min(1e-2))


def _git(*arguments: str) -> str:
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "-C", str(here), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
