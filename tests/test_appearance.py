"""People in pictures: drawn where the scene says, with exact depth and flow, in looks that follow from the seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from pointlight.body import AnnyBody
from pointlight.errors import PointlightError
from pointlight.motion import MotionBank, procedural_bank
from pointlight.simulator import (
    TRACK_POINTS,
    CameraConfig,
    PersonLayer,
    Scene,
    SceneConfig,
    SceneSampler,
    TrackMaker,
)
from pointlight.simulator.drawing import vertex_normals
from pointlight.simulator.drawing.lighting import (
    draw_light,
    harmonics,
    irradiance_matrix,
    light_vertices,
    turned,
)
from pointlight.simulator.people import (
    PAPER_APPEARANCE,
    Appearance,
    AppearanceConfig,
    Layer,
    camera_state,
    draw_appearance,
    render_person,
)
from pointlight.simulator.people.appearance import draw_skin
from pointlight.simulator.people.dressing import dress, paint
from pointlight.simulator.people.fabrics import (
    HELDOUT_KIND,
    KINDS,
    picture_fabrics,
    procedural_fabrics,
    split_of,
)
from pointlight.simulator.people.surface import surface_of
from pointlight.simulator.scenes import SelfOcclusion

CONFIG = SceneConfig(
    frames=4,
    camera=CameraConfig(
        distance_m=(3.0, 4.0), focal_widths=(1.0, 1.3), image_sizes=((320, 240),), off_centre=0.4
    ),
)


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody()


@pytest.fixture(scope="module")
def bank(body: AnnyBody) -> MotionBank:
    return procedural_bank(body, 5, clips_per_kind=2, frames=40)


@pytest.fixture(scope="module")
def scenes(bank: MotionBank, body: AnnyBody) -> list[Scene]:
    """Their principal point moves, as with a moving background."""
    sampler = SceneSampler(CONFIG, bank, body)
    way = np.array([[0.0, 0.0], [1.3, -0.4], [2.1, 0.3], [0.2, 1.7]], np.float32)
    drawn = [sampler.sample(3, index) for index in range(4)]
    return [replace(s, camera=replace(s.camera, principal_px=s.camera.principal_px + way)) for s in drawn]


@pytest.fixture(scope="module")
def layers(scenes: list[Scene], body: AnnyBody) -> list[PersonLayer]:
    return [render_person(s, draw_appearance(AppearanceConfig(), 3, s.index, s.shape), body) for s in scenes]


def plain(**changes: object) -> Appearance:
    """Everybody white in even light, naked."""
    light = np.zeros((9, 3), np.float32)
    light[0] = 0.5
    skin = Layer("skin", (), np.full((96, 96, 3), 200, np.uint8))
    return replace(Appearance((skin,), (), "train", light, 0.0, False), **changes)  # type: ignore[arg-type]


def corners(scene: Scene, body: AnnyBody, appearance: Appearance) -> np.ndarray:
    """(T, V, 3) dressed vertices in camera axes, by the body's own skinning in torch."""
    rest = body.rest_vertices(torch.from_numpy(scene.shape))
    outer, _ = dress(appearance, surface_of(body), rest.numpy())
    state = camera_state(scene)
    person = body.person(state.shape)
    moved = body.bone_transforms(body.posed(state, person), person)
    blended = (body.skin_weights @ moved.flatten(-2)).unflatten(-1, (3, 4))
    return ((blended[..., :3] @ torch.from_numpy(outer)[..., None])[..., 0] + blended[..., 3]).numpy()


def seen_at(scene: Scene, points: np.ndarray, t: int) -> np.ndarray:
    """(N, 2) pixels of points (N, 3) in frame t."""
    return scene.camera.focal_px * points[:, :2] / points[:, 2:] + scene.camera.principal_px[t]


