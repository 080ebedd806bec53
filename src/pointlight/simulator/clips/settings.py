"""What a place of shards was begun with; a run that goes on there is of the same, or is told what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pointlight.configuration import Difference, differences, identity, told
from pointlight.errors import PointlightError
from pointlight.simulator.clips.recipes import WITHOUT_TOTAL_OCCLUSIONS, SynthesisConfig
from pointlight.simulator.clips.shard_index import SHARDS_FORMAT_VERSION
from pointlight.simulator.clips.storage import Storage

SETTINGS = "settings.json"
"""Their file at the place."""

_GIVEN = "given"
"""Where sources lay: not what they are, only how they can be given again."""


@dataclass(frozen=True)
class Sources:
    """What clips are drawn from, as places that every process can open for itself.

    Attributes:
        motion: folder of motion capture, or several; None for procedural motions.
        backgrounds: folder of videos; None for procedural scenes.
        cache: folder of compiled motions and of windows of the videos; None for the usual one.
        windows_per_video: how many windows are cut out of a video.
        procedural_backgrounds: how many procedural scenes there are.
        procedural_motions: procedural motions of each kind; of every five one is held out.
        surreal: folder of SURREAL, whose people then stand in place of rendered ones; None for rendered ones.
        surreal_depth: its depth files are there; without them nothing is hidden behind the body.
    """

    motion: Path | tuple[Path, ...] | None = None
    backgrounds: Path | None = None
    cache: Path | None = None
    windows_per_video: int = 8
    procedural_backgrounds: int = 4096
    procedural_motions: int = 20
    surreal: Path | None = None
    surreal_depth: bool = True


def settings_of(
    config: SynthesisConfig, versions: Mapping[str, str], seed: int, clips_per_shard: int
) -> dict[str, Any]:
    """What all clips of a place have in common; the count is not among it.

    The configuration is readable and is its identity: of a folder of pictures it has the content's hash, not the place.
    """
    return {
        "format_version": SHARDS_FORMAT_VERSION,
        "recipe": config.name,
        "split": config.split,
        "config": identity(config),
        "seed": seed,
        "clips_per_shard": clips_per_shard,
        "versions": dict(versions),
    }


def places_of(config: SynthesisConfig, sources: Sources) -> dict[str, str | None]:
    """Where motions, backgrounds, people and pictures come from, by the option that gives them; None is procedural."""
    places = {
        "motion": sources.motion,
        "backgrounds": sources.backgrounds,
        "surreal": sources.surreal,
        "pictures": config.appearance.pictures,
    }
    return {option: None if place is None else _said(option, place) for option, place in places.items()}


def _said(option: str, place: Path | tuple[Path, ...]) -> str:
    """As it is given behind the option, which stands again before each further folder."""
    folders = place if isinstance(place, tuple) else (place,)
    return f" --{option} ".join(str(Path(folder).resolve()) for folder in folders)


def note_settings(
    storage: Storage, settings: Mapping[str, Any], places: Mapping[str, str | None], count: int
) -> None:
    """Write down what a place is begun or goes on with."""
    storage.put(SETTINGS, json.dumps({**settings, "count": count, _GIVEN: places}, indent=1).encode())


def count_before(
    storage: Storage, settings: Mapping[str, Any], places: Mapping[str, str | None], count: int
) -> int:
    """How many clips were asked for here before; see that the place holds these clips and no others.

    Args:
        storage: the place.
        settings: of the run that begins.
        places: where its sources lie.
        count: of its clips.

    Raises:
        PointlightError: the place holds other or more clips; what differs is said, and how it is given again.
    """
    before = storage.read(SETTINGS)
    if before is None:
        return 0
    there = json.loads(before)
    if isinstance(there.get("config"), str):
        raise PointlightError(
            f"{storage.address} was begun by an older version of Pointlight, which described settings otherwise; finish it "
            "with that version or choose another place"
        )
    unlike = [name for name in settings if there.get(name) != settings[name]]
    if unlike:
        found = differences(
            {name: there.get(name) for name in unlike}, {name: settings[name] for name in unlike}
        )
        causes = _causes(found, there.get(_GIVEN, {}), places)
        raise PointlightError(
            f"{storage.address} was begun with {', and '.join(causes)}; or choose another place, or delete it"
        )
    if there["count"] > count:
        raise PointlightError(
            f"{storage.address} was begun with {there['count']} clips, of which {there['count'] - count} cannot be taken "
            f"away; ask for {there['count']} or more, or choose another place"
        )
    return there["count"]


_PICTURES = "config.appearance.pictures"
_SOURCE_WORDS = {
    "versions.motions": ("motions", "motion"),
    "versions.backgrounds": ("backgrounds", "backgrounds"),
    "versions.people": ("people", "surreal"),
    _PICTURES: ("pictures of clothes", "pictures"),
}
_OPTION_WORDS = {
    "seed": ("another seed", "seed"),
    "clips_per_shard": ("shards of another length", "shard"),
    "recipe": ("another recipe", "recipe"),
    "split": ("another split", "split"),
}
_OTHERWISE = {
    "versions.pointlight": "another version of Pointlight",
    "versions.body": "another body",
    "versions.clips": "another format of clips",
    "format_version": "another format of shards",
}


def _causes(
    found: list[Difference], before: Mapping[str, str | None], now: Mapping[str, str | None]
) -> list[str]:
    """What differs, thing by thing, each with how it is given again; consequences of what is said are left out."""
    values = {name: (there, here) for name, there, here in found}
    causes = [
        f"{words} ({values[name][0]}, {values[name][1]} was given; give {_option(option, values[name][0])})"
        for name, (words, option) in _OPTION_WORDS.items()
        if name in values
    ]
    for name, (words, option) in _SOURCE_WORDS.items():
        if any(each == name or each.startswith(f"{name}.") for each in values):
            causes.append(f"other {words} ({_again(option, before, now)})")
    causes += [
        f"{words} ({values[name][0]}, this is {values[name][1]})"
        for name, words in _OTHERWISE.items()
        if name in values and not (name == "versions.body" and "versions.people" in values)
    ]
    # The recipe's hash differs wherever its configuration does; a name or a split that differs says more than both.
    config = [each for each in found if each[0].startswith("config") and not each[0].startswith(_PICTURES)]
    if config and not {"recipe", "split"} & values.keys():
        causes.append(f"other settings ({told(config, 'what is there')}; give what was given then)")
    return causes or [f"other settings ({told(found, 'what is there')})"]


def _option(option: str, value: Any) -> str:
    """The option that gives a value again; a recipe's name says whether frames are taken away as a whole."""
    recipe, without, _ = str(value).partition(WITHOUT_TOTAL_OCCLUSIONS)
    return f"--{option} {recipe}" + (" --no-total-occlusions" if without else "")


def _again(option: str, before: Mapping[str, str | None], now: Mapping[str, str | None]) -> str:
    """How a source is given again."""
    if option not in before:
        return f"it does not say which; give the --{option} of then"
    place = before[option]
    if place is None:
        return f"{'rendered' if option == 'surreal' else 'procedural'} ones; leave out --{option}"
    if place == now.get(option):
        return f"what lies in {place} has changed since; bring it back"
    return f"those of {place.replace(f' --{option} ', ' and ')}; give --{option} {place}"
