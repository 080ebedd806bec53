"""A Blender script beside a GLB: the scene's rate and size, the GLB, the camera with the video behind it."""

from __future__ import annotations

import numpy as np

from pointlight.export.amass import Z_UP
from pointlight.export.world_motion import Camera, WorldMotion

_SENSOR_MM = 36.0

_SCRIPT = '''\
"""Run in Blender 4.2 or later (Scripting > Open > Run Script, or: blender --python {name}_blender.py).

Sets the scene's rate, imports {name}.glb from this folder, puts the camera where the video's was, the video behind it.
"""

import os

import bpy
from mathutils import Matrix

VIDEO = {video!r}  # path of the video; "" for none
GLB = "{name}.glb"
FPS, FRAMES = {fps!r}, {frames}
SIZE = {size!r}
LENS_MM, SENSOR_MM, SHIFT = {lens!r}, {sensor!r}, {shift!r}
FIRST_FRAME_IN_VIDEO = {first}
CAMERA = {camera}


def folder_of_this_script():
    texts = [text.filepath for text in bpy.data.texts if os.path.basename(text.filepath) == "{name}_blender.py"]
    for path in (globals().get("__file__", ""), *texts):
        folder = os.path.dirname(os.path.abspath(bpy.path.abspath(path)))
        if os.path.exists(os.path.join(folder, GLB)):
            return folder
    raise FileNotFoundError(GLB + " is not beside this script; put both into one folder")


def main():
    scene = bpy.context.scene
    # Before importing: keys are placed by the scene's rate.
    scene.render.fps, scene.render.fps_base = round(FPS), round(FPS) / FPS
    scene.render.resolution_x, scene.render.resolution_y = SIZE
    scene.frame_start, scene.frame_end = 0, FRAMES - 1
    path = os.path.join(folder_of_this_script(), GLB)
    bpy.ops.import_scene.gltf(filepath=path, guess_original_bind_pose=False)
    data = bpy.data.cameras.new("{name}_camera")
    data.sensor_fit, data.sensor_width, data.lens = "HORIZONTAL", SENSOR_MM, LENS_MM
    data.shift_x, data.shift_y = SHIFT
    camera = bpy.data.objects.new("{name}_camera", data)
    camera.matrix_world = Matrix(CAMERA)
    scene.collection.objects.link(camera)
    scene.camera = camera
    if VIDEO and os.path.exists(VIDEO):
        behind = data.background_images.new()
        behind.image = bpy.data.images.load(VIDEO)
        user = behind.image_user
        user.frame_start, user.frame_duration, user.frame_offset = 0, FRAMES, FIRST_FRAME_IN_VIDEO
        behind.alpha, data.show_background_images = 1.0, True
    scene.frame_set(0)


main()
'''


def blender_script(motion: WorldMotion, first_frame: int, video: str = "") -> str:
    """The script for the GLB of one person.

    Args:
        motion: of the person.
        first_frame: number of the motion's first frame in the video.
        video: path of the video, if it is known.
    """
    camera = motion.camera
    width, height = camera.image_size
    matrix = [[round(value, 9) + 0.0 for value in row] for row in camera_matrix(camera).tolist()]
    return _SCRIPT.format(
        name=motion.name,
        video=video,
        fps=motion.fps,
        frames=len(motion),
        size=(width, height),
        lens=round(camera.focal_px * _SENSOR_MM / width, 6),
        sensor=_SENSOR_MM,
        shift=(
            round((0.5 * width - camera.principal_px[0]) / width, 9),
            round((camera.principal_px[1] - 0.5 * height) / width, 9),
        ),
        first=first_frame,
        camera=matrix,
    )


def camera_matrix(camera: Camera) -> np.ndarray:
    """(4, 4) from Blender's camera axes (x right, y up, z backwards) to its world (z up)."""
    matrix = np.eye(4)
    matrix[:3, :3] = Z_UP @ camera.R_world_camera @ np.diag((1.0, -1.0, -1.0))
    matrix[:3, 3] = Z_UP @ camera.place_m
    return matrix
