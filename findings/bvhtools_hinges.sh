#!/bin/sh
# bvhtools 1.6.0: joints with one or two rotation channels don't turn.
#
# Expected: a joint may have any number of channels (
# research.cs.wisc.edu/graphics/Courses/cs-838-1999/Jeff/BVH.html: CHANNELS is followed by their number and kinds), and
# skeletons with hinges write knees and elbows with a single one.
# Happens: getFKAtFrame uses a joint's rotation only if all of X, Y and Z are there. The knee below bends by 90 degrees,
# the ankle stays under it, and nothing is said (position channels that are left out are warned of).
# What to do: add the missing channels with zeros before reading, in the joint's own order.
#
# Output seen (hip at the height 90, thigh and shank 40 each; bent by 90 degrees the ankle is at the knee's height):
#   knee of three channels: ankle at 50.0
#   knee of one channel:    ankle at 10.0
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
# Its viewer's library stays away.
"$work/env/bin/pip" install -qq --disable-pip-version-check numpy==2.4.6 scipy==1.17.1
"$work/env/bin/pip" install -qq --disable-pip-version-check --no-deps bvhtools==1.6.0
cd "$work"
env/bin/python - <<'END'
from bvhTools.bvhIO import readBvh

LEG = """HIERARCHY
ROOT Hip
{
OFFSET 0 0 0
CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
JOINT Knee
{
OFFSET 0 -40 0
CHANNELS KINDS
JOINT Ankle
{
OFFSET 0 -40 0
CHANNELS 3 Zrotation Xrotation Yrotation
End Site
{
OFFSET 0 0 10
}
}
}
}
MOTION
Frames: 1
Frame Time: 0.033333
0 90 0 0 0 0 ANGLES 0 0 0
"""


def ankle_height(kinds, angles):
    with open("leg.bvh", "w") as file:
        file.write(LEG.replace("KINDS", kinds).replace("ANGLES", angles))
    return round(float(readBvh("leg.bvh").getFKAtFrame(0)["Ankle"][1][1]), 3)


three = ankle_height("3 Zrotation Xrotation Yrotation", "0 90 0")
one = ankle_height("1 Xrotation", "90")
print(f"knee of three channels: ankle at {three}")
print(f"knee of one channel:    ankle at {one}")
if (three, one) != (50.0, 10.0):
    raise SystemExit("changed: a knee with one channel no longer stays straight")
END
