"""Figures of a build's report as HTML: they need no drawing library, and fit into any window."""

from __future__ import annotations

import html
from base64 import b64encode
from math import cos, floor, log10, radians
from typing import TYPE_CHECKING, Final

import imagecodecs
import numpy as np

from landloom.reports.figures import COLOURS, FAINT, MOST_TILES
from landloom.reports.page import scrolling
from landloom.reports.quality import tint
from landloom.reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_LONG: Final = 860
"""Pixels of the longer side of a map."""
_FINE: Final = 2
"""Pixels of its picture for each of these, so that slanting edges look straight."""
_LEAST: Final = 4
"""Pixels of the picture of a side of the smallest sample."""
_FRAMED: Final = 10
"""The same of the smallest that has an edge towards others."""
_EDGE: Final = 1.0
"""Pixels of the picture of that edge in each."""
_LEFT: Final = 56
_BELOW: Final = 24
"""Pixels beside and below a map for the degrees."""
_TICKS: Final = 6
"""Most lines across a map in each direction."""


def text_of(name: str) -> str:
    """A name as HTML text: markup and control characters are shown, not followed.

    Example:
        >>> text_of("<b>")
        '&lt;b&gt;'
    """
    return html.escape(plain(name))


def image(pixels: NDArray[np.uint8]) -> str:
    """The address of a picture that a page holds itself.

    Args:
        pixels: (y, x, 3) red, green and blue, or (y, x, 4) with opacity.
    """
    data = imagecodecs.png_encode(np.ascontiguousarray(pixels), level=6)
    return f"data:image/png;base64,{b64encode(data).decode()}"


def captioned(content: str, caption: str) -> str:
    """HTML with a caption, as a figure.

    Example:
        >>> captioned("<table></table>", "a < b")
        '<figure tabindex="0"><table></table><figcaption>a &lt; b</figcaption></figure>'
    """
    return f'<figure tabindex="0">{content}<figcaption>{text_of(caption)}</figcaption></figure>'


def _legend(names: Sequence[str], colours: Sequence[str]) -> str:
    marks = zip(names, colours, strict=True)
    keys = "".join(f'<span><i style="background:{colour}"></i>{text_of(name)}</span>' for name, colour in marks)
    return f'<div class="legend">{keys}</div>'


def paired_bars(
    names: Sequence[str],
    wanted: Sequence[float],
    achieved: Sequence[float],
    unit: str,
    labels: tuple[str, str] = ("wanted", "achieved"),
) -> str:
    """Target and achieved values side by side, one row per name.

    Example:
        >>> paired_bars(["a"], [1], [2], "samples").count("<tr>")
        1
    """
    most = max([*wanted, *achieved, 1e-9])
    whole = all(float(value).is_integer() for value in (*wanted, *achieved))

    def bar(value: float, colour: str) -> str:
        return f'<div style="width:{100 * value / most:.1f}%;background:{colour}"></div>'

    lines = "".join(
        f'<tr><th>{text_of(name)}</th><td class="bar">{bar(one, FAINT)}{bar(other, COLOURS[0])}</td>'
        f'<td class="n">{one:,.{0 if whole else 1}f}<br>{other:,.{0 if whole else 1}f}</td></tr>'
        for name, one, other in zip(names, wanted, achieved, strict=True)
    )
    keys = _legend(labels, (FAINT, COLOURS[0]))
    return f'{keys}<table class="bars paired"><caption>{text_of(unit)}</caption>{lines}</table>'


def observation_grid(tiles: Sequence[str], timesteps: Sequence[str], means: NDArray[np.float64]) -> str:
    """Mean valid observations per tile and timestep; cells without observations are marked.

    Args:
        tiles: rows; of many, the MOST_TILES with the fewest observations are shown.
        timesteps: columns.
        means: (tile, timestep).
    """
    order = np.sort(np.argsort(means.mean(axis=1), kind="stable")[:MOST_TILES])
    most = max(float(means.max()), 1)

    def cell(value: float) -> str:
        return '<td class="none">none</td>' if value == 0 else f'<td style="{tint(value / most)}">{value:.1f}</td>'

    header = "<td></td>" + "".join(f"<th>{text_of(name)}</th>" for name in timesteps)
    lines = "".join(
        f"<tr><th>{text_of(tiles[row])}</th>{''.join(map(cell, means[row].tolist()))}</tr>" for row in order.tolist()
    )
    return scrolling(f'<table class="shares"><tr>{header}</tr>{lines}</table>')


