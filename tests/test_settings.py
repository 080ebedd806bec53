"""A place of shards that was begun otherwise says what differs, and how it is given again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointlight.errors import PointlightError
from pointlight.simulator.clips import Sources, find_synthesis_recipe, open_storage
from pointlight.simulator.clips.settings import count_before, note_settings, places_of, settings_of

VERSIONS = {"pointlight": "0.1.0", "recipe": "a", "backgrounds": "b", "motions": "c", "body": "d"}
SOURCES = Sources(motion=Path("/data/mocap"))
BEGUN: dict[str, Any] = {"recipe": "full", "split": "train", "seed": 3, "shard": 64, "versions": {}}


def run(place: Path, sources: Sources, begin: bool = False, **changes: Any) -> int:
    """Begin, or go on; how many clips there were."""
    wanted = BEGUN | changes
    config = find_synthesis_recipe(wanted["recipe"]).with_options(
        split=wanted["split"], total_occlusions=not wanted.get("clear", False)
    )
    settings = settings_of(config, VERSIONS | wanted["versions"], wanted["seed"], wanted["shard"])
    storage, places = open_storage(place), places_of(config, sources)
    if begin:
        note_settings(storage, settings, places, 4)
    return count_before(storage, settings, places, 4)


def test_the_same_goes_on_wherever_its_sources_lie(tmp_path: Path) -> None:
    assert run(tmp_path, SOURCES) == 0
    run(tmp_path, SOURCES, begin=True)
    assert run(tmp_path, SOURCES) == 4
    assert run(tmp_path, Sources(motion=Path("/elsewhere"))) == 4  # the same contents at another place
    assert "given" in json.loads((tmp_path / "settings.json").read_text())


@pytest.mark.parametrize(
    ("changes", "sources", "sentence"),
    [
        (
            {"versions": {"motions": "x"}},
            Sources(),
            "was begun with other motions (those of /data/mocap; give --motion /data/mocap); or choose another place",
        ),
        (
            {"versions": {"motions": "x"}},
            SOURCES,
            "was begun with other motions (what lies in /data/mocap has changed since; bring it back)",
        ),
        (
            {"versions": {"backgrounds": "x"}},
            replace(SOURCES, backgrounds=Path("/films")),
            "was begun with other backgrounds (procedural ones; leave out --backgrounds)",
        ),
        (
            {"versions": {"motions": "x", "backgrounds": "y"}},
            Sources(),
            "other motions (those of /data/mocap; give --motion /data/mocap), and other backgrounds (",
        ),
        (
            {"recipe": "no_occlusions", "versions": {"recipe": "x"}},
            SOURCES,
            "was begun with another recipe (full, no_occlusions was given; give --recipe full); or",
        ),
        (
            {"clear": True, "versions": {"recipe": "x"}},
            SOURCES,
            "another recipe (full, full-no_total_occlusions was given; give --recipe full); or",
        ),
        ({"split": "heldout"}, SOURCES, "another split (train, heldout was given; give --split train); or"),
        ({"seed": 4}, SOURCES, "was begun with another seed (3, 4 was given; give --seed 3); or"),
        ({"shard": 32}, SOURCES, "shards of another length (64, 32 was given; give --shard 64); or"),
        (
            {"versions": {"pointlight": "0.2.0"}},
            SOURCES,
            "another version of Pointlight (0.1.0, this is 0.2.0)",
        ),
    ],
)
def test_what_differs_is_said(
    tmp_path: Path, changes: dict[str, Any], sources: Sources, sentence: str
) -> None:
    run(tmp_path, SOURCES, begin=True)
    with pytest.raises(PointlightError) as raised:
        run(tmp_path, sources, **changes)
    assert sentence in str(raised.value)


def test_a_recipe_without_total_occlusions_is_given_again_by_its_option(tmp_path: Path) -> None:
    run(tmp_path, SOURCES, begin=True, clear=True)
    with pytest.raises(PointlightError, match=r"give --recipe full --no-total-occlusions\)"):
        run(tmp_path, SOURCES)


def test_places_of_earlier_versions_do_not_say_where_sources_lay(tmp_path: Path) -> None:
    run(tmp_path, SOURCES, begin=True)
    file = tmp_path / "settings.json"
    there = json.loads(file.read_text())
    del there["given"]
    file.write_text(json.dumps(there))
    with pytest.raises(
        PointlightError, match=r"other motions \(it does not say which; give the --motion of then"
    ):
        run(tmp_path, SOURCES, versions={"motions": "x"})
