"""Results of evaluations: typed, read back as they were written, each column and each variant one entry."""

from __future__ import annotations

import copy
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointlight import __version__, provenance
from pointlight.errors import PointlightError
from pointlight.evaluation import (
    Contender,
    EvaluationResult,
    EvaluationSpec,
    MultiviewRow,
    PublishedRow,
    ReferenceQuality,
    ScoredData,
    SyntheticRow,
    Variant,
    from_json,
    read_result,
    remarks,
    report,
    tables,
    to_json,
    variants,
    write_result,
)
from pointlight.evaluation.contenders import command
from pointlight.evaluation.results import (
    MeanError,
    PairedDifference,
    PairedRatio,
    Ratio,
    ScoredGroup,
    SetScore,
)
from pointlight.provenance import commit, files_sha256, git


def spec(protocol: str, **configuration: Any) -> EvaluationSpec:
    return EvaluationSpec.of_this_run(
        protocol,
        weights={"mine": "1" * 64},
        baseline_weights={"martinez": "2" * 64},
        data=ScoredData("made", {"motion": "3" * 64}, {"frames": 62, "persons": 2}),
        seed=7,
        configuration=configuration,
        command=command(
            ["mine"], on=protocol, motion=Path("my motions"), clips=2, seed=7, overlap=True, refine=False
        ),
    )


def synthetic() -> EvaluationResult[SyntheticRow]:
    mine = SyntheticRow(
        "mine",
        pa_mpjpe_mm=50.123,
        ci95_mm=(40.0, 60.0),
        by_group={"walk": 50.12},
        acceleration_mm=9.5,
        of_constant=Ratio(0.5, {"walk": 0.5}),
        against={"constant": PairedDifference(-50.12, (-60.0, -40.0))},
        occluded_pa_mpjpe_mm=None,
        mpjpe_mm=70.0,
        pa_mpjpe_mm_by_distance={"2-4 m": None, "6-10 m": 51.0},
        root_deg=10.0,
        root_median_deg=8.0,
        root_median_over_frames_deg=7.5,
        joint_deg=15.0,
        joint_deg_by_joint={"left_knee": 9.25, "neck": 11.0},
        facing_wrong=0.25,
        pve_mm=96.0,
    )
    mirrored = SyntheticRow(
        "mine",
        "mirror",
        pa_mpjpe_mm=48.5,
        ci95_mm=(38.0, 58.0),
        by_group={"walk": 48.5},
        acceleration_mm=None,
    )
    constant = replace(mirrored, model="constant", variant="network", baseline=True, pa_mpjpe_mm=100.5)
    scenes = {"focal": [0.9, 2.2], "name": "eval-v1", "split": "heldout"}
    asked = {"overlap": False, "mirror": True, "refine": False, "scenes": scenes, "motion": "folder"}
    return EvaluationResult(spec("synthetic", **asked), (mine, mirrored, constant))


def multiview() -> EvaluationResult[MultiviewRow]:
    error = MeanError(50.5, (45.5, 55.5))
    scores = SetScore(
        50.5,
        (45.5, 55.5),
        {"cam0": error, "cam1": MeanError(None, (None, None))},
        {"test": error},
        {"mediapipe_world": PairedRatio(-10.5, (-12.5, -8.5), 0.825)},
    )
    row = MultiviewRow(
        "mine",
        people="full",
        pa_mpjpe_mm=50.5,
        ci95_mm=(45.5, 55.5),
        scaled_mpjpe_mm=70.5,
        acceleration_m_s2=9.75,
        coverage=0.995,
        by_set={"made": scores},
        by_joint={"left_knee": 40.5, "left_hip": None},
    )
    rows = (row, replace(row, variant="true_2d"), replace(row, model="mediapipe_world", baseline=True))
    part = replace(row, people="part", ci95_mm=None, pa_mpjpe_mm=None)
    quality = ReferenceQuality(
        set="made",
        scored_as="full",
        frames=90,
        scored_joints=0.75,
        reprojection_px=6.5,
        limb_spread_mm={"left_knee to left_ankle": 12.5},
        floor_mm=(8.5, None),
        offsets_px=((14.0, 6.0), (-6.0, 0.0)),
        swapped=(0.0, 0.3),
        left_out_mm=(7.5, None),
    )
    return EvaluationResult(spec("multiview", truth={"inlier_px": 25.0}), (*rows, part), (quality,))


