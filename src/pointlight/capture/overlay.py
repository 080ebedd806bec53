"""The picture of a result: the body on the person, beside the same body turned by 60 degrees (the paper's Figure 5)."""

from __future__ import annotations

from pathlib import Path
from typing import no_type_check

import numba
import numpy as np
import torch

from pointlight.body import AnnyBody, BodyState
from pointlight.capture.capture import Capture, body_states
from pointlight.errors import PointlightError
from pointlight.media import VideoReader, VideoWriter
from pointlight.progress import Progress, ProgressCallback, silent
from pointlight.simulator.drawing import NO_FACE, Raster, rasterise, vertex_normals

TURN_DEG = 60.0
"""Figure 5: "the same mesh rotated by 60 degrees"."""

LEFT_RGB = (235, 140, 95)
RIGHT_RGB = (95, 150, 235)
MIDDLE_RGB = (205, 205, 210)
_BACKGROUND_RGB = (38, 40, 46)
_OPACITY = 0.85
_LIGHT = np.array([-0.35, -0.6, -0.72])


class BodyPainter:
    """Draws one person's body; left limbs are orange, right ones blue, so that exchanged sides are seen."""

    def __init__(self, body: AnnyBody, shape: np.ndarray) -> None:
        """Prepare what does not change from frame to frame.

        Args:
            body: the model.
            shape: (S,) the person's.
        """
        self._body = body
        shape_tensor = torch.from_numpy(shape)
        self._person = body.person(shape_tensor)
        self._rest = body.rest_vertices(shape_tensor).numpy()
        self._faces = body.faces[body.face_is_outside].numpy()
        self._colours = _tints(body)

    def vertices(self, state: BodyState) -> np.ndarray:
        """(V, 3) of one frame's state, camera axes, metres."""
        posed = self._body.posed(state, self._person)
        return self._body.skin_vertices(self._rest, self._body.bone_transforms(posed, self._person).numpy())

    def draw(
        self,
        image: np.ndarray,
        vertices_camera_m: np.ndarray,
        focal_px: float,
        principal_px: tuple[float, float],
        opacity: float = _OPACITY,
    ) -> None:
        """Paint the body into an (H, W, 3) uint8 picture."""
        height, width = image.shape[:2]
        raster = rasterise(
            vertices_camera_m, self._faces, focal_px, principal_px, Raster.blank(width, height)
        )
        normals = vertex_normals(np.ascontiguousarray(vertices_camera_m, np.float32), self._faces)
        _shade(image, raster.face, raster.barycentric, self._faces, normals, self._colours, _LIGHT, opacity)


def write_overlay(
    capture: Capture,
    video: Path,
    out: Path,
    body: AnnyBody,
    *,
    size_px: int | None = 1280,
    progress: ProgressCallback = silent,
) -> None:
    """Write the overlay of a capture, frame by frame; it begins at 0 and goes as fast as the video.

    Args:
        capture: of this video.
        video: read once more; memory does not grow with its length.
        out: the mp4, whole or not at all.
        body: the capture's model.
        size_px: longest side of the written picture; None keeps the video's height.
        progress: told how many frames are drawn.

    Raises:
        PointlightError: the video is another one than the capture's.
    """
    width, height = capture.image_size
    scale = 1.0 if size_px is None else min(1.0, size_px / max(2 * width, height))
    panel = (max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2)))
    start_s = float(capture.time_s[0]) if capture.frame_index[0] > 0 else None
    reader = VideoReader(video, start_s, size=panel)
    if reader.source_size != capture.image_size:
        raise PointlightError(
            f"{video} has pictures of {reader.source_size} pixels, the capture is of {capture.image_size};"
            " give the video that it was made of"
        )
    painter, painted_shot = BodyPainter(body, capture.shot_shapes[capture.shot[0]]), int(capture.shot[0])
    states = body_states(capture, body)
    position = {int(index): i for i, index in enumerate(capture.frame_index)}
    turned_view = _TurnedView(capture, panel)
    done, begun_s = 0, 0.0
    with VideoWriter(out, capture.fps, (2 * panel[0], panel[1])) as writer:
        for frame in reader:
            i = position.get(frame.index)
            if i is None:
                continue
            if capture.shot[i] != painted_shot:
                painted_shot = int(capture.shot[i])
                painter = BodyPainter(body, capture.shot_shapes[painted_shot])
            panels = _panels(frame.image, capture, states, i, painter, turned_view, scale)
            begun_s = begun_s if done else frame.time_s
            writer.write(panels, frame.time_s - begun_s)
            done += 1
            progress(Progress("overlay", done, len(capture), unit="frame"))
            if done == len(capture):
                break
        if done < len(capture):
            raise PointlightError(
                f"{video} has {done} of the {len(capture)} frames of the capture; give the video that it was made of"
            )


