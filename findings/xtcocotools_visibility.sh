#!/bin/sh
# xtcocotools 1.14.3 against pycocotools 2.0.11: detections whose keypoints carry 0 as third number are all dropped.
#
# Expected: in COCO's results format the third number of a keypoint, the visibility, is not used by the evaluation
# (cocodataset.org, "Results Format", recommends 1). xtcocotools calls itself an extended COCO API, so the same files
# give the same figures.
# Happens: xtcocotools leaves out each detection whose third numbers are all 0 as "all-zero keypoints", wherever they
# stand. Perfect keypoints then have AP 1 in pycocotools and 0 in xtcocotools, without a word.
# What to do: write a positive third number (1, or the keypoint's confidence) into every result that will be evaluated.
#
# Output seen:
#   AP of perfect keypoints, third number 0 | 1
#   pycocotools  1.0 | 1.0
#   xtcocotools  0.0 | 1.0
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install -qq --disable-pip-version-check pycocotools==2.0.11 xtcocotools==1.14.3 numpy==1.26.4
cd "$work"
env/bin/python - <<'END'
import contextlib
import importlib
import io
import json

xy = [(100 + 5 * k, 80 + 11 * k) for k in range(17)]
truth = [number for x, y in xy for number in (x, y, 2)]
box = {"image_id": 1, "category_id": 1, "bbox": [90, 70, 100, 200], "area": 20000, "iscrowd": 0}
with open("truth.json", "w") as file:
    json.dump({
        "info": {},
        "images": [{"id": 1, "width": 640, "height": 480}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"id": 1, "keypoints": truth, "num_keypoints": 17, **box}],
    }, file)


def average_precision(package, third):
    coco = importlib.import_module(f"{package}.coco")
    evaluation = importlib.import_module(f"{package}.cocoeval")
    keypoints = [number for x, y in xy for number in (x, y, third)]
    with open("results.json", "w") as file:
        json.dump([{"image_id": 1, "category_id": 1, "keypoints": keypoints, "score": 0.9}], file)
    with contextlib.redirect_stdout(io.StringIO()):
        ground = coco.COCO("truth.json")
        judge = evaluation.COCOeval(ground, ground.loadRes("results.json"), "keypoints")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return round(float(judge.stats[0]), 3)


print("AP of perfect keypoints, third number 0 | 1")
figures = {}
for package in ("pycocotools", "xtcocotools"):
    figures[package] = [average_precision(package, third) for third in (0, 1)]
    print(f"{package}  {figures[package][0]} | {figures[package][1]}")
if figures != {"pycocotools": [1.0, 1.0], "xtcocotools": [0.0, 1.0]}:
    raise SystemExit("changed: the two packages no longer differ in what a third number of 0 does")
END
