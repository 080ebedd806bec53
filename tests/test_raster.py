"""The rasteriser: coverage, shared edges, depth, order, clipping; VTK as an oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pointlight.simulator.drawing.raster import NO_FACE, Raster, rasterise

SIZE = (24, 18)
CENTRE = (12.0, 9.0)
FOCAL = 20.0


def place(pixels: np.ndarray, depth: np.ndarray | float) -> np.ndarray:
    """(N, 3) points that appear at pixels (N, 2) at a depth."""
    depth = np.broadcast_to(np.asarray(depth, float), len(pixels))
    return np.column_stack(((pixels - CENTRE) / FOCAL * depth[:, None], depth))


def draw(vertices: np.ndarray, faces: object, **options: object) -> Raster:
    blank = Raster.blank(*SIZE)
    return rasterise(vertices, np.array(faces), FOCAL, CENTRE, blank, **{"cull_back": False, **options})  # type: ignore[arg-type]


def centres() -> np.ndarray:
    """(H, W, 2) of the pixels."""
    x, y = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    return np.stack((x, y), axis=-1)


GRID = st.integers(-2 * 8, 28 * 8).map(lambda n: n / 8)
POINT = st.tuples(GRID, GRID)


@settings(max_examples=200, deadline=None)
@given(corners=st.tuples(POINT, POINT, POINT))
def test_triangles_cover_the_centres_inside_them(corners: tuple[tuple[float, float], ...]) -> None:
    """Strictly inside and strictly outside by exact arithmetic; edges are the next test's matter."""
    p = np.array(corners)
    seen = draw(place(p, 4.0), [[0, 1, 2]]).face == 0
    q = centres()
    sides = np.stack(
        [
            (p[(i + 1) % 3, 0] - p[i, 0]) * (q[..., 1] - p[i, 1])
            - (p[(i + 1) % 3, 1] - p[i, 1]) * (q[..., 0] - p[i, 0])
            for i in range(3)
        ]
    )
    inside = (sides > 0).all(0) | (sides < 0).all(0)
    outside = (sides > 0).any(0) & (sides < 0).any(0)
    assert seen[inside].all()
    assert not seen[outside].any()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), on_centres=st.booleans(), depth_varies=st.booleans())
