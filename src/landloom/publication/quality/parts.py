"""Parts of the report that say how good a corpus is."""

from __future__ import annotations

import html
from base64 import b64encode
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import imagecodecs
import numpy as np

from landloom.publication.quality.measure import measurable, measure
from landloom.query.views.pictures import coloured_chips
from landloom.reports.figures import MOST_TILES
from landloom.reports.page import numbers_row
from landloom.reports.quality import share_bars, share_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from landloom.publication.quality.measure import ChipQuality, SeriesQuality
    from landloom.query.corpus import Corpus

MOST_COUNTED: Final = 12
"""Numbers of observations that have a line of their own."""
EXTREMES: Final = 4
"""Best and worst chips that are shown."""
EXPLORER: Final = "http://127.0.0.1:8000"
"""Where `landloom serve` shows a corpus if nothing else is asked for."""


def quality_parts(corpus: Corpus) -> list[str]:
    """Sections about the pixels of each product of reflectance; none where a corpus has no such product."""
    measured = [measure(corpus, key) for key in measurable(corpus.sidecar.info)]
    return [
        part
        for found in measured
        if found is not None
        for part in (_numbers(found), _valid(found), _counts(found), _extremes(corpus, found))
    ]


def _numbers(found: SeriesQuality) -> str:
    shares = np.array([chip.valid for chip in found.chips])
    numbers = (
        (f"{found.valid:.1%}", "pixels with data"),
        (f"{(shares == 0).mean():.1%}", "chips without any data"),
        (f"{(shares == 1).mean():.1%}", "chips without a gap"),
        (f"{found.cloudy:.2%}", "of valid pixels look like cloud"),
    )
    some = f"{found.samples:,} of {found.of:,} samples, spread evenly over the index"
    which = "all samples" if found.samples == found.of else some
    lead = (
        f"{found.title}, measured on {which}. A pixel has no data where nothing was clear, nor "
        "filled in. Bright, white and hazy pixels look like cloud: most are cloud that the "
        "mask missed, some are roofs or sand."
    )
    return f'<h2>Quality</h2><p class="lead">{html.escape(lead)}</p>{numbers_row(numbers)}'


def _valid(found: SeriesQuality) -> str:
    shares: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for chip in found.chips:
        shares[chip.tile][chip.month].append(chip.valid)
    months = sorted({chip.month for chip in found.chips})
    grid = np.array([[np.mean(row[month]) if month in row else np.nan for month in months] for row in shares.values()])
    order = np.argsort(np.nanmean(grid, axis=1), kind="stable")[:MOST_TILES]
    tiles = list(shares)
    which = "the tile with the least first" if len(order) == len(tiles) else f"the {len(order)} tiles with the least"
    return f"<h3>Pixels with data, %</h3><p>By tile and month; {which}.</p>" + share_table(
        [tiles[number] for number in order], months, grid[order]
    )


def _counts(found: SeriesQuality) -> str:
    """Observations behind pixels, and what looks like cloud by month, side by side."""
    valid: dict[str, float] = defaultdict(float)
    cloudy: dict[str, float] = defaultdict(float)
    for chip in found.chips:
        valid[chip.month] += chip.valid
        cloudy[chip.month] += chip.valid * chip.cloudy
    months = sorted(valid)
    clouds = [cloudy[month] / valid[month] if valid[month] else np.nan for month in months]
    return (
        f'<div class="pair">{_observed(found)}{share_bars(months, clouds, "valid pixels that look like cloud")}</div>'
    )


def _observed(found: SeriesQuality) -> str:
    """Share of pixels by number of observations; the last line holds all that have more."""
    if not found.observations:
        return ""
    counts = list(found.observations[:MOST_COUNTED])
    counts[-1] += sum(found.observations[MOST_COUNTED:])
    names = [str(number) for number in range(len(counts))]
    names[-1] += " or more" if len(found.observations) > MOST_COUNTED else ""
    total = max(sum(counts), 1)
    return share_bars(names, [count / total for count in counts], "pixels by number of clear observations")


def _extremes(corpus: Corpus, found: SeriesQuality) -> str:
    order = sorted((chip for chip in found.chips if chip.valid > 0), key=lambda chip: chip.usable)
    best, worst = first_of_each(reversed(order)), first_of_each(order)
    return (
        "<h3>Best and worst chips</h3>"
        "<p>By pixels with data that do not look like cloud; light grey is no data; those without any are left out. "
        "Names open in the explorer while <code>landloom serve</code> runs.</p>"
        f"{_row(corpus, found.product, best)}{_row(corpus, found.product, worst)}"
    )


def first_of_each(chips: Iterable[ChipQuality]) -> list[ChipQuality]:
    """The first chip of each of the first EXTREMES samples."""
    found: dict[str, ChipQuality] = {}
    for chip in chips:
        found.setdefault(chip.sample, chip)
    return list(found.values())[:EXTREMES]


def _row(corpus: Corpus, product: str, chips: Iterable[ChipQuality]) -> str:
    cells = "".join(
        f'<figure><img width="200" alt="{chip.sample}, {chip.timestep}" src="{_picture(corpus, product, chip)}">'
        f'<figcaption><a href="{EXPLORER}/#sample={chip.sample}">{html.escape(chip.sample)}</a><br>{chip.timestep}: '
        f"{chip.valid:.0%} with data, {chip.cloudy:.0%} of it cloud-like</figcaption></figure>"
        for chip in chips
    )
    return f'<div class="chips">{cells}</div>'


def _picture(corpus: Corpus, product: str, chip: ChipQuality) -> str:
    chosen = corpus.query(products=(product,))
    steps: Sequence[str] = [step.name for step in corpus.sidecar.info.product(product).timesteps]
    chips, pictures = coloured_chips(chosen, chip.sample, product)
    dates = steps or [str(moment)[:10] for moment in chips.times]
    image = np.ascontiguousarray(pictures[dates.index(chip.timestep)])
    return f"data:image/png;base64,{b64encode(imagecodecs.png_encode(image, level=6)).decode()}"
