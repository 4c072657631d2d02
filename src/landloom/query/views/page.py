"""Corpora and selections as notebooks show them: a map, counts, classes, and some samples in true colour."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import LandloomError
from landloom.query.views.maps import draw_map
from landloom.query.views.pictures import coloured, true_colours
from landloom.reports.text import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo

SHOWN: Final = 6
"""Samples of which a picture is shown."""
_WIDTH: Final = 96
"""Pixels of a picture on the page."""
_DOTS: Final = 20_000
"""Samples that a map draws at most: a draw of this many where there are more."""


def corpus_page(everything: Any, title: str) -> str:
    """A corpus: its summary beside the map, and pictures.

    Args:
        everything: the selection of all its samples.
        title: first line.
    """
    from landloom.query.views.text import describe_corpus

    return _page(everything, title, describe_corpus(everything))


def selection_page(chosen: Any) -> str:
    """A selection: its summary beside the map, and pictures."""
    from landloom.query.views.text import describe_selection

    return _page(chosen, repr(chosen), describe_selection(chosen))


def _page(chosen: Any, title: str, summary: str) -> str:
    lines = "".join(f"<div>{_text(line)}</div>" for line in summary.splitlines())
    pictures, about = _pictures(chosen)
    return (
        f"<div><strong>{_text(title)}</strong>"
        '<div style="display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start">'
        f'{_map(chosen)}<div style="max-width:34em">{lines}</div></div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:.5em">{pictures}</div>{_text(about)}</div>'
    )


def _text(text: str) -> str:
    return escape(plain(text))


def _image(png: bytes, alt: str, width: int) -> str:
    data = base64.b64encode(png).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{_text(alt)}" title="{_text(alt)}" width="{width}">'


def _map(chosen: Any) -> str:
    from landloom.reports.figures import new_figure, png

    if not len(chosen):
        return ""
    drawn = chosen if len(chosen) <= _DOTS else chosen.sample(_DOTS)
    by = next((name for name in ("split", "stratum") if name in chosen.sidecar.arrays), None)
    figure = new_figure(4.6, 3.0)
    axes = draw_map(drawn, by, figure.add_subplot())
    axes.locator_params(nbins=4)
    return _image(png(figure), f"map of {len(drawn):,} samples", 420)


def _pictures(chosen: Any) -> tuple[str, str]:
    """Some samples in true colour, each at its clearest timestep; and what is said below."""
    info: CorpusInfo = chosen.sidecar.info
    key = coloured(info, chosen.products)
    if key is None or not len(chosen):
        return "", ""
    if "://" in chosen.base:
        return "", "no pictures: the corpus is not on this machine; download() brings it here"
    numbers = np.unique(np.linspace(0, len(chosen) - 1, SHOWN).astype(int)).tolist()
    tags = []
    for number in numbers:
        try:
            series = true_colours(chosen, number, key)
        except LandloomError as error:
            return "", f"no pictures: {error}"
        if series.sizes["time"]:
            step = _clearest(series.values)
            when = str(series.time.values[step])[:10]
            tags.append(_image(_png(series.values[step]), f"{series.attrs['sample']}, {key}, {when}", _WIDTH))
    return "".join(tags), f"{key}, each at its clearest timestep" if tags else ""


def _clearest(series: NDArray[np.uint8]) -> int:
    """The timestep with most data and, of these, the middle brightness: clouds are white, shadows are black."""
    from landloom.reports.figures import NODATA_GREY

    empty = (series == NODATA_GREY).all(axis=-1).mean(axis=(1, 2))
    best = np.flatnonzero(empty <= empty.min() + 0.01)
    bright = series[best].mean(axis=(1, 2, 3))
    return int(best[np.argsort(bright, kind="stable")[(len(best) - 1) // 2]])


def _png(picture: NDArray[np.uint8]) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.png_encode(np.ascontiguousarray(picture), level=4))
