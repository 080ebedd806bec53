"""`run.json`: what a run was made from and when it was worked on; what is given at a resume and differs is refused."""

from __future__ import annotations

import itertools
import json
import os
import platform
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from pointlight import __version__
from pointlight.configuration import added, config_sha256, differences, from_plain, to_plain, told
from pointlight.errors import PointlightError
from pointlight.files import atomic_path
from pointlight.motion import MotionBank
from pointlight.training.changes import changes_of
from pointlight.training.checkpoint import network_of_today
from pointlight.training.recipes import Recipe
from pointlight.training.run_state import STATE

FORMAT_VERSION = 2
"""Version 0.1.0 wrote the first, without a number, sessions, init and the motion's folder."""

_FILE = "run.json"
_RECIPE_SHA256 = "recipe_sha256"
_CHANGES = "set"
"""What is in the file for people, and follows from the rest: what `--set` makes the recipe of the one of its name with."""
_FIRST_FORMAT = ("recipe", "seed", "steps", "motion_sha256", "body_sha256")


@dataclass(frozen=True)
class Session:
    """One call that trained, until its end or a kill.

    Attributes:
        date: when it began, in UTC; "" if unknown, as all texts here.
        from_step: steps done before.
        to_step: steps done in the end; None as long as nobody knows.
        steps: length of the run that its schedule followed.
        version: of Pointlight.
        commit: of the sources, outside of a checkout "".
        diff: what the sources had changed against it.
        python: version.
        torch: version.
        machine: its kind of processor.
    """

    date: str
    from_step: int
    to_step: int | None
    steps: int
    version: str
    commit: str
    diff: str
    python: str
    torch: str
    machine: str

    @staticmethod
    def now(from_step: int, steps: int, commit: str, diff: str) -> Session:
        """A session that begins."""
        return Session(
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            from_step=from_step,
            to_step=None,
            steps=steps,
            version=__version__,
            commit=commit,
            diff=diff,
            python=platform.python_version(),
            torch=str(torch.__version__),
            machine=platform.machine(),
        )