def sampled(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Bilinear values of (H, W, C) at (N, 2); the first pixel's centre is (0.5, 0.5)."""
    x, y = (places - 0.5).T
    return np.stack(
        [
            ndimage.map_coordinates(picture[..., c].astype(float), (y, x), order=1, mode="nearest")
            for c in range(picture.shape[-1])
        ],
        axis=-1,
    )


def everything(layer: PersonLayer) -> Iterator[np.ndarray]:
    for item in fields(layer):
        value = getattr(layer, item.name)
        if isinstance(value, np.ndarray):
            yield value


def digest(layer: PersonLayer) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in everything(layer))).hexdigest()


# Geometry


def test_vertices_lie_on_the_mask_and_not_before_the_depth(
    scenes: list[Scene], layers: list[PersonLayer], body: AnnyBody
) -> None:
    surface = surface_of(body)
    used = np.unique(surface.faces)
    for scene, layer in zip(scenes, layers, strict=True):
        appearance = draw_appearance(AppearanceConfig(), 3, scene.index, scene.shape)
        for t, vertices in enumerate(corners(scene, body, appearance)):
            places = seen_at(scene, vertices[used], t)
            inside = ((places > 1) & (places < np.array([319, 239]))).all(1)
            column, row = np.floor(places[inside]).astype(int).T
            near = ndimage.binary_dilation(layer.mask[t], np.ones((3, 3)))[row, column]
            assert near.mean() > 0.999  # small people are drawn from a coarser mesh
            assert ndimage.binary_dilation(layer.mask[t], np.ones((5, 5)))[row, column].all()
            # Within a pixel the surface may rise steeply at its outline, nowhere by much.
            nearest = ndimage.minimum_filter(layer.depth_m[t], 5)[row, column]
            before = nearest - vertices[used][inside, 2]
            assert (before < 0.03).all() and (before < 0.02).mean() > 0.999
            reached = np.abs(vertices[used][inside, 2] - layer.depth_m[t][row, column]) < 0.005
            assert 0.1 < reached.mean() < 0.7  # the side that faces the camera


def test_layers_say_the_same_of_where_the_person_is(layers: list[PersonLayer]) -> None:
    for layer in layers:
        assert layer.mask.any((1, 2)).all()
        assert (np.isfinite(layer.depth_m) == layer.mask).all()
        assert ((layer.parts > 0) == layer.mask).all()
        assert layer.parts.max() <= len(layer.part_names)
        assert not layer.colour[~layer.mask].any()
        assert (np.isfinite(layer.flow_forward_px).all(-1) == layer.mask[:-1]).all()
        assert (np.isfinite(layer.flow_backward_px).all(-1) == layer.mask[1:]).all()


def test_keypoints_lie_a_little_behind_the_surface(layers: list[PersonLayer]) -> None:
    depths = []
    hidden = 0
    for layer in layers:
        storage = np.floor(layer.joints_px).astype(int)
        for t, joints in enumerate(storage):
            for j, (column, row) in enumerate(joints):
                if layer.out_of_frame[t, j] or not layer.mask[t, row, column]:
                    continue
                self_occluded = layer.joints_camera_m[t, j, 2] - layer.depth_m[t, row, column]
                assert (self_occluded >= 0.2) == layer.self_occluded[t, j]
                hidden += layer.self_occluded[t, j]
                depths.append(self_occluded)
    assert len(depths) > 200 and hidden > 0
    # At an outline a pixel may see past a point on the skin.
    assert min(depths) > -0.15 and np.quantile(depths, 0.02) > -0.02


def test_tracks_and_pictures_are_one_scene(
    scenes: list[Scene], layers: list[PersonLayer], body: AnnyBody
) -> None:
    tracks = TrackMaker(CONFIG, body).make(scenes)
    for n, layer in enumerate(layers):
        assert layer.joint_names == TRACK_POINTS
        assert np.abs(layer.joints_px - tracks.points_px[n].numpy()).max() < 1e-3
        assert np.abs(layer.joints_camera_m - tracks.points_camera_m[n].numpy()).max() < 1e-5
        width, height = layer.camera.image_size
        off = (layer.joints_px < 0) | (layer.joints_px > np.array([width, height]))
        assert (layer.out_of_frame == off.any(-1)).all()


