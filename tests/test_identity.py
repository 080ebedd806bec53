"""What says which configuration, data set or cache it is: contents, not names, and the same in every version."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from motion_files import bvh_text, walking_clip

from pointlight.body import NETWORK_KEYPOINTS, AnnyBody
from pointlight.configuration import (
    added,
    config_sha256,
    differences,
    from_plain,
    identity,
    repr_sha256,
    to_plain,
    told,
)
from pointlight.cues import Keypoints2D
from pointlight.errors import PointlightError
from pointlight.evaluation.multiview import detections
from pointlight.evaluation.multiview.calibration import View
from pointlight.media import VideoWriter, write_png
from pointlight.motion import procedural_bank
from pointlight.simulator import read_clips, synthesize
from pointlight.simulator.backgrounds import ProceduralWindows, WindowConfig, list_backgrounds
from pointlight.simulator.clips import (
    SYNTHESIS_RECIPES,
    OccluderConfig,
    Sources,
    SynthesisConfig,
    find_synthesis_recipe,
)
from pointlight.simulator.clips.occluders import superpixels_key
from pointlight.simulator.clips.prepare import open_backgrounds
from pointlight.training import RECIPES


@dataclass(frozen=True)
class Inner:
    share: float = 0.1
    sizes: tuple[int, ...] = (1, 2)
    place: Path | None = None


@dataclass(frozen=True)
class Outer:
    name: str = "ö"
    inner: Inner = Inner()
    table: tuple[tuple[str, float], ...] = (("a", 1e-7),)
    on: bool = True
    nothing: None = None


@dataclass(frozen=True)
class Other:
    share: float = 0.1
    sizes: tuple[int, ...] = (1, 2)
    place: Path | None = None


def test_the_hash_is_that_of_canonical_json() -> None:
    text = (
        r'{"inner":{"place":null,"share":0.1,"sizes":[1,2],"type":"Inner"},"name":"\u00f6","nothing":null,"on":true,'
        r'"table":[["a",1e-07]],"type":"Outer"}'
    )
    assert config_sha256(Outer()) == hashlib.sha256(text.encode()).hexdigest()
    assert config_sha256({"b": (1, [2.5]), "a": None}) == config_sha256({"a": None, "b": [1, (2.5,)]})
    assert config_sha256(np.float64(0.1)) == config_sha256(0.1)


@pytest.mark.parametrize(
    "changed",
    [
        Outer(name="o"),
        Outer(inner=Inner(share=math.nextafter(0.1, 1.0))),
        Outer(inner=Inner(sizes=(2, 1))),
        Outer(inner=cast(Inner, Other())),
        Outer(on=False),
        Outer(on=cast(bool, 1)),
        Outer(inner=Inner(share=cast(float, None))),
    ],
)
def test_any_change_is_another_configuration(changed: Outer) -> None:
    assert config_sha256(changed) != config_sha256(Outer())


@pytest.mark.parametrize("recipe", [*SYNTHESIS_RECIPES.values(), *RECIPES.values()], ids=lambda r: r.name)
def test_a_stored_recipe_is_the_recipe(recipe: Any) -> None:
    stored = json.loads(json.dumps(identity(recipe)))
    assert from_plain(type(recipe), stored, "here") == recipe
    assert config_sha256(stored) == config_sha256(recipe)
    assert stored == to_plain(recipe)


@pytest.mark.parametrize(
    ("value", "error", "sentence"),
    [
        (Outer(inner=Inner(share=float("nan"))), ValueError, r"^inner\.share is nan; .* finite numbers only"),
        ({"a": [0.0, float("inf")]}, ValueError, r"^a\[1\] is inf"),
        (float("-inf"), ValueError, "^the value is -inf"),
        ({"a": {1, 2}}, TypeError, "^a is a set; a configuration is made of dataclasses"),
        ({"a": b"b"}, TypeError, "^a is a bytes"),
        ([np.zeros(2)], TypeError, r"^\[0\] is a ndarray"),
        ({"a": {1: 2}}, TypeError, "^a has the key 1; keys are texts"),
        (Inner, TypeError, "^the value is a type"),
    ],
)
def test_what_is_no_configuration_is_refused(value: Any, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        config_sha256(value)


def write_files(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_a_path_is_what_lies_there(tmp_path: Path) -> None:
    one = write_files(tmp_path / "one", a="A", sub__b="B")
    same = [
        write_files(tmp_path / "two", sub__b="B", a="A"),
        write_files(tmp_path / "three" / "deep", a="A", sub__b="B"),
        write_files(tmp_path / "four", a="A", sub__b="B", **{".hidden": "x", "sub__.DS_Store": "y"}),
    ]
    other = [
        write_files(tmp_path / "five", a="A", sub__b="b"),
        write_files(tmp_path / "six", a="A", sub__c="B"),
        write_files(tmp_path / "seven", a="A", b="B"),
        write_files(tmp_path / "eight", a="A"),
        write_files(tmp_path / "nine", a="A", sub__b="B", c=""),
    ]
    known = config_sha256(Inner(place=one))
    assert {config_sha256(Inner(place=folder)) for folder in same} == {known}
    assert len({known, *(config_sha256(Inner(place=folder)) for folder in other)}) == 6
    assert config_sha256(one / "a") == config_sha256(write_files(tmp_path, z="A") / "z") != config_sha256("A")
    json.dumps(identity(Inner(place=one)), allow_nan=False)
    assert str(tmp_path) not in json.dumps(identity(Inner(place=one)))
    with pytest.raises(PointlightError, match=r"cannot read .*gone \(No such file or directory\)"):
        config_sha256(Inner(place=tmp_path / "gone"))


def test_differences_are_told_by_name() -> None:
    there, here = to_plain(Outer()), to_plain(Outer(name="x", inner=Inner(share=2.0, sizes=(1,)), on=False))
    found = differences(there, here)
    assert [name for name, _, _ in found] == ["inner.share", "inner.sizes", "name", "on"]
    assert told(found, "OUT", most=2) == (
        "inner.share is 0.1 in OUT, 2.0 was given; inner.sizes is [1, 2] in OUT, [1] was given; 2 more differ"
    )
    assert differences(to_plain(Inner()), to_plain(Other()), "inner") == [("inner.type", "Inner", "Other")]
    assert differences({"a": 1, "b": [0, 1]}, {"a": 1.0, "b": [0, 2], "c": 3}) == [
        ("b[1]", 1, 2),
        ("c", "nothing", 3),
    ]
    assert differences(there, to_plain(Outer())) == []


def test_a_field_that_was_added_changes_no_hash_of_before() -> None:
    @dataclass(frozen=True)
    class Before:
        size: int = 3

    @dataclass(frozen=True)
    class Now:
        size: int = 3
        colour: str = added("grey")

    before = to_plain(Before()) | {"type": "Now"}
    assert from_plain(Now, before, "a file") == Now()
    assert config_sha256(Now()) == config_sha256(before) != config_sha256(Now(colour="red"))
    for other in (Now(), Now(colour="red")):
        assert from_plain(Now, to_plain(other), "a file") == other
    with pytest.raises(PointlightError, match="differs in size"):
        from_plain(Now, {"type": "Now", "colour": "red"}, "a file")


def test_a_recipe_that_cannot_be_read_names_the_fields() -> None:
    cases: list[tuple[Callable[[dict], object], str]] = [
        (lambda plain: plain["sensor"].update(blur=1), "its SensorConfig differs in blur"),
        (lambda plain: plain["scenes"]["masking"].pop("flip"), "its KeypointMaskingConfig differs in flip"),
        (lambda plain: plain["scenes"].update(camera=None), "holds null where a CameraConfig stands"),
        (lambda plain: plain["occluders"].update(count=[1]), r"holds \[1\] where a list of values stands"),
        (lambda plain: plain["appearance"].update(pictures={"type": "folder"}), r"unknown type \(folder\)"),
    ]
    for change, sentence in cases:
        plain = json.loads(json.dumps(to_plain(find_synthesis_recipe("pointlight"))))
        change(plain)
        with pytest.raises(PointlightError, match=f"x.json .*{sentence}"):
            from_plain(SynthesisConfig, plain, "x.json")


# What chance draws by such a hash, and what lies on disk under one, is found as before


def test_superpixels_are_drawn_as_ever() -> None:
    assert superpixels_key("dis", OccluderConfig()) == "24157727cfd5"
    assert ProceduralWindows(2, 5).read(0).source.fingerprint == "5c23d0472493912e-0"


def test_a_bank_knows_its_hash_of_before() -> None:
    bank = procedural_bank(AnnyBody(), 1, clips_per_kind=5, kinds=("walk",))
    digest = hashlib.sha256(repr(bank.clips).encode())
    for array in (bank.pose, bank.root, bank.translation_m):
        digest.update(array.tobytes())
    assert bank.old_sha256() == digest.hexdigest() != bank.sha256


def write_video(path: Path, count: int = 40, seed: int = 0) -> Path:
    """A camera that pans over a made picture."""
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 255, (24, 64, 3), np.uint8).repeat(10, 0).repeat(10, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, 30.0, (320, 240)) as writer:
        for number in range(count):
            writer.write(picture[:, 3 * number : 3 * number + 320])
    return path


def test_windows_of_before_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    videos, cache = tmp_path / "videos", tmp_path / "cache"
    write_video(videos / "a.mp4")

    def windows() -> Any:
        return open_backgrounds(videos, "train", "dis", 1, cache)

    new = windows()
    manifest = list_backgrounds(videos)
    old = cache / f"windows-train-{repr_sha256((manifest.old_sha256, WindowConfig(per_video=1)))[:16]}"
    new.folder.rename(old)
    index = json.loads((old / "windows.json").read_text())
    (old / "windows.json").write_text(json.dumps(index | {"sha256": "of before"}))
    with monkeypatch.context() as patch:
        patch.setattr(
            "pointlight.simulator.backgrounds.filling.scan_video", lambda *_: pytest.fail("made again")
        )
        found = windows()
    assert found.folder == old and found.sha256 == new.sha256
    shutil.rmtree(old)
    assert windows().folder == new.folder


def test_detections_of_before_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    video = write_video(tmp_path / "a.mp4", 2)
    view = View(name="a", video=video, image_size=(320, 240), lens=cast(Any, SimpleNamespace()))
    names = NETWORK_KEYPOINTS
    keypoints = Keypoints2D(names, np.arange(2) / 30, np.arange(2), np.ones((2, 12, 3)), (320, 240), "made")
    old = hashlib.sha256(
        f"{detections.detector_source('full')} {hashlib.sha256(video.read_bytes()).hexdigest()}".encode()
    ).hexdigest()
    detections.write_detections(
        tmp_path / f"seen-{old[:24]}.npz", keypoints, np.zeros((2, 12, 3), np.float32)
    )
    monkeypatch.setattr(detections, "MediapipeDetector", lambda *_, **__: pytest.fail("detected again"))
    assert len(detections.detect_camera(view, tmp_path).keypoints) == 2


# Data sets


def data(folder: Path, words: tuple[str, str, str]) -> tuple[Path, Path, Path]:
    """Motions, backgrounds and pictures under three names."""
    motion, videos, pictures = (folder / word for word in words)
    motion.mkdir(parents=True)
    (motion / "walk.bvh").write_text(bvh_text(walking_clip(40)))
    write_video(videos / "street" / "a.mp4")
    pictures.mkdir()
    for number in range(3):
        rng = np.random.default_rng(number)
        write_png(pictures / f"{number}.png", rng.integers(0, 255, (20, 20, 3), np.uint8))
    return motion, videos, pictures


def make(out: Path, places: tuple[Path, Path, Path], cache: Path) -> dict[str, Any]:
    """One clip and the index that describes it."""
    motion, videos, pictures = places
    config = find_synthesis_recipe("no_occlusions")
    config = replace(config, appearance=replace(config.appearance, pictures=pictures, picture_share=1.0))
    sources = Sources(motion=motion, backgrounds=videos, cache=cache, windows_per_video=1)
    synthesize(config, out, 1, seed=2, sources=sources)
    return json.loads((out / "index.json").read_text())


def test_a_data_set_is_its_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cv2", reason="OpenCV is not installed; it comes with the extra flow")
    out = tmp_path / "out"
    places = data(tmp_path / "here", ("motion", "videos", "pictures"))
    first = make(out, places, tmp_path / "cache")
    monkeypatch.chdir(tmp_path)
    elsewhere = data(Path("there"), ("m", "films", "cloth"))  # as typed: not the whole path
    second = make(tmp_path / "second", elsewhere, tmp_path / "another cache")
    assert second == first and len(first["sha256"]) == 64
    assert first["config"]["appearance"]["pictures"]["type"] == "folder"
    assert str(tmp_path) not in json.dumps(first) and "there" not in json.dumps(first)
    assert make(out, elsewhere, tmp_path / "cache") == first  # it may go on from the other folders
    clips = [next(iter(read_clips(folder))) for folder in (out, tmp_path / "second")]
    assert np.array_equal(clips[0].frames, clips[1].frames)

    motion, videos, pictures = places
    (motion / "walk.bvh").write_text(bvh_text(walking_clip(41)))
    with pytest.raises(
        PointlightError,
        match=r"other motions \(those of .*m; give --motion .*m\); or choose another",
    ):
        make(out, places, tmp_path / "cache")
    third = make(tmp_path / "third", places, tmp_path / "cache")
    assert third["sha256"] != first["sha256"]
    write_video(videos / "street" / "a.mp4", seed=1)
    with pytest.raises(
        PointlightError,
        match=r"other backgrounds \(what lies in .*videos has changed since; bring",
    ):
        make(tmp_path / "third", places, tmp_path / "cache")
    shutil.copy(pictures / "0.png", pictures / "again.png")
    with pytest.raises(
        PointlightError,
        match=r"other backgrounds .*, and other pictures of clothes \(what lies in .*pictures has changed",
    ):
        make(tmp_path / "third", places, tmp_path / "cache")


def test_clips_of_an_older_version_are_not_continued(tmp_path: Path) -> None:
    config = find_synthesis_recipe("no_occlusions")
    sources = Sources(procedural_motions=5, procedural_backgrounds=1)
    synthesize(config, tmp_path, 1, seed=0, sources=sources)
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert from_plain(SynthesisConfig, settings["config"], "settings") == config
    (tmp_path / "settings.json").write_text(json.dumps(settings | {"config": repr(config)}))
    index = json.loads((tmp_path / "index.json").read_text())
    del index["sha256"]
    (tmp_path / "index.json").write_text(json.dumps(index | {"config": repr(config)}))
    assert len(list(read_clips(tmp_path))) == 1  # but they are read
    with pytest.raises(
        PointlightError, match=r"begun by an older version .*; finish it with that version or"
    ):
        synthesize(config, tmp_path, 1, seed=0, sources=sources)
