#!/bin/sh
# trc-data-reader 0.4.1: where a marker is missing, the next marker's coordinates are given as its own.
#
# Expected: in a TRC file the columns are separated by tabs, and a marker that was not seen in a frame has empty cells
# there. BTK and OpenSim write gaps so (opensim-core, pull request 2198: exported as blank instead of 0), and both read
# them as missing. The reader's own code fills missing markers with nan.
# Happens: a row is split at any white space, so the empty cells vanish and all later markers move up by one. The file
# below has a gap at the knee: the knee is read at the ankle's place, the ankle is called missing, and nothing is said.
# The same file with the word nan in the gap is read rightly.
# What to do: write nan into gaps before reading, or split the rows at tabs. Suspect a marker of a chain that is missing
# always at its end.
#
# Output seen:
#   gap as 'nan'   {'Hip': [0.1, 0.9, 0.2], 'Knee': [nan, nan, nan], 'Ankle': [0.12, 0.08, 0.2]}
#   gap left blank {'Hip': [0.1, 0.9, 0.2], 'Knee': [0.12, 0.08, 0.2], 'Ankle': [nan, nan, nan]}
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install -qq --disable-pip-version-check trc-data-reader==0.4.1 c3d==0.6.0 numpy==2.4.6
cd "$work"
env/bin/python - <<'END'
import math

from trc import TRCData

HEADER = """PathFileType\t4\t(X/Y/Z)\tleg.trc
DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames
100\t100\t2\t3\tm\t100\t1\t2
Frame#\tTime\tHip\t\t\tKnee\t\t\tAnkle\t\t
\t\tX1\tY1\tZ1\tX2\tY2\tZ2\tX3\tY3\tZ3

1\t0.00\t0.10\t0.90\t0.20\t0.11\t0.50\t0.20\t0.12\t0.08\t0.20
2\t0.01\t0.10\t0.90\t0.20\tKNEE\tKNEE\tKNEE\t0.12\t0.08\t0.20
"""


def second_frame(word):
    with open("leg.trc", "w") as file:
        file.write(HEADER.replace("KNEE", word))
    data = TRCData()
    data.load("leg.trc")
    return {name: data[name][1] for name in data["Markers"]}


for label, word in [("gap as 'nan'  ", "nan"), ("gap left blank", "")]:
    markers = second_frame(word)
    print(label, markers)
if not (markers["Knee"] == [0.12, 0.08, 0.20] and all(map(math.isnan, markers["Ankle"]))):
    raise SystemExit("changed: a blank gap no longer gives the knee the ankle's coordinates")
END