def published() -> EvaluationResult[PublishedRow]:
    row = PublishedRow(
        "mine",
        pa_mpjpe_mm=87.5,
        ci95_mm=(70.5, 100.5),
        pa_mpjpe_mm_over_frames=88.5,
        camera_valid_pa_mpjpe_mm=87.25,
        camera_valid_pa_mpjpe_mm_over_frames=None,
        mpjpe_mm=170.5,
        acceleration_mm=18.5,
        by_joint={"left_knee": 58.5, "neck": None},
        by_person={"a/0": 87.5},
        coverage=0.9995,
    )
    rows = (row, replace(row, variant="overlap"), replace(row, model="rest_pose", baseline=True))
    return EvaluationResult(spec("published", joints="made joints"), rows)


EVERY = (synthetic, multiview, published)


def numbers(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where numbers stand in a tree of JSON."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in entries:
        yield from numbers(value, (*path, key))
    if isinstance(tree, int | float) and not isinstance(tree, bool):
        yield path


# JSON


@pytest.mark.parametrize("make", EVERY)
def test_a_result_is_read_back_as_it_was(make: Any, tmp_path: Path) -> None:
    result = make()
    write_result(tmp_path / "new" / "figures.json", result)
    again = read_result(tmp_path / "new" / "figures.json")
    assert again == result
    assert [type(row) for row in again.rows] == [type(row) for row in result.rows]


@pytest.mark.parametrize("make", EVERY)
def test_every_number_of_the_file_is_one_of_the_result(make: Any) -> None:
    result = make()
    tree = json.loads(to_json(result))
    places = [path for key in ("spec", "rows", "reference_quality") for path in numbers(tree[key], (key,))]
    assert len(places) > 20
    for path in places:
        changed = copy.deepcopy(tree)
        inner = changed
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] += 1
        assert from_json(json.dumps(changed)) != result, path


@pytest.mark.parametrize("make", EVERY)
def test_the_specification_says_what_makes_the_figures_again(make: Any) -> None:
    tree = json.loads(to_json(make()))["spec"]
    assert tree["version"] == __version__ and tree["commit"] == commit()
    assert tree["weights"] == {"mine": "1" * 64} and tree["baseline_weights"] == {"martinez": "2" * 64}
    assert tree["data"]["sha256"] == {"motion": "3" * 64} and tree["data"]["name"] == "made"
    assert tree["seed"] == 7 and tree["python"] and tree["torch"]
    assert tree["command"] == (
        f"pointlight evaluate mine --on {tree['protocol']} --motion 'my motions' --clips 2 --seed 7 --overlap"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda tree: tree.pop("format_version"),
            "before 1, without a specification, this version reads format 1",
        ),
        (lambda tree: tree.update(format_version=2), "of format 2, this version reads format 1"),
        (lambda tree: tree["rows"][0].pop("pa_mpjpe_mm"), "is damaged .*pa_mpjpe_mm"),
        (lambda tree: tree["rows"][0].update(pa_mpjpe_mm="50"), "is damaged .*'50' is no float"),
        (lambda tree: tree["rows"][0].update(ci95_mm=[1.0]), "is damaged"),
        (lambda tree: tree["spec"].update(protocol="moon"), "is damaged .*'moon'"),
    ],
)
def test_a_file_that_holds_something_else_is_said(change: Any, words: str, tmp_path: Path) -> None:
    tree = json.loads(to_json(synthetic()))
    change(tree)
    file = tmp_path / "figures.json"
    file.write_text(json.dumps(tree))
    with pytest.raises(PointlightError, match=rf"figures\.json holds an evaluation .*{words}"):
        read_result(file)


def test_a_result_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_result(path, synthetic())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_result(path) == synthetic()
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PointlightError):
        read_result(path)


