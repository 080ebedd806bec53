"""Motion: readers, retargeting, the bank, procedural motion, variety."""

from pointlight.motion.bank import SPLITS, ClipEntry, MotionBank
from pointlight.motion.body_motion import mirror, window
from pointlight.motion.clip import BANK_FPS, DRIVEN_JOINTS, BodyMotion, MotionClip

__all__ = [
    "BANK_FPS",
    "DRIVEN_JOINTS",
    "SPLITS",
    "BodyMotion",
    "ClipEntry",
    "MotionBank",
    "MotionClip",
    "mirror",
    "window",
]
