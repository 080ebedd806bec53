"""Evaluation on simulation: metrics by their properties, predictors of known worth, and the form of the JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from typer.testing import CliRunner

from pointlight.body import EVALUATION_JOINTS, EXTENDED_KEYPOINTS, AnnyBody, BodyState
from pointlight.capture import PredictOptions, track_of
from pointlight.cli.main import app
from pointlight.cues import MIN_VISIBLE, Cues, Keypoints2D, Observation, PointCueConfig
from pointlight.errors import PointlightError
from pointlight.evaluation import (
    Contender,
    PerFile,
    SyntheticRow,
    acceleration_error,
    angle_deg,
    evaluate_synthetic,
    mpjpe_mm,
    pa_mpjpe_mm,
    read_result,
    tables,
)
from pointlight.evaluation.synthetic import NetworkPredictor, Predicted, Predictor, Score, SyntheticTest
from pointlight.motion import MotionBank, procedural_bank
from pointlight.network import Prediction, WindowConfig, over_windows
from pointlight.progress import Progress
from pointlight.simulator import EVAL_V1, EVAL_V1_PERFECT, DetectorNoise, TrackMaker, Tracks
from pointlight.training import (
    find_training_recipe,
    observation_of,
    repaired_tracks,
    save_checkpoint,
    targets_of,
)

HALF_TURN = torch.diag(torch.tensor([-1.0, 1.0, -1.0]))  # about the body's long axis
QUARTER_TURN = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])

NOTHING = 0.003
"""Degrees or mm; a single wrong frame of a scene moves the mean by more."""


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def bank(body: AnnyBody) -> MotionBank:
    return procedural_bank(body, 5, kinds=("walk", "turn", "squat"), clips_per_kind=15)


@pytest.fixture(scope="module")
def scenes(bank: MotionBank, body: AnnyBody) -> SyntheticTest:
    """Whole motions of four windows, so that windows can overlap."""
    return SyntheticTest(EVAL_V1, bank, body)


@pytest.fixture(scope="module")
def run_folder(body: AnnyBody, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with untrained weights of the recipe `points`."""
    folder = tmp_path_factory.mktemp("runs") / "untrained"
    config = find_training_recipe("points").network
    torch.manual_seed(0)
    save_checkpoint(folder / "best.safetensors", config.build(body), body)
    return folder


def figures(score: Score) -> SyntheticRow:
    """A score's figures, whoever it is of."""
    return score.row(Contender("somebody"))


def random_joints(*leading: int) -> Tensor:
    return torch.randn(*leading, 14, 3, generator=torch.Generator().manual_seed(0))


def per_file(values: dict[str, list[float]]) -> PerFile:
    """Scores of files 'group/name'."""
    files = list(values)
    return PerFile.collect(
        files, [f.partition("/")[0] for f in files], [np.array(v) for v in values.values()]
    )


# Metrics


def test_alignment_takes_away_rotation_scale_and_shift_but_no_reflection() -> None:
    joints = random_joints(5)
    moved = 1.7 * joints @ QUARTER_TURN.T + torch.tensor([3.0, -1.0, 0.5])
    assert pa_mpjpe_mm(moved, joints).max() < 0.1
    mirrored = joints * torch.tensor([-1.0, 1.0, 1.0])
    assert pa_mpjpe_mm(mirrored, joints).min() > 100


def test_unaligned_error_ignores_place_but_not_rotation_or_scale() -> None:
    joints = random_joints(5)
    assert mpjpe_mm(joints + 2.0, joints, (4, 5)).max() < 0.1
    assert mpjpe_mm(joints @ QUARTER_TURN.T, joints, (4, 5)).min() > 100
    assert mpjpe_mm(1.2 * joints, joints, (4, 5)).min() > 100


def test_constant_velocity_has_no_acceleration() -> None:
    target = random_joints(1).expand(9, 14, 3)
    time = torch.arange(9.0)[:, None, None]
    assert acceleration_error(target + 0.1 * time, target).max() < 0.1
    # x = t^2 / 2 m has the second difference 1 m
    push = torch.stack((time**2 / 2, 0 * time, 0 * time), dim=-1)[..., 0, :]
    assert acceleration_error(target + push, target) == pytest.approx(np.full(7, 1000.0), rel=1e-3)