def test_shared_edges_are_drawn_exactly_once(seed: int, on_centres: bool, depth_varies: bool) -> None:
    """A crumpled grid of triangles covers each centre inside it once; corners may lie exactly on centres."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(2.5, 20.5, 7), np.linspace(1.5, 16.5, 6))
    # Small or sideways enough that no triangle folds over.
    jitter = rng.uniform(-0.6, 0.6, (2, *x.shape))
    if on_centres:
        y = np.round(y - 0.5) + 0.5
        jitter = np.stack((rng.integers(-1, 2, x.shape), np.zeros(x.shape)))
    jitter[:, [0, -1]] = 0
    jitter[:, :, [0, -1]] = 0
    points = np.stack((x + jitter[0], y + jitter[1]), axis=-1).reshape(-1, 2)
    depth = rng.uniform(2, 6, len(points)) if depth_varies else 4.0
    vertices = place(points, depth)
    count = np.zeros(SIZE[::-1], int)
    for i in range(5):
        for j in range(6):
            a = i * 7 + j
            corner = (
                [[a, a + 1, a + 8], [a, a + 8, a + 7]]
                if rng.random() < 0.5
                else [[a, a + 1, a + 7], [a + 1, a + 8, a + 7]]
            )
            for face in corner:
                count += draw(vertices, [face]).face == 0
    q = centres()
    within = (q[..., 0] > 2.5) & (q[..., 0] < 20.5) & (q[..., 1] > 1.5) & (q[..., 1] < 16.5)
    assert (count[within] == 1).all() and count.max() == 1


def test_top_left_rule_at_pixel_centres() -> None:
    """A square between the centres (2.5, 2.5) and (5.5, 5.5) has its left and top rows, not the others."""
    corners = np.array([[2.5, 2.5], [5.5, 2.5], [5.5, 5.5], [2.5, 5.5]])
    seen = draw(place(corners, 4.0), [[0, 1, 2], [0, 2, 3]]).face >= 0
    rows, columns = np.nonzero(seen)
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [
        (r, c) for r in (2, 3, 4) for c in (2, 3, 4)
    ]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_depth_and_place_on_a_plane(seed: int) -> None:
    """Depth is the plane's along each pixel's ray, and the weights give back the point seen."""
    rng = np.random.default_rng(seed)
    normal = np.array([*rng.uniform(-0.5, 0.5, 2), -1.0])
    corners = np.array([[-30.0, -30.0], [60.0, -30.0], [0.0, 90.0]])
    rays = np.column_stack(((corners - CENTRE) / FOCAL, np.ones(3)))
    offset = -3.0 - 3 * np.abs(normal[:2]).sum() * 3
    depth = offset / (rays @ normal)
    if (depth < 0.2).any():
        return
    vertices = rays * depth[:, None]
    raster = draw(vertices, [[0, 1, 2]])
    seen = raster.face == 0
    pixel_rays = np.concatenate(((centres() - CENTRE) / FOCAL, np.ones((*seen.shape, 1))), axis=-1)
    expected = offset / (pixel_rays @ normal)
    assert seen.mean() > 0.5
    np.testing.assert_allclose(raster.depth_m()[seen], expected[seen], rtol=1e-3)
    points = raster.interpolate(np.array([[0, 1, 2]]), vertices)
    np.testing.assert_allclose(points[seen], (pixel_rays * expected[..., None])[seen], rtol=2e-3, atol=2e-3)
    assert np.isinf(raster.depth_m()[~seen]).all()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_nearer_faces_hide_farther_ones_in_any_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    depths = rng.permutation(np.arange(2.0, 12.0))
    triangles = rng.uniform(0, 24, (10, 3, 2))
    vertices = np.concatenate([place(t, d) for t, d in zip(triangles, depths, strict=True)])
    faces = np.arange(30).reshape(10, 3)
    seen = draw(vertices, faces)
    single = np.stack([draw(vertices, faces[i : i + 1]).face == 0 for i in range(10)])
    nearest = np.where(single, depths[:, None, None], np.inf).min(0)
    np.testing.assert_allclose(seen.depth_m(), nearest, rtol=1e-6)
    order = rng.permutation(10)
    again = draw(vertices, faces[order])
    np.testing.assert_array_equal(np.where(again.face >= 0, order[again.face], NO_FACE), seen.face)


def test_several_meshes_in_one_raster() -> None:
    big = np.array([[2.0, 2.0], [22.0, 2.0], [12.0, 16.0]])
    raster = draw(place(big, 5.0), [[0, 1, 2]])
    area = (raster.face == 0).sum()
    small = np.array([[10.0, 4.0], [14.0, 4.0], [12.0, 8.0]])
    rasterise(place(small, 3.0), np.array([[0, 1, 2]]), FOCAL, CENTRE, raster, cull_back=False, first_face=7)
    rasterise(
        place(small + 3, 9.0), np.array([[0, 1, 2]]), FOCAL, CENTRE, raster, cull_back=False, first_face=9
    )
    assert set(np.unique(raster.face)) == {NO_FACE, 0, 7} and (raster.face == 7).sum() == 8
    assert (raster.face == 0).sum() == area - 8
    raster.clear()
    assert (raster.face == NO_FACE).all() and not raster.inverse_depth.any()


def test_back_faces_are_culled() -> None:
    """Counter-clockwise seen from the camera, whose y axis points down, is the outside."""
    corners = place(np.array([[4.0, 4.0], [4.0, 14.0], [20.0, 4.0]]), 3.0)
    assert (draw(corners, [[0, 1, 2]], cull_back=True).face == 0).any()
    assert not (draw(corners, [[0, 2, 1]], cull_back=True).face == 0).any()
    shown = draw(corners, [[0, 1, 2], [0, 2, 1]])
    np.testing.assert_array_equal(shown.face == 0, draw(corners, [[0, 1, 2]]).face == 0)


def test_faces_through_the_camera_are_cut_at_the_near_plane() -> None:
    """A floor from behind the camera to far away fills the picture below its horizon, at true depths."""
    floor = np.array([[-500.0, 1.0, -5.0], [500.0, 1.0, -5.0], [0.0, 1.0, 1000.0]])
    for faces in ([[0, 1, 2]], [[1, 2, 0]], [[2, 0, 1]], [[0, 2, 1]]):
        raster = draw(floor, faces, near_m=0.1)
        q = centres()
        down = (q[..., 1] - CENTRE[1]) / FOCAL
        below = q[..., 1] > 10
        assert (raster.face[below] == 0).all() and (raster.face[q[..., 1] < 9] == NO_FACE).all()
        np.testing.assert_allclose(raster.depth_m()[below], 1 / down[below], rtol=1e-3)
        points = raster.interpolate(np.array(faces), floor)
        np.testing.assert_allclose(points[below][:, 1], 1.0, atol=1e-3)
        np.testing.assert_allclose(points[below][:, 2], 1 / down[below], rtol=1e-3, atol=2e-3)
    assert (draw(floor - [0, 0, 2000], [[0, 1, 2]]).face == NO_FACE).all()


def test_far_corners_do_not_overflow() -> None:
    wall = np.array([[-1e9, -1e9, 0.06], [1e9, -1e9, 0.06], [0.0, 1e9, 0.06]])
    assert (draw(wall, [[0, 1, 2]]).face == NO_FACE).all()
    assert (draw(wall * (1e-5, 1e-5, 1.0), [[0, 1, 2]]).face >= NO_FACE).all()


def ball(rings: int = 24, around: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """A closed, finely faceted ball of radius 1 with a dent; faces counter-clockwise from outside."""
    up, turn = np.meshgrid(
        np.linspace(0, np.pi, rings), np.arange(around) * 2 * np.pi / around, indexing="ij"
    )
    radius = 1 + 0.25 * np.sin(3 * turn) * np.sin(up) ** 2
    points = (
        np.stack((np.sin(up) * np.cos(turn), np.cos(up), -np.sin(up) * np.sin(turn)), -1) * radius[..., None]
    )
    faces = []
    for i in range(rings - 1):
        for j in range(around):
            a, b = i * around + j, i * around + (j + 1) % around
            faces += [[a, a + around, b], [b, a + around, b + around]]
    return points.reshape(-1, 3), np.array(faces)


def test_vtk_sees_the_same() -> None:
    """Silhouette and depth of a dented ball against an independent renderer."""
    vtk = pytest.importorskip("vtk", reason="VTK is not installed")
    from vtk.util.numpy_support import vtk_to_numpy  # type: ignore[import-not-found]

    vertices, faces = ball()
    vertices = vertices + np.array((0.3, -0.2, 5.0))
    width, height, focal, near, far = 200, 160, 220.0, 1.0, 20.0
    raster = rasterise(vertices, faces, focal, (100.0, 80.0), Raster.blank(width, height), near_m=near)
    points = vtk.vtkPoints()
    for x, y, z in vertices:
        points.InsertNextPoint(x, y, z)
    cells = vtk.vtkCellArray()
    for face in faces:
        cells.InsertNextCell(3, [int(v) for v in face])
    mesh = vtk.vtkPolyData()
    mesh.SetPoints(points)
    mesh.SetPolys(cells)
    mapper = vtk.vtkPolyDataMapper()
    mapper.SetInputData(mesh)
    actor = vtk.vtkActor()
    actor.SetMapper(mapper)
    renderer = vtk.vtkRenderer()
    renderer.AddActor(actor)
    camera = renderer.GetActiveCamera()
    camera.SetPosition(0, 0, 0)
    camera.SetFocalPoint(0, 0, 1)
    camera.SetViewUp(0, -1, 0)
    camera.SetViewAngle(float(np.degrees(2 * np.arctan(height / 2 / focal))))
    camera.SetClippingRange(near, far)
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(0)
    window.SetSize(width, height)
    window.AddRenderer(renderer)
    window.Render()
    shot = vtk.vtkWindowToImageFilter()
    shot.SetInput(window)
    shot.SetInputBufferTypeToZBuffer()
    shot.Update()
    buffer = (
        vtk_to_numpy(shot.GetOutput().GetPointData().GetScalars()).reshape(height, width)[::-1].astype(float)
    )
    other = near * far / (far - buffer * (far - near))
    seen, theirs = raster.face >= 0, buffer < 1
    assert seen.mean() > 0.15
    assert (seen != theirs).mean() < 1e-3
    both = seen & theirs
    error = np.abs(raster.depth_m()[both] - other[both])
    assert np.percentile(error, 99) < 2e-3 and np.median(error) < 1e-4
