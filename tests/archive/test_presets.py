"""The presets name services, each by an encrypted address."""

from __future__ import annotations

from landloom.archive.presets import PRESETS


def test_presets_name_the_five_services() -> None:
    names = ["copernicus-data-space", "earth-search", "landsat-look", "lp-daac", "planetary-computer"]
    assert sorted(PRESETS) == names
    assert all(preset.url.startswith("https://") for preset in PRESETS.values())