def test_what_the_depth_map_hides_the_capsules_hide(bank: MotionBank, body: AnnyBody) -> None:
    """Tracks judge by capsules, pictures by what was drawn; of all joints at most 3 in 100 differ."""
    sampler = SceneSampler(CONFIG, bank, body)
    scenes = [sampler.sample(8, index) for index in range(12)]
    tracks = TrackMaker(CONFIG, body).make(scenes)
    person = body.person(tracks.state.shape)
    posed = body.posed(tracks.state, person)
    by_capsules = SelfOcclusion(body).hidden(tracks.points_camera_m, posed, person, tracks.state.shape)
    layers = [render_person(scene, plain(), body) for scene in scenes]
    drawn = np.stack([layer.self_occluded for layer in layers])
    inside = ~np.stack([layer.out_of_frame for layer in layers])
    assert drawn.any()
    assert (drawn == by_capsules)[inside].mean() > 0.97


def test_flow_is_the_way_of_the_vertices(
    scenes: list[Scene], layers: list[PersonLayer], body: AnnyBody
) -> None:
    used = np.unique(surface_of(body).faces)
    for scene, layer in zip(scenes, layers, strict=True):
        vertices = corners(scene, body, draw_appearance(AppearanceConfig(), 3, scene.index, scene.shape))[
            :, used
        ]
        ways = ((layer.flow_forward_px, 0, 1), (layer.flow_backward_px, 1, 0))
        for flow, here, there in ways:
            for pair in range(len(flow)):
                t, other = pair + here, pair + there
                start, end = seen_at(scene, vertices[t], t), seen_at(scene, vertices[other], other)
                inside = ((start > 2) & (start < np.array([318, 238]))).all(1)
                column, row = np.floor(start).astype(int).clip(0, (319, 239)).T
                inside &= np.abs(layer.depth_m[t][row, column] - vertices[t][:, 2]) < 0.004
                inside &= ndimage.binary_erosion(layer.mask[t], np.ones((3, 3)))[row, column]
                found = sampled(flow[pair], start[inside])
                off = np.linalg.norm(found - (end - start)[inside], axis=-1)
                assert inside.sum() > 300
                assert np.median(off) < 0.03
                assert np.quantile(off, 0.95) < 0.3


def test_the_next_frame_warped_by_the_flow_is_this_one(layers: list[PersonLayer]) -> None:
    for layer in layers:
        for t, flow in enumerate(layer.flow_forward_px):
            solid = ndimage.binary_erosion(layer.mask[t], np.ones((3, 3)))
            row, column = np.nonzero(solid)
            start = np.stack((column, row), axis=-1) + 0.5
            end = start + flow[row, column]
            back = np.nan_to_num(sampled(layer.flow_backward_px[t], end), nan=99.0)
            stays = np.linalg.norm(back + flow[row, column], axis=-1) < 0.3
            stays &= ((end > 1) & (end < np.array([319, 239]))).all(1)
            assert stays.mean() > 0.5
            warped = sampled(layer.colour[t + 1], end[stays])
            residual = np.abs(warped - layer.colour[t][row, column][stays])
            assert np.median(residual) <= 2


def test_edges_keep_the_colour_of_the_body(scenes: list[Scene], body: AnnyBody) -> None:
    """Even light on an even skin is one colour everywhere: no background in edges, no seams of the texture."""
    layer = render_person(scenes[0], plain(), body)
    assert len(np.unique(layer.colour[layer.mask], axis=0)) == 1
    assert not layer.colour[~layer.mask].any()


def test_no_holes(scenes: list[Scene], body: AnnyBody) -> None:
    """Small openings are between fingers or between limbs, never in one part's surface."""
    hands = {1 + body.joint_names.index(f"{side}_wrist") for side in ("left", "right")}
    for scene in scenes:
        layer = render_person(scene, plain(), body)
        for mask, parts, depth in zip(layer.mask, layer.parts, layer.depth_m, strict=True):
            pieces, count = ndimage.label(~mask)
            for piece in range(1, count + 1):
                hole = pieces == piece
                if hole.sum() > 3:
                    continue
                rim = ndimage.binary_dilation(hole, np.ones((3, 3))) & mask
                assert set(parts[rim]) & hands or np.ptp(depth[rim]) > 0.03


