"""From real video to one person's moving body: keypoints, windows, the result, and the picture of it."""

from pointlight.capture.capture import Capture, body_states

__all__ = ["Capture", "body_states"]
