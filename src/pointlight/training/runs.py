"""A run from its beginning or from where it stopped; what the command line calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pointlight.body import AnnyBody
from pointlight.errors import PointlightError
from pointlight.overrides import with_changes
from pointlight.progress import ProgressCallback, silent
from pointlight.simulator.clips import Sources
from pointlight.training.changes import changed_recipe, try_changed
from pointlight.training.motions import training_bank
from pointlight.training.recipes import Recipe, find_training_recipe
from pointlight.training.run_files import read_run_file, refuse_used
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
        device: where the network learns, as torch calls it; a run may be resumed on another.
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
    if extend_to is not None and not resume:
        raise PointlightError("--extend-to makes a run longer that is there already; give --resume as well")
    if not resume:
        refuse_used(out)
    if recipe_name is None and not resume:
        raise PointlightError("name the recipe to train, or go on with the run in --out with --resume")
    body = AnnyBody()
    run = read_run_file(out) if resume else None
    recipe = run.recipe if run and recipe_name is None else find_training_recipe(recipe_name or "")
    if run is None:
        recipe = changed_recipe(recipe, changes, steps=steps, procedural=motion is None)
    else:
        recipe = with_changes(recipe, changes)
        run.check(out, recipe=recipe, seed=seed, steps=steps, body_sha256=body.sha256)
        seed, steps = run.seed, None
    folder = run.motion_folders(out) if run and motion is None else motion
    if run:
        pictures, backgrounds = pictures or run.pictures or None, backgrounds or run.backgrounds or None
        targets = targets or run.targets or None
    bank = training_bank(folder, body, cache, floor=recipe.floor, progress=progress)
    if run is not None and motion is None and not run.has_motion(bank):
        raise PointlightError(run.other_motion(out))
    if run is None and changes:
        try_changed(recipe, changes, bank, body)
    with beside_workers(workers):
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
            pictures=_pictures(recipe, pictures, backgrounds, folder, cache),
            trunk=None if trunk is None else Path(trunk),
            targets=None if targets is None else Path(targets),
        )
        if resume:
            trainer.resume(extend_to)
        trainer.run(steps=steps, minutes=minutes, progress=progress)
    return trainer


def _pictures(
    recipe: Recipe,
    pictures: Path | str | None,
    backgrounds: Path | str | None,
    motion: Path | Sequence[Path] | None,
    cache: Path | None,
) -> Path | Sources | None:
    """Prepared pictures, or what clips are made from."""
    if pictures is not None and backgrounds is not None:
        raise PointlightError("prepared pictures have their backgrounds; give --pictures or --backgrounds")
    if pictures is not None:
        return Path(pictures)
    if recipe.pictures is None and backgrounds is None:
        return None
    several = motion if motion is None or isinstance(motion, str | Path) else tuple(map(Path, motion))
    return Sources(
        motion=Path(several) if isinstance(several, str) else several,
        backgrounds=None if backgrounds is None else Path(backgrounds),
        cache=cache,
    )
