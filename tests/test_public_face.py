"""What stands at the top of the package: its examples run, its docstrings are whole, its values can be compared."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import inspect
import json
import re
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmark_files import threedpw_content, write_3dpw
from test_multiview import (
    full_person,
    made_set,  # noqa: F401 (a fixture)
)

import pointlight
from pointlight.body import COCO_KEYPOINTS, EXTENDED_KEYPOINTS
from pointlight.capture import MediapipeDetector, PersonBox, PredictOptions, many
from pointlight.capture.options import PredictKeywords
from pointlight.cues import Keypoints2D
from pointlight.evaluation import contenders
from pointlight.media import VideoReader, VideoWriter
from pointlight.motion import PROCEDURAL_SEED, procedural_bank
from pointlight.progress import ProgressCallback
from pointlight.training import motions, validation
from pointlight.values import by_value, equal_values, is_by_value

# The package hands on the function of the same name.
predicting = importlib.import_module("pointlight.capture.predict")

ROOT = Path(__file__).resolve().parents[1]
FRAMES = 30


def standing(time_s: np.ndarray, size: tuple[int, int] = (320, 240)) -> Keypoints2D:
    """Somebody who stands before the camera and sways."""
    joints = full_person()[: len(time_s)]
    points = np.ones((len(time_s), len(EXTENDED_KEYPOINTS), 3))
    points[..., 0] = size[0] / 2 + 90 * joints[..., 0]
    points[..., 1] = size[1] - 30 - 90 * joints[..., 1]
    index = np.arange(len(time_s))
    return Keypoints2D(EXTENDED_KEYPOINTS, time_s, index, points, size, "a made detector")


@pytest.fixture
def video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`video.mp4`, 320 x 240, a second long, in the folder that is worked in; a detector that sees somebody in it."""

    def track(
        self: MediapipeDetector, reader: VideoReader, box: PersonBox | None, progress: ProgressCallback
    ) -> Keypoints2D:
        assert box is None or isinstance(box, PersonBox)
        time_s = np.array([frame.time_s for frame in reader])
        progress(pointlight.Progress("detect", len(time_s), len(time_s)))
        return standing(time_s)

    monkeypatch.setattr(MediapipeDetector, "__init__", lambda self, **_: None)
    monkeypatch.setattr(MediapipeDetector, "track", track)
    monkeypatch.setattr(many, "network_file", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    with VideoWriter(tmp_path / "video.mp4", 30, (320, 240)) as writer:
        for i in range(FRAMES):
            writer.write(np.full((240, 320, 3), 40 + i, np.uint8))
    return tmp_path / "video.mp4"


# --- the examples ----------------------------------------------------------------------------------------


def public() -> dict[str, object]:
    """What has a docstring of its own at the top."""
    values = {name: getattr(pointlight, name) for name in pointlight.__all__}
    return {name: value for name, value in values.items() if callable(value)}


def examples(name: str) -> list[doctest.Example]:
    return doctest.DocTestParser().get_examples(inspect.getdoc(public()[name]) or "")


PREPARED = {
    "ExportResult": "poses",
    "export_result": "poses",
    "write_report": "poses",
    "Capture": "poses",
    "body_states": "poses",
    "read_clips": "clips",
    "VideoClip": "clips",
    "ClipShards": "clips",
    "read_result": "result",
    "write_result": "result",
    "EvaluationResult": "result",
    "tables": "result",
}
"""What has to lie in the folder beside `video.mp4`."""


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """The same examples on less: few procedural motions and scenes of validation, no refinement of many cameras."""
    with pytest.MonkeyPatch.context() as patch:
        few = procedural_bank(pointlight.AnnyBody(), PROCEDURAL_SEED, clips_per_kind=5, frames=62)
        patch.setattr(motions, "procedural_bank", lambda *_, **__: few)
        patch.setattr(validation, "CLIPS_PER_GROUP", 2)
        patch.setattr(contenders, "_CONSTANT_CLIPS", 16)
        yield


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A shard of one clip, and the file of an evaluation."""
    from pointlight.simulator import synthesize
    from pointlight.simulator.clips import Sources, find_synthesis_recipe

    folder = tmp_path_factory.mktemp("prepared")
    sources = Sources(procedural_motions=5, procedural_backgrounds=8)
    synthesize(find_synthesis_recipe("no_occlusions"), folder / "clips", 1, seed=0, sources=sources)
    pointlight.write_result(folder / "result.json", pointlight.evaluate_synthetic("points", clips=4))
    return {"clips": folder / "clips", "result": folder / "result.json"}


@pytest.mark.parametrize("name", sorted(public()))
def test_every_example_runs(
    name: str,
    video: Path,
    prepared: dict[str, Path],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a folder that holds what the example names."""
    there = PREPARED.get(name, "")
    if there == "poses":
        pointlight.predict(video, end_s=0.5, refine=False).save("poses.npz")
    elif there:
        (video.parent / prepared[there].name).symlink_to(prepared[there])
    if name == "evaluate_published":
        write_3dpw(video.parent / "3DPW", threedpw_content())
    if name == "evaluate_multiview":
        (video.parent / "cameras").symlink_to(request.getfixturevalue("made_set"))
        monkeypatch.setattr(predicting, "refine", lambda track, lifted, *_, **__: lifted)
    found = doctest.DocTest(examples(name), {}, name, None, None, None)
    assert found.examples, f"{name} has no example"
    said: list[str] = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    failed, _ = doctest.DocTestRunner(optionflags=options).run(found, out=said.append)
    assert not failed, "".join(said)


@pytest.mark.parametrize("name", sorted(public()))
def test_every_docstring_is_whole(name: str) -> None:
    """Functions say what goes in, what comes out and what is refused; classes what they hold."""
    value, text = public()[name], inspect.getdoc(public()[name]) or ""
    if inspect.isclass(value):
        held = dataclasses.is_dataclass(value) or hasattr(value, "__annotations__")
        assert not dataclasses.is_dataclass(value) or "Attributes:" in text, held
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                assert re.search(rf"^\s+{field.name}: ", text, re.MULTILINE), field.name
        return
    parameters = inspect.signature(value).parameters  # type: ignore[arg-type]
    for parameter in parameters.values():
        stars = "**" if parameter.kind is inspect.Parameter.VAR_KEYWORD else ""
        assert re.search(rf"^\s+{re.escape(stars)}{parameter.name}: ", text, re.MULTILINE), parameter.name
    assert "Returns:" in text
    refuses = "raise PointlightError" in inspect.getsource(value) or parameters  # type: ignore[arg-type]
    assert "Raises:" in text or not refuses or name == "tables"


@pytest.mark.parametrize(
    "method",
    [
        *(pointlight.Capture.load, pointlight.Capture.save),
        *(pointlight.PersonBox.of, pointlight.PersonBox.parse),
        pointlight.EvaluationResult.row,
    ],
)
def test_methods_that_people_call_say_as_much(method: Callable[..., object]) -> None:
    text = inspect.getdoc(method) or ""
    assert "Args:" in text and "Raises:" in text
    assert "Returns:" in text or inspect.signature(method).return_annotation == "None"


def test_what_pages_use_stands_at_the_top() -> None:
    """But for rooms that a page is about."""
    rooms = ("pointlight.simulator.backgrounds", "pointlight.flow")
    missing = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        if page.name == "log.md":
            continue
        text = page.read_text()
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
            for node in ast.walk(ast.parse(block)):
                module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
                if (
                    isinstance(node, ast.ImportFrom)
                    and module.startswith("pointlight")
                    and module not in rooms
                ):
                    missing += [alias.name for alias in node.names if alias.name not in pointlight.__all__]
        missing += [
            name for name in re.findall(r"\bpointlight\.(\w+)\(", text) if name not in pointlight.__all__
        ]
    assert not missing, missing


def test_every_name_at_the_top_can_be_had() -> None:
    assert set(pointlight.__all__) <= set(dir(pointlight))
    for name in pointlight.__all__:
        assert getattr(pointlight, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'moon'"):
        _ = pointlight.moon


# --- options of predict ----------------------------------------------------------------------------------


def test_keywords_are_the_options() -> None:
    """Whoever adds an option adds it in both places."""
    options = typing.get_type_hints(PredictOptions)
    assert typing.get_type_hints(PredictKeywords) == options


def test_a_box_may_be_text_numbers_or_a_box(video: Path) -> None:
    box = PersonBox(100, 20, 120, 200)
    for given in (
        "100,20,120,200",
        (100, 20, 120, 200),
        [100, 20, 120, 200],
        box,
        np.array([100, 20, 120, 200]),
    ):
        assert PredictOptions(box=given).box == box
        assert pointlight.predict(video, end_s=0.2, refine=False, box=given).valid.all()
    timed = PersonBox(1, 2, 3, 4, 1.5)
    assert PredictOptions(box="1,2,3,4@1.5").box == PredictOptions(box=(1, 2, 3, 4, 1.5)).box == timed


@pytest.mark.parametrize(
    "box", [(1, 2, 3), (1, 2, 3, 4, 5, 6), (1, 2, 0, 4), (1, 2, 3, float("nan")), 7, "1,2", {}]
)
def test_a_box_that_is_none_is_said(box: object) -> None:
    with pytest.raises(pointlight.PointlightError, match=r"the box .* is not understood; give"):
        PredictOptions(box=box)  # type: ignore[arg-type]


def test_options_and_keywords_go_together(video: Path) -> None:
    options = PredictOptions(end_s=0.2, refine=False, focal_px=300)
    both = pointlight.predict(video, options, focal_px=500)
    assert len(both) == 6 and both.focal_px == 500
    assert both == pointlight.predict(video, end_s=0.2, refine=False, focal_px=500)
    assert options.focal_px == 300


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"end": 1.0}, "there is no option 'end'; did you mean end_s"),
        ({"fov": 60}, "there is no option 'fov'; did you mean fov_deg"),
        ({"height": 1.8}, "there is no option 'height'; did you mean height_m"),
        (
            {"zzz": 1},
            "there is no option 'zzz'; there are: model, detector, keypoints, keypoint_format, start_s",
        ),
        ({"end_s": "0.5"}, "end_s is '0.5'; give a number"),
        ({"height_m": True}, "height_m is True; give a number"),
        ({"refine": 1}, "refine is 1; give True or False"),
        ({"keypoints": 3}, "keypoints is 3; give the path of a file"),
        ({"weight_kg": 700}, "a weight of 700 kg is not a person's"),
        ({"height_m": 17.5}, "a height of 17.5 m is not a person's"),
    ],
)
def test_what_is_no_option_is_said(keywords: dict[str, object], sentence: str) -> None:
    for call in (pointlight.predict, pointlight.predict_with_diagnostics):
        with pytest.raises(pointlight.PointlightError) as raised:
            call("video.mp4", **keywords)  # type: ignore[arg-type]
        assert sentence in str(raised.value)
    with pytest.raises(pointlight.PointlightError, match="give PredictOptions"):
        pointlight.predict("video.mp4", {"end_s": 1})  # type: ignore[arg-type]


