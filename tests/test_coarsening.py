"""The body's coarser meshes, and people drawn from them."""

from __future__ import annotations

import numpy as np
import pytest

from pointlight.body import AnnyBody
from pointlight.motion import procedural_bank
from pointlight.simulator import CameraConfig, SceneConfig, SceneSampler
from pointlight.simulator.people import PAPER_APPEARANCE, AppearanceConfig, draw_appearance, render
from pointlight.simulator.people.coarsening import DETAILS_M, coarse_meshes
from pointlight.simulator.people.surface import BodySurface, surface_of


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def surface(body: AnnyBody) -> BodySurface:
    return surface_of(body)


def edges(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Undirected edges (E, 2) and how many faces each has."""
    ends = np.concatenate((faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]))
    return np.unique(np.sort(ends, axis=1), axis=0, return_counts=True)


def test_the_first_mesh_is_the_bodys_own(surface: BodySurface) -> None:
    own = surface.meshes[0]
    assert own.detail_m == 0
    assert (own.vertices[own.faces] == surface.faces).all() and (own.uv_faces == surface.uv_faces).all()


@pytest.mark.parametrize("number", range(1, len(DETAILS_M) + 1))
def test_a_coarser_mesh_is_the_same_surface(number: int, surface: BodySurface) -> None:
    mesh, finer = surface.meshes[number], surface.meshes[number - 1]
    assert mesh.detail_m == DETAILS_M[number - 1]
    assert len(mesh.faces) < 0.92 * len(finer.faces)
    faces = mesh.vertices[mesh.faces]
    own, uses = edges(faces)
    first, first_uses = edges(surface.faces)
    # Borders are the same, no surface splits or closes, nothing folds upon itself.
    assert uses.max() == 2
    assert (own[uses == 1] == first[first_uses == 1]).all()
    vertices, all_vertices = np.unique(faces), np.unique(surface.faces)
    assert (vertices == mesh.vertices).all()
    assert len(vertices) - len(own) + len(faces) == len(all_vertices) - len(first) + len(surface.faces)
    assert len(np.unique(np.sort(faces, axis=1), axis=0)) == len(faces)
    # A corner has a place in the texture that is its vertex's.
    places = {*zip(surface.faces.ravel().tolist(), surface.uv_faces.ravel().tolist(), strict=True)}
    assert {*zip(faces.ravel().tolist(), mesh.uv_faces.ravel().tolist(), strict=True)} <= places
    length = np.linalg.norm(surface.rest_m[own[:, 0]] - surface.rest_m[own[:, 1]], axis=-1)
    known = {*map(tuple, first.tolist())}
    new = np.array([tuple(edge) not in known for edge in own.tolist()])
    assert 0 < length[new].max() <= mesh.detail_m + 1e-6

    def volume(corners: np.ndarray) -> float:
        a, b, c = np.moveaxis(surface.rest_m[corners].astype(float), 1, 0)
        return float((np.cross(a, b) * c).sum() / 6)

    assert volume(faces) == pytest.approx(volume(surface.faces), rel=0.003)


def test_a_flat_square_keeps_its_border_and_texture() -> None:
    y, x = np.mgrid[:6, :6]
    places = np.stack((x.ravel() * 0.01, y.ravel() * 0.01, np.zeros(36)), axis=-1)
    corner = (np.arange(30).reshape(5, 6)[:, :5]).ravel()
    faces = np.concatenate(
        (np.stack((corner, corner + 1, corner + 7), 1), np.stack((corner, corner + 7, corner + 6), 1))
    )
    (*_, coarsest) = coarse_meshes(places, faces, faces + 100)
    assert len(coarsest.faces) < len(faces)
    border = (x == 0) | (x == 5) | (y == 0) | (y == 5)
    assert set(np.flatnonzero(border.ravel())) <= set(coarsest.vertices.tolist())
    assert (coarsest.uv_faces == coarsest.vertices[coarsest.faces] + 100).all()
    a, b, c = np.moveaxis(places[coarsest.vertices][coarsest.faces], 1, 0)
    area = np.cross(b - a, c - a)[:, 2] / 2
    assert (area > 0).all() and area.sum() == pytest.approx(0.05**2)


@pytest.mark.parametrize("config", [PAPER_APPEARANCE, AppearanceConfig()], ids=["paper", "ours"])
def test_nobody_sees_that_a_person_is_drawn_coarsely(
    config: AppearanceConfig, body: AnnyBody, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = CameraConfig(distance_m=(4.0, 6.0), focal_widths=(1.0, 1.2), image_sizes=((320, 240),))
    sampler = SceneSampler(
        SceneConfig(frames=2, camera=camera), procedural_bank(body, 5, clips_per_kind=2, frames=40), body
    )
    used = []
    for index in range(4):
        scene = sampler.sample(2, index)
        appearance = draw_appearance(config, 2, index, scene.shape)
        coarse = render.render_person(scene, appearance, body)
        with monkeypatch.context() as patch:
            patch.setattr(render, "_DETAIL_SAMPLES", 0.0)
            fine = render.render_person(scene, appearance, body)
        both = coarse.mask & fine.mask
        if both.sum() < 2000:
            continue
        used.append(index)
        assert (coarse.mask ^ fine.mask).sum() < 0.005 * both.sum()
        assert (coarse.joints_px == fine.joints_px).all()
        colour = np.abs(coarse.colour.astype(int) - fine.colour)[both]
        assert colour.mean() < 1 and np.percentile(colour, 99) < 15
        assert np.median(np.abs(coarse.depth_m[both] - fine.depth_m[both])) < 0.002
        assert (coarse.parts != fine.parts)[both].mean() < 0.02
        known = both[:-1]
        moved = coarse.flow_forward_px[known] - fine.flow_forward_px[known]
        assert np.nanmedian(np.abs(moved)) < 0.02
    assert len(used) >= 2
