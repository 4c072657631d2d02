"""The figures of a report, as PNG bytes."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.model.rendering.palettes import distinct
from landloom.reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter
    from numpy.typing import NDArray

INK: Final = "#1d2a30"
FAINT: Final = "#9aa7ad"
COLOURS: Final = distinct(8)
"""Colours that people of any colour vision tell apart, in this order."""
DPI: Final = 130
MOST_TILES: Final = 40
"""Tiles that a figure has rows for."""
NODATA_GREY: Final = 222
"""Grey of pixels without data in true-colour pictures."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure with this width and height in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")


def as_text(figure: Figure) -> Figure:
    r"""Have every word of a figure drawn as it is written: `$` begins no formula, control characters steer nothing.

    Names of classes, strata and countries come from files; matplotlib reads `$\frac{a$` as mathematics, and fails.
    """
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter, FuncFormatter

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter | FuncFormatter):  # names, not numbers
                axis.set_major_formatter(FuncFormatter(partial(_plain_tick, formatter)))
    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_parse_math(False)
            text.set_text(plain(text.get_text()))
    return figure


def _plain_tick(formatter: Formatter, value: float, position: int | None = None) -> str:
    return plain(str(formatter(value, position)))


def legend(axes: Any, handles: Sequence[Any], names: Sequence[str], **options: Any) -> None:
    """A legend with just these names: matplotlib would leave out those that begin with an underscore."""
    shown = axes.legend(handles, [str(position) for position in range(len(names))], **options)
    for text, name in zip(shown.get_texts(), names, strict=True):
        text.set_text(name)


def png(figure: Figure) -> bytes:
    """A figure as PNG, with reproducible bytes."""
    buffer = io.BytesIO()
    as_text(figure).savefig(buffer, format="png", metadata={"Software": None}, bbox_inches="tight", pad_inches=0.08)
    return buffer.getvalue()


def plain_axes(axes: Any) -> None:
    """Keep only the left and bottom axes, in the colours of the page."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=8, length=3)


def true_colour(chip: NDArray[Any], red: int, green: int, blue: int) -> NDArray[np.uint8]:
    """True-colour picture of a chip: reflectance 0 to 0.25, brightened; nodata is light grey.

    Args:
        chip: (band, y, x) reflectance × 10,000, 0 is nodata.
        red: position of the red band.
        green: position of the green band.
        blue: position of the blue band.
    """
    stack = np.stack([chip[red], chip[green], chip[blue]], axis=-1).astype(np.float32)
    bright = np.clip(stack / 2500, 0, 1) ** (1 / 1.6)
    picture: NDArray[np.uint8] = (bright * 255).astype(np.uint8)
    picture[(stack == 0).all(axis=-1)] = NODATA_GREY
    return picture