def test_paths_may_be_text(video: Path) -> None:
    time_s = np.arange(FRAMES) / 30
    np.savez("keypoints.npz", names=np.array(COCO_KEYPOINTS), points=standing(time_s).select(COCO_KEYPOINTS))
    said = pointlight.predict(str(video), keypoints="keypoints.npz", refine=False)
    assert "keypoints.npz" in said.keypoint_source


# --- values ----------------------------------------------------------------------------------------------


def holds_arrays(kind: object, above: tuple[object, ...] = ()) -> bool:
    """Whether a value of this annotation may hold an array."""
    if getattr(kind, "array_type", None) is not None:  # jaxtyping's
        return True
    if inspect.isclass(kind) and issubclass(kind, np.ndarray | torch.Tensor):
        return True
    if inspect.isclass(kind) and dataclasses.is_dataclass(kind) and kind not in above:
        return any(holds_arrays(hint, (*above, kind)) for hint in typing.get_type_hints(kind).values())
    return any(holds_arrays(inner, above) for inner in typing.get_args(kind))


def public_dataclasses() -> Iterator[type]:
    """Of the top, of every folder and of every room."""
    for package in json.loads((ROOT / "tests" / "data" / "public_names.json").read_text()):
        module = importlib.import_module(f"pointlight.{package}")
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) and dataclasses.is_dataclass(value):
                yield value