def test_whole_pixels_of_the_principal_point_shift_everything(scenes: list[Scene], body: AnnyBody) -> None:
    scene = scenes[1]
    appearance = draw_appearance(AppearanceConfig(), 3, 1, scene.shape)
    moved = replace(
        scene, camera=replace(scene.camera, principal_px=scene.camera.principal_px + np.float32((5, -3)))
    )
    first, second = render_person(scene, appearance, body), render_person(moved, appearance, body)
    here, there = (
        (slice(None), slice(3, None), slice(None, -5)),
        (slice(None), slice(None, -3), slice(5, None)),
    )
    for name in ("colour", "mask", "depth_m", "parts"):
        a, b = getattr(first, name)[here], getattr(second, name)[there]
        assert (a == b).mean() > 0.9995, name  # rounding of the principal point in float32
    assert (first.mask[here] & second.mask[there]).sum() > 5000
    assert np.nanmax(np.abs(first.flow_forward_px[here] - second.flow_forward_px[there])) < 0.01


def test_half_pixels(scenes: list[Scene], body: AnnyBody) -> None:
    """A person that stands still before a principal point that moves: flow is that motion, the mask follows it."""
    scene = scenes[1]
    still = [0, 0, 0, 0]
    motion, camera = scene.motion, scene.camera
    path = camera.principal_px[still] + np.float32([[0, 0], [0.5, 0], [0.5, 0.5], [-1.25, 2]])
    scene = replace(
        scene,
        motion=replace(
            motion,
            pose=motion.pose[still],
            root=motion.root[still],
            translation_m=motion.translation_m[still],
        ),
        camera=replace(
            camera,
            R_camera_world=camera.R_camera_world[still],
            translation_m=camera.translation_m[still],
            principal_px=path,
        ),
    )
    layer = render_person(scene, plain(), body)
    assert not layer.mask[:, [0, -1]].any() and not layer.mask[:, :, [0, -1]].any()
    for t, flow in enumerate(layer.flow_forward_px):
        moved = path[t + 1] - path[t]
        assert np.abs(flow[layer.mask[t]] - moved).max() < 2e-3
        assert np.abs(layer.flow_backward_px[t][layer.mask[t + 1]] + moved).max() < 2e-3
        middles = [np.argwhere(layer.mask[i]).mean(0)[::-1] for i in (t, t + 1)]
        assert np.abs(middles[1] - middles[0] - moved).max() < 0.25


def test_pixels_keep_their_place_at_four_times_the_size(scenes: list[Scene], body: AnnyBody) -> None:
    """An outer corner stays one: no half pixel is lost between sizes."""
    scene = scenes[1]
    camera = scene.camera
    large = replace(
        camera, focal_px=4 * camera.focal_px, principal_px=4 * camera.principal_px, image_size=(1280, 960)
    )
    here = render_person(scene, plain(), body).mask
    there = render_person(replace(scene, camera=large), plain(), body).mask
    share = there.reshape(len(there), 240, 4, 320, 4).mean((2, 4))
    # A whole pixel belongs to the person with its centre; a shift by half a pixel would show as a slope.
    for axis in (1, 2):
        slope = np.gradient(share, axis=axis)
        lean = ((share - here) * slope).sum() / (slope**2).sum()
        assert abs(lean) < 0.06


def test_a_body_without_a_texture_map_is_refused(scenes: list[Scene]) -> None:
    class Other:
        name = "smpl"

    with pytest.raises(PointlightError, match=r"'smpl' has no texture map .* use the body 'anny'"):
        render_person(scenes[0], plain(), Other())  # type: ignore[arg-type]


# Looks


