#!/bin/sh
# three 0.187.0 (npm) against bvhio 1.5.4, upc-pymotion 0.3.4: where a BVH root has an OFFSET, they put the person at
# different places.
#
# Expected: one place. The description of BVH that readers are written by (the page
# research.cs.wisc.edu/graphics/Courses/cs-838-1999/Jeff/BVH.html) says that the root's translation is the sum of OFFSET
# and the position channels.
# Happens: three.js adds, as that page says; the Python readers (and Blender) let the position channels replace OFFSET.
# Exporters that fill OFFSET with the rest pose's hip height write files for the second kind: in three.js the person
# floats at twice the height.
# What to do: write roots with OFFSET 0 0 0; there all readers agree. In reading, a root whose first position about
# equals its OFFSET is usually meant to be replaced.
#
# Output seen (OFFSET 0 95 0, the file's position 0 95 0):
#   bvhio 95.0
#   pymotion 95.0
#   three.js 190.0
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install -qq --disable-pip-version-check bvhio==1.5.4 numpy==2.4.6 scipy==1.17.1
"$work/env/bin/pip" install -qq --disable-pip-version-check --no-deps upc-pymotion==0.3.4
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts three@0.187.0
cat >stand.bvh <<'END'
HIERARCHY
ROOT Hips
{
  OFFSET 0 95 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  End Site
  {
    OFFSET 0 10 0
  }
}
MOTION
Frames: 2
Frame Time: 1.0
0 95 0 0 0 0
0 95 0 0 0 0
END
cat >height.py <<'END'
import bvhio
from pymotion.io.bvh import BVH

root = bvhio.readAsHierarchy("stand.bvh")
root.loadPose(0)
bvh = BVH()
bvh.load("stand.bvh")
print("bvhio", root.PositionWorld.y)
print("pymotion", bvh.data["positions"][0, 0, 1])
END
cat >height.mjs <<'END'
import { readFileSync } from "node:fs";
import { AnimationMixer } from "three";
import { BVHLoader } from "three/examples/jsm/loaders/BVHLoader.js";

const { skeleton, clip } = new BVHLoader().parse(readFileSync("stand.bvh", "utf8"));
const mixer = new AnimationMixer(skeleton.bones[0]);
mixer.clipAction(clip).play();
mixer.setTime(0.5);
console.log("three.js", skeleton.bones[0].position.y.toFixed(1));
END
env/bin/python height.py >heights
node height.mjs >>heights
cat heights
if [ "$(cat heights)" != "bvhio 95.0
pymotion 95.0
three.js 190.0" ]; then
  echo "changed: the readers no longer differ in this way over a root with an OFFSET" >&2
  exit 1
fi
