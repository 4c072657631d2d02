from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.sampling.achieved import country_shares, divergences
from landloom.sampling.allocate import areas, quotas
from landloom.sampling.draw import draw
from landloom.sampling.overlap import overlapping_pairs

if TYPE_CHECKING:
    import shapely
    from numpy.typing import NDArray

    from landloom.sampling.candidates import Candidates


def random_divergences(
    candidates: Candidates, wanted: NDArray[np.int64], seed: int, draws: int = 100
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Divergences of draws that keep the quotas and nothing else: the yardstick of the real draw.

    Args:
        candidates: with class fractions.
        wanted: (country,) quotas.
        seed: decides the draws.
        draws: how many.

    Returns:
        (draw, country) divergences, NaN without samples, and (draw,) those in total, in bits.
    """
    targets = country_shares(candidates)
    by_country = np.argsort(candidates.country, kind="stable")
    bounds = np.searchsorted(candidates.country[by_country], np.arange(len(wanted) + 1))
    each, total = np.empty((draws, len(wanted))), np.empty(draws)
    rng = np.random.default_rng([seed, 3])
    for i in range(draws):
        picks = [
            by_country[bounds[c] + rng.choice(bounds[c + 1] - bounds[c], wanted[c], replace=False, shuffle=False)]
            for c in np.flatnonzero(wanted)
        ]
        each[i], total[i] = divergences(candidates, np.concatenate(picks), targets)
    return each, total


CLASSES = 12


@pytest.fixture(scope="module")
def wanted(region: shapely.Polygon, shapes: dict[str, shapely.Polygon]) -> dict[int, dict[str, int]]:
    """Quotas by area for some totals."""
    sizes = areas(region, shapes.items())
    return {total: quotas(sizes, total) for total in (120, 1000, 6000)}


@pytest.mark.parametrize("tiles", [None, 18])
@pytest.mark.parametrize("total", [120, 1000, 6000])
def test_a_draw_keeps_what_it_promises(
    world: Candidates, wanted: dict[int, dict[str, int]], total: int, tiles: int | None
) -> None:
    found = draw(world, total, wanted[total], seed=total, tiles=tiles)
    chosen = world.take(found.indices)
    counts = np.bincount(chosen.country, minlength=len(world.countries))
    assert dict(zip(world.countries, counts.tolist(), strict=True)) == wanted[total]
    assert [c.achieved for c in found.countries] == [c.wanted for c in found.countries] == counts.tolist()
    assert len(overlapping_pairs(chosen)) == 0
    assert (chosen.labelled().sum(axis=0) > 0).all()
    assert found.missing == ()
    assert [str(i) for i in found.ids(world)] == sorted(str(i) for i in found.ids(world))
    assert len({str(cell.tile) for cell in chosen.ids()}) == found.tiles
    assert tiles is None or found.tiles == tiles


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("total", "tiles"), [(120, None), (1000, None), (6000, None), (1000, 18)])
def test_class_shares_come_nearer_than_those_of_random_draws(
    world: Candidates, wanted: dict[int, dict[str, int]], total: int, tiles: int | None, seed: int
) -> None:
    found = draw(world, total, wanted[total], seed=seed, tiles=tiles)
    each, whole = random_divergences(world, np.array(list(wanted[total].values())), seed, draws=100)
    assert found.divergence <= np.median(whole)
    own = np.array([np.nan if c.divergence is None else c.divergence for c in found.countries])
    sampled = ~np.isnan(own)
    assert np.mean(own[sampled] <= np.median(each[:, sampled], axis=0)) >= 0.9


def test_the_seed_decides(world: Candidates, wanted: dict[int, dict[str, int]]) -> None:
    first, again, other = (draw(world, 120, wanted[120], seed=s).indices.tolist() for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_country_is_drawn_alike_whatever_the_order_of_countries(world: Candidates) -> None:
    names = tuple(reversed(world.countries))
    turned = replace(world, countries=names, country=(len(names) - 1 - world.country).astype(np.int16))
    wanted = {"West": 300, "East": 200, "Dot": 3}
    assert draw(turned, 503, wanted, seed=1).indices.tolist() == draw(world, 503, wanted, seed=1).indices.tolist()


def test_every_cell_can_be_drawn_but_those_that_overlap(world: Candidates) -> None:
    dot = world.take(np.flatnonzero(world.country == world.countries.index("Dot")))
    room = len(dot) - draw(dot, 1, {"Dot": 1}, seed=1).overlapping
    assert room < len(dot)
    assert len(draw(dot, room, {"Dot": room}, seed=1).indices) == room
    with pytest.raises(InvalidInputError, match=rf"Dot \({len(dot)} of {room}\)"):
        draw(dot, len(dot), {"Dot": len(dot)}, seed=1)


def test_without_fractions_place_alone_counts(world: Candidates) -> None:
    bare = replace(world, fractions=None)
    found = draw(bare, 200, {"West": 200}, seed=1)
    assert len(found.indices) == 200
    position = np.searchsorted(np.flatnonzero(world.country == world.countries.index("West")), found.indices)
    gaps = np.diff(position)
    assert gaps.max() <= 2 * gaps.mean()  # systematic, not clumped


def test_quotas_that_cannot_be_are_refused(world: Candidates) -> None:
    with pytest.raises(InvalidInputError, match="sum to 4, expected 5"):
        draw(world, 5, {"West": 4}, seed=1)
    with pytest.raises(NotFoundError, match=r"no country 'Wset'; nearest: .*West"):
        draw(world, 5, {"Wset": 5}, seed=1)
    with pytest.raises(InvalidInputError, match="got 1000 tiles, expected 1 to"):
        draw(world, 2000, {"West": 2000}, seed=1, tiles=1000)
    with pytest.raises(InvalidInputError, match="at least"):
        draw(world, 400, {"West": 100, "East": 100, "Middle": 100, "North": 100}, seed=1, tiles=1)
    with pytest.raises(InvalidInputError, match="does not fit into so few"):
        draw(world, 8_000, {"West": 8_000}, seed=1, tiles=7)


def test_a_class_only_where_nothing_may_be_drawn_is_reported(world: Candidates) -> None:
    found = draw(world, 500, {"West": 500}, seed=1)  # the last class lies in one cell of another country
    assert CLASSES - 1 in found.missing
    assert all(c.divergence is None for c in found.countries if c.name != "West")
