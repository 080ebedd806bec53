"""Every constant of the paper that lives in the tree, beside its sentence."""

from __future__ import annotations

import numpy as np
import torch

from pointlight.body import EVALUATION_JOINTS, NETWORK_KEYPOINTS, AnnyBody
from pointlight.capture.turned_view import TURN_DEG
from pointlight.cues import KEYPOINT_SETS, MIN_VISIBLE, PictureCueConfig, PointCueConfig, totally_occluded
from pointlight.cues.flow_channels import FLOW_UNIT_PX
from pointlight.cues.heatmaps import DEVIATION_PX
from pointlight.geometry import CROP_PX, PERSON_PX
from pointlight.network import (
    EVALUATION_INDICES,
    HEADS,
    ITERATIONS,
    DomainConfig,
    LossConfig,
    MotionHMRConfig,
    PictureEncoderConfig,
    ResNet50,
)
from pointlight.simulator import (
    CLIP_FRAMES,
    FRAMES_PER_SECOND,
    SYNTHESIS_RECIPES,
    KeypointMaskingConfig,
    SceneConfig,
)
from pointlight.simulator.backgrounds import BackgroundConfig, integrated
from pointlight.simulator.clips import OccluderConfig
from pointlight.simulator.scenes import HIDDEN_BEHIND_M, SURREAL_CAMERA
from pointlight.training import find_training_recipe

PAPER_ROWS = ("rgb", "flow", "rgb_keypoints", "keypoints", "flow_keypoints")


def network_of(row: str) -> tuple[MotionHMRConfig, PictureCueConfig, PictureEncoderConfig]:
    """Of a row of Table 1, at the paper's size."""
    network = find_training_recipe(f"paper-{row}").network
    assert isinstance(network, MotionHMRConfig) and isinstance(network.cues, PictureCueConfig)
    assert isinstance(network.encoder, PictureEncoderConfig)
    return network, network.cues, network.encoder


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
    assert (recipe.network.lstm, recipe.network.head, recipe.network.layers) == (1024, 1024, 1)
    assert recipe.network.cues == PointCueConfig("paper12", next_frame=False)
    assert not recipe.network.skip and not recipe.network.one_shape
    assert not recipe.scenes.variety.active and not any(vars(recipe.scenes.noise).values())
    assert recipe.scenes.mirror == 0 and not recipe.floor and recipe.own_validation
    assert recipe.scenes.masking.block < 0.05  # what superpixels hide, where there are no pictures
    assert recipe.scenes.camera == SURREAL_CAMERA
    assert not recipe.loss.perspective and not recipe.loss.surface_points


def test_figure_5_turns_by_60_degrees() -> None:
    """Figure 5: "the same mesh rotated by 60 degrees"."""
    assert TURN_DEG == 60


def test_fourteen_joints() -> None:
    """Section 4: "the 14 joints that are common to the SMPL and COCO models"."""
    assert len(EVALUATION_JOINTS) == 14
    assert set(EVALUATION_JOINTS) <= set(AnnyBody().keypoint_names)


# Section 3.1 and appendix A: clips


def test_pictures_have_surreals_size() -> None:
    """Appendix A: "We randomly crop the Kinetics videos to be 240×320"."""
    for name in ("full", "no_occlusions", "no_tracking_no_occlusions", "static_no_occlusions"):
        scenes = SYNTHESIS_RECIPES[name].scenes
        assert scenes.camera.image_sizes == ((320, 240),) and scenes.mirror == 0


def test_people_follow_the_median_of_flow_from_the_centre_frame() -> None:
    """Appendix A: flow by TVL1, its median, "using the center frame of the clip as a reference"."""
    assert BackgroundConfig().flow == "tvl1"
    path = integrated(np.ones((30, 2), np.float32))
    assert path[15].tolist() == [0, 0] and path[0].tolist() == [-15, -15] and path[30].tolist() == [15, 15]
    assert SYNTHESIS_RECIPES["full"].track and not SYNTHESIS_RECIPES["no_tracking_no_occlusions"].track


