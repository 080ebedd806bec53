"""`pointlight predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pointlight.cli.export import export_folder
from pointlight.cli.predict_several import predict_several
from pointlight.cli.progress import stage_bars


def predict(
    video: Annotated[
        list[Path],
        typer.Argument(
            help="Any video that FFmpeg reads; or several, or a folder of them.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for poses.npz, overlay.mp4, summary.json; of several videos: one in it each."
        ),
    ],
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
    weight: Annotated[
        float | None, typer.Option(help="The person's weight in kg, which sets the build.")
    ] = None,
    box: Annotated[str | None, typer.Option(help="Which person: X,Y,W,H or X,Y,W,H@S.")] = None,
    people: Annotated[
        str, typer.Option(help="How many people, or all; the others' poses go into poses_1.npz and so on.")
    ] = "1",
    refine: Annotated[bool, typer.Option(help="Fit the network's body to the keypoints over time.")] = True,
    camera: Annotated[
        str, typer.Option(help="static or moving; auto: as the background moves. For the world.")
    ] = "auto",
    up: Annotated[
        str | None, typer.Option(help="Up as X,Y,Z in camera axes: x right, y down, z away.")
    ] = None,
    camera_pitch: Annotated[
        float | None, typer.Option(help="By how many degrees the camera looks down.")
    ] = None,
    camera_roll: Annotated[
        float | None, typer.Option(help="By how many degrees upright things lean to the right.")
    ] = None,
    overlay_size: Annotated[
        int, typer.Option(help="Longest side of the overlay, px; 0 = as the video.")
    ] = 1280,
    body: Annotated[
        str,
        typer.Option(
            help="What is drawn and exported: neutral, a mannequin; female, male; estimated. Joints stay the same."
        ),
    ] = "neutral",
    overlay: Annotated[
        bool, typer.Option(help="Draw overlay.mp4, overlay.png; an older one there is removed anyway.")
    ] = True,
    export: Annotated[
        str | None,
        typer.Option(help="Formats such as bvh,glb to write into OUT/export; see pointlight export."),
    ] = None,
    rig: Annotated[str, typer.Option(help="Skeleton of these, as in pointlight export.")] = "pointlight",
    report: Annotated[
        bool | None,
        typer.Option(
            help="Write report.html, a page with the body to turn; of one video as a rule, of several if asked."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Of several videos: processes, each with one thread; all cores if not given."),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(help="Of several videos: local; ray, as in synthesize, with files at the same paths."),
    ] = "local",
    again: Annotated[
        bool, typer.Option("--again", help="Of several videos: make also those anew that are whole.")
    ] = False,
) -> None:
    """Find one person's moving 3D body in a video, or several people's, or in many videos."""
    from pointlight.capture import PredictOptions, predict_to_folder
    from pointlight.errors import PointlightError

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
        weight_kg=weight,
        box=box or None,
        people=people,
        refine=refine,
        camera=camera,
        up=up or None,
        camera_pitch_deg=camera_pitch,
        camera_roll_deg=camera_roll,
        overlay_size_px=overlay_size or None,
        figure=body,
        overlay=overlay,
    )
    if export is not None:
        from pointlight.export import check_wanted

        check_wanted(export, rig)  # said before the work, not after it
    if len(video) > 1 or video[0].is_dir():
        predict_several(video, out, options, workers, engine, again, (export, rig), body, report=bool(report))
        return
    if workers is not None or engine != "local":
        raise PointlightError(
            "--workers and --engine are for several videos, and one is given; leave them out"
        )
    with stage_bars() as bars:
        result = predict_to_folder(video[0], out, options, progress=bars)
    for warning in result.diagnostics.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for line in result.summary.words():
        typer.echo(line)
    for hint in result.summary.hints:
        typer.echo(f"hint: {hint}")
    for path in result.files:
        typer.echo(str(path))
    if report is not False and result.summary.frames_with_body:
        from pointlight.report import write_report

        typer.echo(str(write_report(out, figure=body)))
    if export is not None:
        export_folder(out, export, rig, body)
