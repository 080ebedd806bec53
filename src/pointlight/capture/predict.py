"""`predict`: a video goes in, one person's moving body comes out, or several people's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal, Unpack, overload

import numpy as np

from pointlight.body import AnnyBody, BodyModel
from pointlight.capture.camera import WatchedReader
from pointlight.capture.capture import Capture
from pointlight.capture.fitting.lifting import lift
from pointlight.capture.fitting.refine import refine
from pointlight.capture.fitting.stature import of_size
from pointlight.capture.options import OnePersonKeywords, PredictKeywords, PredictOptions, options_with
from pointlight.capture.overlay import write_overlay
from pointlight.capture.results import Diagnostics, FolderResult, PredictResult, Stopwatch
from pointlight.capture.several import find_people, is_seen, save_people, together, with_worlds
from pointlight.capture.shots import of_shot, words_of_cuts
from pointlight.capture.steps import average_rate, joints_in_camera, only_valid, place_track, track_of
from pointlight.capture.summary import VideoFile, forget_earlier, summary_of
from pointlight.cues import Keypoints2D, ShotFrames
from pointlight.errors import PointlightError
from pointlight.files import check_folder, ensure_folder, sweep_partials
from pointlight.media import Frame
from pointlight.network import WindowConfig
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.threads import torch_threads
from pointlight.training import Checkpoint, load_checkpoint


@overload
def predict(
    video: Path | str,
    options: PredictOptions | None = None,
    *,
    progress: ProgressCallback = silent,
    **keywords: Unpack[OnePersonKeywords],
) -> Capture: ...
@overload
def predict(
    video: Path | str,
    options: PredictOptions | None = None,
    *,
    people: Literal[1],
    progress: ProgressCallback = silent,
    **keywords: Unpack[OnePersonKeywords],
) -> Capture: ...
@overload
def predict(
    video: Path | str,
    options: PredictOptions | None = None,
    *,
    people: Literal["all"],
    progress: ProgressCallback = silent,
    **keywords: Unpack[OnePersonKeywords],
) -> list[Capture]: ...
@overload
def predict(
    video: Path | str,
    options: PredictOptions | None = None,
    *,
    people: int | str,
    progress: ProgressCallback = silent,
    **keywords: Unpack[OnePersonKeywords],
) -> Capture | list[Capture]: ...
def predict(
    video: Path | str,
    options: PredictOptions | None = None,
    *,
    progress: ProgressCallback = silent,
    **keywords: Unpack[PredictKeywords],
) -> Capture | list[Capture]:
    """Find one person's body in every frame of a video, or several people's.

    Args:
        video: any file that FFmpeg reads.
        options: all options at once; usual ones if not given.
        progress: told how far each stage is.
        **keywords: single options by their names, over those in `options`: `model`, `detector`, `keypoints`, `start_s`,
            `end_s`, `fov_deg`, `focal_px`, `height_m`, `weight_kg`, `box`, `people`, `refine`, `camera`, `up`,
            `camera_pitch_deg`, `camera_roll_deg`. `PredictOptions` says what each means.

    Returns:
        The body in every frame: joints in metres, rotations, the place before the camera; the same in the world, y up, with
        feet that stand. Frames without a body have
        `valid` False. Arrays have the frames as their first axis. With `people` other than 1 a list of them, one a person.

    Raises:
        PointlightError: the video, the model or the keypoints cannot be used, nobody is seen, or an option is unknown
            or cannot be meant.

    Example:
        >>> import pointlight
        >>> capture = pointlight.predict("video.mp4", end_s=0.5, height_m=1.75)
        >>> capture.joints_camera_m.shape  # frames, joints, xyz in metres relative to the hips
        (15, 14, 3)
        >>> wrist = capture.joint_names.index("left_wrist")
        >>> places_m = capture.joints_camera_m[capture.valid, wrist]
        >>> capture.save("poses.npz")
    """
    options = options_with(options, keywords)
    result = predict_with_diagnostics(video, options, progress=progress)
    return result.capture if options.people == 1 else list(result.captures)


def predict_with_diagnostics(
    video: Path | str,
    options: PredictOptions | None = None,
    *,
    progress: ProgressCallback = silent,
    **keywords: Unpack[PredictKeywords],
) -> PredictResult:
    """`predict`, with how it went.

    Args:
        video: any file that FFmpeg reads.
        options: all options at once; usual ones if not given.
        progress: told how far each stage is.
        **keywords: single options by their names, as in `predict`.

    Returns:
        The capture, with `people` other than 1 also the `others`, and how it went: frames with a body, seconds by stage,
        warnings.

    Raises:
        PointlightError: as in `predict`.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_with_diagnostics("video.mp4", end_s=0.5)
        >>> result.diagnostics.bodies, result.diagnostics.warnings
        (15, ())
    """
    options = options_with(options, keywords)
    reader = WatchedReader(video, options.start_s, options.end_s)
    body = AnnyBody()
    checkpoint = load_checkpoint(options.model, body)
    checkpoint.config.cues.check_filmed()
    stopwatch = Stopwatch()
    with stopwatch.stage("detect"):
        people = find_people(reader, options, progress)
    people = [people[0], *(one for one in people[1:] if is_seen(one))]
    results = [
        lift_with_diagnostics(
            keypoints, checkpoint, body, options, fps=reader.fps, frames=reader, progress=progress
        )
        for keypoints in people
    ]
    result = together(results, options, stopwatch.seconds, reader.warnings)
    return with_worlds(result, people, reader, body, options)


def predict_to_folder(
    video: Path | str,
    out: Path | str,
    options: PredictOptions | None = None,
    *,
    progress: ProgressCallback = silent,
    **keywords: Unpack[PredictKeywords],
) -> FolderResult:
    """`predict`, with `poses.npz`, `overlay.mp4`, `overlay.png` and `summary.json` written to a folder, each when whole.

    The second person goes into `poses_1.npz`, and so on. The folder is made when there is something to write. An overlay
    that lies there is removed, with its `overlay.png`, and so are further people's files: they are of other poses.

    Args:
        video: any file that FFmpeg reads.
        out: the folder.
        options: all options at once; usual ones if not given.
        progress: told how far each stage is.
        **keywords: single options by their names, as in `predict`; of the overlay too: `overlay`, `overlay_size_px`.

    Returns:
        The files written, and how it went.

    Raises:
        PointlightError: as in `predict`; or the folder cannot be written to, or the video is its `overlay.mp4`.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_to_folder("video.mp4", "result", end_s=0.5, overlay_size_px=320)
        >>> [file.name for file in result.files]
        ['poses.npz', 'overlay.mp4', 'overlay.png', 'summary.json']
    """
    options = options_with(options, keywords)
    video, folder = Path(video), check_folder(Path(out))
    overlay, sheet = folder / "overlay.mp4", folder / "overlay.png"
    if overlay.exists() and video.exists() and overlay.samefile(video):
        raise PointlightError(f"{video} would be replaced by its own overlay; choose another folder")
    read = VideoFile.of(video) if video.exists() else None
    result = predict_with_diagnostics(video, options, progress=progress)
    ensure_folder(folder)
    sweep_partials(folder)
    forget_earlier(folder)
    for earlier in (overlay, sheet):
        if earlier.is_file():
            earlier.unlink()
    files, diagnostics = save_people(result.captures, folder), result.diagnostics
    body = AnnyBody()
    if options.overlay:
        stopwatch = Stopwatch()
        with stopwatch.stage("overlay"):
            size_px = options.overlay_size_px
            told = write_overlay(
                result.captures,
                video,
                overlay,
                body,
                size_px=size_px,
                figure=options.figure,
                sheet=sheet,
                progress=progress,
            )
        files = (*files, overlay, sheet)
        seconds = diagnostics.seconds + stopwatch.seconds
        diagnostics = replace(diagnostics, seconds=seconds, warnings=(*diagnostics.warnings, *told))
    summary = summary_of(read or VideoFile.of(video), options, result.captures, files, diagnostics, body)
    return FolderResult((*files, summary.save(folder)), diagnostics, summary)


def lift_keypoints(
    keypoints: Keypoints2D,
    checkpoint: Checkpoint,
    body: BodyModel,
    options: PredictOptions | None = None,
    *,
    overlap: bool = True,
    mirror: bool = True,
    fps: float | None = None,
    frames: Iterable[Frame] = (),
    progress: ProgressCallback = silent,
) -> Capture:
    """From 2D keypoints to a `Capture`: repair, the network over windows, the body's place before the camera, refinement.

    Every shot goes its own way, from repair on.

    Args:
        keypoints: of one person.
        checkpoint: a `points` model.
        body: the model's body.
        options: focal length, height and whether to refine are used.
        overlap: average overlapping windows.
        mirror: average with the mirror image.
        fps: the video's average rate; by the keypoints' times if not given.
        frames: the video's, from any iterable such as `VideoReader`, for models that see pictures.
        progress: told how far each stage is.

    Raises:
        PointlightError: the model is of another kind, needs pictures that are not given, or nobody is seen in any frame.
    """
    return lift_with_diagnostics(
        keypoints,
        checkpoint,
        body,
        options,
        overlap=overlap,
        mirror=mirror,
        fps=fps,
        frames=frames,
        progress=progress,
    ).capture


def lift_with_diagnostics(
    keypoints: Keypoints2D,
    checkpoint: Checkpoint,
    body: BodyModel,
    options: PredictOptions | None = None,
    *,
    overlap: bool = True,
    mirror: bool = True,
    fps: float | None = None,
    frames: Iterable[Frame] = (),
    progress: ProgressCallback = silent,
) -> PredictResult:
    """`lift_keypoints`, with how it went."""
    options = options or PredictOptions()
    stopwatch = Stopwatch()
    if not checkpoint.model.gives_bodies:
        raise PointlightError(f"the model {checkpoint.name!r} gives single joints, not a body; use 'points'")
    checkpoint.config.cues.check_filmed()
    names = checkpoint.config.cues.keypoints
    windows = WindowConfig(checkpoint.clip_frames, overlap=overlap, mirror=mirror)
    parts = keypoints.shots()
    tracks = [track_of(part, names, options) for part in parts]
    progress(Progress("lift", 0, len(parts)))
    with stopwatch.stage("lift"), torch_threads(1):
        lifted, coming = [], ShotFrames(frames)
        for track, _, _ in tracks:
            shot = coming.until(float(track.time_s[-1]))
            lifted.append(lift(track, names, checkpoint.model, body, windows, shot))
            progress(Progress("lift", len(lifted), len(parts)))
    if not any(shot.valid.any() for shot in lifted):
        raise PointlightError(
            f"no person is seen: in no frame does {keypoints.source} give 7 of the 12 keypoints;"
            " check the video, or say where the person is with --box"
        )
    lifted = [
        place_track(body, shot, track, names) for shot, (track, _, _) in zip(lifted, tracks, strict=True)
    ]
    if options.refine:
        with stopwatch.stage("refine"), torch_threads(1):
            counts = [len(part) for part in parts]
            lifted = [
                refine(track, shot, body, names, progress=of_shot(progress, counts, number))
                if shot.valid.any()
                else shot
                for number, (shot, (track, _, _)) in enumerate(zip(lifted, tracks, strict=True))
            ]
    sized = [of_size(body, shot, options.height_m, options.weight_kg) for shot in lifted]
    lifted = [shot for shot, _ in sized]
    placed = [joints_in_camera(body, shot) for shot in lifted]
    valid = np.concatenate([shot.valid for shot in lifted])
    longest = max(range(len(lifted)), key=lambda number: int(lifted[number].valid.sum()))
    repaired = [part for _, part, _ in tracks]
    rotations = [np.concatenate((shot.root[:, None], shot.pose), axis=1) for shot in lifted]
    track, _, source = tracks[0]
    capture = Capture(
        frame_index=keypoints.frame_index,
        time_s=keypoints.time_s,
        valid=valid,
        occluded=np.concatenate([shot.occluded for shot in lifted]),
        joints_camera_m=only_valid(np.concatenate([joints for joints, _ in placed]), valid),
        translation_camera_m=only_valid(np.concatenate([place for _, place in placed]), valid),
        pose_rotmat=only_valid(np.concatenate(rotations), valid),
        body_joint_names=body.joint_names,
        shape=lifted[longest].shape,
        shot=np.repeat(np.arange(len(parts)), [len(part) for part in parts]),
        shot_shapes=np.stack([shot.shape for shot in lifted]),
        body_model=body.name,
        focal_source=source,
        track_id=0,
        keypoint_source=keypoints.source,
        keypoints_px=np.concatenate([part.points for part in repaired]),
        keypoint_names=names,
        fps=fps or average_rate(keypoints.time_s),
        image_size=keypoints.image_size,
        focal_px=track.focal_px,
        principal_px=(float(track.principal_px[0]), float(track.principal_px[1])),
        model_sha256=checkpoint.sha256,
        sides_put_back=np.concatenate([part.swapped for part in repaired]),
    )
    told = [*keypoints.warnings, *words_of_cuts(parts), *(text for _, texts in sized for text in texts)]
    diagnostics = Diagnostics(
        frames=len(capture),
        bodies=int(capture.valid.sum()),
        occluded=int((capture.occluded & capture.valid).sum()),
        repaired=sum(int(part.swapped.sum()) for part in repaired),
        seconds=stopwatch.seconds,
        warnings=tuple(dict.fromkeys(told)),
    )
    return PredictResult(capture, diagnostics)