def test_superpixels() -> None:
    """Appendix A: 10 to 30, compactness 0.01, coordinates times 4e-4 to 6e-4, at least 7 of 14 joints left."""
    occluders = OccluderConfig()
    assert occluders.count == (10, 30)
    assert occluders.compactness == 0.01
    assert occluders.coordinate_weight == (4e-4, 6e-4)
    assert occluders.least_joints == 7
    assert SYNTHESIS_RECIPES["full"].occluders == occluders and occluders.box == 0


def test_table_2_is_cumulative() -> None:
    """Table 2: without occlusions, then without tracking, then on a still background."""
    full, clear, untracked, still = (
        SYNTHESIS_RECIPES[name]
        for name in ("full", "no_occlusions", "no_tracking_no_occlusions", "static_no_occlusions")
    )
    taken = [
        (r.occluders.superpixel, r.track, not r.backgrounds.static) for r in (full, clear, untracked, still)
    ]
    assert taken == [(True, True, True), (False, True, True), (False, False, True), (False, False, False)]


# Section 3.2 and appendix B: the network


def test_a_resnet_50_of_each_frame_averages_at_the_end() -> None:
    """Section 3.2: "a standard ResNet-50, independently on each frame, average-pooling at the end"."""
    for row in PAPER_ROWS:
        _, cues, encoder = network_of(row)
        assert encoder.kind == "resnet50" and encoder.pooled and encoder.features == ResNet50.features == 2048
        assert cues.side_px == 224


def test_the_memory_has_1024_units_and_each_head_another_layer() -> None:
    """Appendix B: "Our LSTM contains 1024 hidden units, and we add another layer of 1024 units on top"."""
    for row in PAPER_ROWS:
        network, _, _ = network_of(row)
        assert (network.memory, network.lstm, network.layers, network.head) == ("bilstm", 1024, 1, 1024)


def test_flow_has_three_channels_and_is_divided_by_20() -> None:
    """Appendix B: x, y and "an extra channel which is the flow magnitude"; "divided by 20"; on paired boxes."""
    assert FLOW_UNIT_PX == 20
    _, cues, encoder = network_of("flow")
    assert cues.channels == 3 and cues.flow_on == "crops" and encoder.flow_gain == 0
    assert cues.image_channels == 4  # and the flag of total occlusions


def test_keypoints_are_12_bells_of_10_pixels() -> None:
    """Section 3.2: "an additional set of 12 channels", "a standard deviation of 10 pixels"."""
    assert DEVIATION_PX == 10
    assert network_of("keypoints")[1].image_channels == 12 + 1
    assert network_of("flow_keypoints")[1].image_channels == 3 + 12 + 1
    assert network_of("rgb_keypoints")[1].image_channels == 3 + 12 + 1


def test_the_loss_has_two_terms_over_every_prediction() -> None:
    """Section 3.2: "Procrustes-aligned 3D keypoint location error", "2D reprojection error"; B: "for all 60"."""
    for name in ("points-paper", *(f"paper-{row}" for row in PAPER_ROWS)):
        loss = find_training_recipe(name).loss
        weights = {key: value for key, value in vars(loss).items() if value not in (0, False, None)}
        assert set(weights) == {"aligned", "reprojection"} and loss == LossConfig()
    assert HEADS * (CLIP_FRAMES - 1) == 60


# Section 4


def test_31_frames_are_trained_with_3_clips_a_batch() -> None:
    """Section 4.1: "31 frames uses batch size 3"."""
    for row in PAPER_ROWS:
        recipe = find_training_recipe(f"paper-{row}")
        assert (recipe.optimiser.batch, recipe.scenes.frames) == (3, 31)


def test_errors_are_of_14_joints() -> None:
    """Section 4: "the 14 joints that are common to the SMPL and COCO models"."""
    assert len(EVALUATION_INDICES) == 14
