"""The order of the floors, read from the imports, and that looking around is fast: nothing loads torch by itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "pointlight"

GROUND = ("errors", "files", "pickles", "randomness")
FLOORS = (
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
    "evaluation",
    "export",
    "cli",
)
"""A folder imports only from the folders before it, and from them only what their `__init__.py` hands on."""

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


def handed_on(floor: str) -> set[str]:
    """The names in a folder's `__all__`."""
    for node in ast.parse((PACKAGE / floor / "__init__.py").read_text()).body:
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == [
            "__all__"
        ]:
            return set(ast.literal_eval(node.value))
    return set()


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
        elif target[0] not in FLOORS:
            found.append(f"{where}, which is no floor; add it to FLOORS, ARCHITECTURE and README")
        elif own in GROUND or FLOORS.index(target[0]) > FLOORS.index(own):
            found.append(f"{where}, which lies above it")
        elif target[0] != own:
            if len(target) > 1:
                found.append(
                    f"{where}; take it from pointlight.{target[0]}, whose __init__ says what it hands on"
                )
            elif hidden := set(names) - handed_on(target[0]):
                found.append(f"{where} for {sorted(hidden)}, which is not in its __all__")
            elif not names:
                found.append(f"{where} as a whole; name what is taken")
    return found


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).as_posix() not in FACE)


def test_the_order_of_the_floors() -> None:
    found = [
        fault
        for path in sources()
        for fault in faults(path.relative_to(PACKAGE).as_posix(), path.read_text())
    ]
    assert not found, "\n".join(found)


def test_every_folder_is_a_floor() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    modules = {path.stem for path in PACKAGE.glob("*.py") if path.name not in FACE}
    assert folders <= {*FLOORS, *NOT_CODE}
    assert modules == set(GROUND)


@pytest.mark.parametrize("floor", [floor for floor in FLOORS if (PACKAGE / floor).is_dir()])
def test_a_folder_hands_on_only_its_own(floor: str) -> None:
    source = (PACKAGE / floor / "__init__.py").read_text()
    assert handed_on(floor) or floor == "cli"
    assert {module.split(".")[1] for _, module, _ in imports(source, f"pointlight.{floor}")} <= {floor}


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
        ("motion/bank.py", "from pointlight.helpers import f", "no floor"),
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
    ],
)
def test_a_right_import_passes(path: str, line: str) -> None:
    assert faults(path, line) == []


HEAVY = {"torch", "numpy", "numba", "scipy", "av", "cv2", "mediapipe", "matplotlib"}


@pytest.mark.parametrize(
    "code",
    [
        "import pointlight; dir(pointlight)",
        "import sys; sys.argv = ['pointlight', '--help']; from pointlight.cli.main import main; main()",
        "import sys; sys.argv = ['pointlight', 'predict', '--help']; from pointlight.cli.main import main; main()",
        "import sys; sys.argv = ['pointlight', 'train', '--help']; from pointlight.cli.main import main; main()",
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
