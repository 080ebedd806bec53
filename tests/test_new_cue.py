"""A cue that nobody knew before: a `CueConfig` and a recipe are all that it takes to train, evaluate and predict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from pointlight.body import EXTENDED_KEYPOINTS, AnnyBody
from pointlight.capture import lift_keypoints
from pointlight.cues import CropFrames, CueConfig, Keypoints2D, Observation
from pointlight.evaluation import evaluate_synthetic
from pointlight.motion import procedural_bank
from pointlight.training import Trainer, find_training_recipe, load_checkpoint


@dataclass(frozen=True)
class DriftCue(CueConfig):
    """How the box drifts and grows between the frames of a pair, in box sizes: three numbers."""

    gain: float = 1.0

    @property
    def input_shape(self) -> tuple[int, ...]:
        """See `CueConfig`."""
        return (3,)

    def inputs(self, seen: Observation, crops: CropFrames) -> Tensor:
        """See `CueConfig`."""
        place = crops.boxes.centre_px.diff(dim=-2) / crops.boxes.size_px[..., :-1, None]
        return self.gain * torch.cat((place, crops.boxes.size_px.log().diff(dim=-1)[..., None]), dim=-1)

    def mirrored(self, inputs: Tensor) -> Tensor:
        """See `CueConfig`."""
        return inputs * inputs.new_tensor((-1.0, 1.0, 1.0))


@pytest.mark.parametrize("frames", [8, 56])
def test_a_new_cue_is_trained_evaluated_and_used(tmp_path: Path, frames: int) -> None:
    torch.set_num_threads(1)
    body = AnnyBody()
    bank = procedural_bank(body, 5, kinds=("walk",), clips_per_kind=5, frames=124)
    tiny = find_training_recipe("tiny")
    recipe = replace(
        tiny,
        name="drift",
        network=replace(tiny.network, cues=DriftCue("paper12", gain=2.0)),
        scenes=replace(tiny.scenes, frames=frames),
    )
    trainer = Trainer(recipe, tmp_path, bank, body=body, workers=0)
    trainer.run(steps=2)
    again = Trainer(recipe, tmp_path, bank, body=body, workers=0)
    again.resume(extend_to=3)
    again.run()

    checkpoint = load_checkpoint(tmp_path, body)
    assert checkpoint.config.cues == DriftCue("paper12", gain=2.0)
    assert checkpoint.clip_frames == frames
    inputs = trainer._batch_source().make(0).inputs
    assert inputs.shape == (4, frames - 1, 3)

    evaluate_synthetic([str(tmp_path)], clips=2)

    points = np.zeros((70, len(EXTENDED_KEYPOINTS), 3), np.float32)
    points[..., :2] = np.random.default_rng(0).uniform(60, 200, (len(EXTENDED_KEYPOINTS), 2))
    points[..., 2] = 1
    times = np.arange(70) / 30
    track = Keypoints2D(EXTENDED_KEYPOINTS, times, np.arange(70), points, (320, 240), "made")
    capture = lift_keypoints(track, checkpoint, body)
    assert capture.valid.all() and np.isfinite(capture.joints_camera_m).all()
