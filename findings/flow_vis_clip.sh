#!/bin/sh
# flow-vis 0.1: with clip_flow, motion to the left or upwards is drawn as no motion.
#
# Expected: flow_to_color(flow, clip_flow=10) limits long vectors to 10 px. Its docstring calls clip_flow the "clip
# maximum of flow values"; flow points in all directions, and 5 px is below the limit on either side.
# Happens: both components are clipped to 0..clip_flow, so each negative one becomes 0. 5 px to the left is white, the
# colour of rest; up-left is white too, down-left is drawn as down.
# What to do: leave clip_flow out. Shorten long vectors before the call, and divide by one fixed length where pictures
# have to be comparable (without clip_flow each picture is scaled by its own longest vector).
#
# Output seen:
#                   5 px left        5 px right
#   no clip_flow    [0, 209, 255]    [255, 0, 0]
#   clip_flow=10    [255, 255, 255]  [255, 0, 0]
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install -qq --disable-pip-version-check flow-vis==0.1 numpy==2.4.6
"$work/env/bin/python" - <<'END'
import flow_vis
import numpy as np

flow_px = np.array([[[-5.0, 0.0], [5.0, 0.0]]])
free = flow_vis.flow_to_color(flow_px)[0].tolist()
clipped = flow_vis.flow_to_color(flow_px, clip_flow=10)[0].tolist()
print("                5 px left        5 px right")
print(f"no clip_flow    {free[0]!s:16} {free[1]}")
print(f"clip_flow=10    {clipped[0]!s:16} {clipped[1]}")
white = [255, 255, 255]
if not (clipped[0] == white and clipped[1] != white and free[0] != white):
    raise SystemExit("changed: with clip_flow, motion to the left is no longer drawn as rest")
END
