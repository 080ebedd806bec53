"""Motion capture to a body's motion: readers, retargeting, the bank, procedural motion, variety.

`MotionClip` is a source skeleton's motion, `BodyMotion` our body's.
"""

from pointlight.motion.bank import SPLITS, ClipEntry, MotionBank, warn_of_skipped
from pointlight.motion.body_motion import mirror, window
from pointlight.motion.clip import BANK_FPS, DRIVEN_JOINTS, BodyMotion, MotionClip
from pointlight.motion.library import compile_motion_bank, default_cache, list_motions, motion_folders
from pointlight.motion.neutral import straight_limbs
from pointlight.motion.procedural import (
    FLOOR_KINDS,
    KINDS,
    PROCEDURAL_SEED,
    procedural_bank,
    procedural_motion,
)
from pointlight.motion.rig import BodyRig
from pointlight.motion.survey import MotionReport, draw_survey, survey_motions, survey_table
from pointlight.motion.turns import frames_along, smallest_turns, twist_angles
from pointlight.motion.variety import VarietyConfig, vary

__all__ = [
    "BANK_FPS",
    "DRIVEN_JOINTS",
    "FLOOR_KINDS",
    "KINDS",
    "PROCEDURAL_SEED",
    "SPLITS",
    "BodyMotion",
    "BodyRig",
    "ClipEntry",
    "MotionBank",
    "MotionClip",
    "MotionReport",
    "VarietyConfig",
    "compile_motion_bank",
    "default_cache",
    "draw_survey",
    "frames_along",
    "list_motions",
    "mirror",
    "motion_folders",
    "procedural_bank",
    "procedural_motion",
    "smallest_turns",
    "straight_limbs",
    "survey_motions",
    "survey_table",
    "twist_angles",
    "vary",
    "warn_of_skipped",
    "window",
]
