"""Recipes: what is trained on what, by name; the paper's own stays runnable beside ours."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from pointlight.configuration import added
from pointlight.cues import PictureCueConfig, PointCueConfig, PointFlowCueConfig
from pointlight.errors import PointlightError
from pointlight.geometry import CROP_PX
from pointlight.motion import VarietyConfig
from pointlight.network import (
    DomainConfig,
    LossConfig,
    MartinezConfig,
    MotionHMRConfig,
    PictureEncoderConfig,
    PointsEncoderConfig,
    RegressorConfig,
    ResNet50,
)
from pointlight.simulator import (
    EVAL_V1_PERFECT,
    MEDIAPIPE_V1,
    SYNTHESIS_RECIPES,
    DetectorNoise,
    KeypointMaskingConfig,
    SceneConfig,
)
from pointlight.simulator.scenes import surreal_scenes
from pointlight.training.optimisers import OptimiserConfig
from pointlight.training.picture_data import PictureUseConfig


@dataclass(frozen=True)
class Recipe:
    """Everything that a training run is made of, but for the data's folder.

    Attributes:
        name: under which it is called.
        network: sizes; the type says which network.
        scenes: what it is trained on.
        floor: procedural floor poses are added to the motion capture that it is trained on.
        loss: of MotionHMR; Martinez has its own.
        optimiser: how.
        pictures: how clips with pictures are used, of a network that sees some; their scenes' masking and noise are those
            of `scenes`.
        own_validation: the best weights are those that are best on people like the ones it is trained on, of other motions;
            not on `eval-v1`'s, which see other cameras and a detector's noise. With pictures it is always so.
        domains: the adversary of domain-adversarial training, which learns to tell simulated from real people.
        trunk: which weights its encoder of pictures may begin with: "any", "none", or it must be "imagenet"'s.
    """

    name: str
    network: MotionHMRConfig | MartinezConfig = field(default_factory=MotionHMRConfig)
    scenes: SceneConfig = field(default_factory=SceneConfig)
    floor: bool = False
    loss: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    pictures: PictureUseConfig | None = added(None)  # noqa: RUF009 (a field)
    own_validation: bool = added(False)
    domains: DomainConfig | None = added(None)  # noqa: RUF009 (a field)
    trunk: Literal["any", "none", "imagenet"] = added("any")

    @property
    def clip_frames(self) -> int:
        """That the network sees at once."""
        return (self.pictures.window if self.pictures else 0) or self.scenes.frames


_OUR_NOISE = DetectorNoise(white=0.012, bias=0.01, correlated=0.004, motion=0.05, outlier=0.002)

_POINTS = Recipe(
    name="points",
    # A detector like the one in use, and a noisier one, so that other detectors are understood as well.
    scenes=SceneConfig(
        variety=VarietyConfig(arms=0.3, seats=0.15), noise=_OUR_NOISE, other_noises=(MEDIAPIPE_V1,)
    ),
    floor=True,
    # Weights at which no term's gradient drowns the others'; at 1, reprojection's noise did (docs/log.md).
    loss=LossConfig(
        aligned=2.0,
        reprojection=0.1,
        perspective=True,
        surface_points=True,
        unaligned=1.0,
        rotation=0.1,
        turn=0.2,
        root=0.2,
        shape=0.05,
        velocity=1.0,
        pairs=10,
    ),
    optimiser=OptimiserConfig(kind="soap", learning_rate=1e-3),
)

_PAPER = Recipe(
    name="points-paper",
    network=MotionHMRConfig(
        cues=PointCueConfig("paper12", next_frame=False),
        lstm=1024,
        head=1024,
        one_shape=False,
        skip=False,
        regressor=RegressorConfig(hidden=1024, dropout=0.5),
    ),
    scenes=surreal_scenes(
        SceneConfig(
            name="paper",
            mirror=0.0,
            variety=VarietyConfig.none(),
            # What superpixels hide of clips of `full`: 3.6 % of the keypoints, most for less than half a second.
            masking=KeypointMaskingConfig(block=0.036, block_frames=(1, 15)),
            focal_known=1.0,
            group_power=1.0,
        )
    ),
    own_validation=True,
)

_TABLE1_CUES = {
    "rgb": {"rgb": True},
    "flow": {"flow": "dis"},
    "rgb_keypoints": {"rgb": True, "heatmaps": True},
    "keypoints": {"heatmaps": True},
    "flow_keypoints": {"flow": "dis", "heatmaps": True},
}
"""What each row of the paper's Table 1 that sees pictures is shown."""


def _small(row: str) -> Recipe:
    """A row at a size that a CPU trains: crops of 64 px, every third pair, beside the paper's loss an unaligned one.

    Without that the network may learn people that are right in themselves and turned anyhow.
    """
    return Recipe(
        name=f"small-{row}",
        network=MotionHMRConfig(
            cues=PictureCueConfig(**_TABLE1_CUES[row]),
            encoder=PictureEncoderConfig(flow_gain=20.0),
            lstm=192,
            head=256,
            one_shape=True,
            stride=3,
        ),
        scenes=SYNTHESIS_RECIPES["full"].scenes,
        # With the weights of `points` turns are learnt first and the mean pose is left late (docs/log.md).
        loss=LossConfig(
            aligned=1.0,
            reprojection=0.05,
            perspective=True,
            unaligned=0.3,
            root=0.02,
            turn=0.02,
            shape=0.02,
        ),
        optimiser=OptimiserConfig(
            kind="soap",
            batch=12,
            learning_rate=1e-3,
            warmup=100,
            steps=5000,
            average=0.997,
            evaluate_every=250,
        ),
        pictures=PictureUseConfig(),
    )


