"""OpenCV where it is needed: it is large, slow to load, and an extra."""

from __future__ import annotations

from types import ModuleType

from pointlight.errors import PointlightError


def opencv(purpose: str) -> ModuleType:
    """OpenCV, held to one thread: workers share the cores among them.

    Args:
        purpose: what needs it, the beginning of a sentence.

    Raises:
        PointlightError: it is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise PointlightError(
            f"{purpose} needs OpenCV, which is not installed; run: pip install 'pointlight[flow]'"
        ) from error
    if cv2.getNumThreads() != 1:
        cv2.setNumThreads(1)
    return cv2
