"""The page of a result: what is in it, what it says, that it holds together; in a real browser where there is one."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from posed_people import wandering
from typer.testing import CliRunner

import pointlight
from pointlight.body import AnnyBody
from pointlight.capture import Capture, joint_angles
from pointlight.cli.main import app
from pointlight.errors import PointlightError
from pointlight.export import find_rig, people_of
from pointlight.report import write_report
from pointlight.report.contents import contents, spans
from pointlight.report.writing import filled

VIEWER = Path(__file__).resolve().parents[1] / "viewer"
BUILT = Path(pointlight.__file__).parent / "report" / "viewer.js"


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def gone(body: AnnyBody) -> Capture:
    """Somebody who is gone for three frames and hardly seen in one."""
    valid = np.ones(40, bool)
    valid[15:18] = False
    return replace(wandering(body, valid=valid), occluded=np.arange(40) == 5)


@pytest.fixture(scope="module")
def page(gone: Capture, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    return write_report([gone, gone], folder).read_text(encoding="utf-8")


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="report" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_everything_is_inside(page: str) -> None:
    """No address of another machine, so that it opens without a network."""
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", page)
    assert "{{" not in page.partition('<script id="report"')[0] and page.count("</script>") == 2
    assert len(page) < 2_500_000


def test_the_files_inside_are_those_of_export(page: str) -> None:
    first, second = data_of(page)["people"]
    assert [file["name"] for file in first["files"].values()] == [
        "poses.glb",
        "poses.bvh",
        "poses_angles.csv",
    ]
    assert second["files"]["glb"]["name"] == "poses_1.glb"
    glb, bvh, _ = (gzip.decompress(base64.b64decode(file["data"])) for file in first["files"].values())
    assert struct.unpack("<4sII", glb[:12]) == (b"glTF", 2, len(glb)) and bvh.startswith(b"HIERARCHY")


def test_angles_marks_and_frames_are_those_of_the_result(page: str, gone: Capture, body: AnnyBody) -> None:
    data = data_of(page)
    assert (data["frames"], data["fps"]) == (40, 30.0)
    person = data["people"][0]
    assert person["marks"] == [
        {"from": 5, "to": 5, "kind": "inferred"},
        {"from": 15, "to": 17, "kind": "filled"},
    ]
    knee = [np.nan if value is None else value for value in person["angles"]["left_knee_flexion"]]
    np.testing.assert_allclose(knee, joint_angles(gone, body).of("left_knee_flexion"), atol=0.051)
    assert set(np.flatnonzero(np.isnan(knee))) == {15, 16, 17}
    assert (
        person["guessed"]["left_knee_flexion"] == person["guessed"]["trunk_bend"] == [{"from": 15, "to": 17}]
    )
    named = {curve["angle"] for kind in data["angle_kinds"] for curve in kind["curves"]}
    assert named == set(person["angles"])
    assert data["people"][0]["colour"] != data["people"][1]["colour"]


def test_of_a_video_with_uneven_times_each_frame_has_the_nearest_angle(body: AnnyBody) -> None:
    times = np.arange(40) / 30 + np.where(np.arange(40) % 2, 0.012, 0)
    capture = wandering(body, time_s=times)
    people, _ = people_of(capture, find_rig("pointlight"))
    found = contents(people)["people"][0]["angles"]["right_hip_flexion"]
    truth = joint_angles(capture, body).of("right_hip_flexion")
    nearest = [int(np.abs(times - k / 30).argmin()) for k in range(len(found))]
    np.testing.assert_allclose(found, truth[nearest], atol=0.051)


def test_an_angle_is_a_guess_where_one_of_its_joints_was_not_seen(body: AnnyBody) -> None:
    capture = wandering(body)
    points = capture.keypoints_px.copy()
    points[10:20, capture.keypoint_names.index("right_wrist"), 2] = 0.05
    people, _ = people_of(replace(capture, keypoints_px=points), find_rig("pointlight"))
    guessed = contents(people)["people"][0]["guessed"]
    assert {name for name, where in guessed.items() if where} == {"right_elbow_flexion"}
    assert guessed["right_elbow_flexion"] == [{"from": 10, "to": 19}]


def test_limbs_that_were_not_seen_and_frames_that_were_repaired_are_named(body: AnnyBody) -> None:
    capture = wandering(body)
    points = capture.keypoints_px.copy()
    points[10:20, capture.keypoint_names.index("right_wrist"), 2] = 0.05
    back = np.isin(np.arange(40), (3, 4, 30))
    people, _ = people_of(replace(capture, keypoints_px=points, sides_put_back=back), find_rig("pointlight"))
    found = contents(people)["people"][0]
    assert found["limbs"] == {name: [{"from": 10, "to": 19}] for name in ("right_elbow", "right_wrist")}
    assert found["repaired"] == [{"from": 3, "to": 4}, {"from": 30, "to": 30}]


def test_spans() -> None:
    there = np.array([True, True, False, True])
    assert spans(there) == [{"from": 0, "to": 1}, {"from": 3, "to": 3}]
    assert spans(~there) == [{"from": 2, "to": 2}] and spans(np.zeros(3, bool)) == []


def test_a_video_is_shown_where_it_lies_beside(gone: Capture, tmp_path: Path) -> None:
    gone.save(tmp_path / "poses.npz")
    without = write_report(tmp_path)
    assert without == tmp_path / "report.html"
    assert "There was no overlay.mp4 beside the result." in without.read_text(encoding="utf-8")
    (tmp_path / "overlay.mp4").write_bytes(b"a video")
    assert '<video id="video" src="overlay.mp4"' in write_report(tmp_path).read_text(encoding="utf-8")
    elsewhere = write_report(tmp_path / "poses.npz", tmp_path / "my pages")
    assert 'src="../overlay.mp4"' in elsewhere.read_text(encoding="utf-8")


def test_names_cannot_break_the_page(gone: Capture, tmp_path: Path) -> None:
    odd = replace(gone, keypoint_source="</script><script>alert(1)</script>{{viewer}}")
    page = write_report(odd, tmp_path).read_text(encoding="utf-8")
    assert page.count("</script>") == 2
    assert filled("{{a}} {{b}}", {"a": "{{b}}", "b": "2"}) == "{{b}} 2"


def test_what_cannot_be_shown_is_said(gone: Capture, tmp_path: Path) -> None:
    with pytest.raises(PointlightError, match=r"captures lie in no folder; say where .* out=FOLDER"):
        write_report(gone)
    nobody = replace(gone, valid=np.zeros(40, bool))
    with pytest.raises(PointlightError, match="no frame of this result has a body"):
        write_report(nobody, tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(PointlightError, match="file"):
        write_report(gone, tmp_path / "file")
    assert not (tmp_path / "report.html").exists()


def test_the_command(gone: Capture, tmp_path: Path) -> None:
    gone.save(tmp_path / "poses.npz")
    said = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert said.exit_code == 0 and said.output.strip() == str(tmp_path / "report.html")
    missing = CliRunner().invoke(app, ["report", str(tmp_path / "nothing")])
    assert isinstance(missing.exception, PointlightError)


def test_the_script_was_built_from_its_sources() -> None:
    """`npm run build` in viewer/ after every change there."""
    if not VIEWER.is_dir():
        pytest.skip("the script's sources are not beside these tests")
    digest = hashlib.sha256((VIEWER / "package-lock.json").read_bytes())
    for path in sorted((VIEWER / "source").iterdir()):
        digest.update(path.read_bytes())
    assert BUILT.read_text(encoding="utf-8").startswith(
        f"/* built from viewer/, sha256 {digest.hexdigest()} */"
    )


def test_a_browser_shows_it(gone: Capture, tmp_path: Path) -> None:
    """Opened from disk: no word on the console, scrubbing moves everything, the last frame is the last."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("there is no Chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    page_file = write_report([gone, gone], tmp_path)
    with playwright.sync_playwright() as running:
        options = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        opened = running.chromium.launch(executable_path=browser, args=options)
        page = opened.new_page(offline=True)
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(page_file.as_uri())
        page.wait_for_selector("body[data-ready]")
        page.focus("#time")
        page.keyboard.press("End")
        assert page.text_content("#now") == "1.30 s, frame 40 of 40"
        assert page.eval_on_selector("#stage canvas", "canvas => canvas.width") > 100
        last = page.screenshot()
        page.keyboard.press("Home")
        assert page.text_content("#now") == "0.00 s, frame 1 of 40"
        assert page.screenshot() != last
        page.click("#play")
        page.wait_for_function("document.getElementById('now').textContent.includes('frame 40')")
        assert page.text_content("#play") == "Play"
        with page.expect_download() as saved:
            page.click("#downloads button")
        assert saved.value.suggested_filename == "poses.glb"
        opened.close()
    assert said == []
