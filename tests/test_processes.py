"""Several processes that train one network learn what one process learns from the same batches."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
import torch
from processes_run import losses, points, recipes, small
from safetensors.torch import load_file
from test_picture_training import FRAMES, KEPT, maker_of
from torch import Tensor

from pointlight.body import AnnyBody
from pointlight.errors import AnotherProcessError, PointlightError
from pointlight.motion import MotionBank, procedural_bank
from pointlight.network import Targets, part_of_a_batch
from pointlight.training import BatchMaker, PictureBank, prepare_pictures, train
from pointlight.training.picture_data import PictureBatches, PictureUseConfig
from pointlight.training.processes import ALONE, Processes, joined, refuse_several

TESTS = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    torch.set_num_threads(1)
    return AnnyBody()


@pytest.fixture(scope="module")
def motions(body: AnnyBody) -> MotionBank:
    return procedural_bank(body, 5, kinds=("walk",), clips_per_kind=5, frames=62)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, motions: MotionBank, body: AnnyBody) -> Path:
    """A folder as `pointlight prepare` makes it, with one part of short clips a split."""
    folder = tmp_path_factory.mktemp("pictures")
    for split in ("train", "validation"):
        prepare_pictures(folder / split, maker_of(motions, body, split), 1, body=body, config=KEPT)
    return folder


def environment(**more: object) -> dict[str, str]:
    sources = os.pathsep.join(filter(None, [str(TESTS.parent / "src"), os.environ.get("PYTHONPATH")]))
    own = {"OMP_NUM_THREADS": "1", "POINTLIGHT_MOTION": "", "PYTHONPATH": sources}
    return {**os.environ, **own, **{name: str(value) for name, value in more.items()}}


def torchrun(*words: object) -> subprocess.CompletedProcess[str]:
    """Two processes by torch's own launcher."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", *map(str, words)]
    return subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=False, timeout=300
    )


def two_processes(*words: object) -> list[subprocess.CompletedProcess[str]]:
    """Two processes with what the launcher tells them, and without one that ends the other."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, *map(str, words)]
    running = [
        subprocess.Popen(
            command,
            env=environment(
                RANK=rank, LOCAL_RANK=rank, WORLD_SIZE=2, MASTER_ADDR="127.0.0.1", MASTER_PORT=port
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [process.communicate(timeout=300) for process in running]
    return [
        subprocess.CompletedProcess(command, process.returncode, *words)
        for process, words in zip(running, said, strict=True)
    ]


# Losses


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(pictures: Path, tmp_path: Path) -> None:
    """Some of the first half's truth is unknown in every other step: the halves do not count alike."""
    done = two_processes(TESTS / "processes_run.py", tmp_path, pictures)
    assert [process.returncode for process in done] == [0, 0], done[0].stderr[-2000:]
    together = json.loads((tmp_path / "losses.json").read_text())
    for name, recipe in recipes(FRAMES).items():
        alone = losses(recipe, tmp_path / name, pictures)
        assert len(alone) == len(together[name]) == 20
        assert together[name] == pytest.approx(alone, rel=1e-4), name


def part(targets: Targets, rows: slice) -> Targets:
    values = {entry.name: getattr(targets, entry.name) for entry in fields(Targets)}
    return replace(targets, **{name: value[rows] for name, value in values.items() if value is not None})


@pytest.mark.parametrize("seed", range(3))
def test_parts_of_a_batch_add_up_to_its_loss_and_gradient(
    motions: MotionBank, body: AnnyBody, seed: int
) -> None:
    """One part's truth is all known, the other's hardly: the mean of their own means would be another number."""
    recipe = points()
    torch.manual_seed(seed)
    network = recipe.network.build(body)
    made = BatchMaker(recipe.scenes, motions, body, recipe.network.cues, seed=seed, size=4).make(0)
    pairs = torch.arange(0, 30, 3)
    config = replace(recipe.loss, rotation=0.1, turn=0.1, root=0.1, shape=0.1, velocity=1.0, unaligned=1.0)
    targets = made.targets.of_pairs(pairs)
    known = (
        torch.rand(targets.points_ray_m.shape[:-1]) < torch.tensor([1.0, 1.0, 0.2, 0.9])[:, None, None, None]
    )
    targets = replace(targets, known=known, body_known=torch.tensor([True, True, False, True]))
    whole, of_whole = network.loss(made.inputs, targets, body, config, pairs)
    whole.backward()
    gradient = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}

    halves = [slice(0, 2), slice(2, 4)]
    given = [(made.inputs[rows], part(targets, rows)) for rows in halves]
    # Nothing is unknown in the first, and nobody there says so.
    given[0] = (given[0][0], replace(given[0][1], known=None, body_known=None))
    weights: list[list[Tensor]] = []
    for inputs, truth in given:
        noted: list[Tensor] = []
        with part_of_a_batch(lambda weight, noted=noted: noted.append(weight) or weight):
            network.loss(inputs, truth, body, config, pairs)
        weights.append(noted)
    means = [sum(both) / 2 for both in zip(*weights, strict=True)]
    network.zero_grad()
    found = []
    for inputs, truth in given:
        upcoming = iter(means)
        with part_of_a_batch(lambda weight, upcoming=upcoming: next(upcoming)):
            loss, parts = network.loss(inputs, truth, body, config, pairs)
        (loss / 2).backward()
        found.append(parts)
    for name, value in of_whole.items():
        torch.testing.assert_close((found[0][name] + found[1][name]) / 2, value, rtol=1e-5, atol=1e-7)
    for name, p in network.named_parameters():
        if p.grad is not None:
            torch.testing.assert_close(p.grad, gradient[name], rtol=1e-3, atol=1e-5)


