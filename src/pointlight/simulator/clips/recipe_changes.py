"""`synthesize --set PATH=VALUE`: a recipe of clips with single fields changed."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from pointlight.errors import PointlightError
from pointlight.overrides import field_paths, paths_of, remarks, with_changes
from pointlight.simulator.clips.recipes import SynthesisConfig

_FIXED = {
    "name": "it is how the recipe is called",
    "scenes.split": "--split sets it, everywhere at once",
    "appearance.split": "--split sets it, everywhere at once",
}

_GATES = {
    "scenes.masking.block_frames": "scenes.masking.block",
    "scenes.masking.total_occlusion_frames": "scenes.masking.total_occlusion",
}
"""Fields that have no effect as long as another one is 0 or false."""


def with_set(config: SynthesisConfig, changes: Sequence[str]) -> SynthesisConfig:
    """The configuration with fields changed; a warning for each that it sets itself, and for each without effect.

    Args:
        config: with everything else that is chosen for a data set.
        changes: each "path=value", see `with_changes`.

    Raises:
        PointlightError: a path that is not there, a value that cannot stand there, or a field that is not to be changed.
    """
    for path in paths_of(changes):
        if path in _FIXED:
            raise PointlightError(f"{path} cannot be changed with --set: {_FIXED[path]}")
    changed = with_changes(config, changes)
    values = dict(field_paths(changed))

    def ignored(path: str) -> str:
        gate = _GATES.get(path, "")
        return f"{gate} is {values[gate]}" if gate and not values[gate] else ""

    for sentence in remarks(config.name, config, changed, changes, ignored):
        warnings.warn(sentence, stacklevel=3)
    return changed
