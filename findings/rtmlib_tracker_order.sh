#!/bin/sh
# rtmlib 0.0.16: PoseTracker hands people over in a wrong order when a newcomer is detected first.
#
# Expected: "tracking" keeps each person in a place of its own; PoseTracker returns no ids, so the place in the array is
# all that says who is who, and its source says that keypoints are reordered by track id.
# Happens: the ids are used as indices into the current detections instead of being sorted by. With two people who
# change places it comes out right; where ids are no swap (here: a newcomer who is detected before the two that were
# there) person 0 becomes another person. Where somebody leaves, an index is out of range, and the current order of
# detections is returned unsorted.
# What to do: PoseTracker(tracking=False), and match people over time yourself.
#
# Output seen (x of each returned person's first keypoint; A stands at 100, B at 400, C at 700):
#   Tracking is on, you can get higher FPS by turning it off:`PoseTracker(tracking=False)`
#   frame 0, detected A B:   [100.0, 400.0]
#   frame 1, detected C A B: [400.0, 700.0, 100.0]
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
# The runtimes for networks stay away: the detector and the pose network below are stand-ins with known results.
"$work/env/bin/pip" install -qq --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6 tqdm==4.67.1
"$work/env/bin/pip" install -qq --disable-pip-version-check --no-deps rtmlib==0.0.16
"$work/env/bin/python" - <<'END'
import numpy as np
from rtmlib import PoseTracker

frames = iter([[100, 400], [700, 100, 400]])


class Detector:
    det_mode = "human"

    def __call__(self, image):
        return [[x, 100, x + 80, 300] for x in next(frames)]


class Pose:
    def __call__(self, image, bboxes):
        corners = [[[x0, y0], [x1, y0], [x0, y1], [x1, y1]] for x0, y0, x1, y1 in bboxes]
        return np.array(corners, float), np.ones((len(bboxes), 4))


class Solution:
    def __init__(self, to_openpose, backend, device):
        self.det_model, self.pose_model = Detector(), Pose()


tracker = PoseTracker(Solution)
image = np.zeros((480, 960, 3), np.uint8)
first = tracker(image)[0][:, 0, 0].tolist()
second = tracker(image)[0][:, 0, 0].tolist()
print("frame 0, detected A B:  ", first)
print("frame 1, detected C A B:", second)
if not (first == [100, 400] and second == [400, 700, 100]):
    raise SystemExit("changed: a newcomer who is detected first no longer mixes up who is who")
END
