"""Described sensors: what a description means."""

from __future__ import annotations

from landloom.model.recipe.sensors import SensorSection
from landloom.model.sensor import Conversion


def test_a_description_is_a_sensor() -> None:
    section = SensorSection.model_validate(
        {
            "name": "planet",
            "resolution": 3,
            "scale": 0.0001,
            "bands": ["blue", {"name": "nir", "file": "N", "number": 4, "resolution": 6, "common_name": "nir"}],
            "mask": {"name": "udm", "number": 5, "bits": [1, 2]},
        }
    )
    made = section.sensor
    assert (made.name, made.title, list(made.bands)) == ("planet", "planet", ["blue", "nir"])
    assert (made.bands["blue"].resolution, made.bands["nir"].resolution) == (3, 6)
    assert made.conversion == Conversion(scale=0.0001)
    assert made.stored == {"blue": ("blue", None), "nir": ("N", 4), "udm": ("udm", 5)}
    assert made.classification is not None
    assert (made.classification.blocked, made.classification.resolution) == (0b110, 3)
    assert made.is_described