def test_no_json_and_no_file_are_said(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("| model |")
    with pytest.raises(
        PointlightError, match=r"x\.json holds no evaluation; give a file that evaluate --json"
    ):
        read_result(tmp_path / "x.json")
    with pytest.raises(PointlightError, match=r"there is no file .*y\.json"):
        read_result(tmp_path / "y.json")
    with pytest.raises(
        PointlightError, match=r"no row mine \(averaged\); there are mine \(network\), mine \(mirror"
    ):
        synthetic().row("mine", "averaged")


def test_keys_of_version_0_1_0_stand_beside_for_one_release() -> None:
    tree = json.loads(to_json(synthetic()))
    assert tree["peers"] == tree["baselines"] and tree["frames"] == 62
    assert tree["models"]["mine"]["mirror_pa_mpjpe_mm"] == 48.5
    assert tree["baselines"]["constant"]["mirror_pa_mpjpe_mm"] == 100.5  # mirrors change nothing for it
    assert tree["models"]["mine"]["sha256"] == "1" * 64
    tree = json.loads(to_json(multiview()))
    assert tree["truth"]["made"]["exchanged"] == [0.0, 0.3]
    assert set(tree["peers"]) == {"true_2d", "mediapipe_world"} and set(tree["part_body_models"]) == {"mine"}


# Tables


def test_a_column_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tables(synthetic(), wide=True).splitlines()[2:]
    column = report.Column("MPJPE mm", lambda row: row.mpjpe_mm, "{:.1f}")
    monkeypatch.setattr(report, "SYNTHETIC_COLUMNS", (*report.SYNTHETIC_COLUMNS, column))
    after = tables(synthetic(), wide=True).splitlines()[2:]
    assert after[0] == before[0] + " MPJPE mm |" and after[1] == before[1] + " --- |"
    assert after[2] == before[2] + " 70.0 |" and after[3] == before[3] + "  |"


def test_an_unscored_distance_is_a_gap_not_nan() -> None:
    lines = tables(synthetic(), wide=True).splitlines()[2:]
    assert lines[0].startswith(
        "| model | PA-MPJPE mm (95 %) | of constant | walk (of constant) | 2-4 m | 6-10 m | occluded |"
    )
    assert lines[2].startswith("| mine | 50.1 (40.0 to 60.0) | 0.500 | 50.1 (0.50) |  | 51.0 |  |")
    assert lines[3].startswith("| mine, mirror images averaged | 48.5 (38.0 to 58.0) |")
    assert {line.count("|") for line in lines[:5]} == {lines[0].count("|")}


def test_tables_of_cameras_and_benchmarks() -> None:
    cameras = tables(multiview(), wide=True)
    assert "| made | full | 75% | 6.5 | 12 | 8, - | (14, 6), (-6, 0) | 0%, 30% |" in cameras
    assert (
        "| model | PA-MPJPE mm (95 %) | made/cam0 | made/cam1 | made/test cameras | of mediapipe_world |"
        in cameras
    )
    assert "| mine, true 2D | 50.5 (45.5 to 55.5) | 50.5 |  | 50.5 (45.5 to 55.5) | 0.82 |" in cameras
    assert "whole people:" in cameras and "people in part:\n\n| model |" in cameras
    benchmark = tables(published(), wide=True)
    assert benchmark.startswith("made: 62 scored frames of 2 persons; made joints")
    assert "| mine, overlapping windows | 87.5 (70.5 to 100.5) |" in benchmark
    assert "| joint, aligned, mm | mine | rest_pose (baseline) |" in benchmark
    assert "| left_knee          | 58.5 | 58.5                 |" in benchmark and "neck" not in benchmark


@pytest.mark.parametrize("make", EVERY)
def test_lines_are_at_most_100_letters(make: Any) -> None:
    """Figures below each other, however many contenders there are and however they are called."""
    result = make()
    names = [
        f"/a/very/long/path/of/a/run/number/{k}/that/nobody/would/type/best.safetensors" for k in range(9)
    ]
    rows = (*result.rows, *(replace(result.rows[0], model=name) for name in names))
    text = tables(replace(result, rows=rows))
    assert max(map(len, text.splitlines())) <= 100
    assert "/a/very" in text and "best.safetensors" in text and "nan" not in text.lower()
    figures = [cell.strip() for line in text.splitlines() for cell in line.split("|")]
    wide = [cell.strip() for line in tables(result, wide=True).splitlines() for cell in line.split("|")]
    assert {cell for cell in wide if re.match(r"\d+\.", cell)} <= set(figures)


def test_figures_stand_below_each_other() -> None:
    lines = tables(synthetic()).splitlines()
    (head,) = [line for line in lines if line.startswith("| model ")]
    assert (
        head.split("|")[2].strip() == "mine" and head.split("|")[3].strip() == "mine, mirror images averaged"
    )
    cells = {
        line.split("|")[1].strip(): [c.strip() for c in line.split("|")[2:-1]]
        for line in lines
        if "|" in line
    }
    assert cells["PA-MPJPE mm (95 %)"][:2] == ["50.1 (40.0 to 60.0)", "48.5 (38.0 to 58.0)"]
    assert cells["walk (of constant)"][0] == "50.1 (0.50)"
    assert "2-4 m" not in cells  # nobody has a figure there


def scored(**changes: Any) -> EvaluationSpec:
    groups = changes.pop("groups", {"walk": ScoredGroup(40, 3), "sit": ScoredGroup(8, 1)})
    scenes = {"name": "eval-v1", "split": "heldout"} | changes.pop("scenes", {})
    asked = {"motion": "folder", "motion_from": ["mocap"], "clips": None, "scenes": scenes} | changes
    made = spec("synthetic", **asked)
    counts = {"frames": 6200, "files": sum(group.files for group in groups.values()), "people": 3}
    return replace(made, data=ScoredData("made", {"motion": "3" * 64}, counts, groups))


def test_the_motions_are_named_and_who_moves() -> None:
    assert remarks.what_was_scored(scored()) == (
        "mocap (motions 333333333333), split heldout: 6200 frames of 48 files by 3 people; eval-v1, seed 7"
    )
    assert remarks.about_people(scored()) == [
        "One person: sit. How people differ there is in no figure, and in no interval."
    ]
    unknown = scored(groups={"walk": ScoredGroup(1, None)}, motion="procedural, seed 3", motion_from=[])
    unknown.data.counts.pop("people")  # type: ignore[attr-defined]
    assert remarks.what_was_scored(unknown).startswith(
        "procedural motions, seed 3 (motions 333333333333), split heldout: 6200 frames of one file by people of whom"
    )
    assert remarks.about_people(unknown) == ["One file: walk."]


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, None),
        ({"motion": "procedural, seed 3"}, "procedural motions"),
        ({"scenes": {"split": "validation"}}, "motions of the split validation"),
        ({"scenes": {"split": "train"}}, "motions of the split train"),
        ({"clips": 16}, "16 clips"),
        ({"scenes": {"name": "eval-v1-perfect"}}, "eval-v1-perfect"),
        ({"groups": {"walk": ScoredGroup(4, 2)}, "clips": 4}, "4 clips, few files"),
    ],
)
def test_figures_that_are_not_readmes_kind_say_so(changes: dict[str, Any], reasons: str | None) -> None:
    said = remarks.not_comparable(scored(**changes))
    assert said == ([] if reasons is None else [f"Not comparable with README's figures: {reasons}."])
    seeded = replace(scored(), seed=8)
    assert remarks.not_comparable(seeded) == ["Not comparable with README's figures: seed 8."]


