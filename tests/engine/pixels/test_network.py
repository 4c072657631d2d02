"""Usable pixels by the network: cells of a lattice, which depend on no window, and what lies outside."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from landloom.engine.pixels.network import CELL, CloudNetwork
from landloom.imagery.masks.network import COLOURS, cloudless
from landloom.model.grid import Grid

SCENE = Grid.of_bounds(32633, (600_000, 5_700_000, 609_600, 5_709_600), 30)
BANDS = tuple(names[0] for names in COLOURS)
NETWORK = CloudNetwork(bands=BANDS, level="L2A", dilate=2)
needs_extra = pytest.mark.skipif(importlib.util.find_spec("ukis_csmask") is None, reason="needs the extra csmask")


def land(name: str, grid: Grid) -> np.ndarray:
    """Vegetation with a bright square cloud in the middle of the scene."""
    x = grid.west + grid.pixel_width * (np.arange(grid.width) + 0.5)
    y = grid.north - grid.pixel_height * (np.arange(grid.height) + 0.5)
    green = {"blue": 400, "green": 700, "red": 500, "nir": 3_500, "swir16": 1_800, "swir22": 900}[name]
    rough = 1 + 0.05 * np.sin(x / 90)[None] * np.cos(y / 70)[:, None]
    cloud = (np.abs(x - 604_800) < 1_500)[None] & (np.abs(y - 5_704_800) < 1_500)[:, None]
    inside = ((x > 600_000) & (x < 609_600))[None] & ((y > 5_700_000) & (y < 5_709_600))[:, None]
    return (np.where(cloud, 7_000, green * rough) * inside).astype(np.uint16)


def test_outside_the_scene_there_is_nothing_and_without_data_nothing_is_usable() -> None:
    far = Grid.of_bounds(32633, (700_000, 5_700_000, 700_600, 5_700_600), 10)
    assert NETWORK.usable(land, SCENE, far, {}) is None
    here = Grid.of_bounds(32633, (601_200, 5_701_200, 601_800, 5_701_800), 10)
    found = NETWORK.usable(lambda _name, _grid: None, SCENE, here, {})
    assert found is not None
    assert not found.any()


@needs_extra
def test_cells_depend_on_no_window() -> None:
    whole = NETWORK.usable(land, SCENE, SCENE, {})
    assert whole is not None
    part = SCENE.window(100, 40, 150, 200)
    found = NETWORK.usable(land, SCENE, part, {})
    np.testing.assert_array_equal(found, whole[100:250, 40:240])
    assert not whole[155:165, 155:165].any(), "the cloud"


@needs_extra
def test_clouds_grow_and_pixels_without_data_are_not_usable() -> None:
    side = 2 * CELL
    grid = Grid.of_bounds(32633, (597_120, 5_697_120, 597_120 + side * 30, 5_697_120 + side * 30), 30)
    stack = np.stack([land(name, grid) for name in BANDS])
    plain, grown = cloudless(stack, "L2A"), cloudless(stack, "L2A", dilate=3)
    assert not (grown & ~plain).any()
    assert grown.sum() < plain.sum()
    assert not plain[(stack == 0).any(axis=0)].any()
