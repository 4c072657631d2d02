from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError
from landloom.model.ids import GranuleId
from landloom.sampling.granules import BARREN, PUBLISHED, WATER, GranuleTable, Method, draw_granules

LETTERS = "ABCDEFGHJKLMNPQRSTUV"


def simulated(counts: dict[str, int], seed: int) -> GranuleTable:
    """Granules whose classes follow their place, some of them nearly all water or barren."""
    rng = np.random.default_rng(seed)
    ids, continents, places, shares = [], [], [], []
    for number, (name, count) in enumerate(counts.items(), start=1):
        place = rng.uniform([0, -40], [60, 60], (count, 2))
        centre = rng.uniform([0, -40], [60, 60], (17, 2))
        weight = np.exp(-((place[:, None] - centre) ** 2).sum(axis=2) / 400) * rng.gamma(0.5, size=(count, 17))
        weight[:, WATER - 1] += rng.random(count) ** 6 * weight.sum(axis=1) * 4
        weight[:, BARREN - 1] += rng.random(count) ** 20 * weight.sum(axis=1) * 30
        weight[weight < 0.02 * weight.sum(axis=1, keepdims=True)] = 0
        squares = [a + b for a in "ABCDEFGHJKLMNPQRSTUVWXYZ" for b in LETTERS]
        bands = "CDEFGHJKLM"
        ids += [GranuleId(number, bands[i // len(squares)], squares[i % len(squares)]) for i in range(count)]
        continents += [name] * count
        places.append(place)
        shares.append(weight / weight.sum(axis=1, keepdims=True))
    return GranuleTable.of_rows(ids, continents, np.concatenate(places), np.concatenate(shares))


@pytest.fixture(scope="module")
def table() -> GranuleTable:
    """Six continents of some hundred granules."""
    return simulated(dict(zip(PUBLISHED, (900, 1200, 300, 400, 800, 500), strict=True)), 1)


@pytest.mark.parametrize("method", ["ecdf-uniform", "random", "stratified"])
def test_the_published_quotas_are_reached(table: GranuleTable, method: Method) -> None:
    found = draw_granules(table, PUBLISHED, 1, method=method)
    assert len(set(found.granules)) == 300
    assert list(found.granules) == sorted(found.granules)
    rows = [table.ids.index(g) for g in found.granules]
    counts = np.bincount(table.continent[rows], minlength=6)
    assert dict(zip(table.continents, counts.tolist(), strict=True)) == PUBLISHED
    assert (table.shares[rows, WATER - 1] <= 0.6).all()
    assert (table.shares[rows, BARREN - 1] <= 0.9).all()
    assert not table.eligible().all()


@pytest.mark.parametrize("seed", range(3))
def test_uniform_draws_spread_better_than_random_ones_in_every_continent(table: GranuleTable, seed: int) -> None:
    for told in draw_granules(table, PUBLISHED, seed).continents:
        assert told.drawn is not None
        assert told.random is not None
        assert told.drawn.spacing > told.random.spacing, told.name
        assert told.drawn.coverage >= told.random.coverage, told.name
        assert told.drawn.discrepancy < told.random.discrepancy, told.name


def test_random_draws_do_not_beat_themselves(table: GranuleTable) -> None:
    better = [
        told.drawn.spacing > told.random.spacing
        for seed in range(5)
        for told in draw_granules(table, PUBLISHED, seed, method="random").continents
        if told.drawn is not None and told.random is not None
    ]
    assert 0.2 < np.mean(better) < 0.8


def test_the_draw_does_not_depend_on_the_order_of_rows_nor_on_other_continents(table: GranuleTable) -> None:
    order = np.random.default_rng(5).permutation(len(table.ids))
    turned = GranuleTable.of_rows(
        [table.ids[i] for i in order],
        [table.continents[table.continent[i]] for i in order],
        np.column_stack([table.longitude, table.latitude])[order],
        table.shares[order],
    )
    assert draw_granules(turned, PUBLISHED, 3).granules == draw_granules(table, PUBLISHED, 3).granules
    alone = draw_granules(table, {"Europe": 28}, 3).granules
    assert set(alone) < set(draw_granules(table, PUBLISHED, 3).granules)
    assert alone != draw_granules(table, {"Europe": 28}, 4).granules


def test_stratified_draws_follow_the_dominant_classes(table: GranuleTable) -> None:
    found = draw_granules(table, {"Asia": 92}, 1, method="stratified")
    rows = [table.ids.index(g) for g in found.granules]
    own = table.eligible() & (table.continent == table.continents.index("Asia"))
    there = np.bincount(table.shares[own].argmax(axis=1), minlength=17) / own.sum() * 92
    drawn = np.bincount(table.shares[rows].argmax(axis=1), minlength=17)
    assert np.abs(drawn - there).max() < 1


def test_limits_are_exceeded_only_above_them() -> None:
    shares = np.zeros((4, 17))
    shares[0, WATER - 1], shares[1, WATER - 1] = 0.6, 0.61
    shares[2, BARREN - 1], shares[3, BARREN - 1] = 0.9, 0.91
    ids = [GranuleId(33, "T", "W" + row) for row in "ABCD"]
    table = GranuleTable.of_rows(ids, ["Europe"] * 4, np.zeros((4, 2)), shares)
    assert table.eligible().tolist() == [True, False, True, False]
    assert table.eligible(water=1.0, barren=0.0).tolist() == [True, True, False, False]
    assert table.land_areas() == {"Europe": pytest.approx((4 - 1.21) * 1e10)}


def test_wishes_that_cannot_be_met_are_named(table: GranuleTable) -> None:
    with pytest.raises(InvalidInputError, match=r"Europe \(5000 of \d+\)"):
        draw_granules(table, {"Europe": 5000}, 1)
    with pytest.raises(NotFoundError, match="no continent 'Eurasia'"):
        draw_granules(table, {"Eurasia": 5}, 1)
    with pytest.raises(InvalidValueError, match="got shares"):
        GranuleTable.of_rows([table.ids[0]], ["A"], np.zeros((1, 2)), np.full((1, 17), 0.2))
    with pytest.raises(InvalidValueError, match="got 2 ids"):
        GranuleTable.of_rows([table.ids[0]] * 2, ["A"] * 2, np.zeros((2, 2)), np.zeros((2, 17)))


def test_small_quotas_have_no_spread_to_report(table: GranuleTable) -> None:
    told = {c.name: c for c in draw_granules(table, {"Asia": 1, "Europe": 0}, 1).continents}
    assert (told["Asia"].achieved, told["Asia"].drawn) == (1, None)
    assert (told["Europe"].achieved, told["Europe"].eligible > 0) == (0, True)
