"""The figures of fused series in the build report: errors at withheld observations by month and length of the gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.products.fused.judge import FUSED
from landloom.products.fused.withheld import GAP_NAMES, MONTHS, WITHHELD, WithheldErrors
from landloom.products.fused.withholding import SHARE
from landloom.reports.charts import error_grid
from landloom.reports.page import figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def withheld_part(measured: Iterable[Mapping[str, Any]]) -> list[str]:
    """The figure of errors at withheld observations, as HTML; nothing where nothing was withheld.

    Args:
        measured: measures of each tile's unit.
    """
    found = [WithheldErrors.of_state(one[WITHHELD]) for one in measured if WITHHELD in one]
    total = sum(found[1:], start=found[0]) if found else None
    if total is None or not total.count:
        return []
    gaps, months = (*range(len(GAP_NAMES)), None), (None, *range(1, 13))
    picture = error_grid(
        [*(f"gap {name}" for name in GAP_NAMES), "all gaps"],
        ["all year", *MONTHS],
        np.array([[total.rmse(FUSED, m, g).mean() for m in months] for g in gaps]),
        np.array([[total.number(m, g) for m in months] for g in gaps]),
        "error, 10,000 × reflectance",
    )
    fit = total.fit()
    floors = ", ".join(f"{name} {value:.0f}" for name, value in zip(total.bands, total.floor, strict=True))
    caption = (
        f"Root mean square error of the fused series at withheld observations, mean over bands, and their number. An "
        f"estimate: {SHARE:.0%} of the reference sensor's overpasses are withheld at random in one sample of each tile "
        f"({total.windows} in all), which is filled from the others without its surroundings and compared with the "
        f"clear observations withheld. Their own noise is part of the error ({floors}); {total.screened:,} that the "
        f"series takes for clouds or shadows are not compared. Within 1 σ of value and noise lie "
        f"{np.nanmean(fit['within_1_sigma']):.0%}, within 2 σ {np.nanmean(fit['within_2_sigma']):.0%}. "
        "`landloom evaluate fused` measures more closely."
    )
    return ["<h2>Error of the fused series</h2>", figure(picture, caption)]
