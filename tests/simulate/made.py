"""The demo world, and a place in it."""

from __future__ import annotations

from landloom.model.grid import Grid
from landloom.simulate.spec import world_spec
from landloom.simulate.world import World

GRID = Grid.of_bounds(32633, (303_000, 5_559_000, 304_200, 5_560_200), 10)


DEMO = World(world_spec("demo"))
