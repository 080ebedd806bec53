"""USD: SkelRoot with skeleton, skin and animation; y up, metres, one time code a frame."""

# usd-core brings no types, and is not installed everywhere.
# pyright: reportAttributeAccessIssue=false, reportMissingImports=false

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pointlight import __version__
from pointlight.export.glb import quaternions
from pointlight.export.rigged import Rigged
from pointlight.export.surface import BONES_A_VERTEX, Surface
from pointlight.export.world_motion import WorldMotion


def usd_bytes(motion: WorldMotion, rigged: Rigged, surface: Surface) -> bytes:
    """The whole file, binary (`.usdc`).

    Args:
        motion: of one person.
        rigged: the same on the rig that is written.
        surface: the person's skin.
    """
    from pxr import Tf, Usd, UsdGeom, UsdSkel  # pyright: ignore[reportMissingImports]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "motion.usdc"
        stage = Usd.Stage.CreateNew(str(path))
        UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
        UsdGeom.SetStageMetersPerUnit(stage, 1.0)
        # Blender takes time codes as frames, whatever the rate, and has no range without start and end.
        stage.SetTimeCodesPerSecond(motion.fps)
        stage.SetFramesPerSecond(motion.fps)
        stage.SetStartTimeCode(0)
        stage.SetEndTimeCode(len(motion) - 1)
        stage.SetMetadata(
            "comment",
            f"Pointlight {__version__}: {motion.source}. y up, metres, floor y = 0, one time code a frame."
            f" Skeleton {rigged.rig.name}. {motion.words_of_marks()}. {' '.join(motion.notes)}",
        )
        name = Tf.MakeValidIdentifier(motion.name)
        root = UsdSkel.Root.Define(stage, f"/{name}")
        stage.SetDefaultPrim(root.GetPrim())
        skeleton, joints = _skeleton(stage, f"/{name}/skeleton", rigged, surface)
        animation = _animation(stage, f"/{name}/skeleton/animation", joints, rigged)
        UsdSkel.BindingAPI.Apply(skeleton.GetPrim()).CreateAnimationSourceRel().SetTargets(
            [animation.GetPrim().GetPath()]
        )
        mesh = _mesh(stage, f"/{name}/body", rigged, surface)
        binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
        binding.CreateSkeletonRel().SetTargets([skeleton.GetPrim().GetPath()])
        stage.GetRootLayer().Save()
        return path.read_bytes()


def _above(rigged: Rigged) -> int:
    """How many joints stand above the pelvis."""
    return 1 if rigged.rig.above else 0


def _skeleton(stage: Any, path: str, rigged: Rigged, surface: Surface) -> tuple[Any, list[str]]:
    from pxr import Gf, Tf, UsdSkel  # pyright: ignore[reportMissingImports]

    names = [*([rigged.rig.above] if rigged.rig.above else []), *rigged.names]
    parents = [*([-1] if _above(rigged) else []), *rigged.parents]
    if _above(rigged):
        parents = [-1, 0, *(parent + 1 for parent in rigged.parents[1:])]
    paths: list[str] = []
    for name, parent in zip(names, parents, strict=True):
        own = Tf.MakeValidIdentifier(name)
        paths.append(own if parent < 0 else f"{paths[parent]}/{own}")
    bind, rest = np.linalg.inv(rigged.bind_inverses()), np.tile(np.eye(4), (len(rigged.names), 1, 1))
    rest[:, :3, 3] = rigged.offsets_m
    rest[0, 1, 3] = rigged.standing_m(float(surface.vertices_m[:, 1].min()))
    if _above(rigged):
        bind, rest = (np.concatenate((np.eye(4)[None], each)) for each in (bind, rest))
    skeleton = UsdSkel.Skeleton.Define(stage, path)
    skeleton.CreateJointsAttr(paths)
    # USD multiplies rows by matrices.
    skeleton.CreateBindTransformsAttr([Gf.Matrix4d(each.T.tolist()) for each in bind])
    skeleton.CreateRestTransformsAttr([Gf.Matrix4d(each.T.tolist()) for each in rest])
    return skeleton, paths


def _animation(stage: Any, path: str, joints: list[str], rigged: Rigged) -> Any:
    from pxr import UsdSkel, Vt  # pyright: ignore[reportMissingImports]

    above, frames = _above(rigged), len(rigged.root_m)
    translations = np.zeros((frames, len(joints), 3), np.float32)
    translations[:, above:] = rigged.offsets_m
    translations[:, above] = rigged.root_m
    turns = np.zeros((frames, len(joints), 4), np.float32)
    turns[..., 3] = 1.0
    for joint in range(len(rigged.names)):
        turns[:, joint + above] = quaternions(rigged.rotations[:, joint])
    animation = UsdSkel.Animation.Define(stage, path)
    animation.CreateJointsAttr(joints)
    animation.CreateScalesAttr(Vt.Vec3hArray([(1, 1, 1)] * len(joints)))
    places, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    for frame in range(frames):
        places.Set(Vt.Vec3fArray.FromNumpy(translations[frame]), frame)
        rotations.Set(Vt.QuatfArray.FromNumpy(turns[frame]), frame)  # in memory x, y, z, w
    return animation


def _mesh(stage: Any, path: str, rigged: Rigged, surface: Surface) -> Any:
    from pxr import UsdGeom, UsdSkel, Vt  # pyright: ignore[reportMissingImports]

    faces = np.concatenate([part for _, _, part in surface.parts])
    colours = np.concatenate([np.tile(colour, (len(part), 1)) for _, colour, part in surface.parts])
    mesh = UsdGeom.Mesh.Define(stage, path)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(surface.vertices_m))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray.FromNumpy(np.full(len(faces), 3, np.int32)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(faces.reshape(-1).astype(np.int32)))
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(surface.normals))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    low, high = surface.vertices_m.min(0), surface.vertices_m.max(0)
    mesh.CreateExtentAttr(Vt.Vec3fArray.FromNumpy(np.stack((low, high))))
    shown = mesh.CreateDisplayColorPrimvar(UsdGeom.Tokens.uniform)
    shown.Set(Vt.Vec3fArray.FromNumpy(colours.astype(np.float32)))
    joint_of = np.array([rigged.joint_of(joint) for joint in range(len(rigged.straightened))])
    joints = np.where(surface.weights > 0, joint_of[surface.joints] + _above(rigged), 0)
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    indices = binding.CreateJointIndicesPrimvar(False, BONES_A_VERTEX)
    indices.Set(Vt.IntArray.FromNumpy(joints.reshape(-1).astype(np.int32)))
    weights = binding.CreateJointWeightsPrimvar(False, BONES_A_VERTEX)
    weights.Set(Vt.FloatArray.FromNumpy(surface.weights.reshape(-1)))
    return mesh
