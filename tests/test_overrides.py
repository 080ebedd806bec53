"""One field of a configuration by its path, and what `train --set` makes of it."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
from typer.testing import CliRunner

from pointlight.body import AnnyBody
from pointlight.cli.main import app
from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.motion import procedural_bank
from pointlight.overrides import changes_between, field_paths, with_changes
from pointlight.simulator.clips import find_synthesis_recipe, with_set
from pointlight.training import RECIPES, find_training_recipe, load_checkpoint
from pointlight.training.changes import changed_recipe, changes_of, try_changed


@dataclass(frozen=True)
class Inner:
    rate: float = 0.5
    count: int = 3
    on: bool = True
    name: str = "a"
    kind: Literal["one", "two"] = "one"
    most: int | None = None
    span: tuple[float, float] = (1.0, 2.0)
    sizes: tuple[tuple[int, int], ...] = ((320, 240),)
    place: Path | None = None

    def __post_init__(self) -> None:
        if self.span[0] > self.span[1]:
            raise ValueError(f"the span {self.span} ends before it begins")


@dataclass(frozen=True)
class Other:
    height: float = 1.0


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    either: Inner | Other = field(default_factory=Inner)
    entries: tuple[Inner, ...] = (Inner(), Inner(name="b"))
    maybe: Other | None = None


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ("inner.rate=1", replace(Inner(), rate=1.0)),
        ("inner.rate=1e-3", replace(Inner(), rate=0.001)),
        ("inner.rate = -2.5 ", replace(Inner(), rate=-2.5)),
        ("inner.count=1e2", replace(Inner(), count=100)),
        ("inner.on=no", replace(Inner(), on=False)),
        ("inner.on=False", replace(Inner(), on=False)),
        ("inner.name=x y=z", replace(Inner(), name="x y=z")),
        ("inner.name='none'", replace(Inner(), name="none")),
        ("inner.kind=two", replace(Inner(), kind="two")),
        ("inner.most=7", replace(Inner(), most=7)),
        ("inner.most=none", Inner()),
        ("inner.span=2,5", replace(Inner(), span=(2.0, 5.0))),
        ("inner.span=(2, 5)", replace(Inner(), span=(2.0, 5.0))),
        ("inner.span=[2,5]", replace(Inner(), span=(2.0, 5.0))),
        ("inner.sizes=(1,2),(3,4)", replace(Inner(), sizes=((1, 2), (3, 4)))),
        ("inner.sizes=()", replace(Inner(), sizes=())),
        ("inner.place=some/where", replace(Inner(), place=Path("some/where"))),
    ],
)
def test_a_field_has_the_type_of_its_annotation(change: str, changed: Inner) -> None:
    result = with_changes(Outer(), [change])
    assert result == Outer(inner=changed)
    assert config_sha256(replace(result.inner, place=None)) == config_sha256(replace(changed, place=None))


def test_entries_whole_dataclasses_and_several_at_once() -> None:
    assert with_changes(Outer(), ["entries[1].count=9"]).entries == (Inner(), Inner(name="b", count=9))
    assert with_changes(Outer(), ["either=Other", "either.height=2"]).either == Other(2.0)
    assert with_changes(Outer(), ["maybe=Other()"]).maybe == Other()
    # Both ends of a span move beyond what either alone may be.
    assert with_changes(Outer(), ["inner.span=7,9", "inner.count=4"]).inner == Inner(span=(7.0, 9.0), count=4)
    assert with_changes(Outer(), []) == Outer()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("inner.rat=1", r"there is no field inner\.rat; did you mean inner\.rate"),
        ("zzz=1", r"there is no field zzz; there are: inner, either, entries, maybe"),
        ("count=1", r"there is no field count; did you mean inner\.count or either\.count"),
        ("inner.rate.x=1", r"there is no field inner\.rate\.x: inner\.rate is 0\.5, and has no fields"),
        ("maybe.height=1", r"there is no field maybe\.height: maybe is none, and has no fields"),
        ("entries[5].rate=1", r"there is no entry entries\[5\]; entries\[0\] to \[1\]"),
        ("inner.rate=fast", r"inner\.rate is a number, not 'fast'"),
        ("inner.rate=nan", r"inner\.rate is a number, not 'nan'"),
        ("inner.rate=1e999", r"inner\.rate is a number, not '1e999'"),
        ("inner.rate=true", r"inner\.rate is a number, not 'true'"),
        ("inner.rate=__import__('os')", r"inner\.rate is a number, not"),
        ("inner.count=2.5", r"inner\.count is a whole number, not '2\.5'"),
        ("inner.most=x", r"inner\.most is a whole number or none, not 'x'"),
        ("inner.on=1", r"inner\.on is true or false, not '1'"),
        ("inner.kind=three", r"inner\.kind is one or two, not 'three'"),
        ("inner.span=2", r"inner\.span is \(a number, a number\), not '2'"),
        ("inner.span=1,2,3", r"inner\.span is \(a number, a number\), not '1,2,3'"),
        ("inner.span=9,1", r"inner\.span cannot be so: the span \(9\.0, 1\.0\) ends before it begins"),
        ("inner=3", r"inner is a Inner with the fields rate, count, on, .* and more, of which one is given"),
        ("inner.rate", r"the change 'inner\.rate' is not understood; give PATH=VALUE"),
        ("=1", r"the change '=1' is not understood"),
        ("inner..rate=1", r"is not understood"),
    ],
)
def test_what_cannot_be_changed_is_one_sentence(change: str, sentence: str) -> None:
    with pytest.raises(PointlightError, match=sentence):
        with_changes(Outer(), [change])


def test_a_path_is_given_once() -> None:
    with pytest.raises(PointlightError, match=r"inner\.rate is given twice, 1 and 2; give it once"):
        with_changes(Outer(), ["inner.rate=1", "inner.rate=2"])


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_changes_are_found_again(name: str) -> None:
    """From `points` to every other recipe, and the hash is that recipe's."""
    points = find_training_recipe("points")
    other = replace(find_training_recipe(name), name="points")
    words = changes_between(points, other)
    assert with_changes(points, words) == other
    assert config_sha256(with_changes(points, words)) == config_sha256(other)
    assert bool(words) == (name != "points")


