#!/bin/sh
# three 0.187.0 (npm): a BVH with names such as mixamorig:Hips is loaded whole and then stands still.
#
# Expected: BVHLoader returns a skeleton and a clip that belong together ("an object representing the parsed asset");
# played, the clip moves the skeleton, whatever the joints are called. GLTFLoader and FBXLoader take care of that by
# PropertyBinding.sanitizeNodeName.
# Happens: BVHLoader gives bones and tracks the file's names as they are. In a track's name ":" and "/" end a folder, so
# the track mixamorig:Hips.position looks for a bone Hips and finds none. The console has a warning a track, the clip's
# duration is right, and the person rests in the bind pose.
# What to do: after parse, replace the characters [ ] : / in clip.tracks[i].name and in each bone's name alike.
#
# Output seen (the root's place after half of a walk from x = 0 to x = 50; the file says 25):
#   Hips            2 tracks, 1 s, root at [ 25, 90, 0 ]
#   mixamorig:Hips  2 tracks, 1 s, root at [ 0, 0, 0 ]
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts three@0.187.0
cat >play.mjs <<'END'
import { AnimationMixer } from "three";
import { BVHLoader } from "three/examples/jsm/loaders/BVHLoader.js";

console.warn = () => {};

function play(name) {
  const { skeleton, clip } = new BVHLoader().parse(`HIERARCHY
ROOT ${name}
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  End Site
  {
    OFFSET 0 10 0
  }
}
MOTION
Frames: 2
Frame Time: 1.0
0 90 0 0 0 0
50 90 0 0 90 0
`);
  const root = skeleton.bones[0];
  const mixer = new AnimationMixer(root);
  mixer.clipAction(clip).play();
  mixer.setTime(0.5);
  console.log(`${name.padEnd(15)} ${clip.tracks.length} tracks, ${clip.duration} s, root at`, root.position.toArray());
  return root.position.x;
}

const plain = play("Hips");
const mixamo = play("mixamorig:Hips");
if (plain !== 25 || mixamo !== 0) {
  console.error("changed: a colon in a joint's name no longer keeps the skeleton from moving");
  process.exit(1);
}
END
node play.mjs
