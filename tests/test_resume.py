"""A run knows what it was made from: a resume needs nothing else, and what is given and differs is refused by name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from motion_files import bvh_text, walking_clip
from safetensors.torch import load_file
from typer.testing import CliRunner

from pointlight.body import AnnyBody
from pointlight.cli.main import app
from pointlight.errors import PointlightError
from pointlight.motion import MotionBank, procedural_bank
from pointlight.progress import Progress
from pointlight.training import (
    Recipe,
    Trainer,
    find_training_recipe,
    learning_rate,
    load_checkpoint,
    train,
)

TINY = find_training_recipe("tiny")
STEPS = 6
"""Other than the recipe's 8, so that a length that is forgotten shows."""


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    torch.set_num_threads(1)
    return AnnyBody()


@pytest.fixture(scope="module")
def bank(body: AnnyBody) -> MotionBank:
    return procedural_bank(body, 5, clips_per_kind=5, frames=62, kinds=("walk",))


@pytest.fixture(scope="module")
def whole(bank: MotionBank, body: AnnyBody, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was never stopped."""
    out = tmp_path_factory.mktemp("whole")
    Trainer(TINY, out, bank, body=body, workers=0).run(steps=STEPS)
    return out


@pytest.fixture(scope="module")
def stopped(bank: MotionBank, body: AnnyBody, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run, stopped after its first step."""
    out = tmp_path_factory.mktemp("stopped")
    Trainer(TINY, out, bank, body=body, workers=0).run(steps=STEPS, minutes=0)
    return out


@pytest.fixture
def cut(stopped: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stopped, tmp_path / "cut"))


def described(out: Path) -> dict[str, Any]:
    return json.loads((out / "run.json").read_text())


def same_state(one: Path, other: Path) -> bool:
    first, second = (load_file(out / "last.safetensors") for out in (one, other))
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def resumed(out: Path, bank: MotionBank, body: AnnyBody, recipe: Recipe = TINY, **changes: Any) -> Trainer:
    trainer = Trainer(recipe, out, bank, body=body, workers=0, **changes)
    trainer.resume()
    return trainer


def optimiser(**changes: Any) -> Recipe:
    return replace(TINY, optimiser=replace(TINY.optimiser, **changes))


def test_minutes_change_no_schedule(cut: Path, whole: Path, bank: MotionBank, body: AnnyBody) -> None:
    trainer = resumed(cut, bank, body)
    assert (trainer.step, trainer.steps) == (1, STEPS)
    trainer.run()
    assert trainer.step == STEPS and same_state(cut, whole)  # chance goes on where it stood, too
    sessions = described(cut)["sessions"]
    assert [(s["from_step"], s["to_step"], s["steps"]) for s in sessions] == [
        (0, 1, STEPS),
        (1, STEPS, STEPS),
    ]
    assert all(s["date"].endswith("+00:00") and s["torch"] for s in sessions)
    before = described(cut)
    resumed(cut, bank, body).run()  # nothing is left to do
    assert described(cut) == before


class OtherBody(AnnyBody):
    """As if the asset were of another version."""

    def __init__(self) -> None:
        super().__init__()
        self.sha256 = "0" * 64


