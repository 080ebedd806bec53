"""OpenPose JSON of the 2D keypoints: BODY_25, one file a frame of the video, (0, 0, 0) where nothing is seen."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from pointlight.capture import Capture

BODY_25: tuple[str, ...] = (
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow"),
    *("left_wrist", "mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee"),
    *("left_ankle", "right_eye", "left_eye", "right_ear", "left_ear", "left_big_toe", "left_small_toe"),
    *("left_heel", "right_big_toe", "right_small_toe", "right_heel"),
)
_BETWEEN = {"neck": ("left_shoulder", "right_shoulder"), "mid_hip": ("left_hip", "right_hip")}
"""OpenPose's neck and middle of the hips, of which our detector knows nothing, lie between two others."""


def openpose_files(capture: Capture, name: str) -> Iterator[tuple[str, str]]:
    """Names and contents of the files of all frames, numbered as in the video.

    OpenPose counts the centre of the first pixel as 0, we its corner.
    """
    points = body_25(capture)
    for index, frame in zip(capture.frame_index.tolist(), points, strict=True):
        people = []
        if (frame[:, 2] > 0).any():
            numbers = [round(value, 3) for value in frame.reshape(-1).tolist()]
            person: dict[str, object] = {"person_id": [capture.track_id], "pose_keypoints_2d": numbers}
            kinds = ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
            people.append(person | {kind: [] for kind in kinds})
        yield f"{name}_{index:012d}_keypoints.json", json.dumps({"version": 1.3, "people": people})


def body_25(capture: Capture) -> np.ndarray:
    """(T, 25, 3) float64 x, y, score in OpenPose's pixels; zeros where nothing is seen."""
    place = {
        name: capture.keypoints_px[:, k].astype(np.float64) for k, name in enumerate(capture.keypoint_names)
    }
    for name, (one, other) in _BETWEEN.items():
        if name not in place and one in place and other in place:
            both = np.stack((place[one], place[other]))
            score = both[..., 2].min(0)
            place[name] = np.concatenate((both[..., :2].mean(0), score[:, None]), axis=1)
    result = np.zeros((len(capture), len(BODY_25), 3))
    for k, name in enumerate(BODY_25):
        if name in place:
            seen = place[name][:, 2] > 0
            result[seen, k] = place[name][seen] - (0.5, 0.5, 0.0)
    return result
