"""mediapipe 0.10.14 itself on pictures: `python mediapipe_itself.py QUESTIONS.npz ANSWERS.npz`; needs it and NumPy alone.

QUESTIONS hold `image_0` (H, W, 3) uint8 RGB and `regions_0` (R, 4) x, y, side in pixels and angle, then `image_1` and so on.
ANSWERS hold `found_0` (P, 5): middle and rim of the circle around each person in pixels, and the score; the regions; and by
region, NaN where mediapipe sees nobody: `circle_0` (R, 4), `points_0` (R, 33, 3) x, y in pixels and visibility, `world_0`
(R, 33, 3) metres.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

LANDMARKS = 33

FIND = """
input_stream: "image"
output_stream: "people"
node {
  calculator: "PoseDetectionCpu"
  input_stream: "IMAGE:image"
  output_stream: "DETECTIONS:people"
}
"""
READ = """
input_stream: "image"
input_stream: "region"
input_side_packet: "complexity"
input_side_packet: "segmentation"
output_stream: "points"
output_stream: "world"
output_stream: "helpers"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_side_packet: "MODEL_COMPLEXITY:complexity"
  input_side_packet: "ENABLE_SEGMENTATION:segmentation"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  output_stream: "LANDMARKS:points"
  output_stream: "WORLD_LANDMARKS:world"
  output_stream: "AUXILIARY_LANDMARKS:helpers"
}
"""


def main() -> None:
    warnings.simplefilter("ignore")
    from mediapipe.framework.formats import rect_pb2
    from mediapipe.python.solution_base import SolutionBase

    finder = SolutionBase(graph_config=FIND, outputs=["people"])
    side = {"complexity": 1, "segmentation": False}
    reader = SolutionBase(graph_config=READ, side_inputs=side, outputs=["points", "world", "helpers"])
    questions, answers = np.load(sys.argv[1]), {}
    for number in range(sum(name.startswith("image_") for name in questions)):
        image = questions[f"image_{number}"]
        height, width = image.shape[:2]
        answers[f"found_{number}"] = found(finder.process({"image": image}).people or [], width, height)
        circles, points, world = [], [], []
        for x, y, size, angle in questions[f"regions_{number}"]:
            region = rect_pb2.NormalizedRect(
                x_center=x / width,
                y_center=y / height,
                width=size / width,
                height=size / height,
                rotation=angle,
            )
            result = reader.process({"image": image, "region": region})
            if result.points is None or result.world is None or result.helpers is None:
                circles.append(np.full(4, np.nan))
                points.append(np.full((LANDMARKS, 3), np.nan))
                world.append(np.full((LANDMARKS, 3), np.nan))
                continue
            middle, rim = result.helpers.landmark[:2]
            circles.append((middle.x * width, middle.y * height, rim.x * width, rim.y * height))
            marks = result.points.landmark[:LANDMARKS]
            points.append([(mark.x * width, mark.y * height, mark.visibility) for mark in marks])
            world.append([(mark.x, mark.y, mark.z) for mark in result.world.landmark[:LANDMARKS]])
        answers[f"regions_{number}"] = questions[f"regions_{number}"]
        answers[f"circle_{number}"] = np.array(circles).reshape(-1, 4)
        answers[f"points_{number}"] = np.array(points).reshape(-1, LANDMARKS, 3)
        answers[f"world_{number}"] = np.array(world).reshape(-1, LANDMARKS, 3)
    np.savez_compressed(sys.argv[2], **answers)


def found(people: list, width: int, height: int) -> np.ndarray:
    rows = []
    for person in people:
        middle, rim = person.location_data.relative_keypoints[:2]
        places = (middle.x * width, middle.y * height, rim.x * width, rim.y * height)
        rows.append((*places, person.score[0]))
    return np.array(rows).reshape(-1, 5)


if __name__ == "__main__":
    main()
