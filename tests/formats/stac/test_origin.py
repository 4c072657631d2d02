"""Sensor, level and platform come from metadata and whole product names, never from parts of an id."""

from __future__ import annotations

from typing import Any

import pytest

from landloom.formats.stac.item_values import ItemValues
from landloom.formats.stac.origin import origin, product_name
from landloom.model.sensor import LANDSAT_C2_L2, SENTINEL_2_L1C, SENTINEL_2_L2A, Sensor

ESA = "S2A_MSIL{}_20180605T101031_N0206_R022_T33UUU_20180605T120000"


def made(
    name: str = "x", wanted: Sensor | None = None, profile: Sensor = SENTINEL_2_L2A, **properties: Any
) -> tuple[Sensor, str | None, list[str]]:
    values = ItemValues({"id": name, "properties": properties, "collection": properties.pop("collection", None)})
    found = origin(values, product_name(name), profile, wanted, classified=False)
    return found.sensor, found.platform, [problem.what for problem in values.problems]


@pytest.mark.parametrize(
    ("given", "sensor", "platform"),
    [
        ({"platform": "S2B"}, SENTINEL_2_L2A, "sentinel-2b"),
        ({"constellation": "sentinel-2", "instruments": ["msi"]}, SENTINEL_2_L2A, None),
        ({"platform": "sentinel-2", "name": ESA.format("2A")}, SENTINEL_2_L2A, "sentinel-2a"),
        ({"name": ESA.format("1C")}, SENTINEL_2_L1C, "sentinel-2a"),
        ({"name": "S2B_33UUU_20180605_0_L1C"}, SENTINEL_2_L1C, "sentinel-2b"),
        ({"name": "my_L1_scene"}, SENTINEL_2_L2A, None),
        ({"name": "L1C_reprocessed_to_L2A"}, SENTINEL_2_L2A, None),
        ({"s2:product_type": "S2MSI1C"}, SENTINEL_2_L1C, None),
        ({"collection": "sentinel-2-l1c"}, SENTINEL_2_L1C, None),
        ({"collection": "sentinel-2-c1-l2a"}, SENTINEL_2_L2A, None),
        ({"wanted": SENTINEL_2_L1C}, SENTINEL_2_L1C, None),
        ({"profile": LANDSAT_C2_L2, "platform": "LANDSAT_9"}, LANDSAT_C2_L2, "landsat-9"),
        ({"profile": LANDSAT_C2_L2, "name": "LC08_L2SP_193023_20180603_02_T1"}, LANDSAT_C2_L2, "landsat-8"),
    ],
)
def test_what_metadata_says(given: dict[str, Any], sensor: Sensor, platform: str | None) -> None:
    assert made(**given) == (sensor, platform, [])


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"platform": "landsat-8"}, "landsat-8"),
        ({"platform": "terra"}, "terra"),
        ({"constellation": "landsat"}, "landsat"),
        ({"instruments": ["oli", "tirs"]}, "oli"),
        ({"name": "LC08_L2SP_193023_20180603_02_T1"}, "landsat-8"),
        ({"s2:product_type": "S2MSI1C", "processing:level": "L2A"}, "one processing level"),
        ({"s2:product_type": "S2MSI1C", "name": ESA.format("2A")}, "one processing level"),
        ({"s2:product_type": "S2MSI1C", "wanted": SENTINEL_2_L2A}, "name the archive's sensor"),
        ({"profile": LANDSAT_C2_L2, "platform": "sentinel-2a"}, "sentinel-2a"),
        ({"profile": LANDSAT_C2_L2, "name": "LC08_L1TP_193023_20180603_20180615_02_T1"}, "L1TP"),
        ({"profile": LANDSAT_C2_L2, "platform": "landsat-5"}, "landsat-5"),
    ],
)
def test_what_is_of_another_sensor_or_says_two_things_is_a_problem(given: dict[str, Any], word: str) -> None:
    problems = made(**given)[2]
    assert any(word in problem for problem in problems), problems
