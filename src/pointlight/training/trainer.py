"""The training loop: resumable to the bit, watched on the validation split, best weights kept."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pointlight.body import AnnyBody, BodyModel, SmplBody
from pointlight.errors import PointlightError
from pointlight.files import ensure_folder
from pointlight.media import write_png
from pointlight.motion import MotionBank, motion_folders
from pointlight.network import MotionHMR, PoseNetwork, draw_pairs, find_device, part_of_a_batch
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.provenance import git
from pointlight.randomness import stream
from pointlight.training.board import Board
from pointlight.training.checkpoint import load_checkpoint, save_checkpoint
from pointlight.training.data import Batch, BatchSource, batches
from pointlight.training.domains import Adversary, listening, open_targets, with_targets
from pointlight.training.motions import mean_pose
from pointlight.training.optimisers import follow_weights, learning_rate, make_optimiser
from pointlight.training.picture_sources import PicturesGiven, open_pictures
from pointlight.training.processes import ALONE, Learner, Processes
from pointlight.training.recipes import Recipe
from pointlight.training.run_data import batch_source, validation_of
from pointlight.training.run_files import RunFile, Session, read_run_file, refuse_used
from pointlight.training.run_metadata import metadata_of
from pointlight.training.run_pictures import FILE as RUN_PICTURE
from pointlight.training.run_pictures import draw_run
from pointlight.training.run_state import load_state, save_state
from pointlight.training.trunks import check_trunk, load_trunk
from pointlight.training.validation import Validation


class Trainer:
    """One run of one recipe in one folder.

    Attributes:
        step: steps done.
        steps: of the whole run.
        latest_loss: of the latest step; NaN before the first.
        latest_mm: latest PA-MPJPE on the validation split; NaN before the first.
        best_mm: lowest of them; infinite before the first.
        seconds: that training took so far.
    """

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
        device: str = "cpu",
        motion: Path | Sequence[Path] | None = None,
        pictures: PicturesGiven | None = None,
        trunk: Path | None = None,
        targets: Path | None = None,
        processes: Processes = ALONE,
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
            device: where the network learns, as torch calls it.
            motion: folder or folders that the bank was compiled from, remembered for a resume; None for procedural motions.
            pictures: see `open_pictures`, for networks that see some.
            trunk: weights that the encoder of pictures begins with, see `load_trunk`.
            targets: folder of tracks of real people, for domain-adversarial training.
            processes: that train together, and which one this is.

        Raises:
            PointlightError: the network sees pictures and there are none, or the other way round; so with targets; or a
                batch can't be split over the processes.
        """
        self.recipe = recipe
        self.out = ensure_folder(out)
        self.bank = bank
        self.body = body or AnnyBody()
        self.pictures = open_pictures(pictures, recipe, self.body)
        self.targets = open_targets(targets, recipe)
        self.seed = seed
        self.workers = workers
        self.processes, self.device = processes, processes.device(device)
        self._rows = processes.rows(recipe.optimiser.batch)
        self.lineage: list[dict[str, Any]] = []
        self.steps = recipe.optimiser.steps
        self.run_file: RunFile | None = None
        folders = () if motion is None else motion_folders(motion)
        self._motion = os.pathsep.join(str(folder.resolve()) for folder in folders)
        torch.manual_seed(seed)
        self._trunk_sha256 = ""
        self.model = self._build(init, trunk).to(find_device(self.device))
        self.model.encodes_in_bf16 = recipe.optimiser.precision == "bf16"
        self._init_sha256: str | None = None if init is None else self.lineage[-1]["sha256"]
        # Batches are made on the CPU with a body of their own.
        self._body_there = self.body.on(self.device)
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.optimiser = make_optimiser(self.model, recipe.optimiser)
        if recipe.domains is not None and not processes.alone:
            raise PointlightError(f"{recipe.name} is trained by one process; start it without torchrun")
        self.adversary = Adversary.of(recipe, self.model, seed)
        self.step = 0
        self.seconds = 0.0
        self.best_mm = math.inf
        self.latest_mm = math.nan
        self.latest_loss = math.nan

    def resume(self, extend_to: int | None = None) -> None:
        """Go on where the folder's last state stands, towards the length that the run was begun with.

        Args:
            extend_to: make the run so long; the schedule follows the new length from here on.

        Raises:
            PointlightError: there is nothing to resume, or recipe, seed, motions, body or first weights are others.
        """
        run = read_run_file(self.out)
        run.check(
            self.out,
            recipe=self.recipe,
            seed=self.seed,
            bank=self.bank,
            body_sha256=self.body.sha256,
            init_sha256=self._init_sha256,
            pictures_sha256=self._pictures_sha256,
            trunk_sha256=self._trunk_sha256,
            targets_sha256=None if self.targets is None else self.targets.sha256,
        )
        longer = run if extend_to is None else run.extended(extend_to, self.out)
        numbers = load_state(self.out, self.model, self.average, self.optimiser, self.adversary)
        self.lineage = numbers["lineage"]
        longer = longer.of_today(self.bank, self.lineage[-1]["sha256"] if self.lineage else "")
        longer.check(self.out, init_sha256=self._init_sha256)
        self.run_file = longer if not self._motion else replace(longer, motion=self._motion)
        self.steps = longer.steps
        self.step, self.seconds = numbers["step"], numbers["seconds"]
        self.best_mm = math.inf if numbers["best_mm"] is None else numbers["best_mm"]
        self.latest_mm = math.nan if numbers["latest_mm"] is None else numbers["latest_mm"]

    def run(
        self,
        *,
        steps: int | None = None,
        minutes: float | None = None,
        progress: ProgressCallback = silent,
    ) -> None:
        """Train to the end of the run, or until `minutes` have passed in this call.

        The state is saved at the end and every `save_every` steps; an interruption loses at most that.

        Args:
            steps: length of a run that begins here, the recipe's if not given; of another it must be what it is.
            minutes: stop early. The schedule stays that of the whole run, which can be resumed.
            progress: told of every step.

        Raises:
            PointlightError: the run has another length, the folder cannot be written to, or training diverged.
        """
        settings = self.recipe.optimiser
        last = self._begin(steps)
        if self.step >= last:
            return
        validation = None
        if self.processes.leads:
            validation = validation_of(self.recipe, self.bank, self.body, self.pictures)
        started = time.monotonic()
        seconds_before = self.seconds
        source = with_targets(self._batch_source(self._rows), self.targets, self.recipe, self.seed)
        upcoming = batches(source, self.step, workers=self.workers)
        loss = 0.0
        with Board(self.out if validation else None) as board:
            try:
                while self.step < last:
                    loss, parts = self.step_on(next(upcoming), last)
                    self.step += 1
                    self.latest_loss = loss
                    self.seconds = seconds_before + time.monotonic() - started
                    if not math.isfinite(loss):
                        raise PointlightError(
                            f"training diverged at step {self.step}; begin another run with a lower rate, from the "
                            f"weights in {self.out} with --init"
                        )
                    if self.step % 50 == 0:
                        board.scalars(
                            {"loss/total": loss} | {f"loss/{k}": v for k, v in parts.items()}, self.step
                        )
                    if self.step % settings.evaluate_every == 0 or self.step == last:
                        self._evaluate(validation, board)
                    if self.step % settings.save_every == 0:
                        self._save()
                    progress(Progress("train", self.step, last, self._note(), unit="step"))
                    late = minutes is not None and time.monotonic() - started > 60 * minutes
                    if minutes is not None and self.processes.any(late, self.device):
                        break
            finally:
                if math.isfinite(loss):  # after a divergence the last state that was saved stands
                    self._end()
            if self.step % settings.evaluate_every and self.step != last:
                with torch.random.fork_rng(devices=[]):  # a pause leaves no trace in what chance gives later
                    self._evaluate(validation, board)
                self._save()

    @property
    def _pictures_sha256(self) -> str:
        return "" if self.pictures is None else self.pictures.sha256

    def _note(self) -> str:
        """The latest figures, those that are there."""
        parts = [f"loss {self.latest_loss:.3f}"]
        if self.step < self.recipe.optimiser.warmup:
            parts.append(f"warm-up until step {self.recipe.optimiser.warmup}")
        if math.isfinite(self.latest_mm):
            parts.append(f"validation {self.latest_mm:.1f} mm")
        if self.adversary is not None:
            parts.append(f"domains told apart {self.adversary.accuracy:.0%}")
        return ", ".join(parts)

    def _build(self, init: str | None, trunk: Path | None) -> PoseNetwork:
        network = self.recipe.network.build(
            self.body, mean_pose(self.bank, self.recipe.scenes.split, self.body)
        )
        if trunk is not None:
            check_trunk(self.recipe, given=True)
            self._trunk_sha256 = load_trunk(network, trunk)
        if init is None:
            network.begin(lambda: self._batch_source().make(0).targets)
        else:
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

    def _batch_source(self, rows: range | None = None) -> BatchSource:
        return batch_source(self.recipe, self.bank, self.body, self.pictures, seed=self.seed, rows=rows)

    @cached_property
    def _learner(self) -> Learner:
        """Made at the first step, when all processes are there."""
        return self.processes.learner(self.model)

    def step_on(self, batch: Batch, last: int | None = None) -> tuple[float, dict[str, float]]:
        """One step; returns the loss and its unweighted parts. The count of steps is the caller's.

        Of several processes each gives its rows of the batch; what is returned is the whole's.
        """
        settings = self.recipe.optimiser
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(settings, self.step, last or settings.steps)
        self.model.train()
        rng = stream(self.seed, self.step, "pairs")
        pairs = draw_pairs(batch.inputs.shape[1], self.recipe.loss.pairs, rng)
        batch = batch.to(self.device)
        targets = batch.targets.of_pairs(pairs)
        self.processes.seed_step(self.seed, self.step)
        averaged = None if self.processes.alone else self.processes.averaged
        with listening(self.adversary) as noted, part_of_a_batch(averaged):
            loss, parts = self._learner(batch.inputs, targets, self._body_there, self.recipe.loss, pairs)
        whole = loss
        if self.adversary is not None:
            against, told = self.adversary.loss(noted, batch, self.step / (last or settings.steps))
            whole, parts = loss + against, {**parts, **told}
        self.optimiser.zero_grad(set_to_none=True)
        whole.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), settings.clip)
        self.optimiser.step()
        if self.adversary is not None:
            self.adversary.step(self.optimiser.param_groups[0]["lr"])
        self.model.after_step()
        follow_weights(self.average, self.model, min(settings.average, self.step / (self.step + 10)))
        total, *values = self.processes.averages([loss, *parts.values()])
        return total, dict(zip(parts, values, strict=True))

    def _evaluate(self, validation: Validation | None, board: Board) -> None:
        """Score, keep and draw what was learned; None does nothing."""
        if validation is None:
            return
        averaged = self.recipe.network.build(self.body).to(self.device)
        averaged.load_state_dict(self.average)
        scores = validation.score(averaged.eval(), self._body_there)
        self.latest_mm = scores["pa_mpjpe_mm"]
        if self.adversary is not None:
            scores["domain_accuracy"] = self.adversary.accuracy
        board.scalars({f"validation/{name}": value for name, value in scores.items()}, self.step)
        with open(self.out / "validation.jsonl", "a") as lines:
            lines.write(json.dumps({"step": self.step, "seconds": round(self.seconds), **scores}) + "\n")
        metadata = metadata_of(self) | {"validation": scores, "clip_frames": self.recipe.clip_frames}
        save_checkpoint(self.out / "latest.safetensors", averaged, self.body, **metadata)
        if self.latest_mm < self.best_mm:
            self.best_mm = self.latest_mm
            save_checkpoint(self.out / "best.safetensors", averaged, self.body, **metadata)
        if self.pictures is not None and isinstance(averaged, MotionHMR):
            drawn = draw_run(averaged, self._batch_source().make(0), self._body_there, self.recipe.loss)
            write_png(self.out / RUN_PICTURE, drawn)

    def _save(self) -> None:
        if not self.processes.leads:
            return
        numbers = {
            "step": self.step,
            "seconds": self.seconds,
            "best_mm": self.best_mm if math.isfinite(self.best_mm) else None,
            "latest_mm": self.latest_mm if math.isfinite(self.latest_mm) else None,
            "lineage": self.lineage,
        }
        save_state(self.out, self.model, self.average, self.optimiser, numbers, self.adversary)

    def _begin(self, steps: int | None) -> int:
        """Note what the run is made from and that a session begins; the length of the run."""
        run = self.run_file
        if run is None:
            refuse_used(self.out)
            if self.pictures is not None:
                self.pictures.check_clips(self.recipe)
            check_trunk(self.recipe, given=bool(self._trunk_sha256 or self._init_sha256))
            length = self.recipe.optimiser.steps if steps is None else steps
            if length < 1:
                raise PointlightError(f"a run of {length} steps trains nothing; ask for 1 or more")
            run = RunFile(
                recipe=self.recipe,
                seed=self.seed,
                steps=length,
                motion_sha256=self.bank.sha256,
                body_sha256=self.body.sha256,
                init_sha256=self._init_sha256 or "",
                motion=self._motion,
                trunk_sha256=self._trunk_sha256,
                targets_sha256="" if self.targets is None else self.targets.sha256,
                targets="" if self.targets is None else str(self.targets.folder.resolve()),
                pictures_sha256=self._pictures_sha256,
                **({} if self.pictures is None else self.pictures.places),
                smpl=str(self.body.path.resolve()) if isinstance(self.body, SmplBody) else "",
            )
        run.check(self.out, steps=steps)
        self.steps = run.steps
        if self.step < run.steps:
            commit, diff = git("rev-parse", "HEAD"), git("diff", "HEAD", "--", "src")
            run = run.begun(Session.now(self.step, run.steps, commit, diff))
            self._write(run)
        self.run_file = run
        return run.steps

    def _end(self) -> None:
        """Save the state, and note that the session ended with it."""
        self._save()
        if self.run_file is not None:
            self.run_file = self.run_file.ended(self.step)
            self._write(self.run_file)

    def _write(self, run: RunFile) -> None:
        if self.processes.leads:
            run.write(self.out)
