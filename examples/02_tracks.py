"""Simulated people as tracks of keypoints, with the whole truth beside what a detector would say."""

from pointlight.body import AnnyBody
from pointlight.motion import procedural_bank
from pointlight.simulator import SceneConfig, SceneSampler, TrackMaker

body = AnnyBody()
bank = procedural_bank(body, seed=1, clips_per_kind=5, frames=62)
config = SceneConfig()
sampler = SceneSampler(config, bank, body)
scenes = [sampler.sample(seed=0, index=index) for index in range(8)]
tracks = TrackMaker(config, body).make(scenes)

for scene, visible in zip(scenes, tracks.visible, strict=True):
    print(
        f"{scene.motion.name:24} focal {scene.camera.focal_px:4.0f} px, {visible.float().mean():4.0%} visible"
    )
assert tracks.detections_px.shape == (8, 31, 19, 2)
