"""The outcome of a draw, as parts of the build report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landloom.reports.drawn import captioned, paired_bars

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.corpus.info import CorpusInfo


def draw_parts(draw: Mapping[str, Any], info: CorpusInfo) -> list[str]:
    """Class shares of corpus and region, and samples by country against quotas.

    Args:
        draw: as in `Placement.draw`.
        info: the corpus, with the names of its classes.
    """
    names = {item.code: item.name for label in info.labels if label.taxonomy for item in label.taxonomy.classes}
    rows = [
        (code, 100 * region, 100 * corpus)
        for code, region, corpus in zip(draw["classes"], draw["region_shares"], draw["draw_shares"], strict=True)
        if region > 0 or corpus > 0
    ]
    labels = [f"{code} {names.get(code, '')}" for code, _, _ in rows]
    classes = paired_bars(
        labels, [row[1] for row in rows], [row[2] for row in rows], "% of the area", ("region", "corpus")
    )
    caption = f"Class shares; Jensen–Shannon divergence of corpus and region: {draw['divergence']:.4f} bits."
    countries = draw["countries"]
    bars = paired_bars(
        [one["name"] for one in countries],
        [one["wanted"] for one in countries],
        [one["achieved"] for one in countries],
        "samples",
        ("quota", "drawn"),
    )
    return [
        "<h2>Classes against the region's</h2>" + captioned(classes, caption),
        "<h2>Countries against their quotas</h2>" + captioned(bars, "Quota by area, and samples drawn."),
    ]
