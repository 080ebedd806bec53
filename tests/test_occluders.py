"""Superpixels as scikit-image makes them, and occluders by the paper's rules."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from layer_makers import blocks, ellipse_person, panned
from scipy.ndimage import label

from pointlight.body import EVALUATION_JOINTS
from pointlight.errors import PointlightError
from pointlight.media import VideoReader
from pointlight.simulator.clips import (
    OccluderConfig,
    SuperpixelMap,
    draw_occluder,
    draw_superpixels,
    read_superpixels,
    superpixels,
    write_superpixels,
)
from pointlight.simulator.clips.occluders import draw_box, is_kept, occluded
from pointlight.simulator.clips.superpixels import _connected

SIZE = (40, 30)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def textured(frames: int = 5, path: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    path = (
        np.stack((np.linspace(-4, 4, frames), np.linspace(2, -2, frames)), axis=-1) if path is None else path
    )
    picture = blocks((SIZE[0] + 20, SIZE[1] + 20), (6, 5), rng(3), noise=20.0)
    return panned(picture, path, SIZE, 10), path


def naive_slic(
    frames: np.ndarray, path: np.ndarray, centres: np.ndarray, step: float, weight: float, compactness: float
) -> np.ndarray:
    """SLIC as it is written down: every channel explicit, every distance of every voxel in double precision."""
    t, y, x = np.meshgrid(*(np.arange(side) for side in frames.shape[:3]), indexing="ij")
    channels = np.concatenate(
        (
            frames / 255.0,
            weight * (x - path[:, 0, None, None])[..., None],
            weight * (y - path[:, 1, None, None])[..., None],
        ),
        axis=-1,
    )
    features = np.concatenate((np.stack((t, y, x), axis=-1) / step, channels / compactness), axis=-1)
    features = features.reshape(-1, features.shape[-1])
    places = np.stack((t, y, x), axis=-1).reshape(-1, 3)
    means = np.concatenate((centres / step, np.zeros((len(centres), channels.shape[-1]))), axis=-1)
    labels = np.zeros(len(features), int)
    for iteration in range(10):
        used = slice(0, 3) if iteration == 0 else slice(None)
        distance = ((features[:, None, used] - means[None, :, used]) ** 2).sum(-1)
        middle = means[:, :3] * step
        window = np.array((2 * frames.shape[0], 2 * step, 2 * step))
        near = (places[:, None] >= np.trunc(middle - window)) & (
            places[:, None] < np.trunc(middle + window + 1)
        )
        labels = np.where(near.all(-1), distance, np.inf).argmin(1)
        for k in range(len(means)):
            if (labels == k).any():
                means[k] = features[labels == k].mean(0)
    return labels.reshape(frames.shape[:3])


def test_superpixels_are_slic() -> None:
    frames, path = textured()
    labels = superpixels(frames, path, 12, 5e-4, connected=False)
    # 30 x 40 by 12 is a step of 10 pixels in both directions, the first 5 from the border; time is one step.
    centres = np.array([(2, y, x) for y in (5, 15, 25) for x in (5, 15, 25, 35)], float)
    expected = naive_slic(frames, path, centres, 10.0, 5e-4, 0.01)
    assert labels.dtype == np.uint8
    assert (labels == expected).mean() > 0.995
    assert len(np.unique(labels)) > 8


@pytest.mark.skipif(importlib.util.find_spec("skimage") is None, reason="scikit-image is not installed")
@pytest.mark.parametrize("connected", [False, True])
@pytest.mark.parametrize("count", [10, 17, 26, 30])
def test_superpixels_are_those_of_scikit_image(count: int, connected: bool) -> None:
    from skimage.segmentation import slic  # pyright: ignore[reportMissingImports]

    frames, path = textured(7)
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    channels = np.concatenate(
        (
            frames / 255.0,
            6e-4 * (x - path[:, 0, None, None])[..., None],
            6e-4 * (y - path[:, 1, None, None])[..., None],
        ),
        axis=-1,
    )
    oracle = slic(
        channels,
        n_segments=count,
        compactness=0.01,
        enforce_connectivity=connected,
        start_label=0,
        channel_axis=-1,
    )
    assert (superpixels(frames, path, count, 6e-4, connected=connected) == oracle).mean() > 0.99


def test_superpixels_follow_the_camera() -> None:
    """In a picture without colours places alone decide, and with the path they move with the scene."""
    path = np.array([(-12.0, 0), (0, 0), (12, 0)])
    grey = np.full((3, 96, 128, 3), 128, np.uint8)

    def kept_content(labels: np.ndarray) -> float:
        """Share of the scene's points that keep their label from the first to the last frame."""
        return float((labels[0, :, :-24] == labels[-1, :, 24:]).mean())

    following, fixed = (kept_content(superpixels(grey, p, 6, 6e-4)) for p in (path, 0 * path))
    assert following > 0.9 > 0.7 > fixed