def test_public_dataclasses_with_arrays_are_compared_by_value() -> None:
    every = set(public_dataclasses())
    with_arrays = {kind for kind in every if holds_arrays(kind)}
    assert len(with_arrays) > 40
    without = sorted(kind.__name__ for kind in with_arrays if not is_by_value(kind))
    assert not without, f"put @by_value of pointlight.values above @dataclass of {', '.join(without)}"


@by_value
@dataclasses.dataclass(frozen=True)
class Held:
    numbers: np.ndarray
    tensor: torch.Tensor
    inner: dict[str, tuple[np.ndarray, ...]] = dataclasses.field(default_factory=dict)
    rate: float = 30.0


def test_equal_is_exactly_equal_and_nan_is_nan() -> None:
    def made(value: float = 1.0, rate: float = float("nan")) -> Held:
        numbers = np.array([value, np.nan])
        return Held(numbers, torch.from_numpy(numbers), {"a": (numbers, numbers[:1])}, rate)

    assert made() == made()
    assert made() != made(np.nextafter(1.0, 2.0))
    assert made(rate=1.0) != made(rate=2.0)
    assert made() != "something else"
    assert dataclasses.replace(made(), numbers=made().numbers[None]) != made()
    assert dataclasses.replace(made(), inner={}) != made()
    with pytest.raises(TypeError, match="unhashable"):
        hash(made())
    assert equal_values(np.array(["a"]), np.array(["a"])) and not equal_values(np.ones(2), torch.ones(2))
    assert equal_values(np.float64(1), 1.0) and not equal_values([1], (1,))


