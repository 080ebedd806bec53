"""Every constant of the paper that lives in the tree, beside its sentence."""

from __future__ import annotations

import torch

from pointlight.body import EVALUATION_JOINTS, NETWORK_KEYPOINTS, AnnyBody
from pointlight.capture.overlay import TURN_DEG
from pointlight.cues import KEYPOINT_SETS, MIN_VISIBLE, PointCueConfig, totally_occluded
from pointlight.geometry import CROP_PX, PERSON_PX
from pointlight.network import HEADS, ITERATIONS, DomainConfig, MotionHMRConfig
from pointlight.simulator import CLIP_FRAMES, FRAMES_PER_SECOND, KeypointMaskingConfig, SceneConfig
from pointlight.simulator.scenes import HIDDEN_BEHIND_M, SURREAL_CAMERA
from pointlight.training import find_training_recipe


def test_clips_have_31_frames() -> None:
    """Section 3.2: "short clips (31 frames in most of our experiments)"."""
    assert CLIP_FRAMES == SceneConfig().frames == 31
    assert FRAMES_PER_SECOND == 30


def test_the_twelve_keypoints() -> None:
    """Section 3.2: "the ankles, knees, hips, shoulders, elbows, and wrists"."""
    parts = {name.split("_")[1] for name in NETWORK_KEYPOINTS}
    assert parts == {"ankle", "knee", "hip", "shoulder", "elbow", "wrist"}
    assert len(NETWORK_KEYPOINTS) == 12
    assert KEYPOINT_SETS["paper12"] == NETWORK_KEYPOINTS


def test_crops() -> None:
    """Appendix A: "cropped at a 224×224 resolution", "roughly 150 pixels tall"."""
    assert (CROP_PX, PERSON_PX) == (224, 150)


def test_frames_with_fewer_than_seven_keypoints_are_total_occlusions() -> None:
    """Appendix A: "used at evaluation time for any frame where fewer than 7 keypoints are visible"."""
    assert MIN_VISIBLE == 7
    visible = torch.arange(12) < torch.tensor([[6], [7]])
    assert totally_occluded(visible).tolist() == [True, False]


def test_hiding() -> None:
    """Appendix B: 20 cm, legs unhidden with 50 %, flips with 5 %; appendix A: total occlusions of up to 15 frames."""
    masking = KeypointMaskingConfig()
    assert HIDDEN_BEHIND_M == 0.20
    assert masking.unhide_legs == 0.5
    assert masking.flip == 0.05
    assert masking.total_occlusion_frames[1] == 15
    assert masking.self_occlusion and masking.frame_edge


def test_two_heads_and_three_iterations() -> None:
    """Appendix B: "we predict *two* poses from each pair of frames"; HMR's three iterations."""
    assert HEADS == 2
    assert ITERATIONS == 3


def test_the_adversary() -> None:
    """Appendix B: "a 2-layer (1024 hidden units) adversary", "a DANN loss weight between 0.2 and 5"."""
    assert find_training_recipe("paper-rgb_dann").domains == DomainConfig(
        layers=2, hidden=1024, weight=1.0, rate=10.0
    )
    small = find_training_recipe("small-rgb_dann").domains
    assert small is not None and small.layers == 2 and 0.2 <= small.weight <= 5


def test_the_papers_recipe_has_nothing_of_ours() -> None:
    recipe = find_training_recipe("points-paper")
    assert isinstance(recipe.network, MotionHMRConfig)
    assert recipe.network.cues == PointCueConfig("paper12", next_frame=False)
    assert not recipe.network.skip and not recipe.network.one_shape
    assert not recipe.scenes.variety.active and not any(vars(recipe.scenes.noise).values())
    assert recipe.scenes.masking.block == 0 and not recipe.floor
    assert recipe.scenes.camera == SURREAL_CAMERA
    assert not recipe.loss.perspective and not recipe.loss.surface_points


def test_figure_5_turns_by_60_degrees() -> None:
    """Figure 5: "the same mesh rotated by 60 degrees"."""
    assert TURN_DEG == 60


def test_fourteen_joints() -> None:
    """Section 4: "the 14 joints that are common to the SMPL and COCO models"."""
    assert len(EVALUATION_JOINTS) == 14
    assert set(EVALUATION_JOINTS) <= set(AnnyBody().keypoint_names)
