"""From real video to one person's moving body: keypoints, windows, the result, and the picture of it."""

from pointlight.capture.capture import Capture, body_states
from pointlight.capture.detector import DetectorConfig, MediapipeDetector
from pointlight.capture.keypoint_files import read_keypoints, write_keypoints
from pointlight.capture.person_box import PersonBox

__all__ = [
    "Capture",
    "DetectorConfig",
    "MediapipeDetector",
    "PersonBox",
    "body_states",
    "read_keypoints",
    "write_keypoints",
]
