"""Concentrating a draw in a given number of tiles that still cover every country's quota and every class."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.sampling.balance import capped, jensen_shannon, systematic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.sampling.candidates import Candidates

_STARTS: Final = 64
"""Systematic draws of tiles that are compared in each country."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Choice:
    """A choice of tiles in progress."""

    room: NDArray[np.int64]
    """(tile, country) cells that may be drawn, of countries with a quota."""
    content: NDArray[np.float64]
    """(tile, class) summed fractions of those cells."""
    wanted: NDArray[np.int64]
    """(country,) quotas."""
    count: int
    """Number of tiles to choose."""
    chosen: NDArray[np.bool_] = field(init=False)
    """(tile,)."""
    fixed: NDArray[np.bool_] = field(init=False)
    """(tile,) chosen because a country or a class needs it."""

    def __post_init__(self) -> None:
        self.chosen = np.zeros(len(self.room), dtype=np.bool_)
        self.fixed = np.zeros(len(self.room), dtype=np.bool_)

    @property
    def main(self) -> NDArray[np.int64]:
        """(tile,) the country with most of the tile's cells."""
        return np.asarray(self.room.argmax(axis=1))

    def fix(self, tile: int) -> None:
        self.chosen[tile] = self.fixed[tile] = True

    def anchor(self, rng: np.random.Generator) -> None:
        """Choose a tile for every country and class without one, those with the fewest tiles first."""
        for country in np.argsort((self.room > 0).sum(axis=0), kind="stable").tolist():
            needed = min(int(self.wanted[country]), int(self.room[:, country].max()))
            if needed and self.room[self.chosen, country].sum() < needed:
                self.fix(int(self.room[:, country].argmax()))
        holds = self.content > 0
        for code in np.argsort(holds.sum(axis=0), kind="stable").tolist():
            if holds[:, code].any() and not holds[self.chosen, code].any():
                weight = self.content[:, code]
                self.fix(int(rng.choice(len(weight), p=weight / weight.sum())))
        if self.fixed.sum() > self.count:
            raise InvalidInputError(
                f"got {self.count} tiles, expected at least {self.fixed.sum()} to reach every country and class"
            )

    def shares(self) -> NDArray[np.int64]:
        """(country,) tiles still to choose: highest averages (D'Hondt) of the quotas, limited by available tiles."""
        main = self.main
        have = np.bincount(main[self.chosen], minlength=len(self.wanted))
        limit = np.bincount(main[self.room.any(axis=1)], minlength=len(self.wanted))
        more = np.zeros_like(have)
        for _ in range(self.count - int(self.chosen.sum())):
            score = np.where(have + more < limit, self.wanted / (have + more + 1), -1.0)
            more[int(score.argmax())] += 1
        return more

    def fill(self, targets: NDArray[np.float64], rng: np.random.Generator) -> None:
        """Choose the rest, country by country: in proportion to a tile's cells, the best of several draws by class."""
        main = self.main
        for country, count in enumerate(self.shares().tolist()):
            own = np.flatnonzero((main == country) & ~self.chosen & self.room.any(axis=1))
            own = own[np.argsort(self.content[own].argmax(axis=1), kind="stable")]
            if not count:
                continue
            chances = capped(self.room[own, country].astype(np.float64), count)
            before = self.content[self.chosen & (main == country)].sum(axis=0)
            best = np.inf, own[:count]
            for start in rng.random(_STARTS):
                picks = own[systematic(chances, count, float(start))]
                distance = jensen_shannon(before + self.content[picks].sum(axis=0), targets[country])
                if distance < best[0]:
                    best = distance, picks
            self.chosen[best[1]] = True

    def make_room(self) -> None:
        """Exchange tiles until every quota fits."""
        while (short := self._short()).any():
            country = int(short.argmax())
            gain = np.where(self.chosen, 0, self.room[:, country])
            tile = int(gain.argmax())
            given = self._given(country)
            if not gain[tile] or given is None:
                raise InvalidInputError(
                    f"got {self.count} tiles for {self.wanted.sum()} samples; a quota does not fit into so few"
                )
            self.chosen[given] = False
            self.fix(tile)

    def _short(self) -> NDArray[np.int64]:
        return np.asarray(np.maximum(self.wanted - self.room[self.chosen].sum(axis=0), 0))

    def _given(self, country: int) -> int | None:
        """A tile that can be removed while every other country keeps its quota and every class a tile, if any."""
        spare = self.room[self.chosen].sum(axis=0) - self.wanted
        spare[country] = 0
        holders = (self.content[self.chosen] > 0).sum(axis=0)
        fits = (self.room <= np.maximum(spare, 0)).all(axis=1) & self.chosen & ~self.fixed
        fits &= ~((self.content > 0) & (holders == 1)).any(axis=1)
        options = np.flatnonzero(fits)
        return int(options[self.room[options].sum(axis=1).argmin()]) if len(options) else None


def choose_tiles(
    candidates: Candidates,
    free: NDArray[np.bool_],
    wanted: NDArray[np.int64],
    targets: NDArray[np.float64],
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Choose tiles that cover every quota and every class, spread over countries in proportion to the quotas.

    Args:
        candidates: with class fractions.
        free: (cell,) which may be drawn.
        wanted: (country,) quotas.
        targets: (country, class) class shares that the tiles should approach.
        count: number of tiles.
        rng: makes the random choices.

    Returns:
        (cell,) True in the chosen tiles.

    Raises:
        InvalidInputError: too few tiles to reach every country and class or to hold the quotas, or more than exist.

    Example:
        >>> from scipy.sparse import csr_array
        >>> from landloom.sampling.candidates import Candidates
        >>> from landloom.model.ids import TileId
        >>> names = "33N_16E-243N", "33N_17E-243N", "33N_18E-243N"
        >>> cells = Candidates.of_ids([TileId.parse(name).samples()[0] for name in names])
        >>> cells = cells.with_fractions(csr_array(np.array([[10**6], [10**6], [10**6]])))
        >>> rng = np.random.default_rng(1)
        >>> int(choose_tiles(cells, np.ones(3, bool), np.array([2]), np.ones((1, 1)), 2, rng).sum())
        2
    """
    tile = candidates.tile_index()
    usable = free & (wanted > 0)[candidates.country]
    height = int(tile[-1]) + 1 if len(tile) else 0
    rooms = np.bincount(
        tile[usable] * len(wanted) + candidates.country[usable], minlength=height * len(wanted)
    ).reshape(height, len(wanted))
    available = int(rooms.any(axis=1).sum())
    if not 1 <= count <= min(available, int(wanted.sum())):
        limit = min(available, int(wanted.sum()))
        raise InvalidInputError(f"got {count} tiles, expected 1 to {limit}, the smaller of the tiles and the samples")
    choice = _Choice(room=rooms, content=_content(candidates, usable, tile, height), wanted=wanted, count=count)
    choice.anchor(rng)
    choice.fill(targets, rng)
    choice.make_room()
    return choice.chosen[tile]


def _content(
    candidates: Candidates, usable: NDArray[np.bool_], tile: NDArray[np.int32], height: int
) -> NDArray[np.float64]:
    fractions = candidates.labelled()
    width = fractions.shape[1]
    # One integer per entry of the sparse matrix: kept at 32 bits, because there are tens of millions.
    code = np.repeat(tile * np.int32(width), np.diff(fractions.indptr)) + fractions.indices
    weights = np.where(np.repeat(usable, np.diff(fractions.indptr)), fractions.data, 0)
    sums = np.bincount(code, weights=weights, minlength=height * width).astype(np.float64)
    return sums.reshape(height, width)
