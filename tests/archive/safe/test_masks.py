"""Level-1C masks against what the simulated world knows to be cloudy or unseen."""

from __future__ import annotations

import numpy as np
import pytest
from tests.archive.safe.made import SPEC, Written

from landloom.archive.safe.masks import product_mask
from landloom.errors import InvalidValueError
from landloom.simulate.safe.images import cloud_classes
from landloom.simulate.world import World


def test_level_1c_masks_hide_clouds_and_what_was_not_seen(written: Written) -> None:
    for planned, scene in written.found():
        window = planned.grid
        mask = product_mask(scene, window, ["B04", "B8A"])
        if scene.level == "L2A":
            assert not mask.sources
            assert mask.valid.all()
            continue
        layers = World(SPEC).render(planned)
        cloudy = cloud_classes(layers["SCL"].astype(np.uint8))[:2].any(axis=0).repeat(6, axis=0).repeat(6, axis=1)
        if planned.baseline < "04":
            assert mask.sources == ("MSK_CLOUDS_B00",)
            assert np.array_equal(mask.valid, ~cloudy)
        else:
            assert mask.sources == ("MSK_CLASSI_B00", "MSK_QUALIT_B04", "MSK_QUALIT_B8A")
            unseen = (layers["B04"] == 0) | (layers["B8A"] == 0).repeat(2, axis=0).repeat(2, axis=1)
            assert np.array_equal(mask.valid, ~(cloudy | unseen))
        part = window.window(7, 11, 24, 36)
        assert np.array_equal(product_mask(scene, part, ["B04", "B8A"]).valid, mask.valid[7:31, 11:47])
        with pytest.raises(InvalidValueError, match="EPSG"):
            product_mask(scene, planned.grid.__class__.of_bounds(32601, (0, 0, 60, 60), 10), ["B04"])
