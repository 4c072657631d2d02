"""Make a split of the samples of a corpus: blocks, assignment, gap, proof."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from landloom.corpus.split_set import SplitSet, samples_digest
from landloom.errors import InvalidInputError, counted
from landloom.model.apportion import apportion
from landloom.query.label_sets import label_set
from landloom.training.splits.assign import assign_blocks
from landloom.training.splits.blocks import region_blocks, square_blocks, tile_blocks, word_blocks
from landloom.training.splits.distances import Footprints
from landloom.training.splits.proof import IN_GAP, OUTSIDE, prove, within_gap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry as Geometry

    from landloom.query.index.sidecar import Sidecar
    from landloom.training.splits.proof import SplitProof

By = Literal["blocks", "tile", "stratum", "region", "random"]
WAYS: Final = ("blocks", "tile", "stratum", "region", "random")
"""What stays together: squares of a grid, tiles or granules, strata, regions of a layer; or nothing, as a control."""
LARGEST_GAP: Final = 1e6
"""Metres; beyond, distances on a plane are no longer right to 0.1 %."""
BLOCK: Final = 60_000.0
"""Side of a block in metres by default: a gap of 3 km costs about a tenth of the samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSettings:
    """How a corpus is split.

    Raises:
        InvalidInputError: shares that are not above 0 or do not sum to 1; a gap out of range; a block without size.

    Example:
        >>> SplitSettings(by="tile", gap=1000, shares={"train": 0.75, "test": 0.25}).document()["shares"]
        {'train': 0.75, 'test': 0.25}
    """

    by: By = "blocks"
    """What stays together."""
    shares: Mapping[str, float] = field(default_factory=lambda: {"train": 0.7, "val": 0.1, "test": 0.2})
    """Split → share of the samples."""
    gap: float = 3000.0
    """Least distance between samples of different splits in metres."""
    block_size: float = BLOCK
    """Side of the blocks of `blocks` in metres."""
    balance: str | None = None
    """Key of the label product whose classes are balanced; None for the number of samples alone."""
    seed: int = 0
    """Of the order in which blocks are assigned."""

    def __post_init__(self) -> None:
        values = list(self.shares.values())
        if len(values) < 2 or min(values) <= 0 or not math.isclose(sum(values), 1.0, abs_tol=1e-9):
            raise InvalidInputError(f"got shares {dict(self.shares)}, expected two or more above 0 that sum to 1")
        if len(values) > np.iinfo(np.int8).max:
            raise InvalidInputError(f"got {len(values)} splits, expected at most {np.iinfo(np.int8).max}")
        if self.by not in WAYS:
            raise InvalidInputError(f"got by {self.by!r}, expected one of {', '.join(WAYS)}")
        if not 0 <= self.gap <= LARGEST_GAP:
            raise InvalidInputError(f"got a gap of {self.gap} m, expected 0 to {LARGEST_GAP:,.0f}")
        if not (self.block_size > 0 and math.isfinite(self.block_size)):
            raise InvalidInputError(f"got blocks of {self.block_size} m, expected more than 0")

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        names = ("by", "gap", "balance", "seed", *(("block_size",) if self.by == "blocks" else ()))
        return {name: getattr(self, name) for name in names} | {"shares": dict(self.shares)}


def folds(count: int) -> dict[str, float]:
    """Shares for cross-validation: equal folds.

    Raises:
        InvalidInputError: fewer than two.

    Example:
        >>> folds(4)
        {'fold-1': 0.25, 'fold-2': 0.25, 'fold-3': 0.25, 'fold-4': 0.25}
    """
    if count < 2:
        raise InvalidInputError(f"got {count} folds, expected two or more")
    return {f"fold-{number}": 1 / count for number in range(1, count + 1)}


def make_split(
    sidecar: Sidecar, settings: SplitSettings, regions: Mapping[str, Geometry] | None = None
) -> tuple[SplitSet, SplitProof]:
    """Split the samples of a corpus.

    Args:
        sidecar: its index; of samples with an outline of their own, their squares count.
        settings: how.
        regions: name → region in longitude and latitude, for `by="region"`.

    Returns:
        The split set, and what was measured on it.

    Raises:
        InvalidInputError: the split cannot be had; the message says what can.
        NotFoundError: no such label product.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> settings = SplitSettings(by="random", shares={"train": 0.5, "test": 0.5}, gap=0)
        >>> made, proof = make_split(example_corpus().sidecar, settings)
        >>> {part.name: part.samples for part in proof.parts}
        {'train': 2, 'test': 2}
    """
    names = list(settings.shares)
    corners = sidecar.corners(np.arange(len(sidecar), dtype=np.int32))
    classes = _classes(sidecar, settings.balance)
    blocks = _blocks(sidecar, settings, corners.mean(axis=1), regions)
    places = Footprints.of_degrees(corners)
    kept = split_places(places, blocks, settings, classes if settings.balance else {})
    proof = prove(places, kept, names, settings.gap, classes)
    codes = np.maximum(kept, IN_GAP).astype(np.int8)
    digest = samples_digest(sidecar.texts(np.arange(len(sidecar), dtype=np.int32)))
    made = SplitSet(
        names=tuple(names), codes=codes, samples=digest, settings=settings.document(), proof=proof.document()
    )
    return made, proof


