"""The paper's tables by one call: rows, what they are scored on, what is written, and going on after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from target_makers import moving_pictures, person, write_lossless

from pointlight.body import EXTENDED_KEYPOINTS, NETWORK_KEYPOINTS, AnnyBody
from pointlight.cli.main import main
from pointlight.cues import Keypoints2D, PointCueConfig
from pointlight.errors import PointlightError
from pointlight.evaluation.multiview.predictors import network_joints
from pointlight.evaluation.reproduce import (
    SIZES,
    TABLES,
    Given,
    draw_figure5,
    recipe_of,
    reproduce_table,
    shifted,
)
from pointlight.evaluation.reproduce.filmed import FilmedPerson, filmed_person, flow_at_keypoints, joints_of
from pointlight.evaluation.reproduce.report import markdown
from pointlight.evaluation.reproduce.results import equal_accuracy
from pointlight.evaluation.reproduce.runs import KEPT, Run, Runs
from pointlight.evaluation.reproduce.single_view import score_single_view, with_hidden
from pointlight.network import MotionHMR
from pointlight.simulator import MEDIAPIPE_V1
from pointlight.training import RECIPES, load_checkpoint, save_checkpoint
from pointlight.training.trunks import load_trunk, save_trunk

SMALL = SIZES["small"]


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


# Rows


def test_every_row_of_the_paper_is_there_with_its_figure() -> None:
    """Tables 1, 2 and 3 of Doersch & Zisserman 2019."""
    figures = {name: [row.paper_mm for row in rows if row.paper_mm] for name, rows in TABLES.items()}
    assert figures == {
        "table1": [157.0, 105.6, 103.0, 100.1, 82.4, 77.6, 74.7],
        "table2": [74.7, 77.2, 80.3, 88.9],
        "table3": [79.0, 77.8, 74.7, 76.2],
    }


@pytest.mark.parametrize("size", SIZES)
def test_rows_differ_in_what_they_are_about_alone(size: str) -> None:
    of = SIZES[size]
    cues = {"rgb", "flow", "rgb_keypoints", "keypoints", "flow_keypoints"}
    one = {row.name: recipe_of(row, of, 12_000) for row in TABLES["table1"] if row.name in cues}
    plain = [
        replace(recipe, name="", network=replace(recipe.network, cues=PointCueConfig()))
        for recipe in one.values()
    ]
    assert all(recipe == plain[0] for recipe in plain)
    assert {recipe.pictures.clips for recipe in one.values()} == {"full"}
    two = [recipe_of(row, of, 12_000) for row in TABLES["table2"]]
    assert [recipe.pictures.clips for recipe in two] == [row.clips for row in TABLES["table2"]]
    assert len({replace(recipe, pictures=None) for recipe in two}) == 1


def test_clips_of_every_length_are_cut_from_the_same_ones_and_as_much_is_seen() -> None:
    recipes = {row.frames: recipe_of(row, SMALL, 12_000) for row in TABLES["table3"]}
    assert {recipe.scenes.frames for recipe in recipes.values()} == {56}
    assert all(recipe.clip_frames == frames for frames, recipe in recipes.items())
    seen = {
        frames: recipe.optimiser.steps * recipe.optimiser.batch * frames for frames, recipe in recipes.items()
    }
    assert max(seen.values()) < 1.06 * min(seen.values())
    paper = [recipe_of(row, SIZES["paper"], 12_000).optimiser.batch for row in TABLES["table3"]]
    assert paper == [
        6,
        6,
        3,
        2,
    ]  # "31 frames uses batch size 3; 8 and 16 used batch size 6", 56 "a batch size of 2"


def test_a_detectors_noise_is_in_every_row_or_none() -> None:
    for row in TABLES["table1"]:
        assert recipe_of(row, SMALL, 600, noise=True).scenes.noises == (MEDIAPIPE_V1,)
        assert recipe_of(row, SMALL, 600).scenes.noises != (MEDIAPIPE_V1,)


def test_shifted_people_move_as_those_of_training_and_look_otherwise() -> None:
    full, other = RECIPES["small-rgb"].scenes, shifted("validation")
    assert replace(other.scenes, split="train") == full
    assert other.sensor != shifted("heldout").with_options(split="train").sensor or other.bystanders == 0.5
    assert other.appearance.lighting != "surreal" and other.appearance.split == "validation"


def test_a_trunk_of_pictures_begins_a_network_that_sees_heatmaps_too(tmp_path: Path, body: AnnyBody) -> None:
    networks = {
        name: RECIPES[f"small-{name}"].network.build(body) for name in ("flow", "flow_keypoints", "rgb")
    }
    alone, both = networks["flow"], networks["flow_keypoints"]
    assert isinstance(alone, MotionHMR) and isinstance(both, MotionHMR)
    save_trunk(tmp_path / "trunk.safetensors", alone)
    fresh = both.encoder.trunk.stem.weight.detach().clone()
    load_trunk(both, tmp_path / "trunk.safetensors")
    stem, given = both.encoder.trunk.stem.weight, alone.encoder.trunk.stem.weight
    assert torch.equal(stem[:, :3], given[:, :3]) and torch.equal(stem[:, -1], given[:, -1])
    assert torch.equal(stem[:, 3:-1], fresh[:, 3:-1])
    inner = both.encoder.trunk.stages[0].first.weight
    assert torch.equal(inner, alone.encoder.trunk.stages[0].first.weight)
    with pytest.raises(PointlightError, match=r"cues\.flow is dis in .*; pretrain one for this recipe"):
        load_trunk(networks["rgb"], tmp_path / "trunk.safetensors")


# Whole tables


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, Any]:
    """Table 1 at size tiny, all rows that need nothing from outside."""
    return reproduce_table("table1", folder, size="tiny", command="as a test")


def test_a_table_has_ours_beside_the_papers(made: dict[str, Any], folder: Path) -> None:
    assert json.loads((folder / "table1.json").read_text()) == json.loads(json.dumps(made))
    assert made["clips_per_row"] == 4 and made["seeds"] == [0] and made["command"] == "as a test"
    assert list(made["rows"]) == [row.name for row in TABLES["table1"] if row.name not in made["left_out"]]
    assert set(made["left_out"]) == {"rgb_dann", "rgb_imagenet"}
    rgb = made["rows"]["rgb"]
    assert rgb["paper_mm"] == 105.6 and rgb["c_mm"] is None and rgb["d_mm"] == {}
    for kind in ("a_mm", "b_mm", "a_dev_mm", "b_dev_mm"):
        assert 20 < rgb[kind] < 400
    assert set(rgb["ci95_mm"]) == {"a", "b", "c"} and rgb["ci95_mm"]["c"] == (None, None)
    assert list(rgb["without"]["a"]) == ["rgb"] and list(made["rows"]["keypoints"]["without"]["a"]) == [
        "keypoints"
    ]
    assert len(rgb["weights_sha256"]) == 1
    page = (folder / "table1.md").read_text()
    assert "| RGB Only | 105.6 |" in page and "| constant pose |" in page
    assert "(c) is empty: no folder of filmed people was given (`--real`)." in page
    assert "trained on Human3.6M" in page and "HMR + Kinetics 72.2" in page


def test_what_is_whole_is_left_and_the_figures_stay(
    made: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pointlight.evaluation.reproduce.runs.Trainer", None)  # nothing is trained
    again = reproduce_table("table1", folder, size="tiny", command="as a test")
    assert json.dumps(again) == json.dumps(made)


def test_at_equal_accuracy_the_better_row_is_taken_earlier(tmp_path: Path, body: AnnyBody) -> None:
    """The earliest weights that are as good as the other's best, of whichever is the better one."""
    runs, people = Runs(tmp_path, None), [object()]  # pyright: ignore[reportArgumentType]
    rows = {row.name: row for row in TABLES["table1"]}
    chosen = {name: Run("table1", rows[name], 0, 9) for name in ("rgb", "flow", "martinez")}
    curves = {"rgb": [90, 80, 70], "flow": [75, 65, 60], "martinez": [100, 95, 92]}
    for name, values in curves.items():
        place = runs.place(chosen[name])
        place.mkdir(parents=True)
        lines = [json.dumps({"step": step, "pa_mpjpe_mm": mm}) for step, mm in enumerate(values, 1)]
        (place / "validation.jsonl").write_text("\n".join(lines))
        for step, mm in enumerate(values, 1):
            score = {"set": {"mm": float(mm + 10), "ci95_mm": [1, 2]}}
            (place / f"development-at-{step:07d}.json").write_text(json.dumps(score))
    runs.__dict__["filmed"] = people
    found = equal_accuracy(runs, chosen, ["development"])
    assert found["flow"] == {"a_validation_mm": 70.0, "steps": [2, 3], "c_development_mm": [75.0, 80.0]}
    assert found["martinez"]["steps"] == [3, 1] and found["martinez"]["c_development_mm"] == [102.0, 100.0]