def test_every_plain_field_of_a_recipe_has_a_path() -> None:
    for recipe in (*RECIPES.values(), find_synthesis_recipe("full")):
        paths = dict(field_paths(recipe))
        for path, value in paths.items():
            if not isinstance(value, str) and value is not None:
                assert with_changes(recipe, [f"{path}={value}"]) == recipe, path


# --- recipes ---------------------------------------------------------------------------------------------


def test_what_the_recipe_sets_itself_and_what_has_no_effect_is_said() -> None:
    points = find_training_recipe("points")
    with pytest.warns(UserWarning, match=r"recipe 'points' sets loss\.reprojection to 0\.1; it is 0\.5 now"):
        changed = changed_recipe(points, ["loss.reprojection=0.5"])
    assert changes_of(changed) == ("loss.reprojection=0.5",) and changed.name == "points"
    with pytest.warns(UserWarning, match=r"loss\.pairs is 10 in recipe 'points' anyway"):
        changed_recipe(points, ["loss.pairs=10"])
    with pytest.warns(UserWarning, match=r"optimiser\.steps changes nothing: --steps 5 goes before it"):
        changed_recipe(points, ["optimiser.steps=9"], steps=5)
    with pytest.warns(UserWarning, match=r"floor changes nothing: floor poses are added to motion capture"):
        changed_recipe(points, ["floor=false"], procedural=True)
    with pytest.warns(UserWarning, match=r"block_frames changes nothing: scenes\.masking\.block is 0\.0"):
        changed_recipe(find_training_recipe("small-keypoints"), ["scenes.masking.block_frames=2,3"])
    with pytest.warns(UserWarning, match=r"loss\.shape changes nothing: the network of Martinez"):
        changed_recipe(find_training_recipe("martinez"), ["loss.shape=1"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        changed_recipe(points, ["network.lstm=1024", "scenes.camera.distance_m=2,5"])


def test_what_sees_pictures_is_tried_on_black_ones() -> None:
    body = AnnyBody()
    bank = procedural_bank(body, 5, clips_per_kind=5, kinds=("walk",), frames=62)
    recipe = find_training_recipe("points-flow")
    changes = ["scenes.frames=4", "network.lstm=16"]
    try_changed(changed_recipe(recipe, changes), changes, bank, body)
    with pytest.raises(PointlightError, match=r"cannot be trained with --set network\.cues\.flow=no .*'no'"):
        try_changed(with_changes(recipe, ["network.cues.flow=no"]), ["network.cues.flow=no"], bank, body)


def test_what_has_no_effect_has_none() -> None:
    """On a batch and a loss; what is not said to be without effect has some."""
    body = AnnyBody()
    bank = procedural_bank(body, 5, clips_per_kind=5, kinds=("walk", "turn"), frames=62)

    def loss(recipe_name: str, *changes: str) -> float:
        import torch

        from pointlight.network import draw_pairs
        from pointlight.randomness import stream
        from pointlight.training import BatchMaker

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            recipe = changed_recipe(find_training_recipe(recipe_name), changes)
        torch.manual_seed(0)
        network = recipe.network.build(body)
        batch = BatchMaker(recipe.scenes, bank, body, recipe.network.cues, seed=0, size=8).make(0)
        network.begin(lambda: batch.targets)
        pairs = draw_pairs(batch.inputs.shape[1], recipe.loss.pairs, stream(0, 0, "pairs"))
        network.eval()
        value, _ = network.loss(batch.inputs, batch.targets.of_pairs(pairs), body, recipe.loss, pairs)
        return float(value.detach())

    assert loss("tiny", "loss.surface_points=false") == loss(
        "tiny", "loss.surface_points=false", "loss.fit_on_metric=true"
    )
    assert loss("tiny", "loss.reprojection=0") == loss(
        "tiny", "loss.reprojection=0", "loss.perspective=false"
    )
    no_blocks = "scenes.masking.block=0"
    assert loss("tiny", no_blocks) == loss("tiny", no_blocks, "scenes.masking.block_frames=9,20")
    assert loss("martinez") == loss("martinez", "loss.reprojection=5", "loss.aligned=7")
    for change in ("loss.reprojection=5", "loss.pairs=3", "network.lstm=24", "scenes.camera.distance_m=2,3"):
        assert loss("tiny") != loss("tiny", change), change


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("scenes.split=heldout", "cannot be changed: training is on the motions of the split train alone"),
        ("name=mine", "cannot be changed: it is how the recipe is called"),
        ("optimiser.kind=adam", "optimiser.kind is adamw or soap or lean-soap, not 'adam'"),
    ],
)
def test_what_is_not_to_be_changed(change: str, reason: str) -> None:
    with pytest.raises(PointlightError) as raised:
        changed_recipe(find_training_recipe("tiny"), [change])
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    "change",
    [
        "optimiser.batch=0",
        "network.lstm=-3",
        "scenes.frames=1",
        "network.cues.keypoint_set=all",
        "loss.pairs=-2",
    ],
)
def test_values_that_train_nothing_are_said_before_the_run(change: str) -> None:
    body = AnnyBody()
    bank = procedural_bank(body, 5, clips_per_kind=5, kinds=("walk",), frames=62)
    recipe = with_changes(find_training_recipe("tiny"), [change])
    with pytest.raises(PointlightError, match=r"recipe 'tiny' cannot be trained with --set "):
        try_changed(recipe, [change], bank, body)