class _TurnedView:
    """The camera of the right panel: as far away as the person, aimed at the body's middle."""

    def __init__(self, capture: Capture, panel: tuple[int, int]) -> None:
        self.principal_px = (panel[0] / 2, panel[1] / 2)
        self.distance_m = 5.0
        # A person of 2.2 m with raised arms fits.
        self.focal_px = min(panel[1] / 2.3, panel[0] / 1.6) * self.distance_m
        angle = np.radians(TURN_DEG)
        cosine, sine = np.cos(angle), np.sin(angle)
        self._turn = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]], np.float32)

    def see(self, vertices_camera_m: np.ndarray) -> np.ndarray:
        """Vertices turned about the picture's vertical through the body's middle."""
        middle = 0.5 * (vertices_camera_m.min(0) + vertices_camera_m.max(0))
        turned = (vertices_camera_m - middle) @ self._turn.T
        return turned + np.array([0, 0, self.distance_m], np.float32)


def _panels(
    image: np.ndarray,
    capture: Capture,
    states: BodyState,
    i: int,
    painter: BodyPainter,
    turned_view: _TurnedView,
    scale: float,
) -> np.ndarray:
    height, width = image.shape[:2]
    canvas = np.empty((height, 2 * width, 3), np.uint8)
    canvas[:, :width] = image
    canvas[:, width:] = _BACKGROUND_RGB
    left, right = np.ascontiguousarray(canvas[:, :width]), np.ascontiguousarray(canvas[:, width:])
    if capture.valid[i]:
        state = BodyState(states.pose[i], states.shape[i], states.root[i], states.translation[i])
        vertices = painter.vertices(state)
        principal = (capture.principal_px[0] * scale, capture.principal_px[1] * scale)
        # Frames in which the person is hardly seen are drawn fainter: the body is inferred there.
        opacity = 0.45 if capture.occluded[i] else _OPACITY
        painter.draw(left, vertices, capture.focal_px * scale, principal, opacity)
        painter.draw(right, turned_view.see(vertices), turned_view.focal_px, turned_view.principal_px, 1.0)
    else:
        right[:, :8] = (190, 60, 60)  # nobody here
    return np.concatenate((left, right), axis=1)


def _tints(body: AnnyBody) -> np.ndarray:
    """(V, 3) float32 colours by the joint that moves each vertex most."""
    sides = [
        LEFT_RGB if name.startswith("left_") else RIGHT_RGB if name.startswith("right_") else MIDDLE_RGB
        for name in body.joint_names
    ]
    return np.array(sides, np.float32)[body.main_joints()]


@numba.njit(cache=True)
@no_type_check
def _shade(
    image: np.ndarray,
    face_of: np.ndarray,
    barycentric: np.ndarray,
    faces: np.ndarray,
    normals: np.ndarray,
    colours: np.ndarray,
    light: np.ndarray,
    opacity: float,
) -> None:
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            f = face_of[y, x]
            if f == NO_FACE:
                continue
            wa, wb = barycentric[y, x, 0], barycentric[y, x, 1]
            wc = 1 - wa - wb
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            bright = 0.0
            for k in range(3):
                bright += light[k] * (wa * normals[a, k] + wb * normals[b, k] + wc * normals[c, k])
            bright = 0.35 + 0.65 * max(bright, 0.0) + 0.12 * max(-bright, 0.0)
            for k in range(3):
                colour = (wa * colours[a, k] + wb * colours[b, k] + wc * colours[c, k]) * bright
                image[y, x, k] = int(
                    min(255.0, opacity * min(colour, 255.0) + (1 - opacity) * image[y, x, k])
                )
