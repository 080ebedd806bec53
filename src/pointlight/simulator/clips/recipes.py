"""The recipes of clips with pictures: the rows of Table 2, and ours."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pointlight.configuration import config_sha256
from pointlight.errors import PointlightError
from pointlight.flow import find_flow
from pointlight.motion import SPLITS, VarietyConfig
from pointlight.simulator.backgrounds.sampler import VARIED_BACKGROUNDS, BackgroundConfig
from pointlight.simulator.clip import HEIGHT, WIDTH
from pointlight.simulator.clips.occluders import OccluderConfig
from pointlight.simulator.clips.sensor import SensorConfig
from pointlight.simulator.people.appearance import PAPER_APPEARANCE, AppearanceConfig
from pointlight.simulator.scenes.cameras import CameraConfig
from pointlight.simulator.scenes.keypoint_masking import KeypointMaskingConfig
from pointlight.simulator.scenes.scene import SceneConfig, surreal_scenes


@dataclass(frozen=True)
class SynthesisConfig:
    """The distribution of clips with pictures. Without arguments it is the paper's, with our people.

    Attributes:
        name: of the recipe.
        scenes: who moves how before which camera, and what chance hides; its pictures must have the backgrounds' size,
            320x240.
        appearance: clothes, skin and light.
        backgrounds: what is behind.
        track: the person follows the background's motion ("No background tracking" in Table 2 does without).
        occluders: what stands before the person.
        bystanders: share of clips with another simulated person in the picture; beyond the paper.
        totally_occluded: what a totally occluded frame looks like, see `CompositeConfig`.
        sensor: what camera and codec do to the frames; beyond the paper.
    """

    name: str
    scenes: SceneConfig
    appearance: AppearanceConfig = PAPER_APPEARANCE
    backgrounds: BackgroundConfig = field(default_factory=lambda: BackgroundConfig(flow="dis"))
    track: bool = True
    occluders: OccluderConfig = field(default_factory=OccluderConfig)
    bystanders: float = 0.0
    totally_occluded: Literal["kept", "absent"] = "kept"
    sensor: SensorConfig = field(default_factory=SensorConfig.none)

    def __post_init__(self) -> None:
        """Refuse what does not fit together."""
        if self.scenes.camera.image_sizes != ((WIDTH, HEIGHT),):
            raise PointlightError(
                f"the cameras of {self.name} take pictures of {self.scenes.camera.image_sizes}, but backgrounds are "
                f"{WIDTH}x{HEIGHT}; set image_sizes to (({WIDTH}, {HEIGHT}),)"
            )
        if self.appearance.split != self.scenes.split:
            raise PointlightError(
                f"{self.name} takes textures of the split {self.appearance.split!r} and motions of "
                f"{self.scenes.split!r}; one clip has one split"
            )

    @property
    def split(self) -> str:
        """Of everything in its clips."""
        return self.scenes.split

    @property
    def sha256(self) -> str:
        """Of all settings, and of the pictures themselves where there are some."""
        return config_sha256(self)

    def of_split(self, split: str) -> SynthesisConfig:
        """The same recipe for another split.

        Raises:
            PointlightError: there is no such split.
        """
        if split not in SPLITS:
            raise PointlightError(f"there is no split {split!r}; choose one of {', '.join(SPLITS)}")
        return replace(
            self, scenes=replace(self.scenes, split=split), appearance=replace(self.appearance, split=split)
        )

    def with_options(
        self,
        *,
        split: str = "train",
        flow: str | None = None,
        people: bool = True,
        pictures: Path | None = None,
        total_occlusions: bool = True,
    ) -> SynthesisConfig:
        """The same recipe with what is chosen for one data set.

        Args:
            split: of everything in its clips.
            flow: what finds the path of a background's camera, a name of `find_flow`; the recipe's own if not given.
            people: whether backgrounds may show people.
            pictures: folder of pictures to make clothes of, beside procedural fabrics.
            total_occlusions: whether some frames are taken away as a whole.

        Raises:
            PointlightError: there is no such split or flow.
        """
        if flow is not None:
            find_flow(flow)
        config = self.of_split(split)
        config = replace(
            config,
            backgrounds=replace(config.backgrounds, flow=flow or config.backgrounds.flow, people=people),
            appearance=replace(config.appearance, pictures=pictures),
        )
        return config if total_occlusions else without_total_occlusions(config)


def _paper(name: str) -> SynthesisConfig:
    """SURREAL's camera, motions as they are, nothing that the paper does not name."""
    scenes = SceneConfig(
        name=name,
        mirror=0.0,
        variety=VarietyConfig.none(),
        masking=KeypointMaskingConfig(block=0.0),
        focal_known=1.0,
        group_power=1.0,
    )
    # The paper's flow is TV-L1, a second a pair; DIS agrees (docs/synthesis.md) and is what bulk data is made with.
    return SynthesisConfig(name, surreal_scenes(scenes))


def _recipes() -> dict[str, SynthesisConfig]:
    """Table 2 is cumulative; total occlusions stay on, of which it is silent (`without_total_occlusions`)."""
    full = _paper("full")
    clear = replace(full, name="no_occlusions", occluders=replace(full.occluders, superpixel=False))
    untracked = replace(clear, name="no_tracking_no_occlusions", track=False)
    static = replace(
        untracked, name="static_no_occlusions", backgrounds=replace(full.backgrounds, static=True)
    )
    # A camera that moves by itself would leave the background standing: here all motion is the background's. Pictures
    # are small: people farther away would be a few pixels.
    camera = CameraConfig(
        distance_m=(2.0, 7.0),
        focal_widths=(0.9, 2.2),
        elevation_deg=(6.0, 10.0),
        roll_deg=4.0,
        roll_limit_deg=15.0,
        image_sizes=((WIDTH, HEIGHT),),
        handheld_deg=0.0,
        moving_share=0.0,
    )
    ours = SynthesisConfig(
        "pointlight",
        SceneConfig(name="pointlight-pictures", camera=camera, masking=KeypointMaskingConfig(block=0.0)),
        appearance=AppearanceConfig(),
        backgrounds=VARIED_BACKGROUNDS,
        occluders=replace(full.occluders, box=0.1),
        bystanders=0.15,
        sensor=SensorConfig(),
    )
    return {recipe.name: recipe for recipe in (full, clear, untracked, static, ours)}


SYNTHESIS_RECIPES: dict[str, SynthesisConfig] = _recipes()
"""The rows of the paper's Table 2 (our people before SURREAL's camera), and `pointlight`, ours."""


def find_synthesis_recipe(name: str) -> SynthesisConfig:
    """The recipe of that name.

    Raises:
        PointlightError: there is none.
    """
    if name not in SYNTHESIS_RECIPES:
        raise PointlightError(f"there is no recipe {name!r}; there are: {', '.join(SYNTHESIS_RECIPES)}")
    return SYNTHESIS_RECIPES[name]


WITHOUT_TOTAL_OCCLUSIONS = "-no_total_occlusions"
"""What the name of such a recipe ends in."""


def recipe_of(name: str) -> str:
    """The recipe's name without what says that no frame is taken away as a whole."""
    return name.removesuffix(WITHOUT_TOTAL_OCCLUSIONS)


def without_total_occlusions(config: SynthesisConfig) -> SynthesisConfig:
    """The same clips with no frame taken away as a whole."""
    masking = replace(config.scenes.masking, total_occlusion=0.0)
    return replace(
        config,
        name=f"{config.name}{WITHOUT_TOTAL_OCCLUSIONS}",
        scenes=replace(config.scenes, masking=masking),
    )