def test_clothes_stand_off_and_the_body_stays(scenes: list[Scene], body: AnnyBody) -> None:
    grown = []
    for scene in scenes:
        clothed, painted = (
            render_person(
                scene,
                draw_appearance(AppearanceConfig(clothing_offset=on), 3, scene.index, scene.shape),
                body,
            )
            for on in (True, False)
        )
        assert (clothed.joints_px == painted.joints_px).all()
        assert (painted.mask & ~clothed.mask).sum() < 0.01 * painted.mask.sum()
        grown.append(clothed.mask.sum() / painted.mask.sum())
    assert min(grown) > 1.0 and max(grown) > 1.05
    appearance = draw_appearance(PAPER_APPEARANCE, 0, 0, scenes[0].shape)
    rest = body.rest_vertices(torch.from_numpy(scenes[0].shape)).numpy()
    assert (dress(appearance, surface_of(body), rest)[0] == rest).all()


def test_looks_follow_from_seed_and_index(
    scenes: list[Scene], layers: list[PersonLayer], body: AnnyBody
) -> None:
    scene = scenes[3]
    draw_appearance(AppearanceConfig(), 9, 9, scene.shape)
    again = render_person(scene, draw_appearance(AppearanceConfig(), 3, 3, scene.shape), body)
    assert digest(again) == digest(layers[3])
    other = render_person(scene, draw_appearance(AppearanceConfig(), 4, 3, scene.shape), body)
    assert digest(other) != digest(layers[3])
    assert (other.joints_px == again.joints_px).all()


@pytest.mark.parametrize("split", ["train", "validation", "heldout"])
def test_no_draw_mixes_splits(split: str, scenes: list[Scene]) -> None:
    used: set[str] = set()
    for index in range(60):
        appearance = draw_appearance(AppearanceConfig(split=split), 1, index, scenes[0].shape)
        assert appearance.split == split
        used |= set(appearance.fabrics)
    assert len(used) > 20
    assert {split_of(name) for name in used} == {split}
    if split != "heldout":
        assert not any(name.startswith(HELDOUT_KIND) for name in used)


def test_every_kind_of_fabric_has_its_share_in_every_split() -> None:
    for kind in KINDS:
        if kind == HELDOUT_KIND:
            assert not procedural_fabrics("train", (kind,))
            continue
        counts = [len(procedural_fabrics(split, (kind,))) for split in ("train", "validation", "heldout")]
        assert counts[0] > 30 and min(counts) > 0


def test_fabrics_repeat_without_a_seam() -> None:
    colours = np.array([[20, 40, 60], [220, 200, 60], [120, 20, 160]])
    for kind in KINDS:
        tile = (procedural_fabrics("train", (kind,)) or procedural_fabrics("heldout", (kind,)))[0].tile(
            colours
        )
        assert tile.shape == (96, 96, 3) and tile.dtype == np.uint8
        rough = np.abs(np.diff(tile.astype(float), axis=0)).mean((1, 2)).max()
        assert np.abs(tile[0].astype(float) - tile[-1]).mean() <= rough + 1


def test_pictures_become_clothes(tmp_path: Path, scenes: list[Scene]) -> None:
    empty, few = tmp_path / "empty", tmp_path / "few"
    empty.mkdir()
    few.mkdir()
    with pytest.raises(PointlightError, match="holds no picture to make clothes of; give a folder with"):
        draw_appearance(AppearanceConfig(pictures=empty), 0, 0, scenes[0].shape)
    Image.new("RGB", (8, 8), (200, 10, 10)).save(few / "red.png")
    with pytest.raises(PointlightError, match="holds 1 pictures, none of which falls to the split"):
        for split in ("train", "heldout"):
            draw_appearance(AppearanceConfig(split=split, pictures=few), 0, 0, scenes[0].shape)
    rng = np.random.default_rng(0)
    for number in range(30):
        Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8)).save(tmp_path / f"{number}.png")
    used = {}
    for split in ("train", "heldout"):
        config = AppearanceConfig(split=split, pictures=tmp_path, picture_share=1.0)
        draws = [draw_appearance(config, 0, index, scenes[0].shape) for index in range(12)]
        used[split] = {name for appearance in draws for name in appearance.fabrics}
        assert all(name.startswith("picture/") for name in used[split])
    assert not used["train"] & used["heldout"]