def test_a_page_says_when_rgb_learnt_nothing(made: dict[str, Any]) -> None:
    row = {**made["rows"]["rgb"], "a_mm": 99.0}
    poor = {**made, "rows": {"rgb": row}, "constant": {**made["constant"], "a": 100.0}}
    assert "**No row of RGB learnt much**: its error on (a) is 0.99 of the constant pose's" in markdown(
        "table1", poor
    )
    good = {**poor, "rows": {"rgb": {**row, "a_mm": 80.0}}}
    assert "No row of RGB" not in markdown("table1", good)


@pytest.mark.slow
def test_a_kill_in_the_middle_costs_nothing(tmp_path: Path) -> None:
    """SIGKILL while rows are trained, then the same command: the JSON of a run that nobody interrupted."""
    command = [sys.executable, "-m", "pointlight", "reproduce", "table1", "--size", "tiny", "--out"]
    rows = [word for name in ("rgb", "flow", "keypoints") for word in ("--row", name)]

    def call(out: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*command, str(out), *rows], stdout=subprocess.DEVNULL)

    assert call(tmp_path / "whole").wait() == 0
    killed = call(tmp_path / "killed")
    middle = tmp_path / "killed" / "runs" / "table1" / "flow-4-seed0"
    while not middle.exists() and killed.poll() is None:
        time.sleep(0.01)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / "table1.json").exists()
    assert call(tmp_path / "killed").wait() == 0
    one, other = (json.loads((tmp_path / name / "table1.json").read_text()) for name in ("whole", "killed"))
    for result in (one, other):
        del result["command"], result["commit"]  # the folders differ, and somebody may be editing
    assert one == other


