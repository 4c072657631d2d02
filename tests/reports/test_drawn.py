"""Figures as HTML: every number and colour is where it belongs."""

from __future__ import annotations

import re
from base64 import b64decode

import imagecodecs
import numpy as np
import pytest

from landloom.reports.drawn import chip_rows, observation_grid, paired_bars, sample_map
from landloom.reports.figures import COLOURS, MOST_TILES


def pictures(page: str) -> list[np.ndarray]:
    return [imagecodecs.png_decode(b64decode(data)) for data in re.findall(r"data:image/png;base64,([^\"]+)", page)]


def test_bars_are_in_proportion_and_have_their_numbers() -> None:
    page = paired_bars(["one", "two"], [1, 4], [2, 0], "samples", ("quota", "drawn"))
    assert [float(width) for width in re.findall(r"width:([\d.]+)%", page)] == [25.0, 50.0, 100.0, 0.0]
    assert re.findall(r'class="n">([^<]+)<br>([^<]+)<', page) == [("1", "2"), ("4", "0")]
    assert re.findall(r'class="n">([^<]+)<br>([^<]+)<', paired_bars(["a"], [0.25], [1_234.0], "%")) == [
        ("0.2", "1,234.0")
    ]
    assert "NaN" not in paired_bars([], [], [], "%")


def test_cells_without_observations_are_marked_and_the_poorest_tiles_are_shown() -> None:
    page = observation_grid(["a", "b"], ["2018-01", "2018-02"], np.array([[0.0, 2.5], [5.0, 10.0]]))
    assert re.findall(r">([\d.]+|none)</td>", page) == ["none", "2.5", "5.0", "10.0"]
    tiles = [f"t{number}" for number in range(MOST_TILES + 5)]
    means = np.arange(MOST_TILES + 5, 0, -1.0)[:, None]
    assert re.findall(r"<th>(t\d+)</th>", observation_grid(tiles, ["all"], means)) == tiles[5:]


def test_chips_are_shown_as_they_are() -> None:
    chips = np.random.default_rng(1).integers(0, 255, (3, 5, 4, 3)).astype(np.uint8)
    page = chip_rows({"a": [("one", chips[0]), ("two", chips[1])], "b": [("one", chips[2])]})
    for found, wanted in zip(pictures(page), chips, strict=True):
        np.testing.assert_array_equal(found, wanted)


def outlines(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


@pytest.mark.parametrize("latitude", [0.0, 60.0])
def test_samples_lie_where_the_axes_say(latitude: float) -> None:
    """One sample in the north-west and one in the south-east; a degree of longitude is as wide as it is there."""
    boxes = np.array([[10.0, 0.5, 10.25, 0.75], [10.5, 0.0, 11.0, 0.25]])
    boxes[:, 1::2] += latitude
    page = sample_map(outlines(boxes), ["train", "test"])
    (picture,) = pictures(page)
    sides = np.array([np.ptp(np.nonzero(picture[..., 3])[axis]) for axis in (0, 1)])
    assert sides[1] / sides[0] == pytest.approx(np.cos(np.radians(latitude + 0.375)) / 0.75, rel=0.01)
    for box, colour in zip(boxes, (COLOURS[1], COLOURS[0]), strict=True):
        ours = (picture[..., :3] == [*bytes.fromhex(colour[1:])]).all(axis=-1) & (picture[..., 3] > 0)
        rows, columns = (np.flatnonzero(ours.any(axis=axis)) / 2 for axis in (1, 0))
        ticks = {float(name): float(x) for x, name in re.findall(r'<text x="([\d.]+)" y="\d+"[^>]*>([\d.]+)°', page)}
        across = np.polyfit([*ticks], [*ticks.values()], 1)
        assert np.polyval(across, box[0]) == pytest.approx(columns.min(), abs=1.5)
        assert np.polyval(across, box[2]) == pytest.approx(columns.max() + 1, abs=2.5)
        levels = re.findall(r'<text x="-6" y="([\d.]+)"[^>]*>([\d.]+)°', page)
        down = np.polyfit([float(name) for _, name in levels], [float(y) - 4 for y, _ in levels], 1)
        assert np.polyval(down, box[3]) == pytest.approx(rows.min(), abs=1.5)
        assert np.polyval(down, box[1]) == pytest.approx(rows.max() + 1, abs=2.5)
    assert re.findall(r"</i>(\w+)<", page) == ["test", "train"]


def test_many_samples_make_no_larger_a_map_and_none_is_too_small_to_see() -> None:
    west = np.linspace(0, 20, 3_000)
    boxes = np.stack([west, west, west + 1e-4, west + 1e-4], axis=1)
    (picture,) = pictures(sample_map(outlines(boxes), ["a"] * len(boxes)))
    assert (picture[..., 3].max(axis=0) > 0).mean() > 0.85
    assert len(sample_map(outlines(boxes), ["a"] * len(boxes))) < 40_000


@pytest.mark.parametrize("turn", [0, 20, 45, -30])
def test_a_turned_sample_keeps_its_outline_and_a_gap_to_its_neighbours(turn: int) -> None:
    """Two squares with a side in common: two colours, each nearly as large as its square, none across its corners."""
    angle = np.radians(turn)
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    turn_by = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = np.stack([square - [1, 0], square]) @ turn_by
    (picture,) = pictures(sample_map(turned, ["a", "b"]))
    span = np.ptp(turned, axis=(0, 1)).max()
    side = 2 * 860 / (1.1 * span)
    for colour in COLOURS[:2]:
        ours = (picture[..., :3] == [*bytes.fromhex(colour[1:])]).all(axis=-1) & (picture[..., 3] > 0)
        assert (side - 4) ** 2 < ours.sum() < side**2
