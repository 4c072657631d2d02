"""Withholding on the scenes of a recipe: a sample is read again, whole overpasses are withheld, filled and compared."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zlib import crc32

import numpy as np

from landloom.imagery.fusion.fuse import HALO
from landloom.products.fused.staging import Staged
from landloom.products.fused.windows import Window
from landloom.products.fused.withheld import WithheldCase, withheld_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.imagery.fusion.sightings import Sightings
    from landloom.model.grid import Grid
    from landloom.model.sample import Sample
    from landloom.products.fused.sightings import Source
    from landloom.products.fused.withheld import WithheldErrors

SHARE: Final = 0.15
"""Share of the overpasses that is withheld."""
LEAST: Final = 4
"""Overpasses that a place needs, for one to be withheld and others to fill it from."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """A window of a sensor, read again."""

    source: Source
    """Without the scenes that are broken."""
    sightings: Sightings
    left_out: Mapping[str, str]
    """Broken scene → reason."""


def read_window(source: Source, grid: Grid, *, own: bool = False) -> Reread:
    """Read all overpasses of a sensor over a window, without broken scenes.

    Args:
        source: of the sensor.
        grid: of the window.
        own: whether a coarser sensor stays in its own pixels.

    Raises:
        TransientFaultError: a file is temporarily unreadable.
    """
    with ExitStack() as stack:
        read = Staged.read_own if own else Staged.read
        staged = read(source, [Window(grid=grid, near=np.ones(grid.shape, np.bool_))], stack)
        usable = replace(source, passes=tuple(source.passes[n] for n in staged.kept))
        return Reread(source=usable, sightings=staged.sightings(0)[0], left_out=staged.left_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withholding:
    """Judge one sample of a tile; a value that is sent to workers."""

    first: Source
    """The reference sensor over its tile."""
    second: Source | None
    bands: tuple[str, ...]
    """Of the product."""
    resolution: float
    """Metres of a pixel."""
    sample: Sample
    share: float = SHARE
    """Share of the overpasses to withhold."""
    seed: int
    """All samples of a tile lose the same overpasses."""

    def run(self) -> tuple[WithheldErrors | None, Mapping[str, str]]:
        """The errors, and broken scenes with reasons; no errors where there are fewer than `LEAST` overpasses.

        Raises:
            TransientFaultError: a file is temporarily unreadable.
        """
        resolution = self.resolution
        own = self.sample.grid(resolution)
        grid = own.window(-HALO, -HALO, own.height + 2 * HALO, own.width + 2 * HALO)
        first = read_window(self.first, grid)
        left_out, second = dict(first.left_out), None
        if self.second is not None:
            other = read_window(self.second, grid, own=True)
            left_out |= other.left_out
            second = other.sightings if other.sightings.days.size else None
        days = first.sightings.days
        if days.size < LEAST:
            return None, left_out
        case = WithheldCase(
            first=first.sightings,
            second=second,
            bands=self.bands,
            months=months_of(days),
            part=(slice(HALO, HALO + own.height), slice(HALO, HALO + own.width)),
            origin=(round(-grid.north / resolution), round(grid.west / resolution)),
        )
        return withheld_errors(case, withheld_dates(days.size, self.share, self.seed, self.sample.tile)), left_out


def withheld_within(
    first: Sightings,
    second: Sightings | None,
    used: NDArray[np.bool_],
    window: tuple[slice, slice],
    *,
    bands: tuple[str, ...],
    sample: Sample,
) -> WithheldErrors | None:
    """The errors in one sample of a block that has been fused: an estimate for a report, at the price of one sample.

    The sample is filled without its surroundings, so that its real error is rather smaller.

    Args:
        first: the reference sensor over the block.
        second: another sensor.
        used: (time, y, x) observations of the reference sensor that the block's series uses.
        window: rows and columns of the sample.
        bands: their names.
        sample: decides with its tile which overpasses are withheld.

    Returns:
        None with fewer than `LEAST` overpasses.
    """
    if first.days.size < LEAST:
        return None
    rows, columns = window
    whole = slice(0, rows.stop - rows.start), slice(0, columns.stop - columns.start)
    case = WithheldCase(
        first=first.cut(window),
        second=None if second is None else second.cut(window),
        bands=bands,
        months=months_of(first.days),
        part=whole,
    )
    held = withheld_dates(first.days.size, SHARE, crc32(str(sample.id).encode()), sample.tile)
    return withheld_errors(case, held, others=False, used=np.ascontiguousarray(used[..., rows, columns]))


def withheld_dates(count: int, share: float, seed: int, tile: str) -> NDArray[np.bool_]:
    """(time) overpasses to withhold, at random: at least one, and never all.

    Example:
        >>> int(withheld_dates(40, 0.15, 1, "33N_16E-243N").sum())
        6
    """
    held = np.zeros(count, np.bool_)
    number = min(max(round(share * count), 1), count - 1)
    held[np.random.default_rng([seed, crc32(tile.encode())]).permutation(count)[:number]] = True
    return held


def months_of(days: NDArray[np.float64]) -> NDArray[np.int64]:
    """Month, 1 to 12, of days since 1970."""
    return np.array([(_EPOCH + timedelta(days=float(day))).month for day in days], np.int64)