# Real people


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keypoints2D]:
    """A made video of a person who walks to the right with everything, and its keypoints."""
    path = tmp_path_factory.mktemp("videos") / "walk.avi"
    write_lossless(path, moving_pictures(40, 30))
    times = np.arange(40) / 30
    points = np.stack([person(time_s) for time_s in times])
    return path, Keypoints2D(EXTENDED_KEYPOINTS, times, np.arange(40), points, (128, 96), "made")


def test_prepared_people_are_those_of_the_video(
    filmed: tuple[Path, Keypoints2D], tmp_path: Path, body: AnnyBody
) -> None:
    video, keypoints = filmed
    kept = filmed_person("walk", video, keypoints, tmp_path)
    direct = filmed_person("walk", video, keypoints, None)
    assert kept.kept is not None and direct.kept is None
    again = filmed_person("walk", video, keypoints, tmp_path)
    assert again == kept
    torch.manual_seed(0)
    network = RECIPES["small-flow_keypoints"].network.build(body)
    save_checkpoint(tmp_path / "mine.safetensors", network, body)
    checkpoint = load_checkpoint(str(tmp_path / "mine.safetensors"))
    one, other = (joints_of(who, checkpoint, body) for who in (kept, direct))
    assert one.shape == (40, 12, 3) and np.isfinite(one).all()
    assert np.abs(one - other).max() < 0.02
    without = joints_of(kept, checkpoint, body, without="flow")
    assert np.abs(without - one).max() > 1e-4
    # 2 px in each 1/30 s, in a crop that shows 70 px as 150: about 4 of 20 px.
    assert 0.1 < flow_at_keypoints(kept) < 0.35


