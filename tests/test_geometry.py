"""Rotations, cameras, Procrustes: inverses, invariances, and what happens on degenerate input."""

from __future__ import annotations

import math

import pytest
import torch

from pointlight.geometry import (
    average_rotations,
    crop_ray_rotation,
    default_focal_px,
    focal_from_fov,
    geodesic_angle,
    interpolate_rotations,
    nearest_rotation,
    perspective_to_weak,
    pixel_rays,
    procrustes_error,
    project,
    rotation_between,
    rotmat_to_rotvec,
    rotmat_to_sixd,
    rotvec_to_rotmat,
    similarity_alignment,
    sixd_to_rotmat,
    weak_project,
    weak_to_perspective,
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def random_rotations(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return nearest_rotation(torch.randn(*shape, 3, 3, generator=generator, dtype=torch.float64))


def points(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, 3, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("leading", [(), (4,), (2, 3)])
def test_alignment_recovers_a_known_similarity(generator: torch.Generator, leading: tuple[int, ...]) -> None:
    source = points(generator, *leading, 14)
    rotation = random_rotations(generator, *leading)
    scale = torch.rand(leading, generator=generator, dtype=torch.float64) + 0.5
    shift = points(generator, *leading)
    target = scale[..., None, None] * source @ rotation.transpose(-1, -2) + shift[..., None, :]
    found = similarity_alignment(source, target)
    assert torch.allclose(found.rotation, rotation, atol=1e-7)
    assert torch.allclose(found.scale, scale, atol=1e-7)
    assert torch.allclose(found.apply(source), target, atol=1e-7)


def test_alignment_never_reflects(generator: torch.Generator) -> None:
    source = points(generator, 200, 14)
    mirrored = source * torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64)
    found = similarity_alignment(source, mirrored)
    assert torch.allclose(torch.linalg.det(found.rotation), torch.ones(200, dtype=torch.float64))
    assert procrustes_error(source, mirrored).min() > 0.05


def test_error_ignores_rotation_scale_and_shift_of_the_prediction(generator: torch.Generator) -> None:
    predicted, target = points(generator, 20, 14), points(generator, 20, 14)
    plain = procrustes_error(predicted, target)
    moved = 3 * predicted @ random_rotations(generator).T + 5
    assert torch.allclose(procrustes_error(moved, target), plain, atol=1e-6)
    assert procrustes_error(target, target).max() < 1e-6


def test_points_of_weight_zero_have_no_say(generator: torch.Generator) -> None:
    predicted, target = points(generator, 5, 14), points(generator, 5, 14)
    weights = torch.ones(5, 14, dtype=torch.float64)
    weights[:, 9:] = 0
    spoiled = predicted.clone()
    spoiled[:, 9:] += 100
    assert torch.allclose(
        procrustes_error(predicted, target, weights), procrustes_error(spoiled, target, weights)
    )


@pytest.mark.parametrize("kind", ["equal", "collinear", "one visible"])
@pytest.mark.parametrize("through", [False, True])
def test_degenerate_input_stays_finite(generator: torch.Generator, kind: str, through: bool) -> None:
    predicted = points(generator, 3, 14)
    weights = torch.ones(3, 14, dtype=torch.float64)
    if kind == "equal":
        predicted = torch.zeros_like(predicted)
    elif kind == "collinear":
        predicted[..., 1:] = 0
    else:
        weights[:, 1:] = 0
    predicted.requires_grad_()
    error = procrustes_error(predicted, points(generator, 3, 14), weights, through_alignment=through)
    error.sum().backward()
    assert error.isfinite().all()
    assert predicted.grad is not None and predicted.grad.isfinite().all()


def test_gradient_through_the_alignment(generator: torch.Generator) -> None:
    predicted, target = points(generator, 2, 6).requires_grad_(), points(generator, 2, 6)
    assert torch.autograd.gradcheck(
        lambda p: procrustes_error(p, target, through_alignment=True), predicted, eps=1e-6, atol=1e-5
    )


def test_rotation_forms_are_inverse(generator: torch.Generator) -> None:
    rotations = random_rotations(generator, 50)
    assert torch.allclose(rotvec_to_rotmat(rotmat_to_rotvec(rotations)), rotations, atol=1e-9)
    assert torch.allclose(sixd_to_rotmat(rotmat_to_sixd(rotations)), rotations, atol=1e-9)


@pytest.mark.parametrize("length", [0.0, 1e-6, 1e-3, 9.9e-3, 1.01e-2, 1.0, 3.1, 7.0])
def test_rotation_vectors_have_the_exponentials_matrix_and_its_slope(length: float) -> None:
    generator = torch.Generator().manual_seed(3)
    axes = torch.nn.functional.normalize(torch.randn(5, 3, generator=generator, dtype=torch.float64), dim=-1)
    vectors = (axes * length).requires_grad_()
    x, y, z = vectors.detach().unbind(-1)
    zero = torch.zeros_like(x)
    crosses = torch.stack((zero, -z, y, z, zero, -x, -y, x, zero), dim=-1).reshape(-1, 3, 3)
    assert torch.allclose(rotvec_to_rotmat(vectors), torch.linalg.matrix_exp(crosses), atol=1e-9)
    assert torch.autograd.gradcheck(rotvec_to_rotmat, (vectors,), atol=1e-6)


def test_six_numbers_of_zero_give_a_finite_gradient() -> None:
    numbers = torch.zeros(6, requires_grad=True)
    sixd_to_rotmat(numbers).sum().backward()
    assert numbers.grad is not None and numbers.grad.isfinite().all()


def test_rotation_between_takes_one_direction_to_the_other(generator: torch.Generator) -> None:
    start, end = points(generator, 100), points(generator, 100)
    end[:10] = -start[:10]
    end[10:20] = start[10:20]
    turned = (rotation_between(start, end) @ start[..., None])[..., 0]
    unit = end / end.norm(dim=-1, keepdim=True) * start.norm(dim=-1, keepdim=True)
    assert torch.allclose(turned, unit, atol=1e-5)


def test_interpolation_meets_its_ends_and_middle() -> None:
    turn = rotvec_to_rotmat(torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.2, 0.0]], dtype=torch.float64))
    times = torch.tensor([0.0, 2.0], dtype=torch.float64)
    query = torch.tensor([-1.0, 0.0, 1.0, 2.0, 3.0], dtype=torch.float64)
    angles = rotmat_to_rotvec(interpolate_rotations(turn, times, query))[:, 1]
    assert torch.allclose(angles, torch.tensor([0.0, 0.0, 0.6, 1.2, 1.2], dtype=torch.float64))


