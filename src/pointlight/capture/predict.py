"""`predict`: a video goes in, one person's moving body comes out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np
import torch

from pointlight.body import EVALUATION_JOINTS, NETWORK_KEYPOINTS, AnnyBody, BodyModel, BodyState
from pointlight.capture.capture import Capture
from pointlight.capture.detection.detector import MediapipeDetector
from pointlight.capture.detection.keypoint_files import read_keypoints
from pointlight.capture.fitting.lifting import LiftedTrack, Track2D, lift
from pointlight.capture.fitting.placing import place_body
from pointlight.capture.fitting.refine import refine
from pointlight.capture.fitting.stature import of_height
from pointlight.capture.options import PredictKeywords, PredictOptions, options_with
from pointlight.capture.overlay import write_overlay
from pointlight.capture.results import Diagnostics, FolderResult, PredictResult, Stopwatch
from pointlight.capture.shots import of_shot, words_of_cuts
from pointlight.capture.summary import VideoFile, forget_summary, summary_of
from pointlight.cues import Keypoints2D, RepairConfig, Repaired, ShotFrames, repair_sides
from pointlight.errors import PointlightError
from pointlight.files import check_folder, ensure_folder, sweep_partials
from pointlight.geometry import default_focal_px, focal_from_fov
from pointlight.media import Frame, VideoReader
from pointlight.network import WindowConfig
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.threads import one_torch_thread
from pointlight.training import Checkpoint, load_checkpoint

SEEN_SCORE = 0.3
"""Keypoints of lower score count as hidden."""

_HIPS = (EVALUATION_JOINTS.index("left_hip"), EVALUATION_JOINTS.index("right_hip"))


def predict(
    video: Path | str,
    options: PredictOptions | None = None,
    *,
    progress: ProgressCallback = silent,
    **keywords: Unpack[PredictKeywords],
) -> Capture:
    """Find one person's body in every frame of a video.

    Args:
        video: any file that FFmpeg reads.
        options: all options at once; usual ones if not given.
        progress: told how far each stage is.
        **keywords: single options by their names, over those in `options`: `model`, `detector`, `keypoints`, `start_s`,
            `end_s`, `fov_deg`, `focal_px`, `height_m`, `box`, `refine`. `PredictOptions` says what each means.

    Returns:
        The body in every frame: joints in metres, rotations, the place before the camera. Frames without a body have
        `valid` False. Arrays have the frames as their first axis.

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
    return predict_with_diagnostics(video, options, progress=progress, **keywords).capture


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
        The capture, and how it went: frames with a body, seconds by stage, warnings.

    Raises:
        PointlightError: as in `predict`.

    Example:
        >>> import pointlight
        >>> result = pointlight.predict_with_diagnostics("video.mp4", end_s=0.5)
        >>> result.diagnostics.bodies, result.diagnostics.warnings
        (15, ())
    """
    options = options_with(options, keywords)
    reader = VideoReader(video, options.start_s, options.end_s)
    body = AnnyBody()
    checkpoint = load_checkpoint(options.model, body)
    checkpoint.config.cues.check_filmed()
    stopwatch = Stopwatch()
    with stopwatch.stage("detect"):
        keypoints = _find_keypoints(reader, options, progress)
    result = lift_with_diagnostics(
        keypoints, checkpoint, body, options, fps=reader.fps, frames=reader, progress=progress
    )
    lifted = result.diagnostics
    return replace(
        result,
        diagnostics=replace(
            lifted,
            seconds=stopwatch.seconds + lifted.seconds,
            warnings=(*reader.warnings, *lifted.warnings),
        ),
    )


def predict_to_folder(
    video: Path | str,
    out: Path | str,
    options: PredictOptions | None = None,
    *,
    progress: ProgressCallback = silent,
    **keywords: Unpack[PredictKeywords],
) -> FolderResult:
    """`predict`, with `poses.npz`, `overlay.mp4` and `summary.json` written to a folder, each when it is whole.

    The folder is made when there is something to write. An overlay that lies there is removed: it is of other poses.

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
        ['poses.npz', 'overlay.mp4', 'summary.json']
    """
    options = options_with(options, keywords)
    video, folder = Path(video), check_folder(Path(out))
    poses, overlay = folder / "poses.npz", folder / "overlay.mp4"
    if overlay.exists() and video.exists() and overlay.samefile(video):
        raise PointlightError(f"{video} would be replaced by its own overlay; choose another folder")
    read = VideoFile.of(video) if video.exists() else None
    result = predict_with_diagnostics(video, options, progress=progress)
    ensure_folder(folder)
    sweep_partials(folder)
    forget_summary(folder)
    if overlay.is_file():
        overlay.unlink()
    result.capture.save(poses)
    files, diagnostics = (poses,), result.diagnostics
    if options.overlay:
        stopwatch = Stopwatch()
        with stopwatch.stage("overlay"):
            size_px = options.overlay_size_px
            told = write_overlay(
                result.capture, video, overlay, AnnyBody(), size_px=size_px, progress=progress
            )
        files = (poses, overlay)
        seconds = diagnostics.seconds + stopwatch.seconds
        diagnostics = replace(diagnostics, seconds=seconds, warnings=(*diagnostics.warnings, *told))
    summary = summary_of(read or VideoFile.of(video), options, [result.capture], files, diagnostics)
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
    with stopwatch.stage("lift"), one_torch_thread():
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
        with stopwatch.stage("refine"), one_torch_thread():
            counts = [len(part) for part in parts]
            lifted = [
                refine(track, shot, body, names, progress=of_shot(progress, counts, number))
                if shot.valid.any()
                else shot
                for number, (shot, (track, _, _)) in enumerate(zip(lifted, tracks, strict=True))
            ]
    sized = [of_height(body, shot, options.height_m) for shot in lifted]
    lifted = [shot for shot, _ in sized]
    placed = [_joints_in_camera(body, shot) for shot in lifted]
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
        joints_camera_m=_only(np.concatenate([joints for joints, _ in placed]), valid),
        translation_camera_m=_only(np.concatenate([place for _, place in placed]), valid),
        pose_rotmat=_only(np.concatenate(rotations), valid),
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
        fps=fps or _rate(keypoints.time_s),
        image_size=keypoints.image_size,
        focal_px=track.focal_px,
        principal_px=(float(track.principal_px[0]), float(track.principal_px[1])),
        model_sha256=checkpoint.sha256,
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


def _find_keypoints(reader: VideoReader, options: PredictOptions, progress: ProgressCallback) -> Keypoints2D:
    """One person's keypoints, from a file or by the detector."""
    if options.keypoints is not None:
        file = Path(options.keypoints)
        return read_keypoints(file, reader, options.person, options.keypoint_format)
    detector = MediapipeDetector(size=options.detector, progress=progress)
    return detector.track(reader, options.person, progress)


