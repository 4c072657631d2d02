"""How large parcels are, against shapely, in the zone that they lie in."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import image
from tests.products.parcels.squares import COLUMNS, squares

from landloom.errors import InvalidInputError
from landloom.labels.parcels import parcels_of
from landloom.products.parcels.extents import PERCENTILES, SIZES, describe_parcels, extents_figure


def test_extents_are_those_of_shapely() -> None:
    frame = squares()
    described = describe_parcels(parcels_of(frame, columns=COLUMNS), sizes=[24])
    kept = frame.drop(index=7)
    spans = kept.bounds.maxx - kept.bounds.minx
    np.testing.assert_allclose(described.extents[:, 0], spans, atol=1e-6)
    assert described.percentiles()["east_west"][-1] == pytest.approx(spans.max(), abs=0.01)
    share, centred = described.fits[24]
    assert share == pytest.approx((spans <= 240).mean())
    assert 0 < centred < share
    assert sum(described.classes.values()) == 299


@pytest.mark.parametrize("epsg", [32633, 3035, 4326])
def test_they_are_measured_in_metres_of_their_zone_whatever_the_file_is_in(epsg: int) -> None:
    own = describe_parcels(parcels_of(squares(), columns=COLUMNS))
    other = describe_parcels(parcels_of(squares().to_crs(epsg), columns=COLUMNS))
    assert other.epsg == own.epsg == 32633
    np.testing.assert_allclose(other.extents, own.extents, atol=0.01)
    np.testing.assert_allclose(other.area, own.area, rtol=1e-4)
    assert other.classes == own.classes


def test_larger_windows_hold_more_and_never_more_than_fit() -> None:
    fits = describe_parcels(parcels_of(squares(), columns=COLUMNS)).fits
    shares = [fits[size] for size in SIZES]
    assert shares == sorted(shares)
    assert all(centred <= share for share, centred in shares)


def test_the_document_holds_every_number() -> None:
    described = describe_parcels(parcels_of(squares(), columns=COLUMNS))
    document = described.document()
    assert (document["parcels"], document["rejected"], document["epsg"]) == (299, 1, 32633)
    assert all(len(document[name]) == len(PERCENTILES) for name in ("east_west", "north_south", "largest", "hectares"))
    assert list(document["classes"].values()) == sorted(document["classes"].values(), reverse=True)


def test_the_histogram_is_a_picture() -> None:
    import io

    described = describe_parcels(parcels_of(squares(), columns=COLUMNS))
    assert extents_figure(described) == extents_figure(described)
    assert min(image.imread(io.BytesIO(extents_figure(described))).shape[:2]) > 100


def test_no_parcel_cannot_be_described() -> None:
    with pytest.raises(InvalidInputError, match="no usable parcel"):
        describe_parcels(parcels_of(squares().iloc[[7]], columns=COLUMNS))
