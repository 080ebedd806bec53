#!/bin/sh
# upc-pymotion 0.3.4: BVH.resample makes short clips faster.
#
# Expected: BVH.resample(target_fps=24) shows the same motion at another frame rate (docstring: "Resample the animation
# to a different frame rate"). Who walks 1.2 m/s still does.
# Happens: the number of new frames is that of the clip's length, n * dt, but they are spread from the first to the last
# frame, which are (n - 1) * dt apart, and are then called 1/24 s apart. 31 frames at 120/s become 6 frames that are
# 0.05 s apart and said to be 0.042 s apart: 20 % too fast, and no frame but the first is at its time. The error shrinks
# with the clip's length (60 frames to 30/s: 5 %). Halving the rate takes another way and is right.
# What to do: interpolate at the times k / fps that you want; or take every n-th frame where the rates allow.
#
# Output seen (a root that moves at 1.2 m/s):
#   31 frames at 120/s to 24/s: 6 frames, 1.440 m/s
#   60 frames at 120/s to 30/s: 15 frames, 1.264 m/s
#   31 frames at 120/s to 60/s: 16 frames, 1.200 m/s
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
# Its dependencies are viewers and torch; reading BVH needs numpy and scipy.
"$work/env/bin/pip" install -qq --disable-pip-version-check numpy==2.4.6 scipy==1.17.1
"$work/env/bin/pip" install -qq --disable-pip-version-check --no-deps upc-pymotion==0.3.4
cd "$work"
env/bin/python - <<'END'
from pymotion.io.bvh import BVH

RATE = 120


def walk(frames):
    rows = "\n".join(f"{1.2 * k / RATE:.6f} 0.9 0 0 0 0" for k in range(frames))
    with open("walk.bvh", "w") as file:
        file.write(f"""HIERARCHY
ROOT Hips
{{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  End Site
  {{
    OFFSET 0 0.5 0
  }}
}}
MOTION
Frames: {frames}
Frame Time: {1 / RATE:.8f}
{rows}
""")


def speed(frames, fps):
    walk(frames)
    bvh = BVH()
    bvh.load("walk.bvh")
    bvh.resample(target_fps=fps)
    x_m = bvh.data["positions"][:, 0, 0]
    return len(x_m), float(x_m[-1] - x_m[0]) / ((len(x_m) - 1) * bvh.data["frame_time"])


results = [(frames, fps, *speed(frames, fps)) for frames, fps in [(31, 24), (60, 30), (31, 60)]]
for frames, fps, count, metres_per_second in results:
    print(f"{frames} frames at {RATE}/s to {fps}/s: {count} frames, {metres_per_second:.3f} m/s")
if not (abs(results[0][3] - 1.44) < 0.01 and abs(results[2][3] - 1.2) < 0.001):
    raise SystemExit("changed: the clip at 24/s is no longer a fifth too fast")
END
