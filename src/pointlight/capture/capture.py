"""The result of `predict`: one person's body in every frame of a video, and its file `poses.npz`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pointlight.body import EVALUATION_JOINTS
from pointlight.capture.archive import read_npz, write_npz
from pointlight.errors import PointlightError
from pointlight.values import by_value

if TYPE_CHECKING:
    from pointlight.capture.angles import JointAngles

FORMAT_VERSION = 2
_READ_VERSIONS = (1, 2)
"""Version 1 has no world."""
_KIND = "a poses.npz that `pointlight predict` wrote"
_TEXTS = ("joint_names", "body_joint_names", "keypoint_names", "world_source")
_WORDS = ("body_model", "focal_source", "keypoint_source", "model_sha256")
_LATER = ("seen", "shot", "shot_shapes", "sides_put_back", "world")
"""Fields that files of earlier versions lack; `seen` is made of the keypoints, in files as here."""
SEEN_SCORE = 0.3
"""Keypoints of lower score count as not seen."""

_SEEN_BY = {"neck": ("left_shoulder", "right_shoulder"), "head_top": ("nose", "left_ear", "right_ear")}
"""Keypoints that joints rest on which no detector knows."""


@by_value
@dataclass(frozen=True, kw_only=True)
class World:
    """The same motion in world axes, with feet that stand; beside the camera's result, which it leaves as it is.

    The world's axes: y up, right-handed, metres; the floor is y = 0. In each shot the first frame with a body faces +z
    (x to that person's left) and has its root above the origin; of several people that is the first person, whose
    world all share but for the height of the floor, which is each one's own. T frames, N shots, J body joints. In
    frames without a body `pose_world_rotmat` and `root_world_m` are NaN and `contacts` are False.

    `pose_world_rotmat` and `root_world_m` are a whole body state: with the shape of the frame's shot they are the body
    in the world (`world_states`). Legs, and a little the root, differ from the camera's result, since they are solved so
    that standing feet stand.

    Attributes:
        R_world_camera: (N, 3, 3) float32 rotation from camera axes (x right, y down, z away) to the world's, by shot.
        camera_world_m: (N, 3) float32 place of the camera: a place in the world is R_world_camera @ place in the
            camera's axes + camera_world_m.
        pose_world_rotmat: (T, J, 3, 3) float32 as `Capture.pose_rotmat`, but the root's maps body axes to the world's.
        root_world_m: (T, 3) float32 place of the root joint (`pelvis`, the first of `body_joint_names`).
        contacts: (T, 2) bool, the left and the right foot stands.
        floor: (N, 4) float32 the floor in camera axes: up (3 numbers, a unit vector) and the camera's height above
            the floor; a place x in the camera's axes has the height up @ x + height.
        world_source: by shot, in words, what up, the floor and the path rest on, and what could not be known.
    """

    R_world_camera: np.ndarray
    camera_world_m: np.ndarray
    pose_world_rotmat: np.ndarray
    root_world_m: np.ndarray
    contacts: np.ndarray
    floor: np.ndarray
    world_source: tuple[str, ...]

    def __post_init__(self) -> None:
        """Bring arrays to their types and check their shapes."""
        shots, frames, joints = (
            len(self.world_source),
            len(self.root_world_m),
            self.pose_world_rotmat.shape[1],
        )
        expected = {
            "R_world_camera": (np.float32, (shots, 3, 3)),
            "camera_world_m": (np.float32, (shots, 3)),
            "pose_world_rotmat": (np.float32, (frames, joints, 3, 3)),
            "root_world_m": (np.float32, (frames, 3)),
            "contacts": (np.bool_, (frames, 2)),
            "floor": (np.float32, (shots, 4)),
        }
        _check_arrays(self, expected)


@by_value
@dataclass(frozen=True, kw_only=True, repr=False)
class Capture:
    """One person's motion; T frames of the video, J body joints. `docs/output.md` says all of it at length.

    The camera's axes are x right, y down, z away. In frames with `valid` False the bodies are NaN.

    Attributes:
        frame_index: (T,) int64 numbers of the video's frames.
        time_s: (T,) float64 seconds since the video's first frame.
        valid: (T,) bool, there is a body in this frame.
        occluded: (T,) bool, fewer than 7 of the 12 keypoints were seen: a body here is inferred from other
            frames.
        seen: (T, 14) bool, the detector saw the joint; where not, its place is inferred from the rest of the body and
            from other frames. Neck and head rest on shoulders and face. Joints that the keypoints don't know at all
            count as not seen. Always that of `keypoints_px`, so nobody gives it.
        joint_names: the 14 joints of evaluation.
        joints_camera_m: (T, 14, 3) float32 places relative to the middle of the hips, metres.
        translation_camera_m: (T, 3) float32 place of the middle of the hips, metres.
        pose_rotmat: (T, J, 3, 3) float32 rotation of each joint relative to its parent, from the rest pose;
            the root's maps body axes to camera axes.
        body_joint_names: names of the J.
        shape: (S,) float32 of the body model in the shot with most bodies; where nothing cuts, in all frames.
        shot: (T,) int64 number of each frame's shot; shots know nothing of each other. All 0 if not given.
        shot_shapes: (N, S) float32 shape in each shot; `shape` if not given.
        body_model: name of the body model.
        focal_source: where the focal length comes from: "assumed", "given" and so on.
        track_id: number of the person.
        keypoint_source: what made the keypoints.
        keypoints_px: (T, K, 3) float32 x, y, score.
        keypoint_names: names of the K.
        fps: the video's average frames/s.
        image_size: (width, height) of the upright picture.
        focal_px: focal length in pixels.
        principal_px: (x, y) of the principal point.
        model_sha256: of the weights used.
        sides_put_back: (T,) bool, the detector's left and right were exchanged here, and were put back. All False if not
            given.
        world: the motion in the world, y up and with a floor; None if not sought, and in files of version 1.

    Example:
        >>> import pointlight
        >>> capture = pointlight.Capture.load("poses.npz")
        >>> capture
        Capture(15 frames over 0.47 s, a body in 15, person 0, anny, 320 x 240 px, focal length ...)
        >>> float(capture.joints_camera_m[capture.valid].max()) < 2.0  # metres from the hips
        True
        >>> capture.seen[:, capture.joint_names.index("left_wrist")].mean()  # share of the frames
        np.float64(...)
        >>> capture == pointlight.Capture.load("poses.npz")
        True
    """

    frame_index: np.ndarray
    time_s: np.ndarray
    valid: np.ndarray
    occluded: np.ndarray
    joint_names: tuple[str, ...] = EVALUATION_JOINTS
    joints_camera_m: np.ndarray
    translation_camera_m: np.ndarray
    pose_rotmat: np.ndarray
    body_joint_names: tuple[str, ...]
    shape: np.ndarray
    body_model: str
    focal_source: str
    track_id: int
    keypoint_source: str
    keypoints_px: np.ndarray
    keypoint_names: tuple[str, ...]
    fps: float
    image_size: tuple[int, int]
    focal_px: float
    principal_px: tuple[float, float]
    model_sha256: str
    shot: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    shot_shapes: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    sides_put_back: np.ndarray = field(default_factory=lambda: np.zeros(0, np.bool_))
    world: World | None = None
    seen: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Bring arrays to their types and check their shapes."""
        frames, joints = len(self.frame_index), len(self.body_joint_names)
        if not len(self.shot):
            object.__setattr__(self, "shot", np.zeros(frames, np.int64))
        if not len(self.sides_put_back):
            object.__setattr__(self, "sides_put_back", np.zeros(frames, np.bool_))
        if not len(self.shot_shapes):
            object.__setattr__(self, "shot_shapes", np.asarray(self.shape)[None])
        expected = {
            "frame_index": (np.int64, (frames,)),
            "time_s": (np.float64, (frames,)),
            "valid": (np.bool_, (frames,)),
            "occluded": (np.bool_, (frames,)),
            "joints_camera_m": (np.float32, (frames, len(self.joint_names), 3)),
            "translation_camera_m": (np.float32, (frames, 3)),
            "pose_rotmat": (np.float32, (frames, joints, 3, 3)),
            "shape": (np.float32, (len(self.shape),)),
            "shot": (np.int64, (frames,)),
            "sides_put_back": (np.bool_, (frames,)),
            "shot_shapes": (np.float32, (len(self.shot_shapes), len(self.shape))),
            "keypoints_px": (np.float32, (frames, len(self.keypoint_names), 3)),
        }
        _check_arrays(self, expected)
        object.__setattr__(self, "seen", self._joints_seen())
        if frames and not 0 <= self.shot.min() <= self.shot.max() < len(self.shot_shapes):
            raise ValueError(f"shot names other shots than the {len(self.shot_shapes)} that have a shape")
        for name in ("joints_camera_m", "translation_camera_m", "pose_rotmat"):
            if not np.isfinite(getattr(self, name)[self.valid]).all():
                raise ValueError(f"{name} is not finite in a frame that is marked as valid")
        if self.world is not None:
            self._check_world(self.world)

    def _joints_seen(self) -> np.ndarray:
        scores = dict(zip(self.keypoint_names, self.keypoints_px[..., 2].T, strict=True))
        seen = np.zeros((len(self), len(self.joint_names)), bool)
        for column, name in enumerate(self.joint_names):
            known = [scores[point] for point in _SEEN_BY.get(name, (name,)) if point in scores]
            if known:
                seen[:, column] = (np.stack(known) >= SEEN_SCORE).any(0)
        return seen

    def _check_world(self, world: World) -> None:
        there = (len(world.root_world_m), len(world.world_source), world.pose_world_rotmat.shape[1])
        if there != (len(self), len(self.shot_shapes), len(self.body_joint_names)):
            raise ValueError(f"the world has {there} frames, shots and joints, others than the capture")
        if not np.isfinite(world.root_world_m[self.valid]).all():
            raise ValueError("root_world_m is not finite in a frame that is marked as valid")

    def __len__(self) -> int:
        """Number of frames, T."""
        return len(self.frame_index)

    def __repr__(self) -> str:
        """What it is, in one line."""
        seconds = self.time_s[-1] - self.time_s[0] if len(self) else 0.0
        width, height = self.image_size
        return (
            f"Capture({len(self)} frames over {seconds:.2f} s, a body in {self.valid.sum()}, "
            f"person {self.track_id}, {self.body_model}, {width} x {height} px, "
            f"focal length {self.focal_px:.0f} px {self.focal_source}, keypoints by {self.keypoint_source})"
        )

    def joints_px(self) -> np.ndarray:
        """(T, 14, 2) float32 where the joints appear in the picture; NaN in frames without a body."""
        places = self.joints_camera_m.astype(np.float64) + self.translation_camera_m[:, None].astype(
            np.float64
        )
        flat = places[..., :2] / places[..., 2:] * self.focal_px + np.asarray(self.principal_px)
        return flat.astype(np.float32)

    def joint_angles(self) -> JointAngles:
        """Flexion, abduction and rotation of trunk, hips, shoulders; of knees, elbows, ankles flexion; see `joint_angles`.

        Example:
            >>> import pointlight
            >>> angles = pointlight.Capture.load("poses.npz").joint_angles()
            >>> angles.of("left_knee_flexion").shape  # degrees, 0 = straight, by frame
            (15,)
        """
        from pointlight.capture.angles import joint_angles  # it knows what a capture is

        return joint_angles(self)

    def save(self, path: Path | str) -> None:
        """Write `poses.npz`, whole or not at all; equal captures give equal bytes.

        Args:
            path: the file; one that is there is replaced.

        Raises:
            PointlightError: the file cannot be written.
        """
        arrays: dict[str, np.ndarray] = {"format_version": np.array(FORMAT_VERSION, np.int64)}
        for part in (self, self.world):
            for entry in fields(part) if part is not None else ():
                if entry.name != "world":
                    arrays[entry.name] = _array(entry.name, getattr(part, entry.name))
        write_npz(Path(path), arrays)

    @classmethod
    def load(cls, path: Path | str) -> Capture:
        """Read `poses.npz`.

        Args:
            path: a file that `save` or `pointlight predict` wrote.

        Returns:
            A capture equal to the one that was written.

        Raises:
            PointlightError: the file is missing, is something else, or has another version.
        """
        path = Path(path)
        arrays = read_npz(path, _KIND)
        if "format_version" not in arrays or "joints_camera_m" not in arrays:
            raise PointlightError(f"{path} holds other arrays than a capture does; give {_KIND}")
        version = arrays.pop("format_version")
        if version.size != 1 or version.dtype.kind not in "iu" or int(version.item()) not in _READ_VERSIONS:
            raise PointlightError(
                f"{path} has the format version {version}, this Pointlight reads 1 and {FORMAT_VERSION};"
                " predict again with this version"
            )
        missing = [
            entry.name for entry in fields(cls) if entry.name not in arrays and entry.name not in _LATER
        ]
        if missing:
            raise PointlightError(f"{path} lacks {', '.join(missing)}; give {_KIND}")
        try:
            known = [entry.name for entry in fields(cls) if entry.name in arrays and entry.init]
            values = {name: _value(name, arrays[name]) for name in known}
            if "R_world_camera" in arrays:
                names = [entry.name for entry in fields(World)]
                values["world"] = World(**{name: _value(name, arrays[name]) for name in names})
            return cls(**values)
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise PointlightError(f"{path} is not consistent ({error}); give {_KIND}") from error


def _check_arrays(owner: Any, expected: dict[str, tuple[Any, tuple[int, ...]]]) -> None:
    """Bring a frozen dataclass's arrays to the named types, and see that they have these shapes."""
    for name, (dtype, shape) in expected.items():
        array = np.asarray(getattr(owner, name), dtype)
        if array.shape != shape:
            raise ValueError(f"{name} has the shape {array.shape} instead of {shape}")
        object.__setattr__(owner, name, array)


def _array(name: str, value: Any) -> np.ndarray:
    """A field's value as an array of the file."""
    if name in _TEXTS:
        return np.array(value, dtype=str) if value else np.zeros(0, "<U1")
    if isinstance(value, str):
        return np.array(value, dtype=str)
    if isinstance(value, np.ndarray):
        return value
    return np.array(value, np.int64 if name in ("track_id", "image_size") else np.float64)


def _value(name: str, array: np.ndarray) -> Any:
    """An array of the file as the field's type."""
    if name in _TEXTS:
        return tuple(str(text) for text in array.tolist())
    if name in _WORDS:
        return str(array)
    if name == "track_id":
        return int(array)
    if name in ("fps", "focal_px"):
        return float(array)
    if name == "image_size":
        return (int(array[0]), int(array[1]))
    if name == "principal_px":
        return (float(array[0]), float(array[1]))
    return array