@pytest.mark.parametrize(
    ("field", "there", "changes"),
    [
        (
            f"recipe.optimiser.learning_rate is {TINY.optimiser.learning_rate}",
            "0.01",
            {"recipe": optimiser(learning_rate=0.01)},
        ),
        ("recipe.optimiser.batch is 4", "5", {"recipe": optimiser(batch=5)}),
        ("recipe.optimiser.kind is soap", "adamw", {"recipe": optimiser(kind="adamw")}),
        ("recipe.optimiser.cooldown is", "0.125", {"recipe": optimiser(cooldown=0.125)}),
        (
            f"recipe.loss.reprojection is {TINY.loss.reprojection}",
            "0.5",
            {"recipe": replace(TINY, loss=replace(TINY.loss, reprojection=0.5))},
        ),
        (
            "recipe.scenes.masking.flip is 0.05",
            "0.5",
            {
                "recipe": replace(
                    TINY, scenes=replace(TINY.scenes, masking=replace(TINY.scenes.masking, flip=0.5))
                )
            },
        ),
        ("recipe.network.type is MotionHMRConfig", "MartinezConfig", {"recipe": "martinez"}),
        ("recipe.name is tiny", "small", {"recipe": replace(TINY, name="small")}),
        ("seed is 0", "1", {"seed": 1}),
        ("motion is ", "", {"bank": 6}),
        ("body is ", "000000000000", {"body": OtherBody}),
        ("init is fresh weights", "", {"init": "points"}),
        (f"steps is {STEPS}", "7", {"steps": 7}),
    ],
    ids=[
        *("rate", "batch", "optimiser", "cooldown", "loss weight", "scenes", "network", "recipe's name"),
        *("seed", "motion", "body", "init", "steps"),
    ],
)
def test_what_is_given_and_differs_is_refused_by_name(
    cut: Path, whole: Path, bank: MotionBank, body: AnnyBody, field: str, there: str, changes: dict[str, Any]
) -> None:
    before = {path.name: path.read_bytes() for path in cut.iterdir() if path.is_file()}
    changes = dict(changes)
    steps, recipe = changes.pop("steps", None), changes.pop("recipe", TINY)
    if recipe == "martinez":
        recipe = replace(TINY, network=find_training_recipe("martinez").network)
    if "bank" in changes:
        changes["bank"] = procedural_bank(body, changes["bank"], clips_per_kind=5, frames=62, kinds=("walk",))
    if "body" in changes:
        changes["body"] = changes["body"]()
    if "init" in changes:
        changes["init"] = str(whole / "best.safetensors")
    given = {"bank": bank, "body": body, **changes}
    with pytest.raises(PointlightError) as refused:
        resumed(cut, recipe=recipe, **given).run(steps=steps)
    sentence = str(refused.value)
    assert sentence.startswith(field) and f" in {cut}, {there}" in sentence and "was given" in sentence
    assert "\n" not in sentence and ("--extend-to" in sentence) == (steps is not None)
    assert {path.name: path.read_bytes() for path in cut.iterdir() if path.is_file()} == before


def test_the_weights_that_a_run_began_with_may_be_named_again(
    whole: Path, bank: MotionBank, body: AnnyBody, tmp_path: Path
) -> None:
    weights = str(whole / "best.safetensors")
    trainer = Trainer(TINY, tmp_path / "run", bank, body=body, workers=0, init=weights)
    trainer.run(minutes=0)
    assert described(tmp_path / "run")["init_sha256"] == load_checkpoint(weights, body).sha256
    assert resumed(tmp_path / "run", bank, body, init=weights).step == 1
    assert resumed(tmp_path / "run", bank, body).lineage == trainer.lineage
    other = str(whole / "latest.safetensors")
    shutil.copy(weights, other)
    assert resumed(tmp_path / "run", bank, body, init=other).step == 1  # the content counts, not the name
    with pytest.raises(PointlightError, match=r"^init is .* in .*run, .* was given"):
        resumed(tmp_path / "run", bank, body, init=str(tmp_path / "run" / "best.safetensors"))


def test_a_run_is_made_longer_on_purpose(
    whole: Path, bank: MotionBank, body: AnnyBody, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(whole, tmp_path / "longer"))
    rates: list[float] = []
    trainer = Trainer(TINY, out, bank, body=body, workers=0)
    with pytest.raises(
        PointlightError, match=rf"has {STEPS} steps, --extend-to {STEPS} does not make it longer"
    ):
        trainer.resume(extend_to=STEPS)
    trainer.resume(extend_to=STEPS + 4)
    trainer.run(progress=lambda progress: rates.append(trainer.optimiser.param_groups[0]["lr"]), minutes=0)
    assert resumed(out, bank, body).steps == STEPS + 4
    again = resumed(out, bank, body)
    again.run(progress=lambda progress: rates.append(again.optimiser.param_groups[0]["lr"]))
    assert rates == [learning_rate(TINY.optimiser, step, STEPS + 4) for step in range(STEPS, STEPS + 4)]
    run = described(out)
    assert run["steps"] == STEPS + 4 and run["recipe"] == described(whole)["recipe"]
    lengths = [(s["from_step"], s["to_step"], s["steps"]) for s in run["sessions"]]
    assert lengths == [(0, 6, 6), (6, 7, 10), (7, 10, 10)]
    command = load_checkpoint(out / "latest.safetensors", body).metadata["command"]
    assert command == "pointlight train tiny --seed 0 --steps 6 (from step 6 on with --resume --extend-to 10)"


def test_a_killed_session_ends_where_the_next_one_begins(cut: Path, bank: MotionBank, body: AnnyBody) -> None:
    run = described(cut)
    run["sessions"][0]["to_step"] = None
    (cut / "run.json").write_text(json.dumps(run))
    resumed(cut, bank, body).run(minutes=0)
    assert [s["to_step"] for s in described(cut)["sessions"]] == [1, 2]


