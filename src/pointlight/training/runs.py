"""A run from its beginning or from where it stopped; what the command line calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pointlight.body import AnnyBody, SmplBody
from pointlight.errors import PointlightError
from pointlight.overrides import with_changes
from pointlight.progress import ProgressCallback, silent
from pointlight.training.changes import changed_recipe, try_changed
from pointlight.training.motions import learnt_body, training_bank
from pointlight.training.picture_sources import PicturesGiven, sources_of
from pointlight.training.processes import Processes, joined
from pointlight.training.recipes import Recipe, find_training_recipe
from pointlight.training.run_files import RunFile, read_run_file, refuse_used
from pointlight.training.threads import beside_workers
from pointlight.training.trainer import Trainer


def train(
    recipe_name: str | None,
    out: Path | str,
    *,
    changes: Sequence[str] | str = (),
    motion: Path | Sequence[Path] | None = None,
    pictures: Path | str | None = None,
    backgrounds: Path | str | None = None,
    shards: Sequence[Path | str] | str = (),
    surreal: Path | str | None = None,
    surreal_depth: bool | None = None,
    smpl: Path | str | None = None,
    trunk: Path | str | None = None,
    targets: Path | str | None = None,
    steps: int | None = None,
    minutes: float | None = None,
    resume: bool = False,
    extend_to: int | None = None,
    init: str | None = None,
    seed: int | None = None,
    workers: int = 1,
    device: str = "cpu",
    cache: Path | None = None,
    progress: ProgressCallback = silent,
) -> Trainer:
    """Train a recipe, or go on training it; what the command line calls.

    A resume needs `out` alone: everything else comes from the run, and what is given must be what the run was begun with.

    Args:
        recipe_name: what to train; None only at a resume.
        out: the run's folder.
        changes: fields of the recipe that are changed, each "path=value", such as "loss.reprojection=0.1"; one alone
            needs no list, a resume none at all.
        motion: folder of motion capture, or several; procedural motions if not given, at a resume those of the run.
        pictures: folder of prepared pictures, for recipes that see some; at a resume those of the run.
        backgrounds: folder of videos, for recipes that see pictures where none are prepared: clips are made on the spot,
            before procedural scenes if not given.
        shards: addresses of `pointlight synthesize`, whose clips are used as they are; of the splits train and validation.
        surreal: folder of SURREAL, whose people then take the place of rendered ones in clips that are made on the spot.
        surreal_depth: read SURREAL's depth files; they are there if nothing is said.
        smpl: an official SMPL file, whose pose and shape are then learnt, for recipes that see pictures. Only SURREAL's
            people have SMPL's pose; of others a network learns joints.
        trunk: weights that the encoder of pictures begins with, of `pointlight pretrain` or ImageNet's for a ResNet-50 or an
            EfficientNet-lite0.
        targets: folder of tracks of real people, for recipes that learn against them; at a resume those of the run.
        steps: length of the run; the recipe's if not given.
        minutes: stop after so many, without a change of the schedule.
        resume: go on with the run in `out`.
        extend_to: make a run that is resumed so long.
        init: name or file of weights to start from.
        seed: of scenes and weights; 0 if not given.
        workers: processes that make data; a run may be resumed with others.
        device: where the network learns, as torch calls it; a run may be resumed on another. Of several processes, as
            `torchrun` starts them, each learns from its share of every batch, on "cuda" on a GPU of its own.
        cache: where compiled banks lie.
        progress: told how many motions are read, and of every step.

    Returns:
        The trainer, with how far it came; weights lie in the run's folder as `best.safetensors`.

    Raises:
        PointlightError: unknown recipe or field, unusable folder, nothing to resume, something given that the run was not
            begun with, a run there already, divergence.

    Example:
        >>> import pointlight
        >>> trainer = pointlight.train("tiny", "runs/tiny", steps=2, workers=0)
        >>> trainer.step
        2
        >>> pointlight.load_model("runs/tiny").metadata["recipe_name"]
        'tiny'
    """
    out = Path(out)
    changes = [changes] if isinstance(changes, str) else changes
    asked = _Pictures(
        pictures, backgrounds, (shards,) if isinstance(shards, str) else tuple(shards), surreal, surreal_depth
    )
    with joined(device) as processes:
        with processes.agreed(), beside_workers(workers):
            trainer = _ready(
                recipe_name,
                out,
                changes=changes,
                motion=motion,
                asked=asked,
                smpl=smpl,
                trunk=trunk,
                targets=targets,
                steps=steps,
                resume=resume,
                extend_to=extend_to,
                init=init,
                seed=seed,
                workers=workers,
                device=device,
                cache=cache,
                progress=progress if processes.leads else silent,
                processes=processes,
            )
        with beside_workers(workers):
            trainer.run(
                steps=None if resume else steps,
                minutes=minutes,
                progress=progress if processes.leads else silent,
            )
    return trainer


def _ready(
    recipe_name: str | None,
    out: Path,
    *,
    changes: Sequence[str],
    motion: Path | Sequence[Path] | None,
    asked: _Pictures,
    smpl: Path | str | None,
    trunk: Path | str | None,
    targets: Path | str | None,
    steps: int | None,
    resume: bool,
    extend_to: int | None,
    init: str | None,
    seed: int | None,
    workers: int,
    device: str,
    cache: Path | None,
    progress: ProgressCallback,
    processes: Processes,
) -> Trainer:
    """A trainer that has only to run; arguments and errors as `train`."""
    if extend_to is not None and not resume:
        raise PointlightError("--extend-to makes a run longer that is there already; give --resume as well")
    if not resume:
        refuse_used(out)
    if recipe_name is None and not resume:
        raise PointlightError("name the recipe to train, or go on with the run in --out with --resume")
    run = read_run_file(out) if resume else None
    body = learnt_body(smpl or (run.smpl if run else None) or None)
    recipe = run.recipe if run and recipe_name is None else find_training_recipe(recipe_name or "")
    if run is None:
        recipe = changed_recipe(recipe, changes, steps=steps, procedural=motion is None)
    else:
        recipe = with_changes(recipe, changes)
        run.check(out, recipe=recipe, seed=seed, steps=steps, body_sha256=body.sha256)
        seed = run.seed
    if recipe.pictures is None and isinstance(body, SmplBody):
        raise PointlightError(
            f"the people of recipe {recipe.name!r} are of our own body; --smpl goes with recipes that see pictures"
        )
    folder = run.motion_folders(out) if run and motion is None else motion
    if run:
        asked = asked.or_those_of(run)
        targets = targets or run.targets or None
    bank = training_bank(
        folder,
        AnnyBody() if isinstance(body, SmplBody) else body,
        cache,
        floor=recipe.floor,
        progress=progress,
    )
    if run is not None and motion is None and not run.has_motion(bank):
        raise PointlightError(run.other_motion(out))
    if run is None and changes:
        try_changed(recipe, changes, bank, AnnyBody() if isinstance(body, SmplBody) else body)
    trainer = Trainer(
        recipe,
        out,
        bank,
        body=body,
        seed=seed or 0,
        init=init,
        workers=workers,
        device=device,
        motion=folder,
        pictures=asked.given(recipe, folder, cache),
        trunk=None if trunk is None else Path(trunk),
        targets=None if targets is None else Path(targets),
        processes=processes,
    )
    if resume:
        trainer.resume(extend_to)
    return trainer


@dataclass(frozen=True)
class _Pictures:
    """What was said of pictures, each as in `train`."""

    pictures: Path | str | None
    backgrounds: Path | str | None
    shards: tuple[Path | str, ...]
    surreal: Path | str | None
    surreal_depth: bool | None

    def or_those_of(self, run: RunFile) -> _Pictures:
        """The same, with what a run was begun with where nothing is said of it."""
        if self.pictures is not None or self.shards:
            return self
        made = self.backgrounds is not None or self.surreal is not None
        return _Pictures(
            None if made else run.pictures or None,
            self.backgrounds or run.backgrounds or None,
            () if made else run.shards,
            self.surreal or run.surreal or None,
            run.surreal_depth if self.surreal_depth is None else self.surreal_depth,
        )

    def given(
        self, recipe: Recipe, motion: Path | Sequence[Path] | None, cache: Path | None
    ) -> PicturesGiven | None:
        """Prepared pictures, shards, or what clips are made from; None where nothing is wanted and given."""
        made = self.backgrounds is not None or self.surreal is not None
        if (self.pictures is not None) + bool(self.shards) + made > 1:
            raise PointlightError(
                "prepared pictures and shards have their people and backgrounds; give --pictures, or --shards, or "
                "--backgrounds and --surreal"
            )
        if self.pictures is not None:
            return Path(self.pictures)
        if self.shards:
            return tuple(map(str, self.shards))
        if recipe.pictures is None and not made:
            return None
        return sources_of(motion, self.backgrounds, self.surreal, self.surreal_depth, cache)