def test_a_superpixel_is_of_one_colour() -> None:
    frames = np.repeat(blocks(SIZE, (4, 3), rng(1))[None], 5, axis=0)
    labels = superpixels(frames, np.zeros((5, 2)), 12, 5e-4)
    spread = max(frames[labels == k].std(0).max() for k in np.unique(labels))
    assert spread < 12 < frames.std((0, 1, 2)).max()


def test_connected_superpixels_are_single_pieces_of_a_fair_size() -> None:
    frames, path = textured(7)
    loose = superpixels(frames, path, 12, 5e-4, connected=False)
    whole = superpixels(frames, path, 12, 5e-4)
    mean = loose.size / 12
    assert max(label(loose == k)[1] for k in np.unique(loose)) > 1
    for k in np.unique(whole):
        assert label(whole == k)[1] == 1
        assert (whole == k).sum() >= 0.5 * mean - 1


def test_pieces_by_hand() -> None:
    """A strip of time and row length 1: 4 + 1 + 4 + 7 voxels of labels 0, 1, 0, 2."""
    strip = np.repeat([0, 1, 0, 2], (4, 1, 4, 7)).astype(np.uint8)[None, None]
    # Pieces are cut after five voxels, and a single one joins the piece met last before it.
    assert _connected(strip, 2, 5)[0, 0].tolist() == [0] * 4 + [0] + [1] * 4 + [2] * 5 + [3] * 2


def test_superpixels_say_what_does_not_fit() -> None:
    frames, path = textured()
    with pytest.raises(ValueError, match="uint8"):
        superpixels(frames.astype(np.float32), path, 12, 5e-4)
    with pytest.raises(ValueError, match=r"\(5, 2\)"):
        superpixels(frames, path[:4], 12, 5e-4)
    with pytest.raises(ValueError, match="1 to 120"):
        superpixels(frames, path, 121, 5e-4)


def test_counts_and_weights_fill_the_papers_ranges() -> None:
    frames, path = textured(2)
    config = OccluderConfig()
    maps = [draw_superpixels(frames[:, :8, :8], path[:2], config, rng(seed)) for seed in range(200)]
    assert {pixels.count for pixels in maps} == set(range(10, 31))
    weights = [pixels.coordinate_weight for pixels in maps]
    assert 4e-4 <= min(weights) < 4.1e-4 and 5.9e-4 < max(weights) <= 6e-4


FRAMES = 6
PERSON = ellipse_person(np.full((FRAMES, 2), (20.0, 15.0)), (6, 12), SIZE)


def columns_map(widths: tuple[int, ...]) -> SuperpixelMap:
    labels = np.repeat(np.arange(len(widths)), widths).astype(np.uint8)
    return SuperpixelMap(np.tile(labels, (FRAMES, SIZE[1], 1)), len(widths), 5e-4)


def drawn(pixels: SuperpixelMap | None, config: OccluderConfig, draws: int = 200) -> list:
    background = np.zeros((FRAMES, SIZE[1], SIZE[0], 3), np.uint8)
    path = np.zeros((FRAMES, 2))
    return [draw_occluder(background, path, pixels, PERSON, config, rng(seed)) for seed in range(draws)]