def test_what_is_no_picture_is_left_out_of_the_clothes(tmp_path: Path) -> None:
    for number in range(12):
        Image.new("RGB", (8, 8), (20 * number, 10, 10)).save(tmp_path / f"{number}.png")
    (tmp_path / "._0.png").write_bytes(b"Mac OS X resource fork")
    with pytest.warns(UserWarning, match=r"\._0\.png is not a picture .* it is left out"):
        found = picture_fabrics(tmp_path, "train")
    assert found and all(fabric.path != tmp_path / "._0.png" for fabric in found)


def test_skin_covers_the_human_range_evenly() -> None:
    """By the individual typology angle, from CIELAB's definition on the drawn sRGB."""
    rng = np.random.default_rng(0)
    skins = np.stack([draw_skin(rng) for _ in range(600)])
    assert (skins[:, 0] > skins[:, 1]).all() and (skins[:, 1] > skins[:, 2]).all()
    encoded = skins / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    y = linear @ (0.2126, 0.7152, 0.0722)
    z = linear @ (0.0193, 0.1192, 0.9505) / 1.0888
    lightness, yellow = 116 * np.cbrt(y) - 16, 200 * (np.cbrt(y) - np.cbrt(z))
    angles = np.degrees(np.arctan2(lightness - 50, yellow))
    shares = np.histogram(angles, bins=(-60, -30, 10, 28, 41, 60))[0] / len(angles)
    assert np.abs(shares - np.array([22, 40, 18, 13, 17]) / 110).max() < 0.06


# Light


def test_a_far_light_falls_off_with_the_cosine() -> None:
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((200, 2, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    for light, normal in directions:
        matrix = irradiance_matrix(np.repeat(harmonics(light)[:, None], 3, 1))[0]
        full = np.append(normal, 1.0)
        # Nine coefficients leave an error of up to 0.1 (Ramamoorthi and Hanrahan 2001).
        assert full @ matrix @ full == pytest.approx(max(0.0, light @ normal), abs=0.11)


def test_light_turns_with_the_camera() -> None:
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    matrices = irradiance_matrix(draw_light("varied", rng))
    normal = rng.standard_normal(3)
    first, second = np.append(normal, 1), np.append(turn @ normal, 1)
    assert np.allclose(first @ matrices @ first, second @ turned(matrices, turn) @ second)


def test_surreals_light() -> None:
    lights = np.stack([draw_light("surreal", np.random.default_rng(i)) for i in range(300)])
    assert (lights == lights[..., :1]).all()
    assert lights[:, 0].min() >= 0.5 and lights[:, 0].max() <= 1.4
    assert lights[:, 1].min() >= 0 and lights[:, 1].max() <= 0.7
    assert np.abs(lights[:, 2:]).max() <= 0.7 and np.abs(lights[:, 2:].mean()) < 0.05
    with pytest.raises(PointlightError, match="no lighting 'disco'; choose one of varied, surreal"):
        draw_light("disco", np.random.default_rng(0))


def test_vertices_give_back_the_light_that_falls_on_them(body: AnnyBody) -> None:
    surface = surface_of(body)
    vertices = surface.rest_m * np.float32([1, -1, -1])
    matrices = irradiance_matrix(draw_light("varied", np.random.default_rng(2))).astype(np.float32)
    shade = np.linspace(0.5, 1, len(vertices), dtype=np.float32)
    normals = vertex_normals(vertices, surface.faces)
    lit = light_vertices(normals, shade, matrices)
    own = np.column_stack((normals, np.ones(len(vertices))))
    wanted = np.einsum("vi,cij,vj->vc", own, matrices, own).clip(0) * shade[:, None]
    np.testing.assert_allclose(lit, wanted, atol=1e-4)


# Paint


@pytest.mark.parametrize("index", range(3))
def test_texels_looked_at_together_are_painted_as_alone(
    index: int, scenes: list[Scene], body: AnnyBody
) -> None:
    appearance = draw_appearance(AppearanceConfig(), 3, index, scenes[index].shape)
    for texels in surface_of(body).texels:
        anything = {"lowest": np.full_like(texels.lowest, -9), "highest": np.full_like(texels.highest, 9)}
        assert np.array_equal(paint(appearance, texels), paint(appearance, replace(texels, **anything)))