@dataclass(frozen=True)
class RunFile:
    """What a run is: it does not change but for `steps`, which `extended` alone changes.

    Attributes:
        recipe: what is trained on what.
        seed: of scenes and weights.
        steps: length of the run.
        motion_sha256: of the motion bank; in files of version 0.1.0 by the rule of that version.
        body_sha256: whose joints are learned.
        init_sha256: of the weights that it began with; "" for fresh ones, None where the file does not say.
        motion: folder where the motion lay, several as in POINTLIGHT_MOTION; "" for procedural motions. Only a hint: the
            hash decides.
        sessions: in order.
        format_version: of the file that it was read from.
        pictures_sha256: of the prepared pictures; "" for networks that see none.
        pictures: folder where they lay, a hint as `motion` is; "" for clips made on the spot.
        backgrounds: where the backgrounds of those lay; "" for procedural scenes.
        surreal: where their people lay; "" for rendered ones.
        surreal_depth: whether SURREAL's depth was read.
        shards: where shards of clips lay; none for other pictures.
        smpl: where the body's file lay; "" for our own body.
        trunk_sha256: of the weights that the encoder of pictures began with; "" for fresh ones.
        targets_sha256: of the tracks of real people; "" where none are learned against.
        targets: folder where they lay, a hint as `motion` is.
    """

    recipe: Recipe
    seed: int
    steps: int
    motion_sha256: str
    body_sha256: str
    init_sha256: str | None
    motion: str
    sessions: tuple[Session, ...] = ()
    format_version: int = FORMAT_VERSION
    pictures_sha256: str = added("")
    pictures: str = added("")
    backgrounds: str = added("")
    surreal: str = added("")
    surreal_depth: bool = added(True)
    shards: tuple[str, ...] = added(())
    smpl: str = added("")
    trunk_sha256: str = added("")
    targets_sha256: str = added("")
    targets: str = added("")

    @property
    def begun_with(self) -> dict[str, str]:
        """The hashes of the encoder's first weights and of the real people, where there are some."""
        found = {"trunk_sha256": self.trunk_sha256, "targets_sha256": self.targets_sha256}
        return {name: sha256 for name, sha256 in found.items() if sha256}

    def check(
        self,
        folder: Path,
        *,
        recipe: Recipe | None = None,
        seed: int | None = None,
        steps: int | None = None,
        bank: MotionBank | None = None,
        body_sha256: str | None = None,
        init_sha256: str | None = None,
        pictures_sha256: str | None = None,
        trunk_sha256: str | None = None,
        targets_sha256: str | None = None,
    ) -> None:
        """Refuse by name what is given and differs from the run; None is not given.

        Args:
            folder: of the run, for the sentence.
            recipe: compared field by field.
            seed: of scenes and weights.
            steps: length of the run.
            bank: motions.
            body_sha256: of the body.
            init_sha256: of the weights to begin with.
            pictures_sha256: of the prepared pictures.
            trunk_sha256: of the weights for the encoder of pictures.
            targets_sha256: of the tracks of real people.

        Raises:
            PointlightError: something differs; field, stored and given value are said.
        """
        motion = None if bank is None else self._motion_of(bank)
        compared: dict[str, tuple[Any, Any]] = {
            "recipe": (to_plain(self.recipe), None if recipe is None else to_plain(recipe)),
            "seed": (self.seed, seed),
            "steps": (self.steps, steps),
            "motion": (self._motion_in_words(), motion and self._motion_in_words(motion)),
            "body": (self.body_sha256[:12], body_sha256 and body_sha256[:12]),
            "init": ((self.init_sha256 or "")[:12] or "fresh weights", init_sha256 and init_sha256[:12]),
        }
        if trunk_sha256:
            compared["trunk"] = (self.trunk_sha256[:12] or "fresh weights", trunk_sha256[:12])
        if pictures_sha256:
            places = (
                self.pictures,
                " and ".join(self.shards),
                self.surreal,
                self.backgrounds,
                "procedural scenes",
            )
            there = f"{self.pictures_sha256[:12]}, from {next(filter(None, places))},"
            same = pictures_sha256 == self.pictures_sha256
            compared["pictures"] = (there, there if same else pictures_sha256[:12])
        if targets_sha256:
            there = f"{self.targets_sha256[:12]}, from {self.targets},"
            same = targets_sha256 == self.targets_sha256
            compared["targets"] = (there, there if same else targets_sha256[:12])
        if self.init_sha256 is None:
            del compared["init"]
        found = [
            difference
            for name, (there, here) in compared.items()
            if here is not None
            for difference in differences(there, here, name)
        ]
        if not found:
            return
        found.sort(key=lambda difference: difference[0] != "recipe.name")  # it says most
        longer = " (--extend-to makes a run longer)" if steps not in (None, self.steps) else ""
        raise PointlightError(
            f"{told(found, folder)}; resume with what the run was begun with{longer}, or begin another with another --out"
        )

    def has_motion(self, bank: MotionBank) -> bool:
        """Whether the run was begun with these motions."""
        return self._motion_of(bank) == self.motion_sha256

    def motion_folders(self, folder: Path) -> tuple[Path, ...] | None:
        """Where the run's motions lay; None for procedural ones, or where the file does not say.

        Raises:
            PointlightError: it is not there any more.
        """
        folders = tuple(map(Path, self.motion.split(os.pathsep) if self.motion else ()))
        if gone := [each for each in folders if not each.exists()]:
            raise PointlightError(
                f"the motion of the run in {folder} lay in {gone[0]}, which is not there; give its folder with --motion"
            )
        return folders or None

    def other_motion(self, folder: Path) -> str:
        """The sentence for motions that were found without being given and are not the run's."""
        if self.format_version < FORMAT_VERSION:
            return f"the run in {folder} does not say where its motion lies; give the folder with --motion"
        where = f"in {self.motion}" if self.motion else "made by this version"
        return (
            f"the motions {where} are not those that the run in {folder} was begun with; give their folder with --motion, "
            "or resume with the version that began it"
        )

    def of_today(self, bank: MotionBank, init_sha256: str) -> RunFile:
        """The same by the rules of this version, for a run of version 0.1.0.

        Args:
            bank: the run's motions.
            init_sha256: of the weights that it began with, as its lineage says.
        """
        known = init_sha256 if self.init_sha256 is None else self.init_sha256
        return replace(self, motion_sha256=bank.sha256, init_sha256=known, format_version=FORMAT_VERSION)

    def extended(self, steps: int, folder: Path) -> RunFile:
        """The same run, made longer.

        Raises:
            PointlightError: it would not be longer.
        """
        if steps <= self.steps:
            raise PointlightError(
                f"the run in {folder} has {self.steps} steps, --extend-to {steps} does not make it longer; give more"
            )
        return replace(self, steps=steps)

    def begun(self, session: Session) -> RunFile:
        """With one session more; where the last was killed, it ended with the state that this one begins with."""
        return replace(
            self.ended(session.from_step), sessions=(*self.ended(session.from_step).sessions, session)
        )

    def ended(self, step: int) -> RunFile:
        """With the last session's end, unless that is known."""
        if not self.sessions or self.sessions[-1].to_step is not None:
            return self
        return replace(self, sessions=(*self.sessions[:-1], replace(self.sessions[-1], to_step=step)))

    def command(self) -> str:
        """Options that make such a run again: its length, and where it was made longer."""
        lengths = [(session.from_step, session.steps) for session in self.sessions] or [(0, self.steps)]
        words = [f"--steps {lengths[0][1]}"]
        for (_, before), (step, steps) in itertools.pairwise(lengths):
            if steps != before:
                words.append(f"(from step {step} on with --resume --extend-to {steps})")
        return " ".join(words)

    def write(self, folder: Path) -> None:
        """Put `run.json` into the run's folder, whole or not at all."""
        beside = {_RECIPE_SHA256: config_sha256(self.recipe), _CHANGES: changes_of(self.recipe)}
        plain = {**to_plain(self), **beside}
        with atomic_path(folder / _FILE) as temporary:
            temporary.write_text(json.dumps(plain, indent=1))

    def _motion_in_words(self, sha256: str | None = None) -> str:
        """The run's motions, or those of another hash: the hash, and of the run's where they lay."""
        if sha256 not in (None, self.motion_sha256):
            return sha256[:12]
        if self.format_version < FORMAT_VERSION:
            return self.motion_sha256[:12]
        return f"{self.motion_sha256[:12]}, from {self.motion or 'procedural motions'},"

    def _motion_of(self, bank: MotionBank) -> str:
        return bank.sha256 if self.format_version == FORMAT_VERSION else bank.old_sha256()