def test_a_network_is_asked_as_the_other_evaluation_asks_it(
    filmed: tuple[Path, Keypoints2D], body: AnnyBody
) -> None:
    """In one window of the network; over several `predict` takes one shape, and this evaluation each window's own."""
    video, keypoints = filmed
    checkpoint = load_checkpoint("points")
    frames = checkpoint.clip_frames
    keypoints = Keypoints2D(
        keypoints.names,
        keypoints.time_s[:frames],
        keypoints.frame_index[:frames],
        keypoints.points[:frames],
        keypoints.image_size,
        keypoints.source,
    )
    ours = joints_of(filmed_person("walk", video, keypoints, None), checkpoint, body)
    theirs = network_joints(keypoints, checkpoint, body)
    hips = [NETWORK_KEYPOINTS.index(f"{side}_hip") for side in ("left", "right")]
    from_hips = [joints - joints[:, hips].mean(1, keepdims=True) for joints in (ours, theirs)]
    assert np.abs(from_hips[0] - from_hips[1]).max() < 1e-5


def test_hidden_keypoints_are_no_input_and_are_asked_for(
    filmed: tuple[Path, Keypoints2D], body: AnnyBody
) -> None:
    video, keypoints = filmed
    whole = filmed_person("walk", video, keypoints, None)
    view = with_hidden(whole, "test", 3)
    assert view.hidden.sum(1).tolist() == [2] * 40
    twelve = [EXTENDED_KEYPOINTS.index(name) for name in NETWORK_KEYPOINTS]
    assert not (view.person.seen.visible.numpy()[:, twelve] & view.hidden).any()
    assert with_hidden(whole, "test", 3) == view and with_hidden(whole, "test", 4) != view
    moved = replace(view, points_px=np.where(view.hidden[..., None], view.points_px + 30, view.points_px))
    checkpoint = load_checkpoint("points")
    scores = [score_single_view([one], checkpoint, body)["walk"] for one in (view, moved)]
    assert scores[0]["limb_spread"] == scores[1]["limb_spread"] and scores[0]["sides_apart"] < 0.02
    assert scores[0]["hidden_share"] != scores[1]["hidden_share"]


def test_nobody_in_a_clip_is_no_figure(filmed: tuple[Path, Keypoints2D], body: AnnyBody) -> None:
    video, keypoints = filmed
    unseen = filmed_person("walk", video, replace(keypoints, points=0 * keypoints.points), None)
    assert isinstance(unseen, FilmedPerson)
    score = score_single_view([with_hidden(unseen, "test", 0)], load_checkpoint("points"), body)["walk"]
    assert set(score.values()) == {None}


# What cannot be used


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["table9"], "there is no 'table9' to reproduce; there are table1, table2, table3"),
        (["table1", "--size", "huge"], "there is no size 'huge'; there are tiny, small, paper"),
        (
            ["table2", "--size", "tiny", "--row", "rgb"],
            "table2 has no row 'rgb' at size tiny; it has full, no_occlusions",
        ),
        (
            ["table1", "--size", "tiny", "--row", "rgb_dann"],
            "no row of table1 can be trained: it learns against real people",
        ),
        (["table1", "--benchmark", "3dpw"], "--benchmark 3dpw is not NAME=FOLDER; write such as 3dpw=FOLDER"),
        (["figure5"], "figure5 shows filmed people; give a folder of videos with --real"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["pointlight", "reproduce", *arguments, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_the_figure_wants_trained_rows(tmp_path: Path) -> None:
    with pytest.raises(
        PointlightError, match=r"best\.safetensors is not there; run `pointlight reproduce table1 --out"
    ):
        draw_figure5(tmp_path, Given(real=tmp_path), size="tiny")
    assert KEPT.format(3) == "at-0000003.safetensors"
