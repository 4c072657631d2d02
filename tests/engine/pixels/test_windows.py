"""Windows of files that targets need: the smallest that cover them, in the file's zone and in another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.engine.small_scenes import AREA

from landloom.engine.pixels.windows import source_window
from landloom.model.grid import Grid
from landloom.model.shapes import reproject

METRES = st.sampled_from([10.0, 20.0, 30.0, 60.0])


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Grid, Grid]:
    """Two grids of one CRS, anywhere about each other."""
    source = Grid.of_bounds(32633, (0, 0, 60 * draw(st.integers(1, 20)), 60 * draw(st.integers(1, 20))), draw(METRES))
    west, north = draw(st.integers(-900, 1_900)), draw(st.integers(-900, 1_900))
    size, metres = draw(st.integers(1, 9)), draw(METRES)
    return source, Grid.of_bounds(32633, (west, north - size * metres, west + size * metres, north), metres)


@given(pairs(), st.integers(0, 3))
def test_a_window_is_the_smallest_that_covers_the_target(both: tuple[Grid, Grid], margin: int) -> None:
    source, target = both
    step, window = source.pixel_width, source_window(source, target, margin)
    left, top = (target.west - source.west) // step - margin, (source.north - target.north) // step - margin
    right = -((source.west - target.east) // step) + margin
    bottom = -((target.south - source.north) // step) + margin
    if window is None:
        assert right <= 0 or bottom <= 0 or left >= source.width or top >= source.height
    else:
        assert window.at(step) == window
        assert window.bounds == (
            source.west + left * step,
            source.north - bottom * step,
            source.west + right * step,
            source.north - top * step,
        )
        assert min(right, bottom) > 0
        assert (left, top) < (source.width, source.height)


@given(st.integers(-3_000, 5_000), st.integers(-3_000, 5_000))
def test_a_window_in_another_zone_holds_all_of_the_target(x: int, y: int) -> None:
    middle = reproject(AREA.footprint().centroid, 4326, 32632).centroid
    west, north = round(middle.x / 60) * 60 + x, round(middle.y / 60) * 60 + y
    target = Grid.of_bounds(32632, (west, north - 600, west + 600, north), 10)
    corners = reproject(target.outline().segmentize(60), 32632, AREA.epsg)
    window = source_window(AREA, target)
    if window is None:
        assert not corners.intersects(AREA.outline())
    else:
        assert window.outline().buffer(1e-6).contains(corners)