def test_one_superpixel_is_drawn_and_never_a_second() -> None:
    """Ten columns; two of them touch the person, one of which covers all of its joints."""
    pixels = columns_map((4, 4, 4, 4, 2, 4, 4, 4, 4, 6))  # joints are at x = 20, in the column 18-21
    occluders = drawn(pixels, OccluderConfig(), 1000)
    kept = [occluder for occluder in occluders if occluder is not None]
    # Columns 14-15, 16-17... : those that meet x in (14, 26) without x = 20 are numbers 3, 4, 6, 7 of ten, evenly drawn.
    touching = {
        k for k in range(10) if ((pixels.labels == k) & PERSON.mask).any() and pixels.labels[0, 0, 20] != k
    }
    assert abs(len(kept) / 1000 - len(touching) / 10) < 0.06
    assert {int(pixels.labels[occluder.mask].max()) for occluder in kept} == touching
    for occluder in kept[:20]:
        assert len(np.unique(pixels.labels[occluder.mask])) == 1 and occluder.colour is None


def test_labels_that_no_voxel_has_cover_nobody_if_drawn_among_those_asked_for() -> None:
    pixels = columns_map((18, 22))  # the first touches the person beside its joints
    many = SuperpixelMap(pixels.labels, 8, 5e-4)
    for among, share in (("asked", 1 / 8), ("used", 1 / 2)):
        occluders = drawn(many, OccluderConfig(among=among), 600)
        assert abs(np.mean([occluder is not None for occluder in occluders]) - share) < 0.06


@pytest.mark.parametrize(("hidden", "kept"), [(7, True), (8, False), (0, True), (14, False)])
def test_seven_of_the_fourteen_joints_stay(hidden: int, kept: bool) -> None:
    mask = np.zeros((FRAMES, SIZE[1], SIZE[0]), bool)
    chosen = [PERSON.joint_names.index(name) for name in EVALUATION_JOINTS]
    # The points stand closer than a pixel: one frame in each of which some are covered would not do, all are.
    wide = ellipse_person(np.full((FRAMES, 2), (20.0, 60.0)), (6, 50), (40, 120))
    mask = np.zeros(wide.mask.shape, bool)
    rows = np.floor(wide.joints_px[0, chosen, 1]).astype(int)
    assert len(set(rows)) == 14
    mask[:, sorted(rows)[:hidden], 20] = True
    mask[:, 60, 15] = True  # some of the person, no joint
    assert is_kept(mask, wide, 7.0) is kept


