#!/bin/sh
# kalidokit 1.1.5 (npm): the person's left arm comes out as RightUpperArm.
#
# Expected: MediaPipe's landmark 11 is the left shoulder, 13 the left elbow, 15 the left wrist, "left" being the
# person's (MediaPipe's pose landmark guide). Kalidokit's README hands these landmarks to Pose.solve unchanged and gets
# joints called LeftUpperArm, RightUpperArm; it speaks of no mirror.
# Happens: RightUpperArm is computed from 11 and 13, LeftUpperArm from 12 and 14, the legs likewise. It suits an avatar
# that faces its user like a mirror. Whoever records motion has left and right exchanged.
# What to do: for a character that does what the person does, exchange the sides of the landmarks and mirror x before
# the call, or exchange the names in the result and mirror its angles.
#
# Output seen (angle z in radians; from the T-pose the person raises the left arm):
#                      LeftUpperArm  RightUpperArm
#   T-pose                     0.00          0.00
#   left arm raised            0.00          0.81
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts kalidokit@1.1.5
cat >solve.cjs <<'END'
const { Pose } = require("kalidokit/dist/kalidokit.umd.js");

// World landmarks of a person who faces the camera in a T-pose: metres from the hips, y down, and the person's left at
// +x. BlazePose numbers the left side odd.
const side = {
  11: [0.18, -0.5], 13: [0.45, -0.5], 15: [0.7, -0.5], 17: [0.78, -0.5], 19: [0.79, -0.5], 21: [0.75, -0.48],
  23: [0.1, 0], 25: [0.1, 0.42], 27: [0.1, 0.82], 29: [0.1, 0.86], 31: [0.1, 0.88],
};
const raised = { 13: [0.3, -0.74], 15: [0.4, -0.97], 17: [0.43, -1.04], 19: [0.44, -1.05], 21: [0.42, -1.0] };

function landmarks(leftArm) {
  const points = Array.from({ length: 33 }, () => ({ x: 0, y: -0.65, z: 0, visibility: 0.99 }));
  for (const [index, [x, y]] of Object.entries({ ...side, ...leftArm })) Object.assign(points[index], { x, y });
  for (const [index, [x, y]] of Object.entries(side)) Object.assign(points[Number(index) + 1], { x: -x, y });
  return points;
}

function solve(leftArm) {
  const world = landmarks(leftArm);
  const picture = world.map((p) => ({ ...p, x: 0.5 + p.x / 3, y: 0.5 + p.y / 3 }));
  const rig = Pose.solve(world, picture, { runtime: "mediapipe" });
  return [rig.LeftUpperArm.z, rig.RightUpperArm.z];
}

const before = solve({});
const after = solve(raised);
console.log("                   LeftUpperArm  RightUpperArm");
console.log("T-pose            ", before.map((v) => v.toFixed(2).padStart(12)).join("  "));
console.log("left arm raised   ", after.map((v) => v.toFixed(2).padStart(12)).join("  "));
const moved = after.map((v, i) => Math.abs(v - before[i]) > 0.3);
if (moved[0] || !moved[1]) {
  console.error("changed: raising the left arm no longer moves RightUpperArm alone");
  process.exit(1);
}
END
node solve.cjs