# Rows


@pytest.mark.parametrize("count", [1, 2, 4])
def test_rows_of_a_batch_are_those_of_the_whole(
    pictures: Path,
    motions: MotionBank,
    body: AnnyBody,
    count: int,
) -> None:
    recipe, seeing = points(), small(FRAMES)
    shown = PictureBank(pictures / "train", "train")

    def sources(rows: range | None = None) -> list[BatchMaker | PictureBatches]:
        cues, use = seeing.network.cues, PictureUseConfig()
        return [
            BatchMaker(recipe.scenes, motions, body, recipe.network.cues, seed=3, size=4, rows=rows),
            PictureBatches(shown, seeing.scenes, use, cues, body, seed=3, size=4, rows=rows),  # pyright: ignore[reportArgumentType]
        ]

    parts = [sources(Processes(rank, count).rows(4)) for rank in range(count)]
    for place, whole in enumerate(sources()):
        wanted = whole.make(2)
        made = [of_rank[place].make(2) for of_rank in parts]
        torch.testing.assert_close(
            torch.cat([batch.inputs for batch in made]), wanted.inputs, rtol=0, atol=3e-6
        )
        poses = torch.cat([batch.targets.pose for batch in made])
        assert torch.equal(poses, wanted.targets.pose)


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(
        PointlightError, match=r"batch of 4 clips .* evenly over 3 .*--set optimiser\.batch=6"
    ):
        Processes(1, 3).rows(4)
    assert ALONE.rows(4) == range(4) and Processes(1, 2).rows(4) == range(2, 4)


# Alone, and started wrongly


def test_one_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "1")
    with joined("cpu") as processes:
        assert processes is ALONE and processes.leads
    refuse_several("pretraining")
    with pytest.raises(PointlightError, match="said"), ALONE.agreed():
        raise PointlightError("said")


def test_devices_for_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for device, sentence in (
        ("mps", "not on 'mps'"),
        ("cuda:1", "not on 'cuda:1'"),
        ("cuda", "there are 1 GPUs"),
    ):
        with pytest.raises(PointlightError, match=sentence), joined(device):
            pass
    with pytest.raises(PointlightError, match="pretraining is the work of one process"):
        refuse_several("pretraining")
    monkeypatch.setenv("RANK", "1")
    with pytest.raises(AnotherProcessError), joined("mps"):
        pass
    assert Processes(3, 4, 1).device("cuda") == "cuda:1" and Processes(3, 4, 1).device("cpu") == "cpu"


# From the command line


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:recipe 'tiny' sets optimiser.kind")
def test_torchrun_trains_refuses_once_and_goes_on_with_another_number(tmp_path: Path) -> None:
    """Two processes begin a run, one goes on, two end it: the weights are those of one. A refusal is said once."""
    out, change = tmp_path / "run", "optimiser.kind=adamw"
    words = ("-m", "pointlight", "train", "tiny", "--out", out, "--steps", 4, "--set", change)
    done = torchrun(*words, "--minutes", 0)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("PA-MPJPE") == 1
    again = torchrun(*words)
    assert again.returncode != 0 and again.stderr.count("holds a run already") == 1
    trainer = train(None, out, resume=True, workers=0, minutes=0)
    assert trainer.step == 2 and trainer.processes.alone
    done = torchrun("-m", "pointlight", "train", "--out", out, "--resume")
    assert done.returncode == 0 and done.stdout.startswith("4 steps, best on validation")
    sessions = json.loads((out / "run.json").read_text())["sessions"]
    assert [(session["from_step"], session["to_step"]) for session in sessions] == [(0, 1), (1, 2), (2, 4)]
    train("tiny", tmp_path / "whole", changes=[change], steps=4, workers=0)
    together, whole = (load_file(folder / "last.safetensors") for folder in (out, tmp_path / "whole"))
    assert together.keys() == whole.keys()
    for name, value in whole.items():
        if name.startswith(("model/", "average/")):
            torch.testing.assert_close(together[name], value, rtol=0, atol=5e-5)


@pytest.mark.slow
def test_a_process_that_fails_ends_all_with_a_sentence(tmp_path: Path) -> None:
    """It says what is wrong; the first one keeps the steps that are whole and ends without a word."""
    first, second = two_processes(TESTS / "processes_fail.py", tmp_path)
    assert second.returncode == first.returncode == 2
    assert second.stderr.strip() == "pointlight: the second half's picture is broken"
    assert "Traceback" not in first.stderr and "broken" not in first.stderr
    assert json.loads((tmp_path / "run.json").read_text())["sessions"][-1]["to_step"] == 2