def test_angles_are_those_of_the_turn() -> None:
    assert float(angle_deg(QUARTER_TURN, torch.eye(3))) == pytest.approx(90, abs=0.1)


def test_groups_count_alike_whatever_their_length() -> None:
    scores = per_file({"walk/a": [10.0] * 90, "walk/b": [20.0] * 10, "sit/c": [51.0], "lie/d": []})
    assert scores.by_group() == {"sit": 51.0, "walk": 11.0}
    assert scores.overall() == 31.0
    assert np.isnan(per_file({"lie/d": []}).overall())


def test_the_interval_holds_the_mean_and_pairs_models() -> None:
    rng = np.random.default_rng(0)
    easy = {f"{g}/{i}": list(rng.normal(50 + 5 * i, 3, 20)) for g in ("walk", "sit") for i in range(8)}
    hard = {name: [value + 4 + rng.normal(0, 0.5) for value in values] for name, values in easy.items()}
    one, other = per_file(easy), per_file(hard)
    interval = one.interval()
    assert interval.low < interval.mean < interval.high
    assert interval.mean == pytest.approx(one.overall())
    with_itself = one.interval(one)
    assert (with_itself.low, with_itself.mean, with_itself.high) == (0, 0, 0)
    paired = other.interval(one)
    assert 3 < paired.low < 4 < paired.high < 5
    # Files differ far more than models do: only pairing shows the difference.
    assert interval.high - interval.low > 4 * (paired.high - paired.low)


def test_intervals_are_over_people() -> None:
    """Files of one person say nearly the same; taken for independent ones they would promise too much."""
    rng = np.random.default_rng(0)
    files = [f"{person}/{k}" for person in range(6) for k in range(20)]
    person_of = {file: file.partition("/")[0] for file in files}
    level = rng.normal(50, 8, 6)
    values = [rng.normal(level[int(person_of[file])], 1, 30) for file in files]
    groups = ["walk"] * len(files)
    by_people = PerFile.collect(files, groups, values, person_of).interval()
    by_files = PerFile.collect(files, groups, values).interval()
    assert by_people.mean == by_files.mean
    # The standard error of six people's mean, against that of as many as there are files.
    width = 2 * 1.96 * level.std() / np.sqrt(6)
    assert by_people.high - by_people.low == pytest.approx(width, rel=0.25)
    assert by_files.high - by_files.low < 0.4 * width


def test_one_person_is_the_same_person_in_all_groups() -> None:
    """Whose groups go up and down together: the interval of their mean is as wide as that of each."""
    level = {"a": 40.0, "b": 50.0, "c": 60.0, "d": 70.0}
    one = PerFile.collect([*level], ["walk"] * 4, [np.full(10, v) for v in level.values()]).interval()
    files = [f"{person}{group}" for person in level for group in ("walk", "sit")]
    both = PerFile.collect(
        files, ["walk", "sit"] * 4, [np.full(10, level[f[0]]) for f in files], {f: f[0] for f in files}
    ).interval()
    assert both.high - both.low == pytest.approx(one.high - one.low, rel=0.1)
    apart = PerFile.collect(files, ["walk", "sit"] * 4, [np.full(10, level[f[0]]) for f in files]).interval()
    assert apart.high - apart.low < 0.85 * (both.high - both.low)


def test_there_is_no_interval_of_zero_width() -> None:
    alone = per_file({"walk/a": [10.0] * 9, "sit/b": [20.0] * 9}).interval()
    assert alone.mean == 15.0 and np.isnan(alone.low) and np.isnan(alone.high)
    one_person = PerFile.collect(
        ["a", "b"], ["walk"] * 2, [np.ones(3), 3 * np.ones(3)], dict.fromkeys("ab", "p")
    )
    assert one_person.interval().high > one_person.interval().low  # its files differ


def test_people_are_those_of_the_bank(body: AnnyBody, bank: MotionBank) -> None:
    motions = [bank.motion(i) for i in bank.indices("heldout")]
    named = MotionBank.from_motions(motions, [f"somebody {i % 2}" for i in range(len(motions))])
    test = SyntheticTest(EVAL_V1, named, body, clips=6)
    assert test.people == 2 and sum(group.files for group in test.groups.values()) == 6
    assert all(group.people in (1, 2) for group in test.groups.values())
    score = test.score(random_joints())
    assert set(score.metrics["pa_mpjpe_mm"].people) == {"somebody 0", "somebody 1"}
    unnamed = SyntheticTest(EVAL_V1, bank, body, clips=6)
    assert unnamed.people is None and {group.people for group in unnamed.groups.values()} == {None}


