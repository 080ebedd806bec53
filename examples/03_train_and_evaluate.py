"""Train a tiny network on procedural motions for eight steps, and evaluate it. Real recipes take hours."""

import tempfile
from pathlib import Path

from pointlight.body import AnnyBody
from pointlight.evaluation import constant_pose
from pointlight.evaluation.synthetic import SyntheticTest
from pointlight.motion import procedural_bank
from pointlight.simulator import EVAL_V1
from pointlight.training import Trainer, find_training_recipe, load_checkpoint

body = AnnyBody()
bank = procedural_bank(body, seed=1, clips_per_kind=5, frames=62)
with tempfile.TemporaryDirectory() as folder:
    trainer = Trainer(find_training_recipe("tiny"), Path(folder), bank, body=body, workers=0)
    trainer.run(progress=lambda told: print(f"step {told.done:.0f}: {told.note}"))
    model = load_checkpoint(Path(folder) / "best.safetensors", body).model

test = SyntheticTest(EVAL_V1, bank, body, clips=16)
for name, scored in (("constant pose", constant_pose(bank, body)), ("after 8 steps", model)):
    print(f"{name}: PA-MPJPE {test.score(scored).plain()['pa_mpjpe_mm']:.0f} mm")