def of_first_format(out: Path, bank: MotionBank) -> None:
    """`run.json` as version 0.1.0 wrote it, when types and fields had other names."""
    run = described(out)
    kept = {name: run[name] for name in ("seed", "steps", "body_sha256")}
    words = dict.fromkeys(("python", "torch", "machine", "commit", "diff"), "unknown")
    recipe = json.loads((Path(__file__).parent / "data" / "tiny_recipe_0.1.0.json").read_text())
    first = {"recipe": recipe, **kept, **words, "motion_sha256": bank.old_sha256()}
    (out / "run.json").write_text(json.dumps(first))


def test_a_run_of_an_older_version_goes_on(
    cut: Path, whole: Path, bank: MotionBank, body: AnnyBody, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_first_format(cut, bank)
    other = procedural_bank(body, 6, clips_per_kind=5, frames=62, kinds=("walk",))
    with pytest.raises(PointlightError, match=r"^motion is "):
        resumed(cut, other, body)
    with pytest.raises(PointlightError, match=r"^init is fresh weights in"):
        resumed(cut, bank, body, init=str(whole / "best.safetensors"))
    monkeypatch.setattr("pointlight.training.runs.training_bank", lambda *_, **__: other)
    with pytest.raises(
        PointlightError, match="does not say where its motion lies; give the folder with --motion"
    ):
        train(None, cut, resume=True, workers=0)
    resumed(cut, bank, body).run()
    assert same_state(cut, whole)
    assert described(cut)["motion_sha256"] == bank.sha256
    assert [s["from_step"] for s in described(cut)["sessions"]] == [0, 1]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda run: run["recipe"]["loss"].update(invented=1),
            r"run\.json was written by another version.*LossConfig differs in invented",
        ),
        (
            lambda run: run["recipe"]["optimiser"].pop("warmup"),
            r"run\.json was written by another version.*OptimiserConfig differs in warmup",
        ),
        (lambda run: run.update(format_version=9), r"run\.json is of format 9, this version reads format 2"),
        (lambda run: [run.pop(name) for name in ("format_version", "seed")], r"run\.json lacks seed"),
        (lambda run: run.update(recipe=[]), r"run\.json holds \[\] where a Recipe stands; it is damaged"),
    ],
)
def test_run_files_that_cannot_be_used(
    cut: Path, bank: MotionBank, body: AnnyBody, change: Callable[[dict[str, Any]], Any], sentence: str
) -> None:
    run = described(cut)
    change(run)
    (cut / "run.json").write_text(json.dumps(run))
    with pytest.raises(PointlightError, match=sentence):
        resumed(cut, bank, body)


def test_a_state_without_a_run_file_is_refused(cut: Path, bank: MotionBank, body: AnnyBody) -> None:
    (cut / "run.json").write_text("{")
    with pytest.raises(PointlightError, match=r"run\.json cannot be read"):
        resumed(cut, bank, body)
    (cut / "run.json").unlink()
    with pytest.raises(PointlightError, match=r"has no run\.json, which says what its run was made from"):
        resumed(cut, bank, body)
    with pytest.raises(PointlightError, match="holds a run already"):
        Trainer(TINY, cut, bank, body=body, workers=0).run()


