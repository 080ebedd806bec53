"""Video to one person's 2D keypoints: the detector, who is followed, and other programs' keypoint files.

Nothing is 3D here.
"""

from pointlight.capture.detection.detector import DetectorConfig, MediapipeDetector, detector_source
from pointlight.capture.detection.keypoint_files import (
    read_detections,
    read_keypoints,
    write_detections,
    write_keypoints,
)
from pointlight.capture.detection.keypoint_layouts import LAYOUTS, OPENPOSE_COCO_18, find_layout
from pointlight.capture.detection.network_files import how_to_get_network, networks_there
from pointlight.capture.detection.person_box import PersonBox

__all__ = [
    "LAYOUTS",
    "OPENPOSE_COCO_18",
    "DetectorConfig",
    "MediapipeDetector",
    "PersonBox",
    "detector_source",
    "find_layout",
    "how_to_get_network",
    "networks_there",
    "read_detections",
    "read_keypoints",
    "write_detections",
    "write_keypoints",
]