def track_of(
    keypoints: Keypoints2D, names: tuple[str, ...], options: PredictOptions
) -> tuple[Track2D, Repaired, str]:
    """Named keypoints as a network wants them, with what was repaired, and where the focal length comes from."""
    repaired = repair_sides(keypoints.select(names), keypoints.time_s, names, RepairConfig())
    width, height = keypoints.image_size
    focal, source = _focal(options, width, height)
    track = Track2D(
        keypoints.time_s,
        repaired.points[..., :2].astype(np.float64),
        seen_keypoints(repaired.points, width, height),
        focal,
        np.array([width / 2, height / 2]),
    )
    return track, repaired, source


def _focal(options: PredictOptions, width: int, height: int) -> tuple[float, str]:
    """Focal length in px and where it comes from."""
    if options.focal_px is not None:
        return options.focal_px, "given"
    if options.fov_deg is not None:
        return focal_from_fov(float(options.fov_deg), float(width), float(height)), "given"
    return default_focal_px(float(width), float(height)), "assumed"


def seen_keypoints(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """(T, K) bool: scored well enough and inside the picture, where the paper's keypoints are."""
    inside = (points[..., :2] >= 0).all(-1) & (points[..., 0] <= width) & (points[..., 1] <= height)
    return inside & (points[..., 2] >= SEEN_SCORE)


def place_track(body: BodyModel, lifted: LiftedTrack, track: Track2D, names: tuple[str, ...]) -> LiftedTrack:
    """The track with the body where its keypoints are; `names` are the keypoints'."""
    state = BodyState(*_tensors(lifted), torch.zeros(3))
    with torch.no_grad():
        joints = body.keypoints(state, NETWORK_KEYPOINTS, body.person(state.shape)).numpy()
    rays = (track.points_px - track.principal_px) / track.focal_px
    twelve = [names.index(name) for name in NETWORK_KEYPOINTS]
    weights = track.visible[:, twelve] & ~lifted.occluded[:, None]
    place = place_body(joints, rays[:, twelve], weights.astype(float), lifted.translation_m, track.time_s)
    return replace(lifted, translation_m=place)


def _joints_in_camera(body: BodyModel, lifted: LiftedTrack) -> tuple[np.ndarray, np.ndarray]:
    """Joints (T, 14, 3) relative to the middle of the hips and its place (T, 3), in camera axes."""
    state = BodyState(*_tensors(lifted), torch.zeros(3))
    with torch.no_grad():
        joints = body.keypoints(state, EVALUATION_JOINTS, body.person(state.shape)).numpy()
    hips = joints[:, _HIPS].mean(1)
    return joints - hips[:, None], lifted.translation_m + hips


def _tensors(lifted: LiftedTrack) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.from_numpy(lifted.pose), torch.from_numpy(lifted.shape), torch.from_numpy(lifted.root)


def _only(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Values as float32, NaN in frames without a body."""
    result = values.astype(np.float32)
    result[~valid] = np.nan
    return result


def _rate(time_s: np.ndarray) -> float:
    return float((len(time_s) - 1) / (time_s[-1] - time_s[0])) if len(time_s) > 1 else 30.0
