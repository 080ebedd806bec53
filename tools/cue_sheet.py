"""What networks see of simulated and of filmed people, side by side: `tools/cue_sheet.py PICTURES VIDEO OUT.png`.

Above one clip of prepared pictures, below the video with mediapipe's keypoints, through the same code; printed is how long
flow is at the keypoints of each, by percentiles, with more clips and videos if given: `... --videos VIDEO VIDEO`. For the
docs only pictures with backgrounds and videos that may be published.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture import MediapipeDetector, PredictOptions, track_of
from pointlight.capture.fitting import grid_times, observation_of
from pointlight.cues import PictureCueConfig, VideoFrames, draw_inputs, flow_magnitudes
from pointlight.media import VideoReader, draw_label, write_png
from pointlight.simulator import SYNTHESIS_RECIPES
from pointlight.training import PictureBank
from pointlight.training import observation_of as simulated
from pointlight.training.picture_data import redrawn

CUES = PictureCueConfig(rgb=True, flow="dis", heatmaps=True)
SHOWN = 10
PERCENTILES = (10, 25, 50, 75, 90, 99)


def of_bank(bank: PictureBank, cues: PictureCueConfig, clips: range) -> Iterator[Tensor]:
    """The inputs (T-1, F) of clips."""
    for number in clips:
        clip = bank.clip(number)
        tracks = redrawn(clip, SYNTHESIS_RECIPES[bank.recipe].scenes, 0, number)
        yield cues.make(replace(simulated(tracks), pictures=(clip.frames,))).inputs[0]


def of_video(video: Path, cues: PictureCueConfig) -> Tensor:
    """The inputs (T-1, F) of a video."""
    keypoints = MediapipeDetector().track(VideoReader(video), None)
    track = track_of(keypoints, NETWORK_KEYPOINTS, PredictOptions())[0]
    grid_s = grid_times(track.time_s, 31)
    seen = observation_of(track, NETWORK_KEYPOINTS, grid_s)
    return cues.make(replace(seen, pictures=(VideoFrames(VideoReader(video), grid_s),))).inputs


def row(what: str, lengths: np.ndarray) -> str:
    values = np.percentile(lengths, PERCENTILES)
    return f"| {what} | " + " | ".join(f"{value:.3f}" for value in values) + f" | {len(lengths)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--flow", default="dis")
    parser.add_argument("--clip", type=int, default=0)
    parser.add_argument("--clips", type=int, default=32, help="for the percentiles")
    parser.add_argument("--videos", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    cues = replace(CUES, flow=options.flow)
    bank = PictureBank(options.pictures)
    (made,) = of_bank(bank, cues, range(options.clip, options.clip + 1))
    filmed = of_video(options.video, cues)
    sheets = []
    for what, inputs in (("simulated", made), ("filmed", filmed)):
        chosen = torch.linspace(0, len(inputs) - 1, SHOWN).long()
        sheets.append(draw_label(draw_inputs(cues, inputs[chosen]), what, height_px=18))
    write_png(options.out, np.concatenate(sheets))
    print(
        f"| flow at keypoints, 20 px of a crop of 224 | {' | '.join(f'{p} %' for p in PERCENTILES)} | points |"
    )
    print("| --- " * (len(PERCENTILES) + 2) + "|")
    of_clips = [flow_magnitudes(cues, inputs) for inputs in of_bank(bank, cues, range(options.clips))]
    print(row(f"{bank.recipe}, {bank.split}", np.concatenate(of_clips)))
    for video in (options.video, *options.videos):
        inputs = filmed if video == options.video else of_video(video, cues)
        print(row(video.name, flow_magnitudes(cues, inputs)))


if __name__ == "__main__":
    main()
