"""A scene's person as pictures: colour, mask, depth, parts and exact flow, on nothing."""

from __future__ import annotations

from typing import no_type_check

import numba
import numpy as np
import torch

from pointlight.body import AnnyBody, BodyModel, BodyState
from pointlight.errors import PointlightError
from pointlight.geometry import project
from pointlight.simulator.appearance import Looks
from pointlight.simulator.dressing import dress, halved, paint, vertex_normals
from pointlight.simulator.layers import PersonLayer
from pointlight.simulator.lighting import irradiance_matrix, turned
from pointlight.simulator.raster import NO_FACE, Raster, rasterise
from pointlight.simulator.scene import Scene
from pointlight.simulator.surface import TEXTURE_PX, BodySurface, surface_of
from pointlight.simulator.tracks import TRACK_POINTS
from pointlight.simulator.visibility import HIDDEN_BEHIND_M

SAMPLES = 2
"""Colour is the mean of up to SAMPLES x SAMPLES places in a pixel, those that the body covers."""

NEAR_M = 0.1
"""What is nearer to the camera's plane is not drawn; joints there count as outside, as in tracks."""

_TEXELS_A_METRE = 0.6 * TEXTURE_PX
_SRGB_STEPS = 4096
_SRGB = np.array(
    [
        round(255 * (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055))
        for c in (np.arange(_SRGB_STEPS + 1) / _SRGB_STEPS).tolist()
    ],
    np.uint8,
)


def render_person(scene: Scene, looks: Looks, body: BodyModel) -> PersonLayer:
    """Draw a scene's person; keypoints are those of the naked body, whatever it wears.

    Args:
        scene: motion, shape and camera; its principal point may move.
        looks: of `draw_looks`.
        body: Anny.

    Raises:
        PointlightError: a body without a texture map.
    """
    if not isinstance(body, AnnyBody):
        raise PointlightError(
            f"the body {body.name!r} has no texture map and cannot be drawn in clothes; use the body 'anny'"
        )
    with torch.no_grad():
        state = camera_state(scene)
        person = body.person(state.shape)
        points = body.keypoints(state, TRACK_POINTS, person)
        transforms = body.bone_transforms(body.posed(state, person), person).numpy()
        rest = body.rest_vertices(torch.from_numpy(scene.shape)).numpy()
        camera = scene.camera
        joints_px = project(
            points, torch.tensor(camera.focal_px), torch.from_numpy(camera.principal_px)[:, None]
        ).numpy()
    surface = surface_of(body)
    clothed, shade = dress(looks, surface, rest)
    vertices = np.stack([body.skin_vertices(clothed, t) for t in transforms])
    pictures = _Pictures(
        scene, len(vertices), surface, vertices, _texture(looks, surface, scene, vertices), shade
    )
    for t in range(len(vertices)):
        pictures.draw(t, looks)
    joints = points.numpy()
    outside = (joints_px < 0).any(-1) | (joints_px > camera.image_size).any(-1) | (joints[..., 2] < NEAR_M)
    return PersonLayer(
        colour=pictures.colour,
        mask=pictures.mask,
        depth_m=pictures.depth_m,
        parts=pictures.parts,
        part_names=body.joint_names,
        flow_forward_px=pictures.forward,
        flow_backward_px=pictures.backward,
        joint_names=TRACK_POINTS,
        joints_px=joints_px,
        joints_camera_m=joints,
        outside=outside,
        behind=behind_surface(joints_px, joints[..., 2], pictures.depth_m),
        camera=camera,
        state=state,
    )


def camera_state(scene: Scene) -> BodyState:
    """The scene's body in camera axes: pose (T, J-1, 3, 3), shape (1, S), root (T, 3, 3), translation (T, 3)."""
    rotation = torch.from_numpy(scene.camera.rotation)
    place = torch.from_numpy(scene.motion.translation_m)
    return BodyState(
        pose=torch.from_numpy(np.ascontiguousarray(scene.motion.pose)),
        shape=torch.from_numpy(scene.shape)[None],
        root=rotation @ torch.from_numpy(np.ascontiguousarray(scene.motion.root)),
        translation=(rotation @ place[..., None])[..., 0] + torch.from_numpy(scene.camera.translation_m),
    )