def test_groups_are_in_the_file_and_older_files_lack_them() -> None:
    result = replace(synthetic(), spec=scored(overlap=False, mirror=False))
    tree = json.loads(to_json(result))
    assert tree["spec"]["data"]["groups"]["sit"] == {"files": 8, "people": 1}
    assert from_json(json.dumps(tree)) == result
    del tree["spec"]["data"]["groups"]
    assert from_json(json.dumps(tree)).spec.data.groups == {}


def test_no_interval_is_no_bracket() -> None:
    row = replace(synthetic().rows[0], ci95_mm=(None, None))
    assert report.with_interval(row) == "50.1"
    assert report.with_interval(replace(row, ci95_mm=(1.0, 2.0))) == "50.1 (1.0 to 2.0)"


def test_a_variant_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its protocols run it, its rows have its key, and tables know its name."""
    added = Variant(
        "true_focal_refined", "as predict, true focal length", ("multiview",), refine=True, true_focal=True
    )
    monkeypatch.setattr(variants, "VARIANTS", (*variants.VARIANTS, added))
    assert added in variants.variants_of("multiview") and added not in variants.variants_of("synthetic")
    assert Contender("mine", "true_focal_refined").title == "mine, as predict, true focal length"
    with pytest.raises(PointlightError, match="no variant 'shaken'; there are network, overlap, mirror"):
        _ = Contender("mine", "shaken").title


# Where results come from


def test_the_commit_says_whether_sources_were_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "_CHECKOUT", tmp_path)
    assert commit() == "" and git("rev-parse", "HEAD") == ""

    def run(*arguments: str) -> None:
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True)

    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("1\n")
    run("init")
    run("add", ".")
    run("commit", "-m", "first")
    clean = commit()
    assert len(clean) == 40
    (tmp_path / "notes.txt").write_text("not part of the product")
    assert commit() == clean
    (tmp_path / "src" / "a.py").write_text("2\n")
    assert commit() == f"{clean}+changes"
    assert "+2" in git("diff", "HEAD", "--", "src")


def test_a_folders_hash_is_that_of_its_contents(tmp_path: Path) -> None:
    for name in ("one", "another"):
        for file in ("test/a.pkl", "test/b.pkl"):
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file)
    one, another = (sorted((tmp_path / name).rglob("*.pkl")) for name in ("one", "another"))
    assert files_sha256(one) == files_sha256(another[::-1])
    another[0].write_text("test/b.pkl")
    assert files_sha256(one) != files_sha256(another)
    assert files_sha256(one[:1]) != files_sha256(one)
