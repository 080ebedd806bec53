"""One row with one seed: trained, or gone on with, and scored on everything; what is done lies in its folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pointlight.evaluation.published.evaluator import evaluate_published
from pointlight.evaluation.reproduce.filmed import FilmedSet, filmed_sets, flow_at_keypoints, score_filmed
from pointlight.evaluation.reproduce.material import Kind, Material
from pointlight.evaluation.reproduce.rows import LONGEST, Row, recipe_of
from pointlight.evaluation.reproduce.simulated import SimulatedPeople
from pointlight.evaluation.reproduce.single_view import SingleView, score_single_view, single_views
from pointlight.files import atomic_path, ensure_folder
from pointlight.network import PoseNetwork
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator import CLIP_FRAMES
from pointlight.training import Checkpoint, Recipe, Trainer, has_state, load_checkpoint

KEPT = "at-{:07d}.safetensors"
"""Weights during a run, by step, for comparisons at equal accuracy."""

BEST = "best.safetensors"
"""The weights that are scored: best on validation."""


@dataclass(frozen=True)
class Run:
    """A row with a seed.

    Attributes:
        table: whose row it is.
        row: what is trained.
        seed: of weights and draws.
        clips: that it sees, counting each use.
        noise: keypoints have a detector's errors.
        dann_weight: of the adversary; None for rows without one.
    """

    table: str
    row: Row
    seed: int
    clips: int
    noise: bool = False
    dann_weight: float | None = None

    @property
    def name(self) -> str:
        """Of its folder."""
        noise = "-noise" if self.noise else ""
        weight = "" if self.dann_weight is None else f"-weight{self.dann_weight:g}"
        return f"{self.row.name}{noise}{weight}-{self.clips}-seed{self.seed}"


class Runs:
    """Trains and scores runs of one folder."""

    def __init__(self, folder: Path, material: Material, *, workers: int = 0) -> None:
        """Begin nothing yet.

        Args:
            folder: of the runs, by table.
            material: what they learn from and are scored on.
            workers: processes that make batches.
        """
        self.folder, self.material = folder, material
        self._workers = workers
        self._simulated: dict[tuple[Any, ...], SimulatedPeople] = {}

    def place(self, run: Run) -> Path:
        """The run's folder."""
        return self.folder / run.table / run.name

    def recipe(self, run: Run) -> Recipe:
        """What it trains."""
        return recipe_of(run.row, self.material.size, run.clips, noise=run.noise, dann_weight=run.dann_weight)

    def prepare(self, run: Run) -> None:
        """Make what the run learns from."""
        recipe = self.recipe(run)
        self.material.pictures(run.table, run.row, recipe)
        self.material.trunk(run.table, run.row, recipe)
        self.material.targets(recipe)

    def train(self, run: Run, progress: ProgressCallback = silent) -> Path:
        """The weights of a run: trained, gone on with, or there."""
        recipe, out, material = self.recipe(run), self.place(run), self.material
        done = out / "trained.json"
        if done.exists():
            return out / BEST
        resumes = has_state(out)
        if out.exists() and not resumes:  # killed before anything was saved
            shutil.rmtree(out)
        given = material.given
        trainer = Trainer(
            recipe,
            out,
            material.motions,
            body=material.body,
            seed=run.seed,
            workers=self._workers,
            device=given.device,
            motion=given.motion,
            pictures=material.pictures(run.table, run.row, recipe),
            trunk=material.trunk(run.table, run.row, recipe),
            targets=material.targets(recipe),
        )
        if resumes:
            trainer.resume()
        often = recipe.optimiser.evaluate_every

        def kept(told: Progress) -> None:
            if told.stage == "train" and (told.done % often == 0 or told.done == told.total):
                _copy(out / "latest.safetensors", out / KEPT.format(int(told.done)))
            progress(told)

        if resumes and trainer.step:
            _copy(out / "latest.safetensors", out / KEPT.format(trainer.step))
        trainer.run(progress=kept)
        _write(done, {"steps": trainer.step})
        return out / BEST

    def score(self, run: Run, part: str, progress: ProgressCallback = silent) -> dict[str, Any]:
        """A trained run's figures on a part of the data, "development" or "test"; those that are there are read."""
        path = self.place(run) / f"{part}.json"
        if not path.exists():
            checkpoint = load_checkpoint(str(self.place(run) / BEST), self.material.body).on(
                self.material.given.device
            )
            _write(path, self._scored(run, part, checkpoint, progress))
        return json.loads(path.read_text())

    def filmed_at(self, run: Run, step: int, part: str) -> dict[str, Any]:
        """What the weights of an earlier step say of real people; as `score` has it under "c"."""
        path = self.place(run) / f"{part}-at-{step:07d}.json"
        if not path.exists():
            kept = self.place(run) / KEPT.format(step)
            checkpoint = load_checkpoint(str(kept), self.material.body).on(self.material.given.device)
            _write(path, _filmed(score_filmed(self.filmed, part, checkpoint, self.material.body)))
        return json.loads(path.read_text())

    def validation(self, run: Run) -> dict[int, float]:
        """PA-MPJPE on validation clips by step, of kind (a)."""
        lines = (self.place(run) / "validation.jsonl").read_text().splitlines()
        return {entry["step"]: entry["pa_mpjpe_mm"] for entry in map(json.loads, lines)}

    def _scored(
        self, run: Run, part: str, checkpoint: Checkpoint, progress: ProgressCallback
    ) -> dict[str, Any]:
        body, recipe, cues = self.material.body, self.recipe(run), checkpoint.model.config.cues.shown
        stages: list[tuple[str, Callable[[], Any]]] = []

        def simulated(kind: Kind, **without: Any) -> dict[str, Any]:
            return asdict(self.simulated(kind, part, recipe).score(checkpoint.model, body, **without))

        def filmed(**without: Any) -> dict[str, Any]:
            return _filmed(score_filmed(self.filmed, part, checkpoint, body, **without))

        stages += [("a", lambda: simulated("a")), ("b", lambda: simulated("b"))]
        stages += [(f"a without {cue}", lambda cue=cue: simulated("a", without=cue)) for cue in cues]
        if self.filmed:
            stages.append(("c", filmed))
            stages += [(f"c without {cue}", lambda cue=cue: filmed(without=cue)) for cue in cues]
        if self.single_views:
            views = [view for view in self.single_views if view.part == part]
            stages.append(("single", lambda: score_single_view(views, checkpoint, body)))
        found: dict[str, Any] = {"weights_sha256": _weights_sha256(checkpoint.model)}
        for number, (name, stage) in enumerate(stages):
            progress(Progress(f"score {run.name}", number, len(stages), f"{part}, {name}"))
            found[name] = stage()
        if part == "test" and self.material.given.benchmarks:
            found["d"] = self._benchmarks(run)
        progress(Progress(f"score {run.name}", len(stages), len(stages)))
        return found

    def _benchmarks(self, run: Run) -> dict[str, float | None]:
        """PA-MPJPE by published benchmark."""
        given, found = self.material.given, {}
        for benchmark, folder in given.benchmarks:
            result = evaluate_published(
                [str(self.place(run) / BEST)],
                benchmark=benchmark,
                folder=folder,
                smpl=given.smpl,
                regressor=given.regressor,
                device=given.device,
            )
            found[benchmark] = result.rows[0].pa_mpjpe_mm
        return found

    def simulated(self, kind: Kind, part: str, recipe: Recipe) -> SimulatedPeople:
        """Clips of a kind and part with what detectors say of them; the same for rows that see them the same way."""
        frames = LONGEST if recipe.scenes.frames == LONGEST else CLIP_FRAMES
        plain = replace(recipe.scenes, name="", frames=frames)
        key = (kind, part, recipe.clip_frames, plain.noises, frames)
        if key not in self._simulated:
            clips = self.material.scored(kind, part, frames)
            self._simulated[key] = SimulatedPeople(clips, kind, recipe)
        return self._simulated[key]

    @cached_property
    def filmed(self) -> tuple[FilmedSet, ...]:
        """Real people before several cameras; none without a folder."""
        given = self.material.given
        if given.real is None:
            return ()
        return filmed_sets(given.real, cut_in=self._cut_in, cache=given.cache)

    @cached_property
    def single_views(self) -> tuple[SingleView, ...]:
        """Real people before one camera; none without a folder."""
        given = self.material.given
        if given.real is None:
            return ()
        return single_views(given.real, cut_in=self._cut_in, cache=given.cache)

    @property
    def _cut_in(self) -> Path | None:
        return self.material.folder / "filmed" if self.material.size.family == "small" else None

    def flow_of_sets(self) -> dict[str, float]:
        """How much real people move in the picture, by video."""
        people = [person for one in self.filmed for person in one.people]
        people += [view.person for view in self.single_views]
        return {person.name: round(flow_at_keypoints(person), 3) for person in people}


def _weights_sha256(model: PoseNetwork) -> str:
    """Of the numbers alone: a run that was interrupted has the same, and other words in its file."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _filmed(scores: dict[str, Any]) -> dict[str, Any]:
    return {name: {"mm": score.pa_mpjpe_mm, "ci95_mm": score.ci95_mm} for name, score in scores.items()}


def _copy(source: Path, target: Path) -> None:
    if source.exists() and not target.exists():
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)


def _write(path: Path, content: dict[str, Any]) -> None:
    ensure_folder(path.parent)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n")