# Predictors of known worth


@dataclass(frozen=True)
class Oracle:
    """The truth from the body in camera axes, with the root turned about the body's own axes."""

    body: AnnyBody
    turn: Tensor
    stretch: float = 1.0

    def observe(self, seen: Observation) -> Cues:
        """See `Predictor`."""
        return PointCueConfig("paper12", next_frame=False).make(seen)

    def __call__(self, tracks: Tracks, cues: Cues) -> Predicted:
        """See `Predictor`."""
        to_ray = torch.cat((cues.R_ray_camera[:, :-1], cues.R_ray_camera[:, -2:-1]), dim=1)
        state = tracks.state
        root = to_ray @ state.root @ self.turn
        shape = state.shape.expand(*root.shape[:2], -1)
        joints = self.body.keypoints(BodyState(state.pose, shape, root, torch.zeros(3)), EVALUATION_JOINTS)
        return Predicted(self.stretch * joints, state.pose, root, shape)


def test_the_truth_scores_nothing(scenes: SyntheticTest, body: AnnyBody) -> None:
    score = figures(scenes.score(Oracle(body, torch.eye(3))))
    by_joint, by_distance = score.joint_deg_by_joint, score.pa_mpjpe_mm_by_distance
    assert tuple(by_joint) == body.joint_names[1:]
    assert max(by_joint.values()) < NOTHING
    assert set(by_distance) == {"2-4 m", "6-10 m"} and max(by_distance.values()) < NOTHING
    for name in ("pa_mpjpe_mm", "occluded_pa_mpjpe_mm", "mpjpe_mm", "acceleration_mm", "pve_mm"):
        assert getattr(score, name) < NOTHING, name
    for name in ("root_deg", "root_median_deg", "joint_deg"):
        assert getattr(score, name) < NOTHING, name
    assert score.facing_wrong == 0


def test_facing_backwards_is_seen_where_alignment_hides_it(scenes: SyntheticTest, body: AnnyBody) -> None:
    score = figures(scenes.score(Oracle(body, HALF_TURN)))
    assert score.facing_wrong == 1
    assert score.root_deg == pytest.approx(180, abs=0.5)
    assert score.pa_mpjpe_mm < 0.1
    assert score.pve_mm > 100 and score.mpjpe_mm > 50
    assert score.joint_deg < 0.1


def test_exchanged_sides_are_repaired_as_in_training_and_predict(bank: MotionBank, body: AnnyBody) -> None:
    """A detector that exchanges sides: the network sees what `predict` would see; which frames count does not change."""
    noise = DetectorNoise(swap=1.0)
    config = replace(EVAL_V1_PERFECT, name="swaps", noise=noise, split="train")
    test = SyntheticTest(config, bank, body, clips=8)
    changed = 0
    for batch in test._batches:
        raw = TrackMaker(config, body).make(batch.scenes)
        wanted = repaired_tracks(raw)
        assert torch.equal(batch.tracks.detections_px, wanted.detections_px)
        assert torch.equal(batch.tracks.visible, wanted.visible)
        assert torch.equal(batch.occluded, (raw.visible[..., :12].sum(-1) < MIN_VISIBLE))
        changed += int((raw.detections_px != wanted.detections_px).any())
        for scene in range(len(batch.scenes)):
            points = torch.cat((raw.detections_px, raw.visible[..., None].float()), dim=-1)[scene].numpy()
            times = np.arange(len(points)) / 30
            keypoints = Keypoints2D(
                EXTENDED_KEYPOINTS, times, np.arange(len(points)), points, (10_000, 10_000), "made"
            )
            track = track_of(keypoints, EXTENDED_KEYPOINTS, PredictOptions())[0]
            np.testing.assert_array_equal(track.points_px.astype(np.float32), wanted.detections_px[scene])
    assert changed > 0
    exact = SyntheticTest(replace(EVAL_V1_PERFECT, split="train"), bank, body, clips=8)
    for batch in exact._batches:
        assert torch.equal(
            batch.tracks.detections_px, TrackMaker(exact.config, body).make(batch.scenes).detections_px
        )


