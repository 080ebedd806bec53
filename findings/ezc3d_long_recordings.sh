#!/bin/sh
# ezc3d 1.7.2: of more than 65,535 frames only 65,535 can be read again, and nothing is said.
#
# Expected: 70,000 frames written are 70,000 frames read, or an error. C3D's header counts frames in 16 bits; for longer
# recordings the C3D User Guide has the parameter TRIAL:ACTUAL_END_FIELD, two 16 bit words.
# Happens: write() stores all points (the file has their size) and says 65,535 in the header and in POINT:FRAMES.
# Reading gives 65,535; the last 4,465 frames (45 s at 100/s) are in the file, but no reader looks for them. Adding
# TRIAL:ACTUAL_END_FIELD by hand doesn't help ezc3d itself.
# What to do: split recordings into files of at most 65,534 frames, or refuse longer ones; after writing, read the
# number of frames back.
#
# Output seen:
#   written 70000, read 65535, room in the file for 70112 frames at most
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install -qq --disable-pip-version-check ezc3d==1.7.2 numpy==2.4.6
cd "$work"
env/bin/python - <<'END'
import os

import ezc3d
import numpy as np

FRAMES = 70_000
recording = ezc3d.c3d()
recording["parameters"]["POINT"]["RATE"]["value"] = [100]
recording["parameters"]["POINT"]["LABELS"]["value"] = ["Hip"]
recording["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
points = np.ones((4, 1, FRAMES))
points[0, 0] = np.arange(FRAMES)
recording["data"]["points"] = points
recording.write("long.c3d")
read = ezc3d.c3d("long.c3d")["data"]["points"]
room = os.path.getsize("long.c3d") // 16
print(f"written {FRAMES}, read {read.shape[2]}, room in the file for {room} frames at most")
if read.shape[2] != 65_535:
    raise SystemExit(f"changed: of {FRAMES} frames {read.shape[2]} are read, no longer 65535")
END
