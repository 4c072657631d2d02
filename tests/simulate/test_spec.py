"""Specifications of worlds that cannot be."""

from __future__ import annotations

import pytest

from landloom.errors import InvalidValueError, NotFoundError
from landloom.simulate.spec import View, WorldSpec, world_spec


def test_bad_specs_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="seed -1"):
        WorldSpec(name="x", seed=-1)
    with pytest.raises(InvalidValueError, match="2 bands"):
        WorldSpec(name="x", seed=1, noise=(1.0, 2.0))
    view = View(place="nowhere", granule="33UUR", corner=(0, 0), orbit=1, first=1, step=5)
    with pytest.raises(NotFoundError, match="nowhere"):
        WorldSpec(name="x", seed=1, views=(view,))
    with pytest.raises(NotFoundError, match="demo"):
        world_spec("dem")