def test_a_divergence_leaves_the_last_state(
    cut: Path, bank: MotionBank, body: AnnyBody, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = resumed(cut, bank, body)
    state = (cut / "last.safetensors").read_bytes()
    monkeypatch.setattr(trainer, "step_on", lambda batch, last: (float("nan"), {}))
    with pytest.raises(PointlightError, match="diverged at step 2; begin another run with a lower rate"):
        trainer.run()
    assert (cut / "last.safetensors").read_bytes() == state
    assert resumed(cut, bank, body).step == 1


# From the command line


ALIEN = """HIERARCHY
ROOT box
{
  OFFSET 0 0 0
  CHANNELS 3 Xrotation Yrotation Zrotation
  JOINT lid
  {
    OFFSET 0 1.7 0
    CHANNELS 3 Xrotation Yrotation Zrotation
  }
}
MOTION
Frames: 1
Frame Time: 0.04
0 0 0 0 0 0
"""


def motions(folder: Path, frames: int = 62) -> Path:
    """A few files of motion capture in two splits."""
    folder.mkdir()
    names = {"a.bvh": "train", "b.bvh": "train", "c.bvh": "validation"}
    for number, name in enumerate(names):
        (folder / name).write_text(bvh_text(walking_clip(frames + number)))
    (folder / "splits.csv").write_text("\n".join(["file,split", *(f"{n},{s}" for n, s in names.items())]))
    return folder


def pointlight(*words: object) -> str:
    """The command's last line; PointlightError as it leaves the command."""
    done = CliRunner().invoke(app, [str(word) for word in words], env={"POINTLIGHT_MOTION": ""})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


@pytest.mark.filterwarnings("always")
def test_two_folders_with_odd_files_train_and_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTLIGHT_CACHE", str(tmp_path / "cache"))
    out, first, second = tmp_path / "run", motions(tmp_path / "first"), tmp_path / "second"
    second.mkdir()
    text = bvh_text(walking_clip(70))
    (second / "walk.bvh").write_text(
        text.replace("LeftUpLeg", "LeftThigh").replace("RightUpLeg", "RightThigh")
    )
    (second / "alien.bvh").write_text(ALIEN)
    (second / "broken.bvh").write_text(text[:-300])
    with pytest.warns(UserWarning) as told:
        train("tiny", out, motion=[first, second], seed=3, steps=3, minutes=0, workers=0)
    sentences = [str(warning.message) for warning in told]
    assert len(sentences) == 2 and "alien.bvh" in sentences[0] and "broken.bvh ends early" in sentences[1]
    assert described(out)["motion"] == f"{first}{os.pathsep}{second}"
    said = pointlight("train", "--out", out, "--resume", "--minutes", 0, "--workers", 0)
    assert said.count("alien.bvh is left out") == 1 and said.count("broken.bvh is left out") == 1
    assert described(out)["sessions"][-1]["to_step"] == 2
    with pytest.raises(PointlightError, match=r"^motion is .* in .*, .* was given"):
        pointlight("train", "--out", out, "--resume", "--motion", first, "--minutes", 0, "--workers", 0)


def test_resume_needs_nothing_but_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINTLIGHT_CACHE", str(tmp_path / "cache"))
    folder, out = motions(tmp_path / "motion"), tmp_path / "run"
    told: list[Progress] = []
    train("tiny", out, motion=folder, seed=3, steps=4, minutes=0, workers=0)
    assert described(out)["motion"] == str(folder)
    trainer = train(None, out, resume=True, minutes=0, workers=0, progress=told.append)
    assert (trainer.seed, trainer.step, told[-1].total) == (3, 2, 4)

    # Whoever repeats what was said may do so; whoever says something else is told what.
    moved = folder.rename(tmp_path / "moved")
    with pytest.raises(
        PointlightError, match=r"lay in .*motion, which is not there; give its folder with --motion"
    ):
        pointlight("train", "--out", out, "--resume", "--workers", 0)
    pointlight(
        *("train", "tiny", "--out", out, "--resume", "--motion", moved, "--seed", 3, "--steps", 4),
        *("--minutes", 0, "--workers", 0),
    )
    assert described(out)["motion"] == str(moved) and described(out)["sessions"][-1]["to_step"] == 3
    for words, sentence in (
        (("points",), "^recipe.name is tiny in .*, points was given"),
        (("--seed", 1), "^seed is 3 in .*, 1 was given"),
        (("--steps", 9), "^steps is 4 in .*, 9 was given.*--extend-to"),
        (("--motion", motions(tmp_path / "other", 70)), "^motion is .* in .*, .* was given"),
        (("--extend-to", 3), "has 4 steps, --extend-to 3 does not make it longer"),
    ):
        with pytest.raises(PointlightError, match=sentence):
            pointlight("train", "--out", out, "--resume", "--workers", 0, *words)
    (moved / "a.bvh").write_text(bvh_text(walking_clip(80)))
    with pytest.raises(
        PointlightError, match=r"the motions in .*moved are not those that the run in .* was begun"
    ):
        pointlight("train", "--out", out, "--resume", "--workers", 0)


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(PointlightError, match="name the recipe to train, or go on"):
        pointlight("train", "--out", tmp_path)
    with pytest.raises(PointlightError, match="give --resume as well"):
        pointlight("train", "tiny", "--out", tmp_path, "--extend-to", 9)
    with pytest.raises(PointlightError, match="there is no run to resume in"):
        pointlight("train", "--out", tmp_path, "--resume")
