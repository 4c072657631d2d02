"""The transverse Mercator projection against PROJ."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidIdentityError
from landloom.query.index.transverse import to_degrees


def test_projection_equals_proj() -> None:
    from pyproj import Transformer

    rng = np.random.default_rng(0)
    for epsg in (32601, 32633, 32760):
        x, y = rng.uniform(150_000, 850_000, 4_000), rng.uniform(0, 9_300_000, 4_000)
        longitude, latitude = to_degrees(np.int32(epsg), x, y)  # type: ignore[arg-type]
        expected = Transformer.from_crs(epsg, 4326, always_xy=True).transform(x, y)
        turns = np.abs((longitude - expected[0] + 180) % 360 - 180)
        assert turns.max() < 1e-11
        assert np.abs(latitude - expected[1]).max() < 1e-12
    with pytest.raises(InvalidIdentityError):
        to_degrees(np.int32(3035), x, y)  # type: ignore[arg-type]
