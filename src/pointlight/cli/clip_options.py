"""Options that the commands about clips have in common.

Help must answer at once, and the registries that are chosen from load torch and NumPy. So the names stand here once more,
for help alone: `tests/test_cli.py` holds them to the registries. What a user gives is looked up in the registry when the
command runs, and the registry's error says what there is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pointlight.simulator import SynthesisConfig
    from pointlight.simulator.clips import Sources

RECIPES = ("full", "no_occlusions", "no_tracking_no_occlusions", "static_no_occlusions", "pointlight")
SPLITS = ("train", "validation", "heldout")
FLOWS = ("dis", "dis-fast", "tvl1", "farneback", "learned")
ENGINES = ("local", "ray")


def _named(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


Backgrounds = Annotated[
    Path | None,
    typer.Option(envvar="POINTLIGHT_BACKGROUNDS", help="Folder of videos; procedural if not given."),
]
Cache = Annotated[
    Path | None,
    typer.Option(envvar="POINTLIGHT_CACHE", help="Folder of caches; ~/.cache/pointlight if not given."),
]
Engine = Annotated[
    str,
    typer.Option(
        help=f"{_named(ENGINES)}: the cluster that RAY_ADDRESS names or that runs here, else one on this machine."
    ),
]
Flow = Annotated[
    str | None,
    typer.Option(help=f"What finds the camera's path: {_named(FLOWS)}; the paper's is tvl1 (slow)."),
]
Motion = Annotated[
    list[Path] | None,
    typer.Option(
        envvar="POINTLIGHT_MOTION", help="Folder of BVH or AMC files, repeatable; procedural if not given."
    ),
]
People = Annotated[bool, typer.Option(help="Take background videos that are known to show people too.")]
Pictures = Annotated[
    Path | None, typer.Option(help="Folder of pictures to make clothes of, beside procedural fabrics.")
]
Recipe = Annotated[
    str, typer.Option(help=f"{_named(RECIPES)}; all but the last are rows of the paper's Table 2.")
]
Seed = Annotated[int, typer.Option(help="Of all clips.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change a field of the recipe, as scenes.camera.distance_m=2,5; repeatable.",
    ),
]
Smpl = Annotated[
    Path | None,
    typer.Option(help="Your own SMPL file, whose pose and shape are learnt in place of our body's."),
]
Split = Annotated[str, typer.Option(help=f"{_named(SPLITS)}.")]
Shards = Annotated[
    list[str] | None,
    typer.Option(
        help="Folder or address of `pointlight synthesize`, whose clips are used; repeatable: one split each."
    ),
]
Surreal = Annotated[
    Path | None, typer.Option(help="Folder of SURREAL, whose people then take the place of rendered ones.")
]
SurrealDepth = Annotated[bool, typer.Option(help="Read SURREAL's depth files, 82 GB in all.")]
TotalOcclusions = Annotated[bool, typer.Option(help="Take some clips' frames away as a whole for a while.")]
Windows = Annotated[int, typer.Option(help="Cut out of each background video.")]


def chosen_clips(
    *,
    recipe: str,
    split: str,
    flow: str | None,
    people: bool,
    pictures: Path | None,
    total_occlusions: bool,
    changes: list[str] | None,
    motion: list[Path] | None,
    **sources: Any,
) -> tuple[SynthesisConfig, Sources]:
    """What clips are made by, and what they are drawn from; `sources` are fields of `Sources`."""
    from pointlight.simulator.clips import Sources, find_synthesis_recipe, with_set

    config = find_synthesis_recipe(recipe).with_options(
        split=split, flow=flow, people=people, pictures=pictures, total_occlusions=total_occlusions
    )
    return with_set(config, changes or ()), Sources(motion=tuple(motion) if motion else None, **sources)