def test_the_rule_is_about_the_average_frame_and_joints_in_the_picture() -> None:
    wide = ellipse_person(np.full((FRAMES, 2), (20.0, 60.0)), (6, 50), (40, 120))
    mask = np.zeros(wide.mask.shape, bool)
    mask[: FRAMES // 2, :, 20] = True  # half of the frames have no joint left: 7 on average
    assert is_kept(mask, wide, 7.0)
    mask[FRAMES // 2, 20:90, 20] = True
    assert not is_kept(mask, wide, 7.0)
    low = ellipse_person(np.full((FRAMES, 2), (20.0, 2.0)), (6, 50), (40, 120))  # its upper half is cut off
    small = np.zeros(low.mask.shape, bool)
    small[:, 1, 20] = True
    assert low.out_of_frame.mean() > 0.4
    assert is_kept(small, low, 1.0) and not is_kept(small, low, 7.0)


def test_a_superpixel_that_misses_the_person_is_discarded() -> None:
    mask = np.zeros((FRAMES, SIZE[1], SIZE[0]), bool)
    mask[:, :, :10] = True
    assert not is_kept(mask, PERSON, 7.0)


def test_the_switch_and_the_absence_of_a_map() -> None:
    pixels = columns_map((16, 24))
    assert all(occluder is None for occluder in drawn(pixels, OccluderConfig(superpixel=False), 20))
    assert all(occluder is None for occluder in drawn(None, OccluderConfig(), 20))


def test_unknown_joints_do_not_count_against_an_occluder() -> None:
    wide = ellipse_person(np.full((FRAMES, 2), (20.0, 60.0)), (6, 50), (40, 120))
    wide.joints_px[:, wide.joint_names.index("head_top")] = np.nan
    mask = np.zeros(wide.mask.shape, bool)
    mask[:, 60, 16] = True
    assert is_kept(mask, wide, 14.0)


def test_pixels_of_points() -> None:
    mask = np.zeros((1, 3, 4), bool)
    mask[0, 1, 2] = True
    points = np.array(
        [[(2.0, 1.0), (2.99, 1.99), (3.0, 1.5), (1.99, 1.5), (-1.0, 1.0), (np.nan, 1.0), (4.0, 3.0)]]
    )
    assert occluded(mask, points).tolist() == [[True, True, False, False, False, False, False]]


def test_boxes_follow_the_camera_and_look_like_the_scene() -> None:
    path = np.stack((np.linspace(-6, 6, FRAMES), np.zeros(FRAMES)), axis=-1)
    background = panned(blocks((60, 50), (6, 5), rng(3), 0), path, SIZE, 10)
    still, moving = (draw_box(background, p, PERSON, rng(5)) for p in (0 * path, path))

    def places(occluder) -> np.ndarray:
        return np.array([np.nonzero(mask)[1].mean() if mask.any() else np.nan for mask in occluder.mask])

    shift = places(moving) - places(still)
    assert (moving.mask & PERSON.mask).any()
    inner = np.isfinite(shift)
    assert inner.sum() >= 3
    assert np.abs(np.diff(shift[inner]) - np.diff(path[inner, 0])).max() < 1.6  # whole pixels, and the border
    assert moving.colour is not None
    assert moving.colour[moving.mask].max() <= background.max()
    shares = [occluder is not None for occluder in drawn(None, OccluderConfig(box=1.0), 60)]
    assert np.mean(shares) > 0.5


def test_a_map_comes_back_from_its_file(tmp_path: Path) -> None:
    frames, path = textured()
    pixels = draw_superpixels(frames, path, OccluderConfig(), rng(2))
    write_superpixels(tmp_path / "map.npz", pixels)
    again = read_superpixels(tmp_path / "map.npz")
    assert np.array_equal(again.labels, pixels.labels) and again.labels.dtype == np.uint8
    assert (again.count, again.coordinate_weight) == (pixels.count, pixels.coordinate_weight)


@pytest.mark.parametrize("content", [b"", b"nothing", None])
def test_a_broken_map_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "map.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PointlightError, match=r"map\.npz is no map of superpixels"):
        read_superpixels(path)


def test_superpixels_of_real_video(shared_data: Path) -> None:
    """On video they are blobs of much less varied colour than the picture, and there is one for about each asked for."""
    path = shared_data / "backgrounds" / "canal_city"
    videos = sorted(path.glob("*.mp4"))
    if not videos:
        pytest.skip("the backgrounds are not there")
    frames = []
    for frame in VideoReader(videos[0], size=(160, 120)):
        frames.append(frame.image)
        if len(frames) == 8:
            break
    volume = np.stack(frames)
    labels = superpixels(volume, np.zeros((len(volume), 2)), 20, 5e-4, connected=False)
    sizes = np.bincount(labels.ravel())
    within = np.average(
        [volume[labels == k].astype(float).var(0).sum() for k in np.flatnonzero(sizes)],
        weights=sizes[sizes > 0],
    )
    assert within < 0.3 * volume.astype(float).var((0, 1, 2)).sum()
    assert 12 <= np.count_nonzero(sizes) <= 30


def test_the_papers_numbers() -> None:
    """Appendix A: 10 to 30 superpixels, compactness 0.01, coordinates times 4e-4 to 6e-4, fewer than 7 joints; no boxes."""
    config = OccluderConfig()
    assert (config.count, config.compactness, config.coordinate_weight) == ((10, 30), 0.01, (4e-4, 6e-4))
    assert (config.least_joints, config.superpixel, config.box) == (7, True, 0)
