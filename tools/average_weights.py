"""The mean of networks of one kind: `python tools/average_weights.py OUT WEIGHTS WEIGHTS [...]`.

Runs that start from the same weights end near one another, and their mean is better than most of them (Wortsman et al.
2022, "Model soups"). The lineage of OUT names what went in.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch

from pointlight.body import AnnyBody
from pointlight.errors import PointlightError
from pointlight.training import Checkpoint, load_checkpoint, save_checkpoint


def average(checkpoints: list[Checkpoint]) -> dict[str, torch.Tensor]:
    """The mean of every tensor; what is not a floating-point number is the first one's.

    Raises:
        PointlightError: the networks differ.
    """
    first = checkpoints[0]
    for other in checkpoints[1:]:
        if other.config != first.config:
            raise PointlightError(f"{other.name} is another network than {first.name}; they have no mean")
    states = [checkpoint.model.state_dict() for checkpoint in checkpoints]
    return {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }


def lineage(checkpoints: list[Checkpoint]) -> list[dict[str, Any]]:
    """What went in, each with its own lineage."""
    keys = ("recipe_name", "steps", "seed", "seconds", "command", "lineage")
    return [{key: c.metadata.get(key) for key in keys} | {"sha256": c.sha256} for c in checkpoints]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("weights", nargs="+")
    given = parser.parse_args()
    body = AnnyBody()
    checkpoints = [load_checkpoint(name, body) for name in given.weights]
    model = checkpoints[0].model
    mean = average(checkpoints)
    entries = lineage(checkpoints)
    model.load_state_dict(mean)
    metadata = {
        key: checkpoints[0].metadata.get(key)
        for key in ("recipe_name", "recipe", "recipe_sha256", "steps", "seed", "motion_sha256")
    }
    save_checkpoint(
        given.out,
        model,
        body,
        clip_frames=checkpoints[0].clip_frames,
        **metadata,
        lineage=entries,
        command="python tools/average_weights.py OUT " + " ".join(["WEIGHTS"] * len(entries)),
    )
    print(f"{given.out} is the mean of {len(checkpoints)} networks")


if __name__ == "__main__":
    main()