def test_near_and_far_persons_are_told_apart(scenes: SyntheticTest, body: AnnyBody) -> None:
    """A predictor that fails beyond 5 m only."""

    @dataclass(frozen=True)
    class NearSighted(Oracle):
        def __call__(self, tracks: Tracks, cues: Cues) -> Predicted:
            right = super().__call__(tracks, cues)
            far = tracks.points_camera_m.mean(-2).norm(dim=-1) > 5
            mirrored = right.joints * torch.tensor([-1.0, 1.0, 1.0])
            return replace(right, joints=torch.where(far[..., None, None], mirrored, right.joints))

    score = figures(scenes.score(NearSighted(body, torch.eye(3))))
    assert score.pa_mpjpe_mm_by_distance["2-4 m"] < 0.1
    assert score.pa_mpjpe_mm_by_distance["6-10 m"] > 10


def test_occluded_frames_are_not_scored(scenes: SyntheticTest, body: AnnyBody) -> None:
    """A predictor that fails in occluded frames only, and only for a frame at a time between others."""

    @dataclass(frozen=True)
    class Blind(Oracle):
        def __call__(self, tracks: Tracks, cues: Cues) -> Predicted:
            right = super().__call__(tracks, cues)
            mirrored = right.joints * torch.tensor([-1.0, 1.0, 1.0])
            return replace(right, joints=torch.where(cues.occluded[..., None, None], mirrored, right.joints))

    score = figures(scenes.score(Blind(body, torch.eye(3))))
    assert score.pa_mpjpe_mm < 0.1 and score.acceleration_mm < 0.1
    assert score.occluded_pa_mpjpe_mm > 10


# Windows


@dataclass(frozen=True)
class Knowing:
    """Stands where a network does: finds each window by its input and says the truth about its pairs."""

    body: AnnyBody
    overlap: bool
    windows: set[int]

    def observe(self, seen: Observation) -> Cues:
        """See `Predictor`."""
        return PointCueConfig("paper12").make(seen)

    def __call__(self, tracks: Tracks, cues: Cues) -> Predicted:
        """See `Predictor`."""
        targets = targets_of(tracks, cues)

        def truth_of(inputs: Tensor) -> Prediction:
            """(N, 30, F) to pairs."""
            rows = [self._place(cues.inputs, window) for window in inputs]
            self.windows.update(start for _, start in rows)
            pose, root = (
                torch.stack([values[row, start : start + 30] for row, start in rows])
                for values in (targets.pose, targets.root_ray)
            )
            shape = targets.shape[[row for row, _ in rows]]
            return Prediction(pose, root, shape, torch.ones(root.shape[:3]), torch.zeros(*root.shape[:3], 2))

        bodies = over_windows(truth_of, cues, 31, overlap=self.overlap)
        root = cues.R_ray_of_pairs @ bodies.root
        state = BodyState(bodies.pose, bodies.shape, root, torch.zeros(3))
        return Predicted(self.body.keypoints(state, EVALUATION_JOINTS), bodies.pose, root, bodies.shape)

    @staticmethod
    def _place(inputs: Tensor, window: Tensor) -> tuple[int, int]:
        for row, track in enumerate(inputs):
            for start in range(len(track) - 29):
                if torch.equal(track[start : start + 30], window):
                    return row, start
        raise AssertionError("this is no window of the scenes")


@pytest.mark.parametrize(("overlap", "starts"), [(False, {0, 31, 62, 93}), (True, {*range(0, 91, 15), 93})])
def test_windows_put_every_frame_where_it_belongs(
    bank: MotionBank, body: AnnyBody, overlap: bool, starts: set[int]
) -> None:
    """Pairs to frames, windows to scenes, and one crop-ray frame into another, up to the scene's last frame."""
    test = SyntheticTest(EVAL_V1_PERFECT, bank, body)
    knowing: Predictor = Knowing(body, overlap, set())
    score = figures(test.score(knowing))
    assert knowing.windows == starts
    for name in ("pa_mpjpe_mm", "mpjpe_mm", "root_deg", "joint_deg", "acceleration_mm", "pve_mm"):
        assert getattr(score, name) < NOTHING, name


