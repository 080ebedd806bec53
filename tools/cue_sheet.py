"""What networks see of simulated and of filmed people, side by side: `tools/cue_sheet.py PICTURES VIDEO OUT.png`.

Above one clip of prepared pictures, below the video with mediapipe's keypoints, through the same code; printed is how long
flow is at the keypoints of each, by percentiles, with more if given: `... --others PICTURES --videos VIDEO VIDEO`, and
`--histogram OUT.png` draws it. For the docs only pictures with backgrounds and videos that may be published.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pointlight.body import NETWORK_KEYPOINTS
from pointlight.capture import MediapipeDetector, PredictOptions, track_of
from pointlight.capture.fitting import grid_times, observation_of
from pointlight.cues import FrameSource, PictureCueConfig, VideoFrames, draw_inputs, flow_magnitudes
from pointlight.media import VideoReader, draw_label, tile, write_png
from pointlight.simulator import FRAMES_PER_SECOND, SYNTHESIS_RECIPES
from pointlight.training import PictureBank
from pointlight.training import observation_of as simulated
from pointlight.training.picture_data import redrawn

CUES = PictureCueConfig(rgb=True, flow="dis", heatmaps=True)
SHOWN = 10
PERCENTILES = (10, 25, 50, 75, 90, 99)


def of_bank(bank: PictureBank, cues: PictureCueConfig, clips: Iterable[int]) -> Iterator[Tensor]:
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


def whole(pictures: FrameSource, pairs: Iterable[int], side: int) -> np.ndarray:
    """(H, W, 3) the pictures that crops are cut from, each as wide as its column of `draw_inputs`."""
    images = [Image.fromarray(pictures.pair(pair).first) for pair in pairs]
    height = round(side * images[0].height / images[0].width)
    columns = [np.asarray(image.resize((side, height), Image.Resampling.BOX)) for image in images]
    return np.repeat(np.repeat(tile(columns, len(columns)), 2, 0), 2, 1)


def row(what: str, lengths: np.ndarray) -> str:
    values = np.percentile(lengths, PERCENTILES)
    return f"| {what} | " + " | ".join(f"{value:.3f}" for value in values) + f" | {len(lengths)} |"


def draw_histogram(lengths: dict[str, np.ndarray], simulated: int, path: Path) -> None:
    """Shares of flow's lengths, of which the first so many are simulated."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    edges = np.geomspace(1e-3, 5, 41)
    figure, axes = pyplot.subplots(figsize=(7, 3.2), constrained_layout=True)
    for number, (what, values) in enumerate(lengths.items()):
        shares = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / len(values)
        style = {"linewidth": 2.4} if number < simulated else {"linewidth": 1.2, "linestyle": "--"}
        axes.stairs(shares, edges, label=what, **style)
    axes.set(
        xscale="log", xlabel="length of flow at keypoints, in 20 px of a crop of 224 a frame", ylabel="share"
    )
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--flow", default="dis")
    parser.add_argument("--clip", type=int, default=0)
    parser.add_argument("--clips", type=int, default=32, help="for the percentiles")
    parser.add_argument("--others", type=Path, nargs="*", default=[], help="more prepared pictures to count")
    parser.add_argument("--videos", type=Path, nargs="*", default=[])
    parser.add_argument("--histogram", type=Path)
    options = parser.parse_args()
    cues = replace(CUES, flow=options.flow)
    bank = PictureBank(options.pictures)
    (made,) = of_bank(bank, cues, [options.clip])
    filmed = of_video(options.video, cues)
    video = VideoReader(options.video)
    grid_s = np.arange(len(filmed) + 1) / FRAMES_PER_SECOND
    sheets = []
    for what, inputs, pictures in (
        ("simulated", made, bank.clip(options.clip).frames),
        ("filmed", filmed, VideoFrames(video, grid_s)),
    ):
        chosen = torch.linspace(0, len(inputs) - 1, SHOWN).long()
        frames = draw_label(whole(pictures, chosen.tolist(), cues.side_px), what, height_px=18)
        sheets += [frames, draw_inputs(cues, inputs[chosen])]
    write_png(options.out, np.concatenate(sheets))
    print(
        f"| flow at keypoints, 20 px of a crop of 224 | {' | '.join(f'{p} %' for p in PERCENTILES)} | points |"
    )
    print("| --- " * (len(PERCENTILES) + 2) + "|")
    lengths: dict[str, np.ndarray] = {}
    for folder in (options.pictures, *options.others):
        counted = PictureBank(folder)
        of_clips = [flow_magnitudes(cues, inputs) for inputs in of_bank(counted, cues, range(options.clips))]
        lengths[f"{counted.recipe}, {counted.split} ({folder.parent.name})"] = np.concatenate(of_clips)
    for video in (options.video, *options.videos):
        inputs = filmed if video == options.video else of_video(video, cues)
        lengths[video.stem] = flow_magnitudes(cues, inputs)
    for what, values in lengths.items():
        print(row(what, values))
    if options.histogram:
        draw_histogram(lengths, 1 + len(options.others), options.histogram)


if __name__ == "__main__":
    main()
