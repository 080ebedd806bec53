"""GLB (glTF 2.0): the person's skin on the rig, one animation with linear keys; y up, metres."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from pointlight import __version__
from pointlight.export.rigged import Rigged
from pointlight.export.surface import Surface
from pointlight.export.timeline import FILLED, INFERRED
from pointlight.export.world_motion import WorldMotion

_FLOAT, _UNSIGNED_BYTE, _UNSIGNED_SHORT = 5126, 5121, 5123
_VERTICES, _INDICES = 34962, 34963


@dataclass
class _Binary:
    """The binary part, and the accessors that say what lies where."""

    pygltflib: Any
    data: bytearray = field(default_factory=bytearray)
    views: list[Any] = field(default_factory=list)
    accessors: list[Any] = field(default_factory=list)

    def add(
        self, array: np.ndarray, component: int, kind: str, target: int | None = None, bounds: bool = False
    ) -> int:
        """Number of a new accessor for an array whose first axis are elements."""
        content = np.ascontiguousarray(array)
        self.views.append(
            self.pygltflib.BufferView(
                buffer=0, byteOffset=len(self.data), byteLength=content.nbytes, target=target
            )
        )
        self.data += content.tobytes()
        self.data += b"\0" * (-len(self.data) % 4)
        accessor = self.pygltflib.Accessor(
            bufferView=len(self.views) - 1, componentType=component, count=len(content), type=kind
        )
        if bounds:
            # Of the float32 numbers themselves: validators compare exactly.
            rows = content.reshape(len(content), -1)
            accessor.min, accessor.max = (
                [float(value) for value in edge] for edge in (rows.min(0), rows.max(0))
            )
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def glb_bytes(motion: WorldMotion, rigged: Rigged, surface: Surface) -> bytes:
    """The whole file.

    Args:
        motion: of one person.
        rigged: the same on the rig that is written.
        surface: the person's skin.
    """
    import pygltflib as gltf

    binary = _Binary(gltf)
    above = 1 if rigged.rig.above else 0
    nodes = _joint_nodes(gltf, rigged, surface, above)
    joints = list(range(len(nodes)))
    inverses = rigged.bind_inverses()
    if above:
        inverses = np.concatenate((np.eye(4)[None], inverses))
    matrices = inverses.swapaxes(-1, -2).astype(np.float32)  # column by column
    skin = gltf.Skin(
        name=rigged.rig.name,
        joints=joints,
        skeleton=0,
        inverseBindMatrices=binary.add(matrices.reshape(-1, 16), _FLOAT, "MAT4"),
    )
    mesh, materials = _mesh(gltf, binary, rigged, surface, above)
    mesh.name = motion.name
    # The node of a skinned mesh has no transform: some programs would move the mesh by it, others not.
    nodes.append(gltf.Node(name=f"{motion.name}_body", mesh=0, skin=0))
    document = gltf.GLTF2(
        asset=gltf.Asset(version="2.0", generator=f"Pointlight {__version__}", extras=_facts(motion, rigged)),
        scene=0,
        scenes=[gltf.Scene(name=motion.name, nodes=[0, len(nodes) - 1])],
        nodes=nodes,
        meshes=[mesh],
        materials=materials,
        skins=[skin],
        animations=[_animation(gltf, binary, motion, rigged, above)],
        accessors=binary.accessors,
        bufferViews=binary.views,
        buffers=[gltf.Buffer(byteLength=len(binary.data))],
    )
    document.set_binary_blob(bytes(binary.data))
    return b"".join(document.save_to_bytes())


def quaternions(rotations: np.ndarray) -> np.ndarray:
    """(T, 4) float32 unit quaternions (x, y, z, w) of rotations (T, 3, 3), neighbours in time on one side."""
    found = Rotation.from_matrix(rotations).as_quat()
    turned = np.sign((found[1:] * found[:-1]).sum(-1))
    found[1:] *= np.cumprod(np.where(turned < 0, -1.0, 1.0))[:, None]
    return found.astype(np.float32)


def moving_joints(rotations: np.ndarray) -> list[int]:
    """Joints of rotations (T, N, 3, 3) that are turned in some frame."""
    return np.flatnonzero(np.abs(rotations - np.eye(3)).max(axis=(0, 2, 3)) > 0).tolist()


def _joint_nodes(gltf: Any, rigged: Rigged, surface: Surface, above: int) -> list[Any]:
    """The skeleton at rest, standing on the floor; the first node is its root."""
    offsets = rigged.offsets_m.copy()
    offsets[0, 1] = rigged.standing_m(float(surface.vertices_m[:, 1].min()))
    children: dict[int, list[int]] = {}
    for joint, parent in enumerate(rigged.parents):
        children.setdefault(parent, []).append(joint + above)
    nodes = [
        gltf.Node(name=name, translation=offset.tolist(), children=children.get(joint, []))
        for joint, (name, offset) in enumerate(zip(rigged.names, offsets, strict=True))
    ]
    return [gltf.Node(name=rigged.rig.above, children=[1]), *nodes] if above else nodes


def _mesh(gltf: Any, binary: _Binary, rigged: Rigged, surface: Surface, above: int) -> tuple[Any, list[Any]]:
    joint_of = np.array([rigged.joint_of(joint) + above for joint in range(len(rigged.straightened))])
    joints = np.where(surface.weights > 0, joint_of[surface.joints], 0)
    attributes = gltf.Attributes(
        POSITION=binary.add(surface.vertices_m, _FLOAT, "VEC3", _VERTICES, bounds=True),
        NORMAL=binary.add(surface.normals, _FLOAT, "VEC3", _VERTICES),
        JOINTS_0=binary.add(joints.astype(np.uint8), _UNSIGNED_BYTE, "VEC4", _VERTICES),
        WEIGHTS_0=binary.add(surface.weights, _FLOAT, "VEC4", _VERTICES),
    )
    primitives, materials = [], []
    for name, colour, faces in surface.parts:
        indices = binary.add(faces.reshape(-1).astype(np.uint16), _UNSIGNED_SHORT, "SCALAR", _INDICES)
        primitives.append(gltf.Primitive(attributes=attributes, indices=indices, material=len(materials)))
        plain = gltf.PbrMetallicRoughness(
            baseColorFactor=[*colour, 1.0], metallicFactor=0.0, roughnessFactor=0.8
        )
        materials.append(gltf.Material(name=name, pbrMetallicRoughness=plain))
    return gltf.Mesh(primitives=primitives), materials


def _animation(gltf: Any, binary: _Binary, motion: WorldMotion, rigged: Rigged, above: int) -> Any:
    times = binary.add(motion.time_s.astype(np.float32), _FLOAT, "SCALAR", bounds=True)
    samplers, channels = [], []

    def move(joint: int, path: str, keys: np.ndarray, kind: str) -> None:
        output = binary.add(keys, _FLOAT, kind)
        samplers.append(gltf.AnimationSampler(input=times, output=output, interpolation="LINEAR"))
        target = gltf.AnimationChannelTarget(node=joint + above, path=path)
        channels.append(gltf.AnimationChannel(sampler=len(samplers) - 1, target=target))

    move(0, "translation", rigged.root_m.astype(np.float32), "VEC3")
    for joint in moving_joints(rigged.rotations):
        move(joint, "rotation", quaternions(rigged.rotations[:, joint]), "VEC4")
    return gltf.Animation(name=motion.name, samplers=samplers, channels=channels)


def _facts(motion: WorldMotion, rigged: Rigged) -> dict[str, Any]:
    """What the file says of itself. Nothing empty: pygltflib drops empty values with their keys."""
    facts: dict[str, Any] = {
        "units": "metres",
        "axes": "y up, right-handed; the floor is y = 0",
        "frames": len(motion),
        "frames_per_s": motion.fps,
        "first_frame_in_video_s": motion.start_s,
        "frames_filled": int((motion.marks == FILLED).sum()),
        "frames_inferred": int((motion.marks == INFERRED).sum()),
        "skeleton": rigged.rig.name,
        "rest_pose": "T" if rigged.t_pose else "A",
        "source": motion.source,
        "world": " ".join(motion.notes),
    }
    for name, mark in (("filled", FILLED), ("inferred", INFERRED)):
        if spans := motion.spans(mark):
            facts[f"{name}_frames_from_0"] = spans
    return facts