def test_windows_know_nothing_of_each_other(scenes: SyntheticTest, body: AnnyBody) -> None:
    """Else a scene of four windows would be scored by a shape that four windows found together."""
    config = find_training_recipe("points").network
    torch.manual_seed(1)
    model = config.build(body).eval()
    tracks = max((batch.tracks for batch in scenes._batches), key=lambda t: t.visible.shape[1])
    cues = model.observe(observation_of(tracks))
    windows = NetworkPredictor(model, body, WindowConfig(31))
    first = windows(tracks, cues).joints[:, :31]
    changed = replace(cues, inputs=torch.cat((cues.inputs[:, :31], cues.inputs[:, 31:] + 1), dim=1))
    assert torch.equal(windows(tracks, changed).joints[:, :31], first)


@pytest.mark.slow
def test_what_predict_does_is_reported_beside(scenes: SyntheticTest, body: AnnyBody) -> None:
    torch.manual_seed(0)
    model = find_training_recipe("tiny").network.build(body).eval()
    without, beside = scenes.score(model), scenes.score(model, refine=True)
    assert not without.variants and set(beside.variants) == {"refined"}
    alone, refined = figures(beside), figures(beside.variants["refined"])
    assert alone == figures(without)
    # Nothing was learned, but keypoints alone say much.
    assert refined.pa_mpjpe_mm < 0.9 * alone.pa_mpjpe_mm
    assert refined.acceleration_mm is not None and refined.pve_mm is None


def test_overlap_is_reported_beside(scenes: SyntheticTest, body: AnnyBody) -> None:
    torch.manual_seed(2)
    model = find_training_recipe("points").network.build(body).eval()
    seen: list[Progress] = []
    without = scenes.score(model)
    beside = scenes.score(model, overlap=True, progress=seen.append)
    assert figures(beside) == figures(without)
    assert set(beside.variants) == {"overlap"}
    assert figures(beside.variants["overlap"]).pa_mpjpe_mm != figures(beside).pa_mpjpe_mm
    assert seen[-1] == Progress("score", scenes.frames, scenes.frames, unit="frame")


def test_what_averages_windows_is_nothing_to_models_without_windows(
    scenes: SyntheticTest, body: AnnyBody
) -> None:
    assert not scenes.score(random_joints(), overlap=True, mirror=True, refine=True).variants


# The command


def test_the_json_has_the_form_that_was_agreed(run_folder: Path, tmp_path: Path, body: AnnyBody) -> None:
    file = tmp_path / "new" / "figures.json"
    arguments = ["evaluate", str(run_folder), str(run_folder / "best.safetensors"), "--clips", "16"]
    done = CliRunner().invoke(app, [*arguments, "--json", str(file)])
    assert done.exit_code == 0, done.output
    result = read_result(file)
    spec = result.spec
    assert spec.data.counts == {"frames": 16 * 31, "files": 16} and len(spec.data.sha256["motion"]) == 64
    assert spec.configuration["scenes"]["name"] == "eval-v1" and spec.seed == 7
    assert spec.command == (
        f"pointlight evaluate {run_folder} {run_folder / 'best.safetensors'} --on synthetic --seed 7"
        " --configuration eval-v1 --split heldout --clips 16"
    )
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
    assert "Not comparable with README's figures: procedural motions, 16 clips, few files." in done.stdout
    models = [row for row in result.rows if not row.baseline]
    assert [row.model for row in models] == ["untrained", "best"]  # the run's folder, and the file in it
    constant = result.row("constant")
    assert constant.baseline and constant.of_constant.overall == 1 and not constant.against
    for score in (*models, constant):
        low, high = score.ci95_mm
        assert low <= score.pa_mpjpe_mm <= high
        assert score.occluded_pa_mpjpe_mm is None or score.occluded_pa_mpjpe_mm > 0
        mean = sum(score.by_group.values()) / len(score.by_group)
        assert mean == pytest.approx(score.pa_mpjpe_mm, abs=0.01)
        ratio = score.of_constant.by_group
        for group, value in score.by_group.items():
            assert ratio[group] == pytest.approx(value / constant.by_group[group], abs=1e-3)
    model = models[0]
    assert tuple(model.joint_deg_by_joint) == body.joint_names[1:]
    mean = sum(model.joint_deg_by_joint.values()) / (len(body.joint_names) - 1)
    assert mean == pytest.approx(model.joint_deg, abs=0.01)
    paired = model.against["constant"]
    assert paired.difference_mm == pytest.approx(model.pa_mpjpe_mm - constant.pa_mpjpe_mm, abs=0.02)
    assert "| untrained |" in done.output and "| constant (baseline) |" in done.output
    assert "| left_knee " in done.output and tables(result) in done.output
    assert (
        "untrained, frame 496 of 496" in done.output
    )  # where there is no terminal, a line says when a model is done

    # Keys of version 0.1.0, for one release.
    earlier = json.loads(file.read_text())
    assert set(earlier) > {"models", "peers", "frames", "config"}
    assert earlier["peers"] == earlier["baselines"] and earlier["frames"] == 16 * 31
    assert earlier["config"]["motion_sha256"] == spec.data.sha256["motion"]
    assert earlier["models"]["best"]["sha256"] == spec.weights["best"]
    assert earlier["models"]["best"]["pa_mpjpe_mm"] == result.row("best").pa_mpjpe_mm
    assert set(earlier["models"]["best"]["against"]["constant"]) == {"difference_mm", "ci95_mm"}