def test_average_lies_between(generator: torch.Generator) -> None:
    turn = rotvec_to_rotmat(torch.tensor([[0.0, 0.0, 0.2], [0.0, 0.0, 0.6]], dtype=torch.float64))
    mean = average_rotations(turn, torch.ones(2, dtype=torch.float64))
    assert rotmat_to_rotvec(mean)[2] == pytest.approx(0.4)
    one_sided = average_rotations(turn, torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert geodesic_angle(one_sided, turn[0]) < 1e-6


def test_projection_and_rays_are_inverse(generator: torch.Generator) -> None:
    places = points(generator, 30) + torch.tensor([0.0, 0.0, 6.0])
    focal, principal = torch.tensor(900.0), torch.tensor([320.0, 240.0])
    rays = pixel_rays(project(places, focal, principal), focal, principal)
    assert torch.allclose(rays * places[:, 2:], places, atol=1e-9)


def test_weak_and_full_perspective_are_exact_maps(generator: torch.Generator) -> None:
    scale, shift, focal = torch.tensor([0.8, 1.3]), torch.randn(2, 2, generator=generator), torch.tensor(4.0)
    translation = weak_to_perspective(scale, shift, focal)
    back = perspective_to_weak(translation, focal)
    assert torch.allclose(back[0], scale) and torch.allclose(back[1], shift)
    at_root = torch.zeros(2, 1, 3)  # a point at the root's depth is seen alike by both
    full = project(at_root + translation[:, None], focal, torch.zeros(2))
    assert torch.allclose(full, weak_project(at_root, scale, shift), atol=1e-6)


def test_crop_ray_comes_to_lie_straight_ahead(generator: torch.Generator) -> None:
    rays = torch.cat((points(generator, 40)[:, :2], torch.ones(40, 1, dtype=torch.float64)), dim=-1)
    turned = (crop_ray_rotation(rays) @ rays[..., None])[..., 0]
    assert turned[:, :2].abs().max() < 1e-7
    assert (turned[:, 2] > 0).all()


def test_focal_lengths_of_pictures() -> None:
    assert default_focal_px(640.0, 480.0) == pytest.approx(800)
    assert focal_from_fov(90.0, 640.0, 480.0) == pytest.approx(320)
    assert focal_from_fov(math.degrees(2 * math.atan(0.5)), 480.0, 640.0) == pytest.approx(640)