def test_values_are_shown_in_one_line(video: Path) -> None:
    made = Held(np.zeros((200, 3), np.float32), torch.zeros(5), {"a": (np.zeros(1),)})
    assert (
        repr(made)
        == "Held(numbers=float32[200, 3], tensor=float32[5], inner={'a': (float64[1],)}, rate=30.0)"
    )
    result = pointlight.predict_with_diagnostics(video, end_s=0.5, refine=False)
    assert repr(result.capture) == (
        "Capture(15 frames over 0.47 s, a body in 15, person 0, anny, 320 x 240 px, "
        "focal length 400 px assumed, keypoints by a made detector)"
    )
    assert "\n" not in repr(result) and len(repr(result)) < 400


def test_a_capture_is_equal_to_itself_saved_and_loaded(video: Path) -> None:
    capture = pointlight.predict(video, end_s=0.5, refine=False)
    capture.save("poses.npz")
    again = pointlight.Capture.load("poses.npz")
    assert capture == again
    moved = again.joints_camera_m.copy()
    moved[3, 0, 0] += 1e-4
    assert dataclasses.replace(again, joints_camera_m=moved) != again
    hidden = dataclasses.replace(again, valid=np.zeros(15, bool), joints_camera_m=np.full_like(moved, np.nan))
    assert hidden == dataclasses.replace(hidden)
