"""Sensors as published: names, order and resolutions of bands, and rows that agree with each other."""

from __future__ import annotations

import pytest

from landloom.errors import NotFoundError
from landloom.model.sensor import CLEAR, LANDCOVERNET_CLEAR, SENSORS, SENTINEL2, Scl, sensor


def test_sentinel_2_has_the_bands_of_the_msi() -> None:
    """ESA, Sentinel-2 Products Specification Document: four bands at 10 m, six at 20 m, three at 60 m."""
    by_size: dict[float, list[str]] = {}
    for band in SENTINEL2.values():
        by_size.setdefault(band.resolution, []).append(band.name)
    assert by_size == {
        60: ["B01", "B09", "B10"],
        10: ["B02", "B03", "B04", "B08"],
        20: ["B05", "B06", "B07", "B8A", "B11", "B12"],
    }
    waves = [band.wavelength or 0 for band in SENTINEL2.values()]
    assert waves == sorted(waves)


def test_what_is_clear_is_neither_cloud_nor_shadow_nor_missing() -> None:
    hidden = {Scl.NO_DATA, Scl.DEFECTIVE, Scl.CLOUD_SHADOW, Scl.CLOUD_MEDIUM, Scl.CLOUD_HIGH, Scl.CIRRUS}
    assert not hidden & CLEAR
    assert not hidden & set(LANDCOVERNET_CLEAR)
    assert set(LANDCOVERNET_CLEAR) == set(Scl) - hidden


@pytest.mark.parametrize("name", SENSORS)
def test_rows_of_sensors_agree_with_themselves(name: str) -> None:
    row = sensor(name)
    assert row.name == name
    assert all(key == band.name and band.resolution > 0 for key, band in row.bands.items())
    if row.classification is not None:
        assert bool(row.classification.clear) != bool(row.classification.blocked)
        assert row.classification.nodata not in row.classification.clear


def test_an_unknown_sensor_is_named() -> None:
    with pytest.raises(NotFoundError, match="sentinel-2-l2b"):
        sensor("sentinel-2-l2b")