# What does not fit


def other_header(change: Callable[[dict], object]) -> Callable[[Path, AnnyBody], None]:
    """Writes a file whose header is not as ours."""

    def write(path: Path, body: AnnyBody) -> None:
        config = find_training_recipe("tiny").network
        save_checkpoint(path, config.build(body), body)
        from safetensors import safe_open

        with safe_open(path, "pt") as reader:
            header = json.loads(reader.metadata()["pointlight"])
        change(header)
        save_file({"x": torch.zeros(1)}, path, metadata={"pointlight": json.dumps(header)})

    return write


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda h: h["keypoints"].pop(), "was trained with another set of keypoints"),
        (lambda h: h["config"]["cues"].update(keypoint_set="body25"), "another set of keypoints"),
        (lambda h: h["config"].update(type="Transformer"), "configuration of an unknown type"),
        (lambda h: h.update(body_sha256="0" * 64), "was trained with another body"),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_one_sentence(
    change: Callable[[dict], object], sentence: str, tmp_path: Path, body: AnnyBody
) -> None:
    file = tmp_path / "odd.safetensors"
    other_header(change)(file, body)
    with pytest.raises(PointlightError, match=sentence) as caught:
        evaluate_synthetic([str(file)])
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_settings_that_mean_nothing_are_one_sentence(
    run_folder: Path, scenes: SyntheticTest, bank: MotionBank, body: AnnyBody
) -> None:
    model = str(run_folder)
    with pytest.raises(
        PointlightError, match="no configuration 'eval-v2'; there are eval-v1, eval-v1-perfect"
    ):
        evaluate_synthetic([model], configuration="eval-v2")
    with pytest.raises(PointlightError, match=r"holds no best\.safetensors; give a run's folder or a file"):
        evaluate_synthetic([str(run_folder.parent)])
    with pytest.raises(PointlightError, match="no split 'held'; there are train, validation, heldout"):
        evaluate_synthetic([model], split="held")
    with pytest.raises(PointlightError, match="give --overlap without --clips"):
        evaluate_synthetic([model], clips=2, overlap=True)
    with pytest.raises(PointlightError, match="is given twice; name every model once"):
        evaluate_synthetic([model, model, model])
    with pytest.raises(PointlightError, match="0 clips cannot be scored"):
        SyntheticTest(EVAL_V1, bank, body, clips=0)
    short = procedural_bank(body, 5, kinds=("walk",), clips_per_kind=5, frames=30)
    with pytest.raises(PointlightError, match=r"no motion of the split 'heldout' is 31 frames \(1 s\) long"):
        SyntheticTest(EVAL_V1, short, body)
    with pytest.raises(
        PointlightError,
        match="a model of type Linear cannot be evaluated on keypoint tracks; give a PoseNetwork",
    ):
        scenes.score(nn.Linear(2, 2))
