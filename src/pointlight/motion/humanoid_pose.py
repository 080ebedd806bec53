"""A clip on any person's skeleton by the names of our joints, as `retarget` needs it, whatever its rest pose is.

A file's zero pose is a person who stands, lies or sits, or is no pose at all: bones laid along one axis. So every joint
gets a frame of its own in which it is at rest: from the zero pose where that is a person's, from the motion where it is
not. Knees and elbows tell their axes where they bend.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pointlight.motion.clip import MotionClip
from pointlight.motion.humanoid import SIDES, Humanoid
from pointlight.motion.pose_parts import SourcePose
from pointlight.motion.turns import frames_along, halfway, transposed, unit

_LEFT, _UP, _AHEAD = np.eye(3)

_MOMENTS = 300
"""So many frames of a clip are looked at."""

_SQUARE_COSINE = np.cos(np.radians(12))
"""A rest pose that is turned by less from the file's axes stands along them."""

_BENT_SINE = np.sin(np.radians(20))
_FEWEST_BENT = 8
_SURE_HINGE = 0.85
"""Length of the mean of unit axes, from which on a joint has one axis."""

_FAR_FROM_REST_COSINE = np.cos(np.radians(60))
"""A head or foot whose mean lies farther from the rest pose says that the rest pose is none."""

_UPRIGHT_COSINE = 0.8


@dataclass(frozen=True)
class PosedHumanoid:
    """A clip by the names of our joints.

    Attributes:
        source: rotations and places for `retarget`; at rest a T-pose that looks along +z.
        guessed: what neither names nor the rest pose said.
    """

    source: SourcePose
    guessed: tuple[str, ...]


