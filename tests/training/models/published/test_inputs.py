"""What encoders are told: bands by what they show, months, and the scales of the two pretrainings."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidInputError
from landloom.model.product import product
from landloom.model.sensor import SENTINEL2, Band
from landloom.training.models.published.inputs import MonthlySeries, grouped, published_bands


def band(name: str, common: str | None = None, wavelength: float | None = None) -> Band:
    return Band(name=name, description=name, resolution=10, common_name=common, wavelength=wavelength)


def test_bands_are_known_by_what_they_show() -> None:
    every = published_bands(list(SENTINEL2.values()))
    assert sorted(every) == ["B11", "B12", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A"]
    assert all(list(SENTINEL2)[number].replace("B0", "B") == name for name, number in every.items())
    planet = published_bands(product("pfsr").bands)
    assert set(planet) == {"B2", "B3", "B4", "B8"}
    # Landsat's fifth band is the narrow near infrared, not the red edge of Sentinel-2's.
    landsat = [band("B04", "red", 0.655), band("B05", "nir08", 0.865), band("B06", "swir16", 1.609)]
    assert published_bands([*landsat, band("B07", "swir22", 2.201)]) == {"B4": 0, "B8A": 1, "B11": 2, "B12": 3}
    assert published_bands([band("ndvi")]) == {"NDVI": 0}
    assert published_bands([band("B8A"), band("B01")]) == {"B8A": 0}


def test_bands_that_make_no_group_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="got the bands B04, B11, expected all of one group"):
        published_bands([SENTINEL2["B04"], SENTINEL2["B11"]])


def test_scales_are_those_of_the_pretraining() -> None:
    draw = np.random.default_rng(0)
    image = draw.uniform(0.01, 0.5, (2, 3, 4)).astype(np.float32)
    series = MonthlySeries(image=image, valid=np.ones((2, 3), np.bool_), months=np.zeros((2, 3), np.int64))
    bands = {"B2": 0, "B3": 1, "B4": 2, "B8": 3}
    plain, scaled = (grouped(series, bands, standard=one) for one in (False, True))
    assert list(plain) == list(scaled) == ["S2_RGB", "S2_NIR_10m", "NDVI"]
    np.testing.assert_array_equal(plain["S2_RGB"][0], image[:, :, :3])
    ndvi = (image[..., 3] - image[..., 2]) / (image[..., 3] + image[..., 2])
    for found in (plain, scaled):
        np.testing.assert_allclose(found["NDVI"][0][..., 0], ndvi, rtol=1e-6)
    # As published with Galileo, in digital numbers: mean and deviation of B2; two deviations to each side.
    low, high = 1395.3408730676722 - 2 * 917.7041440370853, 1395.3408730676722 + 2 * 917.7041440370853
    np.testing.assert_allclose(scaled["S2_RGB"][0][..., 0], (image[..., 0] * 1e4 - low) / (high - low), atol=1e-5)


def test_dark_pixels_have_an_ndvi_of_nothing() -> None:
    series = MonthlySeries(
        image=np.zeros((1, 1, 2), np.float32), valid=np.ones((1, 1), np.bool_), months=np.zeros((1, 1), np.int64)
    )
    assert grouped(series, {"B4": 0, "B8": 1}, standard=False)["NDVI"][0].item() == 0
