"""Run by Blender's own Python: imports files and says where joints are. Arguments: JSON of [[file, fps, frames], ...]; out.

Blender's world is z up: a place (x, y, z) of ours is (x, -z, y) there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import bpy


def enable(addon: str) -> None:
    """Blender's importers are add-ons; their module is there once bpy is."""
    import addon_utils

    addon_utils.enable(addon)


def read(path: Path, fps: float, frames: list[int]) -> dict[str, Any]:
    """Range and joints of one file at some of our frames, counted from 0."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = round(fps), round(fps) / fps
    first = 0
    if path.suffix == ".bvh":
        enable("io_anim_bvh")
        bpy.ops.import_anim.bvh(filepath=str(path), global_scale=0.01)
        first = 1  # Blender puts a BVH's first frame on its frame 1
    elif path.suffix == ".glb":
        enable("io_scene_gltf2")
        bpy.ops.import_scene.gltf(filepath=str(path))
    else:
        bpy.ops.wm.usd_import(filepath=str(path))
    (armature,) = (each for each in bpy.data.objects if each.type == "ARMATURE")
    actions = [[float(edge) for edge in action.frame_range] for action in bpy.data.actions]
    places = []
    for frame in frames:
        scene.frame_set(frame + first)
        bpy.context.view_layer.update()
        world = armature.matrix_world
        places.append({bone.name: list(world @ bone.head) for bone in armature.pose.bones})
    rest = {bone.name: list(armature.matrix_world @ bone.head_local) for bone in armature.data.bones}
    vertices = []
    for mesh in (each for each in bpy.data.objects if each.type == "MESH" and each.find_armature()):
        scene.frame_set(frames[0] + first)
        seen = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
        vertices += [list(seen.matrix_world @ vertex.co) for vertex in seen.data.vertices]
    low = [min(each[axis] for each in vertices) for axis in range(3)] if vertices else []
    high = [max(each[axis] for each in vertices) for axis in range(3)] if vertices else []
    return {
        "version": bpy.app.version_string,
        "ranges": actions,
        "places": places,
        "rest": rest,
        "mesh": [len(vertices), low, high],
    }


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    found = [read(Path(path), fps, frames) for path, fps, frames in wanted]
    Path(sys.argv[2]).write_text(json.dumps(found))
