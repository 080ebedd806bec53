"""`pointlight predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli.progress import stage_bars


def predict(
    video: Annotated[Path, typer.Argument(help="Any video that FFmpeg reads.")],
    out: Annotated[Path, typer.Option(help="Folder for poses.npz and overlay.mp4.")],
    model: Annotated[str, typer.Option(help="Name of a shipped model, or a .safetensors file.")] = "points",
    detector: Annotated[
        str, typer.Option(help="full; heavy, slower and better; lite, faster and worse.")
    ] = "full",
    keypoints: Annotated[
        Path | None, typer.Option(help="2D keypoints (COCO or OpenPose JSON, npz) in place of the detector.")
    ] = None,
    keypoint_format: Annotated[
        str | None, typer.Option(help="Order of the file's keypoints where it can't tell, such as body25b.")
    ] = None,
    start: Annotated[float | None, typer.Option(help="First second.")] = None,
    end: Annotated[float | None, typer.Option(help="Last second.")] = None,
    fov: Annotated[float | None, typer.Option(help="Field of view along the longer side, degrees.")] = None,
    focal_px: Annotated[float | None, typer.Option(help="Focal length in pixels.")] = None,
    height: Annotated[float | None, typer.Option(help="The person's height in metres.")] = None,
    box: Annotated[str | None, typer.Option(help="Which person: X,Y,W,H or X,Y,W,H@S.")] = None,
    people: Annotated[
        str, typer.Option(help="How many people, or all; the others' poses go into poses_1.npz and so on.")
    ] = "1",
    refine: Annotated[bool, typer.Option(help="Fit the network's body to the keypoints over time.")] = True,
    overlay_size: Annotated[
        int, typer.Option(help="Longest side of the overlay, px; 0 = as the video.")
    ] = 1280,
    overlay: Annotated[
        bool, typer.Option(help="Draw overlay.mp4; an older one there is removed anyway.")
    ] = True,
) -> None:
    """Find one person's moving 3D body in a video, or several people's."""
    from pointlight.capture import PredictOptions, predict_to_folder

    options = PredictOptions(
        model=model,
        detector=detector,
        keypoints=keypoints,
        keypoint_format=keypoint_format,
        start_s=start,
        end_s=end,
        fov_deg=fov,
        focal_px=focal_px,
        height_m=height,
        box=box or None,
        people=people,
        refine=refine,
        overlay_size_px=overlay_size or None,
        overlay=overlay,
    )
    with stage_bars() as bars:
        result = predict_to_folder(video, out, options, progress=bars)
    told = result.diagnostics
    for warning in told.warnings:
        typer.echo(f"warning: {warning}", err=True)
    share = told.bodies / max(told.frames, 1)
    typer.echo(
        f"{told.frames} frames, a body in {told.bodies} ({share:.0%}), of these {told.occluded} "
        f"inferred while hardly seen, {told.repaired} with left and right put back"
    )
    for number, bodies in enumerate(told.others, start=1):
        typer.echo(f"person {number}: a body in {bodies} ({bodies / max(told.frames, 1):.0%})")
    times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in told.seconds)
    total = sum(seconds for _, seconds in told.seconds)
    typer.echo(f"{times}; {told.frames / max(total, 1e-9):.1f} frames/s in all")
    for path in result.files:
        typer.echo(str(path))
