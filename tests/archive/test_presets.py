"""The presets name services, each by an encrypted address."""

from __future__ import annotations

from landloom.archive.presets import PRESETS


def test_presets_name_the_four_services() -> None:
    assert sorted(PRESETS) == ["copernicus-data-space", "earth-search", "landsat-look", "planetary-computer"]
    assert all(preset.url.startswith("https://") for preset in PRESETS.values())
