"""Who gets a pixel and why it may be doubted, against the rules written out row by row."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.labels.claims import NO_PARCEL, Ambiguity, assign, claims_on
from landloom.labels.coverage import TOUCH, Coverage, rings_of
from landloom.model.grid import Grid

SHARES = st.sampled_from([0.1, 0.25, 0.5, 0.5 + 2.0**-40, 0.75, 1.0])
CLAIMS = st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 5)), SHARES, max_size=20)


def coverage(claims: dict[tuple[int, int], float]) -> Coverage:
    keys = sorted(claims)
    return Coverage(
        polygon=np.array([parcel for parcel, _ in keys], np.int64),
        pixel=np.array([pixel for _, pixel in keys], np.int64),
        coverage=np.array([claims[key] for key in keys], np.float64),
        shape=(2, 3),
    )


@given(CLAIMS, st.lists(st.integers(1, 2), min_size=5, max_size=5))
def test_each_pixel_goes_to_the_largest_claim_and_ties_to_the_smaller_place(
    claims: dict[tuple[int, int], float], kinds: list[int]
) -> None:
    given_to = assign(coverage(claims), np.array(kinds, np.int64))
    for pixel in range(6):
        own = {parcel: share for (parcel, place), share in claims.items() if place == pixel}
        where = divmod(pixel, 3)
        if not own:
            assert given_to.winner[where] == NO_PARCEL
            assert given_to.ratio[where] == given_to.mask[where] == given_to.ambiguity[where] == 0
            continue
        # Shares that agree to 2^-30 tie.
        winner = min(own, key=lambda parcel: (-round(own[parcel], 9), parcel))
        assert given_to.winner[where] == winner
        assert given_to.ratio[where] == own[winner]
        losers = [parcel for parcel in own if parcel != winner]
        others = [parcel for parcel in losers if kinds[parcel] != kinds[winner]]
        full = [parcel for parcel in losers if own[parcel] >= 1 - TOUCH]
        bits = Ambiguity.PARTIAL * bool(others) | Ambiguity.FULL * bool(full)
        bits |= Ambiguity.SAME_CLASS * (len(others) < len(losers))
        assert given_to.ambiguity[where] == bits
        assert given_to.mask[where] == (2 if set(full) & set(others) else int(bool(others)))


def test_what_covers_next_to_nothing_is_no_claim() -> None:
    grid = Grid.of_bounds(32633, (0, 0, 20, 10), 10)
    sliver = shapely.box(0, 0, 10 + 5e-9, 10)
    claims = claims_on(rings_of(np.array([sliver], object), grid), (0, 0, 1, 2))
    assert claims.pixel.tolist() == [0]
    wider = shapely.box(0, 0, 10 + 5e-6, 10)
    assert claims_on(rings_of(np.array([wider], object), grid), (0, 0, 1, 2)).pixel.tolist() == [0, 1]
