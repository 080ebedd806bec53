#!/bin/sh
# pose2sim 0.10.49: its converter from TRC to C3D turns a gap into a marker that was measured at the origin.
#
# Expected: a marker that is missing in the TRC file is missing in the C3D file. C3D marks that by a negative residual
# (so say the C3D User Guide and ezc3d's README).
# Happens: trc_to_c3d writes the residual 0 for every point and stores whole millimetres as 16 bit integers; nan becomes
# 0 on the way. The knee that was not seen stands at (0, 0, 0), and readers call it measured. (A warning of numpy about
# an invalid cast may appear; the program says "Converted".)
# What to do: fill gaps before the conversion, or write the C3D with ezc3d and residuals of -1; in files that came this
# way treat points at exactly (0, 0, 0) as missing.
#
# Output seen (the last line is what ezc3d 1.7.2 reads):
#   Converted trc file to leg.c3d
#   the knee in the frame without a knee: [0.0, 0.0, 0.0] mm, residual 0.0
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
# Of pose2sim only this one file is needed, so its dependencies (a detector, a GUI) stay away.
"$work/env/bin/pip" install -qq --disable-pip-version-check c3d==0.6.0 ezc3d==1.7.2 numpy==2.4.6
"$work/env/bin/pip" install -qq --disable-pip-version-check --no-deps pose2sim==0.10.49
cd "$work"
env/bin/python -W ignore - <<'END'
import ezc3d
from Pose2Sim.Utilities.trc_to_c3d import trc_to_c3d_func

with open("leg.trc", "w") as file:
    file.write("""PathFileType\t4\t(X/Y/Z)\tleg.trc
DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames
100\t100\t3\t2\tm\t100\t1\t3
Frame#\tTime\tHip\t\t\tKnee\t\t
\t\tX1\tY1\tZ1\tX2\tY2\tZ2

1\t0.00\t0.10\t0.90\t0.20\t0.11\t0.50\t0.20
2\t0.01\t0.10\t0.90\t0.20\tnan\tnan\tnan
3\t0.02\t0.10\t0.90\t0.20\t0.11\t0.50\t0.20
""")
trc_to_c3d_func("leg.trc")
data = ezc3d.c3d("leg.c3d")["data"]
knee_mm = data["points"][:3, 1, 1].tolist()
residual = float(data["meta_points"]["residuals"][0, 1, 1])
print(f"the knee in the frame without a knee: {knee_mm} mm, residual {residual}")
if not (knee_mm == [0.0, 0.0, 0.0] and residual == 0.0):
    raise SystemExit("changed: a gap is no longer written as a point measured at the origin")
END