def pose_humanoid(clip: MotionClip, found: Humanoid) -> PosedHumanoid:
    """Read a clip (y up) by the names of our joints."""
    world = clip.rotations_world().astype(np.float64)
    places = clip.positions_world_m(world.astype(np.float32)).astype(np.float64)
    if found.mirrored:
        signs = np.array((-1.0, 1.0, 1.0))
        world, places = world * np.outer(signs, signs), places * signs
    rest = clip.rest_positions_m().astype(np.float64) * (np.array((-1, 1, 1)) if found.mirrored else 1)
    every = slice(None, None, max(1, clip.frames // _MOMENTS))
    return _Reading(found, world, places, rest, world[every], places[every]).read()


@dataclass
class _Reading:
    """One clip; `moments_*` are the frames that are looked at."""

    found: Humanoid
    world: np.ndarray
    places: np.ndarray
    rest: np.ndarray
    moments_world: np.ndarray
    moments_places: np.ndarray

    def read(self) -> PosedHumanoid:
        found, guessed = self.found, list[str]()
        stands = self._rest_axes()
        if stands is None:
            guessed.append("trunk and head from the motion, its rest pose is none")
        own = self._trunk_frames(stands)
        rotations = {joint: self.world[:, self._turn(joint)] @ frame for joint, frame in own.items()}
        for joint, parts in self._spine_parts(own).items():
            rotations[joint] = parts[0] if len(parts) == 1 else halfway(*parts)
        rest: dict[str, np.ndarray] = {}
        for side in SIDES:
            rotations |= self._leg(side, stands, rest, guessed)
            rotations |= self._arm(side, stands, rest, guessed)
        for pair, carrier in (("hip", "pelvis"), ("shoulder", "spine3")):
            across = self._mean_in(rotations[carrier], self._whole_line(pair))
            rest[f"left_{pair}"], rest[f"right_{pair}"] = 0.5 * across, -0.5 * across
        self._hang_limbs(rest)
        places = {point: found.place(point, self.places) for point in found.places if point != "head_end"}
        for side in SIDES:
            if f"{side}_toes" not in places:
                foot = rest[f"{side}_toes"] - rest[f"{side}_ankle"]
                places[f"{side}_toes"] = places[f"{side}_ankle"] + rotations[f"{side}_ankle"] @ foot
        return PosedHumanoid(SourcePose(rotations, places, rest), tuple(dict.fromkeys(guessed)))

    def _turn(self, joint: str) -> int:
        found = self.found
        if joint == "spine3":
            return found.spine[-1] if found.spine else found.turns["pelvis"]
        if joint.startswith("spine:"):
            return int(joint.partition(":")[2])
        return found.turns[joint]

    def _rest_axes(self) -> np.ndarray | None:
        """(3, 3) from the file's rest axes to those of a person who looks along +z; None where the rest pose is none."""
        found, rest = self.found, self.rest
        hips = unit(found.place("left_hip", rest) - found.place("right_hip", rest))
        shoulders = unit(found.place("left_shoulder", rest) - found.place("right_shoulder", rest))
        trunk = found.middle("shoulder", rest) - found.middle("hip", rest)
        axes = _squared(np.stack(_standing(hips, trunk)))
        legs = unit(axes @ (found.middle("ankle", rest) - found.middle("hip", rest)))
        top = "head_end" if "head_end" in found.places else "head"
        above = found.place(top, rest) - found.middle("shoulder", rest) if top in found.places else trunk
        upright = (axes @ shoulders)[0] > 0.7 and legs[1] < 0.3 and (axes @ above)[1] > 0
        return axes if upright and np.linalg.norm(trunk) > 0 else None

    def _trunk_frames(self, stands: np.ndarray | None) -> dict[str, np.ndarray]:
        """Joint of the trunk -> (3, 3) from our rest axes to its own."""
        found = self.found
        collars = [f"{side}_collar" for side in SIDES if f"{side}_collar" in found.turns]
        spine = [f"spine:{joint}" for joint in found.spine[:-1]]
        head = ["head"] if "head" in found.turns else []
        joints = ["pelvis", "spine3", *spine, *collars, *head]
        by_motion = self._trunk_by_motion(joints)
        if stands is None:
            return by_motion
        frames = {joint: stands.T for joint in joints}
        for joint in (*collars, *head):
            # Where a head looks backwards on the mean, or a collar is turned over, the rest pose had it otherwise.
            if _cosine(frames[joint], by_motion[joint]) < _FAR_FROM_REST_COSINE:
                frames[joint] = by_motion[joint]
        return frames

    def _trunk_by_motion(self, joints: list[str]) -> dict[str, np.ndarray]:
        """The mean pose of an upright trunk is taken for rest."""
        hips, shoulders = self._line("hip"), self._line("shoulder")
        up = unit(self._middle("shoulder") - self._middle("hip"))
        weights = (up[:, 1] > _UPRIGHT_COSINE).astype(float)
        weights = weights if weights.sum() >= max(1.0, 0.1 * len(up)) else np.ones(len(up))
        body = {"pelvis": _columns(hips, up), "spine3": _columns(shoulders, up)}
        frames: dict[str, np.ndarray] = {}
        for joint in ("pelvis", "spine3"):
            frames[joint] = _mean_rotation(transposed(self._moments(joint)) @ body[joint], weights)
        pelvis, chest = (self._moments(joint) @ frames[joint] for joint in ("pelvis", "spine3"))
        between = halfway(pelvis, chest)
        for joint in joints:
            if joint not in frames:
                like = between if joint.startswith("spine:") else chest
                frames[joint] = _mean_rotation(transposed(self._moments(joint)) @ like, weights)
        return frames

    def _spine_parts(self, own: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, ...]]:
        """Our joints of the trunk that no joint is named for -> one rotation, or two to go halfway between."""
        turned = {joint: self.world[:, self._turn(joint)] @ frame for joint, frame in own.items()}
        spine = [*(turned[f"spine:{joint}"] for joint in self.found.spine[:-1]), turned["spine3"]]
        count = len(self.found.spine)
        if count <= 1:
            lower, upper = (turned["pelvis"], turned["spine3"]), (turned["spine3"],)
        elif count == 2:
            lower, upper = (spine[0],), (spine[0], spine[1])
        else:
            lower, upper = (spine[(count - 1) // 3],), (spine[round(0.6 * (count - 1))],)
        parts: dict[str, tuple[np.ndarray, ...]] = {"spine1": lower, "spine2": upper}
        for joint in ("head", "left_collar", "right_collar"):
            if joint not in own:
                parts[joint] = (turned["spine3"],)
        return parts

    def _leg(
        self, side: str, stands: np.ndarray | None, rest: dict[str, np.ndarray], guessed: list[str]
    ) -> dict[str, np.ndarray]:
        """World rotations of hip, knee, ankle and toes; their directions at rest go into `rest`, from joint to joint."""
        hip, knee, ankle, toes = (f"{side}_{part}" for part in ("hip", "knee", "ankle", "toes"))
        fallback = self._rest_axis(stands, hip, ankle, _LEFT)
        axes = self._hinge(hip, knee, ankle, fallback)
        if axes is None:
            guessed.append("axes of knees, which never bend, from the hips")
            across = self._line("hip")
            axes = tuple(self._mean_in(self._moments(joint), across) for joint in (hip, knee))
        rotations = self._straight(hip, knee, axes[0], -_UP, _LEFT, rest)
        rotations |= self._straight(knee, ankle, axes[1], -_UP, _LEFT, rest)
        shin_frame = frames_along(unit(self._direction(knee, ankle)), axes[1])
        across = self._moments(knee) @ shin_frame[:, 1]
        lateral = self._mean_in(self._moments(ankle), across)
        if toes not in self.found.places:
            ahead = self._mean_in(
                self._moments(ankle), np.cross(across, -self._moment_direction(knee, ankle))
            )
            rest[toes] = 0.3 * np.linalg.norm(rest[ankle]) * np.array((0.0, -0.3, 1.0))
            frame = frames_along(unit(ahead - 0.3 * np.cross(ahead, lateral)), lateral)
            frame = frame @ frames_along(rest[toes], _LEFT).T
            return rotations | {joint: self.world[:, self._turn_of(ankle)] @ frame for joint in (ankle, toes)}
        if stands is not None and self._feet_ahead(stands):
            lateral = self._ankle_axis(stands, knee, ankle)
        rotations |= self._straight(ankle, toes, lateral, _AHEAD, _LEFT, rest)
        if self.found.turns[toes] == self.found.turns[ankle]:
            return rotations | {toes: rotations[ankle]}
        foot = self._moments(ankle) @ self._frame(ankle, toes, lateral, _AHEAD, _LEFT)
        frame = _mean_rotation(transposed(self._moments(toes)) @ foot, np.ones(len(foot)))
        if stands is not None and self._feet_ahead(stands):
            at_rest = self._frame(ankle, toes, lateral, _AHEAD, _LEFT)
            frame = at_rest if _cosine(frame, at_rest) > _FAR_FROM_REST_COSINE else frame
        return rotations | {toes: self.world[:, self.found.turns[toes]] @ frame}

    def _arm(
        self, side: str, stands: np.ndarray | None, rest: dict[str, np.ndarray], guessed: list[str]
    ) -> dict[str, np.ndarray]:
        """World rotations of shoulder, elbow and wrist; at rest a T-pose whose elbows bend forward."""
        shoulder, elbow, wrist = (f"{side}_{part}" for part in ("shoulder", "elbow", "wrist"))
        outwards = _LEFT if side == "left" else -_LEFT
        axis = -_UP if side == "left" else _UP
        axes = self._hinge(shoulder, elbow, wrist, self._arm_axis(stands, shoulder, wrist))
        if axes is None:
            guessed.append("axes of elbows, which never bend, from the trunk")
            ahead = np.cross(self._line("shoulder"), unit(self._middle("shoulder") - self._middle("hip")))
            across = np.cross(self._moment_direction(shoulder, elbow), ahead)
            axes = tuple(self._mean_in(self._moments(joint), across) for joint in (shoulder, elbow))
        rotations = self._straight(shoulder, elbow, axes[0], outwards, axis, rest)
        rotations |= self._straight(elbow, wrist, axes[1], outwards, axis, rest)
        turned = self.world[:, self.found.turns[wrist]]
        for point in ("hand_tip", "thumb_root", "thumb_tip"):
            if f"{side}_{point}" in self.found.places:
                where = self.places if stands is None else self.rest[None]
                way = self.found.place(f"{side}_{point}", where) - self.found.place(wrist, where)
                rest[f"{side}_{point}"] = way[0] if stands is not None else self._mean_in(turned, way)
        return rotations | {wrist: turned}

    def _hinge(
        self, upper: str, middle: str, lower: str, fallback: tuple[np.ndarray, np.ndarray] | None
    ) -> tuple[np.ndarray, ...] | None:
        """The axis that a limb bends about, in the frames of its upper and its lower bone; None if nothing tells."""
        first, second = self._moment_direction(upper, middle), self._moment_direction(middle, lower)
        normal = np.cross(first, second)
        sine = np.linalg.norm(normal, axis=-1)
        weights = np.where((sine > _BENT_SINE) | ((first * second).sum(-1) < 0), sine, 0.0)[:, None]
        if (weights > 0).sum() >= min(_FEWEST_BENT, len(sine)):
            own = [transposed(self._moments(joint)) @ unit(normal)[..., None] for joint in (upper, middle)]
            means = [(weights * axes[..., 0]).sum(0) / weights.sum() for axes in own]
            sure = min(float(np.linalg.norm(mean)) for mean in means)
            if sure > _SURE_HINGE or (fallback is None and sure > 0.3):
                return unit(means[0]), unit(means[1])
        return fallback

    def _rest_axis(
        self, stands: np.ndarray | None, start: str, end: str, axis: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """An axis of the standing body in the frames of a limb's bones; None where the limb at rest lies along it."""
        if stands is None:
            return None
        limb = unit(stands @ (self.found.place(end, self.rest) - self.found.place(start, self.rest)))
        if abs(limb @ axis) > 0.75 or limb[1] > 0.3:
            return None
        return stands.T @ axis, stands.T @ axis

    def _arm_axis(
        self, stands: np.ndarray | None, start: str, end: str
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Elbows bend forward from an arm that hangs or is stretched sideways."""
        if stands is None:
            return None
        limb = unit(stands @ (self.found.place(end, self.rest) - self.found.place(start, self.rest)))
        if abs(limb @ _AHEAD) > 0.75:
            return None
        axis = stands.T @ unit(np.cross(limb, _AHEAD))
        return axis, axis

    def _ankle_axis(self, stands: np.ndarray, knee: str, ankle: str) -> np.ndarray:
        """Left of a foot at rest: level where the shin stands upright."""
        shin = unit(stands @ (self.found.place(ankle, self.rest) - self.found.place(knee, self.rest)))
        return stands.T @ unit(_LEFT - shin * (_LEFT @ shin))

    def _feet_ahead(self, stands: np.ndarray) -> bool:
        """Whether both feet point forward at rest."""
        feet = [
            unit(stands @ (self.found.place(f"{side}_toes", self.rest) - self.found.place(f"{side}_ankle", self.rest)))
            for side in SIDES
            if f"{side}_toes" in self.found.places
        ]  # fmt: skip
        return all(foot[2] > 0.5 for foot in feet)

    def _straight(
        self,
        start: str,
        end: str,
        own_axis: np.ndarray,
        direction: np.ndarray,
        axis: np.ndarray,
        rest: dict[str, np.ndarray],
    ) -> dict[str, np.ndarray]:
        """The world rotation of a bone that at rest points to `direction` and turns about `axis`."""
        length = float(np.linalg.norm(self._way(start, end), axis=-1).mean())
        rest[end] = direction * length
        return {
            start: self.world[:, self._turn_of(start)] @ self._frame(start, end, own_axis, direction, axis)
        }

    def _frame(
        self, start: str, end: str, own_axis: np.ndarray, direction: np.ndarray, axis: np.ndarray
    ) -> np.ndarray:
        """(3, 3) from our rest axes to a bone's own."""
        return frames_along(self._direction(start, end), own_axis) @ frames_along(direction, axis).T

    def _hang_limbs(self, rest: dict[str, np.ndarray]) -> None:
        """From joint to joint becomes from the middle of the pair."""
        for side in SIDES:
            for chain in (("hip", "knee", "ankle", "toes"), ("shoulder", "elbow", "wrist")):
                for start, end in pairwise(chain):
                    rest[f"{side}_{end}"] = rest[f"{side}_{start}"] + rest[f"{side}_{end}"]
            for point in ("hand_tip", "thumb_root", "thumb_tip"):
                if f"{side}_{point}" in rest:
                    rest[f"{side}_{point}"] = rest[f"{side}_wrist"] + rest[f"{side}_{point}"]

    def _turn_of(self, joint: str) -> int:
        return self.found.turns[joint]

    def _moments(self, joint: str) -> np.ndarray:
        return self.moments_world[:, self._turn(joint)]

    def _way(self, start: str, end: str) -> np.ndarray:
        return self.found.place(end, self.moments_places) - self.found.place(start, self.moments_places)

    def _moment_direction(self, start: str, end: str) -> np.ndarray:
        return unit(self._way(start, end))

    def _direction(self, start: str, end: str) -> np.ndarray:
        """(3,) a bone in its own frame."""
        return unit(self._mean_in(self._moments(start), self._way(start, end)))

    def _line(self, joint: str) -> np.ndarray:
        return self._moment_direction(f"right_{joint}", f"left_{joint}")

    def _whole_line(self, joint: str) -> np.ndarray:
        found = self.found
        return found.place(f"left_{joint}", self.places) - found.place(f"right_{joint}", self.places)

    def _middle(self, joint: str) -> np.ndarray:
        return self.found.middle(joint, self.moments_places)

    @staticmethod
    def _mean_in(rotations: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """(3,) the mean of world vectors (S, 3) in the frames of rotations (S, 3, 3)."""
        return (transposed(rotations) @ vectors[..., None])[..., 0].mean(0)


def _standing(across: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors to the left, up and ahead, of a line from right to left and one about upwards."""
    upright = unit(up - across * (up * across).sum(-1, keepdims=True))
    return across, upright, np.cross(across, upright)


def _columns(across: np.ndarray, up: np.ndarray) -> np.ndarray:
    return np.stack(_standing(across, up), axis=-1)


def _squared(axes: np.ndarray) -> np.ndarray:
    """Axes (3, 3) along the file's axes, if they nearly are."""
    nearest = np.zeros((3, 3))
    nearest[np.arange(3), np.abs(axes).argmax(1)] = np.sign(axes[np.arange(3), np.abs(axes).argmax(1)])
    near = (nearest * axes).sum(1).min() > _SQUARE_COSINE and np.linalg.det(nearest) > 0.5
    return nearest if near else axes


def _mean_rotation(rotations: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(3, 3) the rotation nearest to the weighted mean of (S, 3, 3)."""
    left, _, right = np.linalg.svd((weights[:, None, None] * rotations).sum(0))
    return left @ np.diag((1.0, 1.0, np.linalg.det(left @ right))) @ right


def _cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Of the angle between two rotations."""
    return float((np.trace(first.T @ second) - 1) / 2)
