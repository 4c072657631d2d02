"""What is read ahead is what is read otherwise; bands without a usable pixel are not even opened."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.engine.small_scenes import AREA, Small, numbers_of, write_scene

from landloom.engine.pixels.ahead import read_ahead
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.reading import SceneFaultError, SceneReader
from landloom.errors import TransientFaultError
from landloom.model.scene import Role, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.web import FaultyServer

    from landloom.imagery.composite import Observation

BANDS = ("B04", "B05")
TARGETS = [
    [AREA.window(row, column, 60, 90) for row in (top, top + 60)] for top in (0, 120) for column in (-30, 60, 150)
]


def scenes(web: FaultyServer) -> list[Scene]:
    """Two scenes that show something, and one under clouds, on the server."""
    made: list[Small] = []
    for number in range(3):
        numbers = numbers_of(number, (*BANDS, "SCL"))
        if number == 1:
            numbers["SCL"][...] = 9
        made.append(write_scene(web.root, numbers, name=f"S2A_{number}", offset=-1000))

    def remote(href: str) -> str:
        return href.replace(str(web.root), web.address)

    return [
        replace(
            one.scene,
            bands={name: replace(file, href=remote(file.href)) for name, file in one.scene.bands.items()},
            layers={role: replace(file, href=remote(file.href)) for role, file in one.scene.layers.items()},
        )
        for one in made
    ]


def observed(
    readers: Sequence[SceneReader], order: Iterator[int]
) -> tuple[list[tuple[int, Observation | None]], list[int]]:
    seen = [(n, reader.observe(grid)) for n in order for grid in TARGETS[n] for reader in readers]
    return seen, [reader.clamped for reader in readers]


def opened(stack: ExitStack, found: Sequence[Scene]) -> list[SceneReader]:
    mask = PixelMask(dilate=1)
    return [stack.enter_context(SceneReader(scene, bands=BANDS, mask=mask)) for scene in found]


def test_observations_are_the_same_ahead(faulty: FaultyServer) -> None:
    found = scenes(faulty)
    with ExitStack() as stack:
        plain, clamped = observed(opened(stack, found), iter(range(len(TARGETS))))
    faulty.requests.clear()
    with ExitStack() as stack:
        readers = opened(stack, found)
        ahead, also = observed(
            readers, stack.enter_context(closing(read_ahead([[reader] for reader in readers], TARGETS)))
        )
    assert clamped == also
    for (number, one), (same, other) in zip(plain, ahead, strict=True):
        assert number == same
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            np.testing.assert_array_equal(one.bands, other.bands)
            np.testing.assert_array_equal(one.valid, other.valid)
    assert not [path for path in faulty.requests if "S2A_1/B" in path]
    # Every file is opened once; all windows of the larger ones are one range beside that.
    assert Counter(Counter(faulty.requests).values()) == {1: 5, 2: 2}


def test_a_broken_mask_is_the_fault_of_its_scene(faulty: FaultyServer) -> None:
    first, *rest = scenes(faulty)
    gone = replace(first.layers[Role.CLASSIFICATION], href=f"{faulty.address}/gone.tif")
    broken = replace(first, layers={Role.CLASSIFICATION: gone})
    with ExitStack() as stack:
        readers = opened(stack, [*rest, broken])
        with pytest.raises(SceneFaultError, match="S2A_0/SCL") as caught:
            list(stack.enter_context(closing(read_ahead([[reader] for reader in readers], TARGETS))))
    assert caught.value.scene.id == "S2A_0"


def test_a_broken_band_is_a_fault_where_it_is_read(faulty: FaultyServer) -> None:
    found = scenes(faulty)
    (faulty.root / "S2A_2" / "B05.tif").unlink()
    with ExitStack() as stack:
        readers = opened(stack, found)
        with pytest.raises(SceneFaultError, match="S2A_2/B05"):
            observed(readers, stack.enter_context(closing(read_ahead([[reader] for reader in readers], TARGETS))))


def test_a_server_that_fails_is_a_transient_fault(faulty: FaultyServer) -> None:
    found = scenes(faulty)
    faulty.fail(status=403)
    with ExitStack() as stack:
        ahead = stack.enter_context(closing(read_ahead([opened(stack, found)], TARGETS)))
        with pytest.raises(TransientFaultError, match="403"):
            next(ahead)