def refuse_used(folder: Path) -> None:
    """See that no run would be overwritten.

    Raises:
        PointlightError: the folder holds the state of one.
    """
    if (folder / STATE).exists():
        raise PointlightError(f"{folder} holds a run already; go on with --resume or choose another --out")


def read_run_file(folder: Path) -> RunFile:
    """What the run in a folder was made from; files of version 0.1.0 are read as well.

    Raises:
        PointlightError: there is none, or it is damaged or of another version.
    """
    path = folder / _FILE
    try:
        plain = json.loads(path.read_text())
        version = plain.get("format_version", 1)
    except FileNotFoundError:
        if (folder / STATE).exists():
            raise PointlightError(
                f"{folder} has no {_FILE}, which says what its run was made from; begin another with another --out"
            ) from None
        raise PointlightError(f"there is no run to resume in {folder}; start one without --resume") from None
    except (OSError, ValueError, AttributeError) as error:
        raise PointlightError(
            f"{path} cannot be read ({error}); begin another run with another --out"
        ) from error
    if version == 1:
        return _of_first_format(plain, path)
    if version != FORMAT_VERSION:
        raise PointlightError(
            f"{path} is of format {version}, this version reads format {FORMAT_VERSION}; resume with the version "
            "that wrote it"
        )
    return from_plain(
        RunFile,
        {name: value for name, value in plain.items() if name not in (_RECIPE_SHA256, _CHANGES)},
        str(path),
    )


def _of_first_format(plain: dict[str, Any], path: Path) -> RunFile:
    """What version 0.1.0 wrote, with one session for all that was trained so far."""
    if missing := [name for name in _FIRST_FORMAT if name not in plain]:
        raise PointlightError(f"{path} lacks {missing[0]}; begin another run with another --out")
    recipe = plain["recipe"]
    if isinstance(recipe, dict) and isinstance(recipe.get("network"), dict):
        recipe = recipe | {"network": network_of_today(recipe["network"])}
    session = Session(
        date="",
        from_step=0,
        to_step=None,
        steps=plain["steps"],
        version="",
        **{name: plain.get(name, "") for name in ("commit", "diff", "python", "torch", "machine")},
    )
    return RunFile(
        recipe=from_plain(Recipe, recipe, str(path)),
        seed=plain["seed"],
        steps=plain["steps"],
        motion_sha256=plain["motion_sha256"],
        body_sha256=plain["body_sha256"],
        init_sha256=None,
        motion="",
        sessions=(session,),
        format_version=1,
    )