def chip_rows(rows: Mapping[str, Sequence[tuple[str, NDArray[np.uint8]]]]) -> str:
    """Small multiples: one row per sample, its chips in time order.

    Args:
        rows: sample → timestep and (y, x, 3) picture of each chip.
    """
    return "".join(
        f'<div class="steps"><b>{text_of(sample)}</b><div>'
        + "".join(
            f'<span><img alt="{text_of(sample)}, {text_of(timestep)}" src="{image(picture)}">{text_of(timestep)}</span>'
            for timestep, picture in chips
        )
        + "</div></div>"
        for sample, chips in rows.items()
    )


def sample_map(outlines: NDArray[np.float64], groups: Sequence[str]) -> str:
    """Footprints of all samples, coloured by group; its size does not depend on their number.

    Args:
        outlines: (n, corner, 2) longitude and latitude in degrees of their corners, which go round them.
        groups: (n,) stratum or split of each sample.
    """
    west, south = outlines.min(axis=(0, 1)).tolist()
    east, north = outlines.max(axis=(0, 1)).tolist()
    stretch = 1 / cos(radians((south + north) / 2))
    span = max(east - west, (north - south) * stretch, 1e-3)
    pad = 0.05 * span
    west, east, south, north = west - pad, east + pad, south - pad / stretch, north + pad / stretch
    scale = _LONG / (1.1 * span)
    width, height = round((east - west) * scale), round((north - south) * stretch * scale)
    names = sorted(set(groups))
    colours = [COLOURS[position % len(COLOURS)] for position in range(len(names))]
    number = {name: position for position, name in enumerate(names)}
    places = (outlines - [west, north]) * [scale, -scale * stretch]
    codes = np.array([number[group] for group in groups])
    picture = _footprints(places * _FINE, codes, colours, width * _FINE, height * _FINE)
    upright = [(f"{x:g}°", (x - west) * scale) for x in _ticks(west, east)]
    level = [(f"{y:g}°", (north - y) * scale * stretch) for y in _ticks(south, north)]
    return _framed(image(picture), width, height, upright, level) + _legend(names, colours)


def _framed(
    picture: str, width: int, height: int, upright: Sequence[tuple[str, float]], level: Sequence[tuple[str, float]]
) -> str:
    """A picture over lines with names below and beside it: name and pixel of each."""
    lines = "".join(f'<path d="M{x:.1f} 0V{height}"/>' for _, x in upright)
    lines += "".join(f'<path d="M0 {y:.1f}H{width}"/>' for _, y in level)
    words = "".join(f'<text x="{x:.1f}" y="{height + 16}" text-anchor="middle">{name}</text>' for name, x in upright)
    words += "".join(f'<text x="-6" y="{y + 4:.1f}" text-anchor="end">{name}</text>' for name, y in level)
    view = f"{-_LEFT} -8 {width + _LEFT + 8} {height + _BELOW + 8}"
    return (
        f'<svg class="map" viewBox="{view}" role="img" aria-label="Map of samples">{lines}'
        f'<image width="{width}" height="{height}" href="{picture}"/>{words}</svg>'
    )


def _footprints(
    places: NDArray[np.float64], group: NDArray[np.int64], colours: Sequence[str], width: int, height: int
) -> NDArray[np.uint8]:
    """(y, x, 4) picture of outlines, filled.

    Args:
        places: (n, corner, 2) x and y in pixels of the corners of each, which go round it.
        group: (n,) number of the colour of each.
        colours: as `#rrggbb`.
        width: of the picture.
        height: of the picture.
    """
    out = np.zeros((height, width, 4), np.uint8)
    paints = np.array([[*bytes.fromhex(colour[1:]), 255] for colour in colours], np.uint8)
    starts = np.maximum(np.rint(places.min(axis=1)).astype(np.int64), 0)
    ends = np.maximum(np.rint(places.max(axis=1)).astype(np.int64), starts + _LEAST)
    framed = (ends - starts).min(axis=1) >= _FRAMED
    for number, ((left, top), (right, bottom)) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        window = out[top:bottom, left:right]
        if framed[number]:
            window[_inside(places[number] - [left, top], window.shape[:2])] = paints[group[number]]
        else:
            window[:] = paints[group[number]]
    return out


def _inside(corners: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(y, x) pixels whose centres are in a convex outline, not nearer than _EDGE to its edge.

    Args:
        corners: (n, 2) x and y in pixels, which go round it.
        shape: of the picture.
    """
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    aside = np.roll(corners, -1, axis=0) - corners
    lengths = np.hypot(*aside.T)
    beside = [
        (x * (rows - top) - y * (columns - left)) / length
        for (left, top), (x, y), length in zip(corners, aside, lengths, strict=True)
        if length
    ]
    inside: NDArray[np.bool_] = (np.min(beside, axis=0) >= _EDGE) | (np.max(beside, axis=0) <= -_EDGE)
    return inside


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two."""
    least = (high - low) / _TICKS
    power = 10.0 ** floor(log10(least))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [round(number * step, 9) for number in range(first, last + 1)]
