"""A scene's person as pictures: colour, mask, depth, parts and exact flow, on nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from pointlight.body import AnnyBody, BodyModel, BodyState
from pointlight.errors import PointlightError
from pointlight.geometry import project
from pointlight.simulator.drawing.lighting import (
    irradiance_matrix,
    light_vertices,
    turned,
    vertex_normals,
)
from pointlight.simulator.drawing.pixels import covered_box, flow_pixels, show_pixels
from pointlight.simulator.drawing.raster import Raster, rasterise
from pointlight.simulator.people.appearance import Appearance
from pointlight.simulator.people.coarsening import CoarseMesh
from pointlight.simulator.people.drape_textures import paint_strip, strip_uv_px
from pointlight.simulator.people.drapes import Hanging, cut_to, hang, sheet_grid, size_m
from pointlight.simulator.people.dressing import dress, halved, linear_tile, paint
from pointlight.simulator.people.layers import PersonLayer
from pointlight.simulator.people.surface import TEXTURE_PX, BodySurface, surface_of
from pointlight.simulator.scenes.scene import Scene
from pointlight.simulator.scenes.tracks import TRACK_POINTS, states_in_camera
from pointlight.simulator.scenes.visibility import behind_surface

NEAR_M = 0.1
"""What is nearer to the camera's plane is not drawn; joints there count as outside, as in tracks."""

_TEXELS_A_METRE = 0.6 * TEXTURE_PX
_COARSER = 1.5
"""So many texels a sample are too many: they would flicker."""
_DETAIL_SAMPLES = 5.0
"""New edges of coarser meshes are not longer, where the person is nearest: two and a half pixels."""


def render_person(scene: Scene, appearance: Appearance, body: BodyModel) -> PersonLayer:
    """Draw a scene's person; keypoints are those of the naked body, whatever it wears.

    Args:
        scene: motion, shape and camera; its principal point may move.
        appearance: of `draw_appearance`.
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
    clothed, shade = dress(appearance, surface, rest)
    distance_m = max(float(state.translation[:, 2].min()), NEAR_M)
    coarse = _coarse_mesh(surface, 2 * camera.focal_px / distance_m)
    vertices = body.skin_vertices(clothed, transforms, coarse.vertices)
    joints_m = person.joints[0].numpy()
    hangings = [
        cut_to(drape, clothed, surface.parts, joints_m, body.joint_names) for drape in appearance.drapes
    ]
    if hangings:
        sheets = [hang(hanging, transforms, joints_m, body.joint_names) for hanging in hangings]
        vertices = np.concatenate((vertices, *sheets), axis=1)
    texture = _texture(appearance, surface, hangings, 2 * camera.focal_px / distance_m)
    mesh = _Mesh.of(surface, coarse, shade, hangings, texture.shape[1])
    pictures = _Pictures(scene, mesh, vertices, texture, appearance.light)
    for t in range(len(vertices)):
        pictures.draw(t)
    joints = points.numpy()
    out_of_frame = (
        (joints_px < 0).any(-1) | (joints_px > camera.image_size).any(-1) | (joints[..., 2] < NEAR_M)
    )
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
        out_of_frame=out_of_frame,
        self_occluded=behind_surface(joints_px, joints[..., 2], pictures.depth_m),
        camera=camera,
        state=state,
    )


def camera_state(scene: Scene) -> BodyState:
    """The scene's body in camera axes: pose (T, J-1, 3, 3), shape (1, S), root (T, 3, 3), translation (T, 3)."""
    state = states_in_camera([scene])
    return BodyState(state.pose[0], state.shape[0], state.root[0], state.translation[0])


def _coarse_mesh(surface: BodySurface, samples_a_metre: float) -> CoarseMesh:
    """The coarsest mesh of which nobody sees that it is one."""
    return [mesh for mesh in surface.meshes if mesh.detail_m * samples_a_metre <= _DETAIL_SAMPLES][-1]


def _texture(
    appearance: Appearance, surface: BodySurface, hangings: list[Hanging], samples_a_metre: float
) -> np.ndarray:
    """Painted, at the size at which a texel is about as large as a sample where the person is nearest.

    Below the square of the body lies a strip for each thing that hangs.
    """
    ratio = _TEXELS_A_METRE / samples_a_metre
    texels = surface.texels[ratio > _COARSER]
    texture = paint(appearance, texels)
    strips = [
        paint_strip(h.drape, linear_tile(h.drape.tile, texels.size), texels.size, size_m(h)) for h in hangings
    ]
    if strips:
        texture = np.concatenate((texture, *strips))
    ratio *= texels.size / TEXTURE_PX
    while ratio > _COARSER and texture.shape[1] > 64:
        texture, ratio = halved(texture), ratio / 2
    return texture


