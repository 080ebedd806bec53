"""Networks on prepared clips of simulated people: kind (a), as in training, and kind (b), as no training shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from pointlight.body import BodyModel
from pointlight.cues import Cue
from pointlight.evaluation.metrics import PerFile
from pointlight.evaluation.reproduce.material import Kind
from pointlight.evaluation.results import Bounds
from pointlight.network import PoseNetwork
from pointlight.simulator import MEDIAPIPE_V1, SYNTHESIS_RECIPES
from pointlight.training import PictureBank, Recipe, Validation


@dataclass(frozen=True)
class SimulatedScore:
    """PA-MPJPE over the 14 joints of seen frames: the mean over groups of motions.

    Attributes:
        mm: the mean.
        ci95_mm: over clips, weighed anew.
    """

    mm: float
    ci95_mm: Bounds


class SimulatedPeople:
    """Clips of one kind and part, with what a detector says of them drawn once, the same for every row."""

    def __init__(self, clips: PictureBank, kind: Kind, recipe: Recipe) -> None:
        """Draw what the detector says.

        Args:
            clips: prepared.
            kind: of people; those of (b) have a detector's noise.
            recipe: whose window and noise hold.
        """
        masked = SYNTHESIS_RECIPES[recipe.pictures.clips if recipe.pictures else "full"].scenes.masking
        scenes = replace(recipe.scenes, masking=masked)
        if kind == "b":
            scenes = replace(scenes, noise=MEDIAPIPE_V1, other_noises=())
        chosen = [clips.clip(number) for number in range(len(clips))]
        self._groups = [clip.group for clip in chosen]
        self._validation = Validation.of_pictures(replace(recipe, scenes=scenes), chosen)

    def score(
        self, network: PoseNetwork | torch.Tensor, body: BodyModel, *, without: Cue | None = None
    ) -> SimulatedScore:
        """A network, or a constant pose; `without` a cue that is set to zero."""
        errors, counts, _ = self._validation.errors(network, body, without=without)
        values = [row[counted].double().numpy() for row, counted in zip(errors, counts, strict=True)]
        found = PerFile.collect([f"{n:05d}" for n in range(len(values))], self._groups, values).interval()
        return SimulatedScore(round(found.mean, 1), (_bound(found.low), _bound(found.high)))


def _bound(value: float) -> float | None:
    return round(value, 1) if value == value else None