def test_clips_have_fields_too() -> None:
    full = find_synthesis_recipe("full")
    with pytest.warns(UserWarning, match=r"recipe 'full' sets scenes\.camera\.distance_m"):
        near = with_set(full, ["scenes.camera.distance_m=2,4"])
    assert near.scenes.camera.distance_m == (2.0, 4.0) and near.sha256 != full.sha256
    with pytest.raises(PointlightError, match=r"scenes\.split cannot be changed with --set: --split sets it"):
        with_set(full, ["scenes.split=heldout"])
    with pytest.raises(
        PointlightError, match=r"take pictures of \(\(64, 64\),\), but backgrounds are 320x240"
    ):
        with_set(full, ["scenes.camera.image_sizes=((64,64),)"])


# --- train -----------------------------------------------------------------------------------------------


def test_a_run_knows_its_changes(tmp_path: Path) -> None:
    """They stand in `run.json` and in the weights; a resume needs none, and refuses others by name."""
    out = tmp_path / "run"
    begin = ["train", "tiny", "--out", str(out), "--steps", "4", "--workers", "0"]
    change = ["--set", "network.lstm=24", "--set", "scenes.camera.distance_m=2,5"]
    said = CliRunner().invoke(app, [*begin, *change], catch_exceptions=False)
    assert "recipe 'tiny' sets network.lstm to 16; it is 24 now" in said.output
    run = json.loads((out / "run.json").read_text())
    assert run["set"] == ["network.lstm=24", "scenes.camera.distance_m=(2.0, 5.0)"]
    assert run["recipe"]["network"]["lstm"] == 24
    best = load_checkpoint(out)
    assert best.config.lstm == 24  # type: ignore[attr-defined]
    assert "--set network.lstm=24 --set 'scenes.camera.distance_m=(2.0, 5.0)'" in best.metadata["command"]

    resume = ["train", "--out", str(out), "--resume", "--workers", "0", "--extend-to", "5"]
    result = CliRunner().invoke(app, [*resume, "--set", "network.lstm=32"])
    assert isinstance(result.exception, PointlightError)
    assert f"recipe.network.lstm is 24 in {out}, 32 was given; resume with" in str(result.exception)
    CliRunner().invoke(app, [*resume, "--set", "network.lstm=24"], catch_exceptions=False)
    again = json.loads((out / "run.json").read_text())
    assert again["recipe"] == run["recipe"] and again["set"] == run["set"] and again["steps"] == 5


def test_a_misspelt_path_begins_no_run(tmp_path: Path) -> None:
    words = ["train", "tiny", "--out", str(tmp_path / "run"), "--set", "network.lstn=24"]
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, PointlightError)
    assert "there is no field network.lstn; did you mean network.lstm" in str(result.exception)
    assert not (tmp_path / "run").exists()
