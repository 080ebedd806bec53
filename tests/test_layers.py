"""The order of the layers, read from the imports, and that looking around is fast: nothing loads torch by itself."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "pointlight"

GROUND = (
    "errors",
    "files",
    "configuration",
    "overrides",
    "pickles",
    "progress",
    "provenance",
    "randomness",
    "threads",
    "values",
    "worker_processes",
)
LAYERS = (
    "engines",
    "geometry",
    "media",
    "flow",
    "body",
    "motion",
    "simulator",
    "cues",
    "network",
    "training",
    "capture",
    "export",
    "report",
    "evaluation",
    "cli",
)
"""A folder imports only from the folders before it, and from them only what their `__init__.py` hands on."""

ROOMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "simulator": (("clip",), ("drawing",), ("scenes",), ("backgrounds", "people"), ("clips",)),
    "capture": (
        ("archive",),
        ("detection",),
        ("fitting",),
        ("angles", "capture", "flips", "guessed", "states"),
        ("world",),
        (
            *("camera", "contact_sheet", "many", "many_names", "options", "overlay", "painting", "predict"),
            *("quality", "results", "several", "shots", "steps", "summary", "targets", "turned_view"),
            "video_job",
        ),
    ),
    "evaluation": (
        (
            *("columns", "contenders", "earlier_keys", "metrics", "plain", "remarks", "report"),
            *("results", "results_json", "variants"),
        ),
        ("multiview", "published", "synthetic"),
        ("reproduce",),
    ),
}
"""Rooms and single files inside a folder, rank by rank. A room imports from the ranks before it, single files of one rank
from one another too; two rooms of one rank know nothing of each other."""

NOT_CODE = ("weights",)
FACE = ("__init__.py", "__main__.py")


def imports(source: str, package: str) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Line, module and imported names of every import of Pointlight, wherever it stands in the file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "pointlight":
                    yield node.lineno, alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                module = ".".join([*above, *filter(None, [module])])
            if module.split(".")[0] == "pointlight":
                yield node.lineno, module, tuple(alias.name for alias in node.names)


def handed_on(package: str) -> set[str]:
    """The names in the `__all__` of a folder, or of a room such as "simulator.scenes"."""
    init = PACKAGE.joinpath(*package.split("."), "__init__.py")
    for node in ast.parse(init.read_text()).body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == [
            "__all__"
        ]:
            return set(ast.literal_eval(node.value))
    return set()


def is_room(layer: str, name: str) -> bool:
    """Whether a folder has such a room."""
    return any(name in rank for rank in ROOMS.get(layer, ())) and (PACKAGE / layer / name).is_dir()


def rank_of(layer: str, name: str) -> int | None:
    """Where a room or a single file stands in its folder; None for one that nobody has placed."""
    ranks = (number for number, rank in enumerate(ROOMS[layer]) if name in rank)
    return next(ranks, None)


def room_fault(parts: tuple[str, ...], target: list[str]) -> str | None:
    """What is wrong with an import from the own folder, where that folder has rooms."""
    layer, here, there = parts[0], parts[1].removesuffix(".py"), target[1] if len(target) > 1 else ""
    if here == "__init__" or here == there:
        return None
    if not there:
        return "; take it from the room where it lives"
    mine, its = rank_of(layer, here), rank_of(layer, there)
    if mine is None or its is None:
        return f"; {here if mine is None else there} has no place in ROOMS"
    if its > mine:
        return ", which lies above its room"
    if its == mine and (is_room(layer, here) or is_room(layer, there)):
        return ", which lies beside its room"
    return None


def faults(path: str, source: str) -> list[str]:
    """What is wrong with the imports of one file of the package; `path` is relative to it."""
    parts = Path(path).parts
    package = ".".join(["pointlight", *parts[:-1]])
    own = parts[0] if len(parts) > 1 else parts[0].removesuffix(".py")
    found = []
    for line, module, names in imports(source, package):
        where = f"{path}:{line} imports {module}"
        target = module.split(".")[1:]
        if not target:
            if wrong := [name for name in names if name != "__version__"] or not names:
                found.append(f"{where}: only __version__ is taken from the public face, not {wrong}")
        elif target[0] in GROUND:
            if own in GROUND and GROUND.index(target[0]) > GROUND.index(own):
                found.append(f"{where}, which lies above it")
        elif target[0] not in LAYERS:
            found.append(f"{where}, which is no layer; add it to LAYERS and docs/development.md")
        elif own in GROUND or LAYERS.index(target[0]) > LAYERS.index(own):
            found.append(f"{where}, which lies above it")
        elif target[0] == own:
            if own in ROOMS and (wrong := room_fault(parts, target)):
                found.append(f"{where}{wrong}")
        elif len(target) > 1 and not (len(target) == 2 and is_room(*target)):
            found.append(
                f"{where}; take it from pointlight.{target[0]}, whose __init__ says what it hands on"
            )
        elif hidden := set(names) - handed_on(".".join(target)):
            found.append(f"{where} for {sorted(hidden)}, which is not in its __all__")
        elif not names:
            found.append(f"{where} as a whole; name what is taken")
    return found


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).as_posix() not in FACE)


def test_the_order_of_the_layers() -> None:
    found = [
        fault
        for path in sources()
        for fault in faults(path.relative_to(PACKAGE).as_posix(), path.read_text())
    ]
    assert not found, "\n".join(found)


def test_every_folder_is_a_layer() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    modules = {path.stem for path in PACKAGE.glob("*.py") if path.name not in FACE}
    assert folders <= {*LAYERS, *NOT_CODE}
    assert modules == set(GROUND)


@pytest.mark.parametrize("layer", [layer for layer in LAYERS if (PACKAGE / layer).is_dir()])
def test_a_folder_hands_on_only_its_own(layer: str) -> None:
    source = (PACKAGE / layer / "__init__.py").read_text()
    assert handed_on(layer) or layer == "cli"
    assert {module.split(".")[1] for _, module, _ in imports(source, f"pointlight.{layer}")} <= {layer}


@pytest.mark.parametrize("layer", ROOMS)
def test_every_file_has_its_place_among_the_rooms(layer: str) -> None:
    there = {path.name.removesuffix(".py") for path in (PACKAGE / layer).iterdir() if path.name[0] != "_"}
    assert {name for rank in ROOMS[layer] for name in rank} == there


@pytest.mark.parametrize("folder", sorted({path.parent for path in PACKAGE.rglob("*.py")} - {PACKAGE}))
def test_a_folder_says_in_two_lines_what_lives_there(folder: Path) -> None:
    words = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    assert len([line for line in words.splitlines() if line.strip()]) == 2, f"{folder} says {words!r}"


def test_the_top_of_the_simulator_is_small() -> None:
    assert len(handed_on("simulator")) <= 25


def test_the_second_level_is_pinned() -> None:
    """What others may import is a promise: a change of it shows up here, in `tests/data/public_names.json`."""
    packages = [layer for layer in LAYERS if layer != "cli"]
    packages += [
        f"{layer}.{room}" for layer in ROOMS for rank in ROOMS[layer] for room in rank if is_room(layer, room)
    ]
    now = {package: sorted(handed_on(package)) for package in packages}
    pinned = json.loads((Path(__file__).parent / "data" / "public_names.json").read_text())
    assert now == pinned, "write the new names to tests/data/public_names.json where the change is meant"


@pytest.mark.parametrize(
    ("path", "line", "message"),
    [
        ("body/anny.py", "from pointlight.motion import MotionClip", "above"),
        ("body/anny.py", "def f():\n    from pointlight.cli import main", "above"),
        ("body/anny.py", "from ..motion import MotionClip", "above"),
        ("body/anny.py", "import pointlight.training", "above"),
        ("errors.py", "from pointlight.files import atomic_path", "above"),
        ("files.py", "from pointlight.geometry import rotvec_to_rotmat", "above"),
        ("motion/bank.py", "from pointlight.body.anny import AnnyBody", "__init__"),
        ("motion/bank.py", "from pointlight.body import anny", "__all__"),
        ("motion/bank.py", "import pointlight.body", "as a whole"),
        ("motion/bank.py", "from pointlight import BodyModel", "public face"),
        ("motion/bank.py", "import pointlight", "public face"),
        ("motion/bank.py", "from pointlight.helpers import f", "no layer"),
        (
            "simulator/scenes/scene.py",
            "from pointlight.simulator.clips.composite import VideoClip",
            "above its room",
        ),
        ("simulator/scenes/scene.py", "from ..people.layers import PersonLayer", "above its room"),
        (
            "simulator/people/layers.py",
            "from pointlight.simulator.backgrounds.files import f",
            "beside its room",
        ),
        ("simulator/people/layers.py", "from pointlight.simulator import Scene", "where it lives"),
        ("simulator/drawing/raster.py", "from pointlight.simulator.cupboard import f", "no place"),
        ("simulator/clip.py", "from pointlight.simulator.scenes.scene import Scene", "above its room"),
        ("capture/detection/detector.py", "from pointlight.capture.capture import Capture", "above its room"),
        ("capture/archive.py", "from pointlight.capture.detection.people import f", "above its room"),
        (
            "evaluation/metrics.py",
            "from pointlight.evaluation.synthetic.scenes import Score",
            "above its room",
        ),
        (
            "evaluation/synthetic/scenes.py",
            "from pointlight.evaluation.multiview.truth import f",
            "beside its room",
        ),
        ("training/data.py", "from pointlight.simulator.scenes.scene import Scene", "__init__"),
        ("training/data.py", "from pointlight.simulator.scenes import nothing", "__all__"),
    ],
)
def test_a_wrong_import_is_found(path: str, line: str, message: str) -> None:
    (fault,) = faults(path, line)
    assert message in fault


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (
            "motion/bank.py",
            "from pointlight.body import AnnyBody\nfrom pointlight.motion.clip import MotionClip",
        ),
        (
            "motion/bank.py",
            "from pointlight import __version__\nfrom pointlight.errors import PointlightError",
        ),
        ("motion/bank.py", "from .clip import MotionClip\nimport numpy"),
        ("files.py", "from pointlight.errors import PointlightError"),
        ("simulator/clips/composite.py", "from pointlight.simulator.people.layers import PersonLayer"),
        ("simulator/clips/composite.py", "from .occluders import Occluder"),
        (
            "capture/predict.py",
            "from .capture import Capture\nfrom pointlight.capture.fitting.lifting import lift",
        ),
        ("training/data.py", "from pointlight.simulator.scenes import SceneConfig"),
    ],
)
def test_a_right_import_passes(path: str, line: str) -> None:
    assert faults(path, line) == []


HEAVY = {"torch", "numpy", "numba", "scipy", "av", "cv2", "ai_edge_litert", "matplotlib"}


@pytest.mark.parametrize(
    "code",
    [
        "import pointlight; dir(pointlight)",
        *(
            f"import sys; sys.argv = ['pointlight', *{words}]; from pointlight.cli.main import main; main()"
            for words in (
                ["--help"],
                ["--version"],
                ["predict", "--help"],
                ["train", "--help"],
                ["evaluate", "--help"],
                ["synthesize", "--help"],
                ["figures", "--help"],
            )
        ),
    ],
)
def test_looking_around_loads_nothing_heavy(code: str) -> None:
    report = "import atexit, sys; atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr)); "
    done = subprocess.run([sys.executable, "-c", report + code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stderr.split())


def test_the_public_face_names_what_there_is() -> None:
    import pointlight

    assert set(pointlight.__all__) <= set(dir(pointlight))
    for name in pointlight.__all__:
        assert getattr(pointlight, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pointlight.nothing