def split_places(
    places: Footprints,
    blocks: NDArray[np.int64],
    settings: SplitSettings,
    classes: Mapping[str, NDArray[np.float64]] | None = None,
) -> NDArray[np.int64]:
    """Split footprints, wherever they come from.

    Args:
        places: footprints of the samples.
        blocks: (sample,) number of the block that stays together, −1 for none; `by="random"` ignores it.
        settings: shares, gap and seed.
        classes: class → (sample,) share of each sample's area, to balance by.

    Returns:
        (sample,) number of its split, `IN_GAP` or `OUTSIDE` for none.

    Raises:
        InvalidInputError: the split cannot be had; the message says what can.
    """
    shares = list(settings.shares.values())
    split = _assigned(blocks, classes or {}, settings, shares)
    leave = within_gap(places, split, shares, settings.gap)
    kept = np.where(leave, IN_GAP, split)
    _require_all(kept, split, places, settings)
    return kept


def _classes(sidecar: Sidecar, balance: str | None) -> dict[str, NDArray[np.float64]]:
    if not sidecar.columns:
        return {}
    return {name: sidecar.column(name) / 1e6 for name in label_set(sidecar, balance)}


def _blocks(
    sidecar: Sidecar, settings: SplitSettings, middles: NDArray[np.float64], regions: Mapping[str, Geometry] | None
) -> NDArray[np.int64]:
    """(sample,) number of its block, −1 for none."""
    if settings.by == "random":
        return np.arange(len(sidecar))
    if settings.by == "tile":
        return tile_blocks(sidecar)
    if settings.by == "stratum":
        return word_blocks(sidecar, "stratum")
    if settings.by == "region":
        if not regions:
            raise InvalidInputError("got no regions, expected a layer of them (--regions) for --by region")
        return region_blocks(middles[:, 0], middles[:, 1], list(regions.values()))
    return square_blocks(middles[:, 0], middles[:, 1], settings.block_size)


def _assigned(
    blocks: NDArray[np.int64],
    classes: Mapping[str, NDArray[np.float64]],
    settings: SplitSettings,
    shares: list[float],
) -> NDArray[np.int64]:
    """(sample,) number of its split, `OUTSIDE` for none."""
    found = np.full(len(blocks), OUTSIDE, np.int64)
    inside = np.flatnonzero(blocks >= 0)
    present, own = np.unique(blocks[inside], return_inverse=True)
    if len(present) < len(shares):
        where = f" of {settings.block_size:g} m" if settings.by == "blocks" else ""
        raise InvalidInputError(
            f"got samples in {counted(len(present), 'block')}{where} (by {settings.by}), expected at least one for "
            f"each of {len(shares)} splits; smaller blocks (--block-size) or fewer splits are possible"
        )
    if settings.by == "random":
        order = np.random.default_rng(settings.seed).permutation(len(inside))
        found[inside[order]] = np.repeat(np.arange(len(shares)), apportion(shares, len(inside)))
        return found
    weights = [None, *(values[inside] for values in classes.values())]
    contents = np.stack([np.bincount(own, each, len(present)) for each in weights], axis=1).astype(np.float64)
    found[inside] = assign_blocks(contents, shares, settings.seed)[own]
    return found


def _require_all(
    kept: NDArray[np.int64], split: NDArray[np.int64], places: Footprints, settings: SplitSettings
) -> None:
    """Refuse a gap that leaves a split without samples."""
    names, shares = list(settings.shares), list(settings.shares.values())
    empty = [name for number, name in enumerate(names) if not (kept == number).any()]
    if not empty:
        return
    gap = settings.gap
    while gap > 1:
        gap = math.floor(gap / 2)
        left = split[~within_gap(places, split, shares, gap)]
        if all((left == number).any() for number in range(len(names))):
            break
    raise InvalidInputError(
        f"got a gap of {settings.gap:g} m, which leaves no sample in {', '.join(empty)}; "
        f"a gap of {gap:g} m, larger blocks (--block-size) or fewer splits are possible"
    )