def behind_surface(points_px: np.ndarray, depth_of_points_m: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
    """Appendix B's rule on a drawn depth map.

    Args:
        points_px: (T, J, 2).
        depth_of_points_m: (T, J) z in the camera.
        depth_m: (T, H, W), infinite where nothing is.

    Returns:
        (T, J) bool, at least 20 cm behind the surface in their pixel; never for points outside the picture.
    """
    frames, height, width = depth_m.shape
    place = np.floor(np.nan_to_num(points_px, nan=-1.0).clip(-1, 1e6)).astype(int)
    inside = (place >= 0).all(-1) & (place[..., 0] < width) & (place[..., 1] < height)
    column, row = place[..., 0].clip(0, width - 1), place[..., 1].clip(0, height - 1)
    surface = depth_m[np.arange(frames)[:, None], row, column]
    return inside & (depth_of_points_m - surface >= HIDDEN_BEHIND_M)


def _texture(looks: Looks, surface: BodySurface, scene: Scene, vertices: np.ndarray) -> np.ndarray:
    """Painted, at the size at which a texel is about as large as a sample when the person is nearest."""
    texture = paint(looks, surface)
    nearest = max(float(np.median(vertices[..., 2], axis=1).min()), NEAR_M)
    ratio = _TEXELS_A_METRE / (SAMPLES * scene.camera.focal_px / nearest)
    while ratio > 1.5 and len(texture) > 64:
        texture, ratio = halved(texture), ratio / 2
    return texture


class _Pictures:
    """The layers of all frames, drawn one after the other."""

    def __init__(
        self,
        scene: Scene,
        frames: int,
        surface: BodySurface,
        vertices: np.ndarray,
        texture: np.ndarray,
        shade: np.ndarray,
    ) -> None:
        width, height = scene.camera.image_size
        self._camera = scene.camera
        self._surface = surface
        self._vertices = vertices
        self._texture = texture
        self._shade = shade
        self._uv = surface.uv_px * np.float32(len(texture) / TEXTURE_PX)
        self.colour = np.zeros((frames, height, width, 3), np.uint8)
        self.mask = np.zeros((frames, height, width), bool)
        self.depth_m = np.full((frames, height, width), np.inf, np.float32)
        self.parts = np.zeros((frames, height, width), np.uint8)
        self.forward = np.full((frames - 1, height, width, 2), np.nan, np.float32)
        self.backward = np.full((frames - 1, height, width, 2), np.nan, np.float32)

    def draw(self, t: int, looks: Looks) -> None:
        """Draw frame t into the layers."""
        camera, surface, here = self._camera, self._surface, self._vertices[t]
        left, top, right, bottom = self._box(t)
        if left >= right or top >= bottom:
            return
        x, y = (float(value) for value in camera.principal_px[t])
        width, height = right - left, bottom - top
        near = {"near_m": NEAR_M}
        centres = rasterise(
            here, surface.faces, camera.focal_px, (x - left, y - top), Raster.blank(width, height), **near
        )
        fine = rasterise(
            here,
            surface.faces,
            SAMPLES * camera.focal_px,
            (SAMPLES * (x - left), SAMPLES * (y - top)),
            Raster.blank(SAMPLES * width, SAMPLES * height),
            **near,
        )
        window = (slice(top, bottom), slice(left, right))
        light = turned(irradiance_matrix(looks.light), camera.rotation[t].astype(float))
        self.mask[t][window] = centres.face != NO_FACE
        self.depth_m[t][window] = centres.depth_m()
        _shade_pixels(
            centres.face,
            centres.barycentric,
            fine.face,
            fine.barycentric,
            surface.faces,
            surface.uv_faces,
            self._uv,
            vertex_normals(here, surface.faces),
            self._shade,
            light.astype(np.float32),
            self._texture,
            _SRGB,
            self.colour[t][window],
        )
        _label_pixels(centres.face, centres.barycentric, surface.faces, surface.parts, self.parts[t][window])
        for other, flow in ((t + 1, self.forward[t : t + 1]), (t - 1, self.backward[t - 1 : t])):
            if 0 <= other < len(self._vertices):
                lens = (camera.focal_px, *(float(v) for v in camera.principal_px[other]))
                _flow_pixels(
                    centres.face,
                    centres.barycentric,
                    surface.faces,
                    self._vertices[other],
                    lens,
                    (left, top),
                    flow[0][window],
                )

    def _box(self, t: int) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in whole pixels of what the person may cover in the picture."""
        camera, here = self._camera, self._vertices[t]
        width, height = camera.image_size
        before = here[here[:, 2] >= NEAR_M]
        if len(before) == 0:
            return 0, 0, 0, 0
        if len(before) < len(here):
            return 0, 0, width, height
        flat = camera.focal_px * here[:, :2] / here[:, 2:] + camera.principal_px[t]
        low, high = np.floor(flat.min(0)) - 1, np.ceil(flat.max(0)) + 1
        left, top = (int(v) for v in low.clip(0, (width, height)))
        right, bottom = (int(v) for v in high.clip(0, (width, height)))
        return left, top, right, bottom


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _shade_pixels(
    face: np.ndarray,
    bary: np.ndarray,
    fine_face: np.ndarray,
    fine_bary: np.ndarray,
    faces: np.ndarray,
    uv_faces: np.ndarray,
    uv: np.ndarray,
    normals: np.ndarray,
    shade: np.ndarray,
    light: np.ndarray,
    texture: np.ndarray,
    srgb: np.ndarray,
    colour: np.ndarray,
) -> None:
    """Colour of every pixel whose centre is covered: the mean over its covered samples."""
    height, width = face.shape
    steps = np.float32(srgb.shape[0] - 1)
    total = np.zeros(3, np.float32)
    for row in range(height):
        for column in range(width):
            if face[row, column] == NO_FACE:
                continue
            total[:] = 0
            count = 0
            for r in range(SAMPLES * row, SAMPLES * row + SAMPLES):
                for c in range(SAMPLES * column, SAMPLES * column + SAMPLES):
                    f = fine_face[r, c]
                    if f != NO_FACE:
                        _add_sample(
                            f, fine_bary[r, c], faces, uv_faces, uv, normals, shade, light, texture, total
                        )
                        count += 1
            if count == 0:  # a part thinner than the samples' distance
                f = face[row, column]
                _add_sample(f, bary[row, column], faces, uv_faces, uv, normals, shade, light, texture, total)
                count = 1
            for i in range(3):
                value = min(max(total[i] / count, np.float32(0.0)), np.float32(1.0))
                colour[row, column, i] = srgb[int(value * steps + np.float32(0.5))]


@numba.njit(cache=True, error_model="numpy", inline="always")
@no_type_check
def _add_sample(f, bary, faces, uv_faces, uv, normals, shade, light, texture, total):
    """Add one place's linear colour: texture times light."""
    b0, b1 = bary[0], bary[1]
    b2 = np.float32(1.0) - b0 - b1
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    x = b0 * normals[a, 0] + b1 * normals[b, 0] + b2 * normals[c, 0]
    y = b0 * normals[a, 1] + b1 * normals[b, 1] + b2 * normals[c, 1]
    z = b0 * normals[a, 2] + b1 * normals[b, 2] + b2 * normals[c, 2]
    length = np.sqrt(x * x + y * y + z * z) + np.float32(1e-12)
    x, y, z = x / length, y / length, z / length
    reach = b0 * shade[a] + b1 * shade[b] + b2 * shade[c]
    p, q, s = uv_faces[f, 0], uv_faces[f, 1], uv_faces[f, 2]
    side = texture.shape[0]
    u = b0 * uv[p, 0] + b1 * uv[q, 0] + b2 * uv[s, 0] - np.float32(0.5)
    v = b0 * uv[p, 1] + b1 * uv[q, 1] + b2 * uv[s, 1] - np.float32(0.5)
    u = min(max(u, np.float32(0.0)), np.float32(side - 1.001))
    v = min(max(v, np.float32(0.0)), np.float32(side - 1.001))
    c0, r0 = int(u), int(v)
    fu, fv = u - c0, v - r0
    for i in range(3):
        m = light[i]
        glow = (
            m[0, 0] * x * x
            + m[1, 1] * y * y
            + m[2, 2] * z * z
            + m[3, 3]
            + np.float32(2.0)
            * (m[0, 1] * x * y + m[0, 2] * x * z + m[1, 2] * y * z + m[0, 3] * x + m[1, 3] * y + m[2, 3] * z)
        )
        upper = texture[r0, c0, i] * (1 - fu) + texture[r0, c0 + 1, i] * fu
        lower = texture[r0 + 1, c0, i] * (1 - fu) + texture[r0 + 1, c0 + 1, i] * fu
        total[i] += max(glow, np.float32(0.0)) * reach * (upper * (1 - fv) + lower * fv)


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _label_pixels(
    face: np.ndarray, bary: np.ndarray, faces: np.ndarray, parts: np.ndarray, labels: np.ndarray
) -> None:
    """The part of the nearest of the face's three vertices."""
    for row in range(face.shape[0]):
        for column in range(face.shape[1]):
            f = face[row, column]
            if f == NO_FACE:
                continue
            b0, b1 = bary[row, column, 0], bary[row, column, 1]
            b2 = 1 - b0 - b1
            corner = 0 if b0 >= b1 and b0 >= b2 else (1 if b1 >= b2 else 2)
            labels[row, column] = parts[faces[f, corner]]


@numba.njit(cache=True, error_model="numpy")
@no_type_check
def _flow_pixels(
    face: np.ndarray,
    bary: np.ndarray,
    faces: np.ndarray,
    vertices: np.ndarray,
    lens: tuple[float, float, float],
    corner: tuple[int, int],
    flow: np.ndarray,
) -> None:
    """Where what a pixel's centre sees is in another frame, less the centre; NaN if behind that camera."""
    focal, centre_x, centre_y = lens
    for row in range(face.shape[0]):
        for column in range(face.shape[1]):
            f = face[row, column]
            if f == NO_FACE:
                continue
            b0, b1 = np.float64(bary[row, column, 0]), np.float64(bary[row, column, 1])
            b2 = 1 - b0 - b1
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            x = b0 * vertices[a, 0] + b1 * vertices[b, 0] + b2 * vertices[c, 0]
            y = b0 * vertices[a, 1] + b1 * vertices[b, 1] + b2 * vertices[c, 1]
            z = b0 * vertices[a, 2] + b1 * vertices[b, 2] + b2 * vertices[c, 2]
            if z > 1e-3:
                flow[row, column, 0] = focal * x / z + centre_x - (corner[0] + column + 0.5)
                flow[row, column, 1] = focal * y / z + centre_y - (corner[1] + row + 0.5)