def _small_imagenet() -> Recipe:
    """RGB with an encoder that knows photographs, as the paper's did; it is shown the crops of `_small`, larger.

    It was made for 224 px: of a picture of 64 px it recognises little, and more of the same one magnified.
    """
    rgb = _small("rgb")
    assert isinstance(rgb.network, MotionHMRConfig)
    encoder = PictureEncoderConfig(kind="efficientnet-lite0", frozen_stages=5, magnified=1.5)
    network = replace(rgb.network, encoder=encoder)
    return replace(rgb, name="small-rgb_imagenet", network=network, trunk="imagenet")


def _paper(row: str) -> Recipe:
    """A row as the paper has it: ResNet-50 on 224 px, 1024 units, plain squares, flow between crops, its own loss.

    The paper names neither rate nor length of its training; these are HMR's rate and a guess.
    """
    return Recipe(
        name=f"paper-{row}",
        network=MotionHMRConfig(
            cues=PictureCueConfig(**_TABLE1_CUES[row], side_px=CROP_PX, turned=False, flow_on="crops"),
            encoder=PictureEncoderConfig(
                kind="resnet50", features=ResNet50.features, place=False, pooled=True
            ),
            lstm=1024,
            skip=False,
            head=1024,
            one_shape=False,
            regressor=RegressorConfig(hidden=1024, dropout=0.5),
        ),
        scenes=SYNTHESIS_RECIPES["full"].scenes,
        optimiser=OptimiserConfig(batch=3, learning_rate=1e-5, steps=100_000, evaluate_every=2000),
        pictures=PictureUseConfig(stride=1, mirror=False),
    )


RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        _POINTS,
        replace(
            _POINTS,
            name="points-fast",
            loss=replace(_POINTS.loss, pairs=6),
            optimiser=OptimiserConfig(
                kind="lean-soap",
                batch=64,
                learning_rate=2e-3,
                warmup=100,
                steps=6000,
                average=0.996,
                evaluate_every=250,
                save_every=250,
            ),
        ),
        replace(
            _POINTS,
            name="points12",
            network=MotionHMRConfig(cues=PointCueConfig("paper12")),
        ),
        replace(
            _POINTS,
            name="points-flow",
            network=MotionHMRConfig(cues=PointFlowCueConfig()),
            floor=False,
            pictures=PictureUseConfig(clips="pointlight", stride=1, shift=0.0, scale=0.0),
        ),
        replace(_POINTS, name="points-memoryless", network=MotionHMRConfig(memory="none")),
        replace(
            _POINTS,
            name="points-perfect",
            scenes=replace(
                _POINTS.scenes,
                noise=DetectorNoise(),
                other_noises=(),
                masking=EVAL_V1_PERFECT.masking,
                focal_known=1.0,
            ),
        ),
        replace(
            _POINTS,
            name="points-mediapipe",
            scenes=replace(_POINTS.scenes, noise=MEDIAPIPE_V1, other_noises=()),
        ),
        replace(_POINTS, name="points-weak", loss=replace(_POINTS.loss, perspective=False)),
        _PAPER,
        replace(
            _POINTS,
            name="martinez",
            network=MartinezConfig(),
            optimiser=replace(OptimiserConfig(), weight_decay=0.0, average=0.0),
        ),
        *map(_small, _TABLE1_CUES),
        replace(_small("rgb"), name="small-rgb_dann", domains=DomainConfig(hidden=256)),
        replace(_small("rgb"), name="small-rgb_scratch", trunk="none"),
        _small_imagenet(),
        *map(_paper, _TABLE1_CUES),
        # Its rate is that of a pretrained trunk, which the adversary has not.
        replace(_paper("rgb"), name="paper-rgb_dann", domains=DomainConfig(rate=10.0)),
        replace(
            _POINTS,
            name="tiny",
            scenes=replace(_POINTS.scenes, variety=VarietyConfig()),
            network=MotionHMRConfig(encoder=PointsEncoderConfig(hidden=32, features=32), lstm=16, head=32),
            optimiser=OptimiserConfig(
                kind="soap", batch=4, steps=8, warmup=2, evaluate_every=4, save_every=2, average=0.5
            ),
        ),
    )
}
"""By name. `tiny` is for tests and for trying things out."""


def find_training_recipe(name: str) -> Recipe:
    """The recipe called `name`.

    Raises:
        PointlightError: there is none.
    """
    if name not in RECIPES:
        raise PointlightError(f"there is no recipe {name!r}; there are {', '.join(sorted(RECIPES))}")
    return RECIPES[name]
