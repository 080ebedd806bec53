"""Motions: as a source file has them (`MotionClip`) and as a body performs them (`BodyMotion`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pointlight.values import by_value

DRIVEN_JOINTS: tuple[str, ...] = (
    "pelvis",
    "left_hip",
    "left_knee",
    "left_ankle",
    "left_toes",
    "right_hip",
    "right_knee",
    "right_ankle",
    "right_toes",
    "spine1",
    "spine2",
    "spine3",
    "neck",
    "head",
    "left_collar",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_collar",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
)
"""The joints that a `BodyMotion` turns, in the order of `AnnyBody.joint_names`; the first is the root."""

BANK_FPS = 30.0
"""Frames per second of everything that a body performs."""


@by_value
@dataclass(frozen=True, kw_only=True)
class MotionClip:
    """A recorded motion on the skeleton of its own file.

    Attributes:
        name: the file, relative to its folder.
        joint_names: the J joints, the root first, parents before children; ends of bones are joints too.
        parents: index of every joint's parent; -1 for the root.
        offsets_m: (J, 3) from the parent at rest, metres, world axes.
        rotations: (T, J, 3, 3) float32, relative to the parent; identity = rest.
        root_translation_m: (T, 3) float32, place of the root joint in the world, metres.
        fps: frames per second.
        translations_m: (T, J, 3) float32 in place of `offsets_m`, where places relative to the parent change over time;
            `offsets_m` is then their median.
        guessed: what the file did not say and the reader found out, such as its unit.
    """

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets_m: np.ndarray
    rotations: np.ndarray
    root_translation_m: np.ndarray
    fps: float
    translations_m: np.ndarray | None = None
    guessed: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.rotations)

    def rotations_world(self) -> np.ndarray:
        """(T, J, 3, 3) rotation of every joint from its rest to the world's axes."""
        world = np.empty_like(self.rotations)
        for joint, parent in enumerate(self.parents):
            local = self.rotations[:, joint]
            world[:, joint] = local if parent < 0 else world[:, parent] @ local
        return world

    def positions_world_m(self, rotations_world: np.ndarray | None = None) -> np.ndarray:
        """(T, J, 3) places of the joints in the world, metres; reuses `rotations_world` where it is given."""
        world = self.rotations_world() if rotations_world is None else rotations_world
        places = np.empty((self.frames, len(self.parents), 3), np.float32)
        for joint, parent in enumerate(self.parents):
            if parent < 0:
                places[:, joint] = self.root_translation_m
            elif self.translations_m is None:
                places[:, joint] = places[:, parent] + world[:, parent] @ self.offsets_m[joint]
            else:
                moved = world[:, parent] @ self.translations_m[:, joint, :, None]
                places[:, joint] = places[:, parent] + moved[..., 0]
        return places

    def rest_positions_m(self) -> np.ndarray:
        """(J, 3) places of the joints at rest, relative to the root, metres."""
        rest = np.zeros((len(self.parents), 3), np.float32)
        for joint, parent in enumerate(self.parents):
            if parent >= 0:
                rest[joint] = rest[parent] + self.offsets_m[joint]
        return rest

    def window(self, start: int, frames: int) -> MotionClip:
        """The piece of `frames` frames from `start` on."""
        return self._only(slice(start, start + frames))

    def thinned(self, frames: int) -> MotionClip:
        """So many frames or nearly twice as many, evenly taken; a look at the whole clip, not a motion."""
        return self._only(slice(None, None, max(1, self.frames // frames)))

    def turned(self, turn: np.ndarray) -> MotionClip:
        """The same motion in other world axes: rest and world turn together by `turn` (3, 3)."""
        turn = turn.astype(np.float32)
        moved = None if self.translations_m is None else self.translations_m @ turn.T
        return replace(
            self,
            offsets_m=self.offsets_m @ turn.T,
            rotations=turn @ self.rotations @ turn.T,
            root_translation_m=self.root_translation_m @ turn.T,
            translations_m=moved,
        )

    def _only(self, span: slice) -> MotionClip:
        return replace(
            self,
            rotations=self.rotations[span],
            root_translation_m=self.root_translation_m[span],
            translations_m=None if self.translations_m is None else self.translations_m[span],
        )


@by_value
@dataclass(frozen=True)
class BodyMotion:
    """A body's motion at a fixed frame rate. World: right-handed, y up, ground at y = 0.

    Attributes:
        name: of the file or the procedural motion; pieces of a file add '#k'.
        group: kind of motion, "all" where nobody says.
        split: "train", "validation" or "heldout".
        pose: (T, J-1, 3, 3) float32, rotations of `DRIVEN_JOINTS` but the root relative to their parents,
            identity = the body's rest pose, rest-aligned axes.
        root: (T, 3, 3) float32, body axes to world axes.
        translation_m: (T, 3) float32, the pelvis joint in the world for the mean adult body.
        fps: frames per second.
    """

    name: str
    group: str
    split: str
    pose: np.ndarray
    root: np.ndarray
    translation_m: np.ndarray
    fps: float = BANK_FPS

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.pose)
