"""One table from one call: what is missing is trained, everything is scored, and Markdown and JSON are written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointlight.engines import staged
from pointlight.errors import PointlightError
from pointlight.evaluation.reproduce.filmed import constant_on_filmed
from pointlight.evaluation.reproduce.material import Given, Kind, Material, left_out
from pointlight.evaluation.reproduce.report import markdown
from pointlight.evaluation.reproduce.results import PARTS, equal_accuracy, filmed_mm, row_result
from pointlight.evaluation.reproduce.rows import Row, find_size, rows_of
from pointlight.evaluation.reproduce.runs import Run, Runs
from pointlight.files import atomic_path, ensure_folder
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.provenance import commit

SWEEP_SHARE = 6
"""The adversary's weights are tried on a sixth of a row's clips."""


@dataclass(frozen=True)
class Plan:
    """What a table is made of.

    Attributes:
        table: its name.
        size: of networks and data.
        clips: that each row sees; the size's if not given.
        bank_clips: different ones that these are drawn from; the size's if not given.
        seeds: of weights and draws.
        rows: names of those that are wanted; all if not given.
        noise: keypoints have a detector's errors in training.
        test: look at test data too; without, development data alone.
        command: that asked for it.
    """

    table: str
    size: str = "small"
    clips: int | None = None
    bank_clips: int | None = None
    seeds: int = 1
    rows: tuple[str, ...] = ()
    noise: bool = False
    test: bool = True
    command: str = ""


def reproduce_table(
    table: str,
    out: Path | str,
    *,
    size: str = "small",
    given: Given | None = None,
    clips: int | None = None,
    bank_clips: int | None = None,
    seeds: int = 1,
    rows: Sequence[str] = (),
    noise: bool = False,
    test: bool = True,
    workers: int = 0,
    command: str = "",
    progress: ProgressCallback = silent,
) -> dict[str, Any]:
    """Train and score every row of a table of the paper; what is whole is kept, and the same call goes on.

    Args:
        table: "table1", "table2" or "table3".
        out: folder; prepared clips, trunks and runs in it serve every table. Gets TABLE.md and TABLE.json.
        size: "tiny", "small" or "paper".
        given: motions, videos and so on; procedural ones if not given.
        clips: that a row sees, counting each use; the size's if not given.
        bank_clips: different clips that these are drawn from; the size's if not given.
        seeds: so many, 0 and on.
        rows: names of those that are wanted; all if not given.
        noise: keypoints have a detector's errors in training, in every row alike; the paper's are exact.
        test: score test data too; choices are made without.
        workers: processes that train a row each, side by side; 0 is this one.
        command: that asked for it, kept in the JSON.
        progress: told how far rows and stages are.

    Returns:
        What the JSON holds; docs/reproduce.md says what is in it.

    Raises:
        PointlightError: no such table, size or row, or something given cannot be used.

    Example:
        >>> import pointlight
        >>> result = pointlight.reproduce_table("table2", "tables", size="tiny", rows=["full"])
        >>> result["rows"]["full"]["paper_mm"]
        74.7
    """
    plan = Plan(table, size, clips, bank_clips, seeds, tuple(rows), noise, test, command)
    work = _Table(plan, Path(out), given or Given(), workers, progress)
    result = work.result()
    name = f"{table}-noise" if noise else table
    for suffix, text in ((".json", json.dumps(result, indent=1) + "\n"), (".md", markdown(table, result))):
        with atomic_path(ensure_folder(Path(out)) / f"{name}{suffix}") as temporary:
            temporary.write_text(text)
    return result


class _Table:
    """The work for one table."""

    def __init__(self, plan: Plan, out: Path, given: Given, workers: int, progress: ProgressCallback) -> None:
        self.plan, self.out, self.given = plan, out, given
        self._workers, self._progress = workers, progress
        self.size = find_size(plan.size)
        every = rows_of(plan.table, self.size)
        if unknown := sorted(set(plan.rows) - {row.name for row in every}):
            raise PointlightError(
                f"{plan.table} has no row {unknown[0]!r} at size {plan.size}; it has {', '.join(row.name for row in every)}"
            )
        wanted = [row for row in every if not plan.rows or row.name in plan.rows]
        self.left_out = left_out(wanted, self.size, given)
        self.rows = [row for row in wanted if row.name not in self.left_out]
        self.material = Material(out, self.size, given, bank_clips=plan.bank_clips, progress=progress)
        self.runs = Runs(out / "runs", self.material)
        self.clips = plan.clips or self.size.clips_per_row[plan.table]

    @property
    def parts(self) -> tuple[str, ...]:
        """Of the data that are looked at."""
        return PARTS if self.plan.test else PARTS[:1]

    def result(self) -> dict[str, Any]:
        """Train what is missing and put everything together."""
        if not self.rows:
            raise PointlightError(
                f"no row of {self.plan.table} can be trained: {'; '.join(self.left_out.values())}"
            )
        sweep = self._sweep()
        chosen = [
            self._run(row, seed, sweep["chosen"] if row.recipe == "rgb_dann" and sweep else None)
            for seed in range(self.plan.seeds)
            for row in self.rows
        ]
        self._carry_out(chosen, self.parts)
        plan = self.plan
        return {
            "table": plan.table,
            "size": plan.size,
            "clips_per_row": self.clips,
            "bank_clips": plan.bank_clips or self.size.bank[plan.table] or self.clips,
            "noise": plan.noise,
            "real": self.given.real is not None,
            "seeds": list(range(plan.seeds)),
            "rows": {row.name: self._row(row, chosen) for row in self.rows},
            "constant": self._constant(),
            "equal_accuracy": equal_accuracy(
                self.runs, {run.row.name: run for run in chosen if run.seed == 0}, self.parts
            )
            if plan.table == "table1"
            else {},
            "dann": sweep,
            "flow_at_keypoints": self.runs.flow_of_sets() if self.runs.filmed else {},
            "left_out": self.left_out,
            "commit": commit(),
            "command": plan.command,
        }

    def _run(self, row: Row, seed: int, dann_weight: float | None = None, clips: int | None = None) -> Run:
        return Run(self.plan.table, row, seed, clips or self.clips, self.plan.noise, dann_weight)

    def _row(self, row: Row, chosen: Sequence[Run]) -> dict[str, Any]:
        own = [run for run in chosen if run.row == row]
        scores = [{part: self.runs.score(run, part) for part in self.parts} for run in own]
        return row_result(row, scores, [run.seed for run in own])

    def _sweep(self) -> dict[str, Any]:
        """The adversary's weights, tried on fewer clips; empty where there is one weight or none."""
        row = next((row for row in self.rows if row.recipe == "rgb_dann"), None)
        weights = self.size.dann_weights
        if row is None:
            return {}
        if len(weights) == 1:
            return {"chosen": weights[0], "clips": 0, "b_dev_mm": {}}
        clips = max(1, self.clips // SWEEP_SHARE)
        tried = [self._run(row, 0, weight, clips) for weight in weights]
        self._carry_out(tried, PARTS[:1])
        found = {f"{run.dann_weight:g}": self.runs.score(run, PARTS[0])["b"]["mm"] for run in tried}
        best = min(weights, key=lambda weight: found[f"{weight:g}"])
        mean = round(sum(found.values()) / len(found), 1)
        return {"chosen": best, "clips": clips, "b_dev_mm": {**found, "mean": mean}}

    def _carry_out(self, runs: Sequence[Run], parts: Sequence[str]) -> None:
        """Train and score runs, those that are not whole; here or in processes, with the time left over all of them."""
        job = Rows(self.out, self.plan, self.given, tuple(runs), tuple(parts))
        missing = [number for number in range(len(runs)) if not job.is_staged(number)]
        for number in missing:
            self.runs.prepare(runs[number])
        if missing:
            self._prepare_scoring(runs, parts)
        total = sum(run.clips for run in runs)
        done = total - sum(runs[number].clips for number in missing)
        name = self.plan.table
        self._progress(Progress(name, done, total, unit="clip"))
        if self._workers:
            for number in staged("local", job, missing, self._workers):
                done += runs[number].clips
                self._progress(Progress(name, done, total, runs[number].name, unit="clip"))
            return
        for number in missing:
            run = runs[number]

            def told(inner: Progress, run: Run = run, before: int = done) -> None:
                if inner.stage == "train":
                    seen = round(inner.done / inner.total * run.clips)
                    self._progress(
                        Progress(name, before + seen, total, f"{run.name}, {inner.note}", unit="clip")
                    )
                else:
                    self._progress(inner)

            carry_out(self.runs, run, parts, told)
            done += run.clips
        self._progress(Progress(name, total, total, unit="clip"))

    def _prepare_scoring(self, runs: Sequence[Run], parts: Sequence[str]) -> None:
        """Make what rows are scored on before processes share it."""
        for part in parts:
            for kind in ("a", "b"):
                for run in runs:
                    self.runs.simulated(kind, part, self.runs.recipe(run))
        _ = self.runs.filmed, self.runs.single_views

    def _constant(self) -> dict[str, float | None]:
        """The best constant pose on everything, by kind and by kind of development."""
        constant, body = self.material.constant, self.material.body
        recipe = self.runs.recipe(self._run(self.rows[0], 0))
        found: dict[str, float | None] = {}
        for part in self.parts:
            behind = "" if part == "test" else "_dev"
            kinds: tuple[Kind, ...] = ("a", "b")
            for kind in kinds:
                found[f"{kind}{behind}"] = self.runs.simulated(kind, part, recipe).score(constant, body).mm
            if self.runs.filmed:
                found[f"c{behind}"] = filmed_mm(constant_on_filmed(self.runs.filmed, part, constant))
        return found


def carry_out(runs: Runs, run: Run, parts: Sequence[str], progress: ProgressCallback = silent) -> None:
    """Train a run and score it on parts of the data, so far as that is not done."""
    runs.train(run, progress)
    for part in parts:
        runs.score(run, part, progress)


@dataclass(frozen=True)
class Rows:
    """Runs as a job for processes; what they leave lies in the runs' folders.

    Attributes:
        out: folder of everything.
        plan: of the table.
        given: by the user.
        runs: to carry out.
        parts: of the data that they are scored on.
    """

    out: Path
    plan: Plan
    given: Given
    runs: tuple[Run, ...]
    parts: tuple[str, ...]

    @property
    def item(self) -> str:
        """See `Job`."""
        return "row"

    @property
    def identity(self) -> str:
        """See `Job`."""
        return f"{self.out.resolve()} {self.plan}"

    @property
    def waited_for(self) -> bool:
        """See `Job`; a row is gone on with."""
        return False

    def opened(self) -> Runs:
        """See `Job`."""
        material = Material(self.out, find_size(self.plan.size), self.given, bank_clips=self.plan.bank_clips)
        return Runs(self.out / "runs", material)

    def made(self, maker: Runs, index: int) -> bytes:
        """See `Job`."""
        carry_out(maker, self.runs[index], self.parts)
        return b""

    def stage(self, index: int, content: bytes) -> None:
        """See `Job`; a run has staged itself."""

    def is_staged(self, index: int) -> bool:
        """See `Job`."""
        run = self.runs[index]
        place = self.out / "runs" / run.table / run.name
        return all((place / f"{part}.json").exists() for part in self.parts)

    def give_up(self, index: int, reason: str) -> None:
        """See `Job`."""
        raise PointlightError(f"the row {self.runs[index].name} cannot be trained: {reason}")
