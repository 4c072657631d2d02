"""The placed samples of a corpus, with the by-products of placing them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from landloom.model.sample import Sample, by_tile
from landloom.sampling.splits import assign_splits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.engine.project import Project
    from landloom.engine.scenes.granules import GranuleScenes
    from landloom.engine.sources.prepared import Prepared
    from landloom.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The chosen samples."""

    samples: tuple[Sample, ...]
    """In id order."""
    draw: Mapping[str, Any] | None = None
    """The outcome of a draw compared with its targets, as JSON values for the report."""
    problems: tuple[Problem, ...] = ()
    """Parts of the region that should have samples but have none, with reasons."""
    prepared: Prepared | None = None
    """Parcels, prepared for cutting label rasters."""
    granules: Mapping[str, GranuleScenes] = field(default_factory=dict)
    """Tile → its scenes, for samples in granules."""

    @property
    def tiles(self) -> dict[str, tuple[Sample, ...]]:
        """Samples grouped by tile, both in id order."""
        return by_tile(self.samples)


def split_samples(project: Project, samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    """Samples with their splits, if the recipe has splits: whole tiles go to one."""
    shares: dict[str, Any] = dict(project.recipe.splits)
    if not shares:
        return samples
    groups = assign_splits(Counter(sample.tile for sample in samples), shares, project.recipe.seed)
    return tuple(replace(sample, split=groups[sample.tile]) for sample in samples)