@dataclass(frozen=True)
class _Mesh:
    """All that is drawn of a person.

    Attributes:
        faces: (F, 3) int32.
        uv_corners: (F, 6) float32 u and v of the faces' corners in texels.
        parts: (V,) uint8.
        shade: (V,) float32.
    """

    faces: np.ndarray
    uv_corners: np.ndarray
    parts: np.ndarray
    shade: np.ndarray

    @classmethod
    def of(
        cls,
        surface: BodySurface,
        coarse: CoarseMesh,
        shade: np.ndarray,
        hangings: list[Hanging],
        size: int,
    ) -> _Mesh:
        """The dressed body and what hangs from it, for a texture of that width."""
        faces, uv_faces = [coarse.faces], [coarse.uv_faces]
        uv = [surface.uv_px * np.float32(size / TEXTURE_PX)]
        vertices, corners = len(coarse.vertices), len(surface.uv_px)
        for number, hanging in enumerate(hangings):
            grid = sheet_grid(hanging.drape.gap == 0)
            faces.append(grid.faces + np.int32(vertices))
            uv_faces.append(grid.uv_faces + np.int32(corners))
            uv.append(strip_uv_px(grid, size, number))
            vertices, corners = vertices + len(hanging.parts), corners + len(grid.uv)
        return cls(
            np.concatenate(faces),
            np.concatenate(uv)[np.concatenate(uv_faces)].reshape(-1, 6),
            np.concatenate((surface.parts[coarse.vertices], *(h.parts for h in hangings))),
            np.concatenate((shade[coarse.vertices], *(h.shade for h in hangings))),
        )


class _Pictures:
    """The layers of all frames, drawn one after the other."""

    def __init__(
        self,
        scene: Scene,
        mesh: _Mesh,
        vertices: np.ndarray,
        texture: np.ndarray,
        light: np.ndarray,
    ) -> None:
        (width, height), frames = scene.camera.image_size, len(vertices)
        self._camera = scene.camera
        self._principal_px = scene.camera.principal_px.astype(float)
        self._mesh = mesh
        self._vertices = vertices
        self._texture = texture
        turn = scene.camera.R_camera_world.astype(float)
        colours = 3 if (light != light[:, :1]).any() else 1  # SURREAL's light is grey
        self._light = turned(irradiance_matrix(light)[:colours], turn).astype(np.float32)
        self.colour = np.zeros((frames, height, width, 3), np.uint8)
        self.mask = np.zeros((frames, height, width), bool)
        self.depth_m = np.empty((frames, height, width), np.float32)
        self.parts = np.zeros((frames, height, width), np.uint8)
        self.forward = np.empty((frames - 1, height, width, 2), np.float32)
        self.backward = np.empty((frames - 1, height, width, 2), np.float32)

    def _clear(self, t: int) -> None:
        """Nobody is in frame t; right before it is drawn, so that it is still near the processor."""
        self.depth_m[t] = np.inf
        self.forward[t : t + 1] = np.nan
        self.backward[max(t - 1, 0) : t] = np.nan

    def draw(self, t: int) -> None:
        """Draw frame t into the layers."""
        camera, mesh, here = self._camera, self._mesh, self._vertices[t]
        self._clear(t)
        x, y = self._principal_px[t].tolist()
        left, top, right, bottom = covered_box(here, camera.focal_px, x, y, NEAR_M, *camera.image_size)
        if left >= right or top >= bottom:
            return
        raster = rasterise(
            here,
            mesh.faces,
            2 * camera.focal_px,
            (2 * (x - left) + 0.5, 2 * (y - top) + 0.5),
            Raster.blank(2 * (right - left) + 1, 2 * (bottom - top) + 1),
            near_m=NEAR_M,
        )
        face, bary = raster.face, raster.barycentric
        lit = light_vertices(vertex_normals(here, mesh.faces), mesh.shade, self._light[t])
        show_pixels(
            *(face, bary, raster.inverse_depth, mesh.faces, mesh.uv_corners, mesh.parts, lit, self._texture),
            *((left, top), self.colour[t], self.mask[t], self.depth_m[t], self.parts[t]),
        )
        flow_pixels(
            *(t, face, bary, mesh.faces, self._vertices, camera.focal_px, self._principal_px, (left, top)),
            *(self.forward, self.backward),
        )
