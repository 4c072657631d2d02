"""`consensus.html`: one page about a consensus, its annotators and how far its confidence can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.products.consensus import figures
from landloom.reports.page import figure, head, page, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.consensus.quality import Quality
    from landloom.annotate.consensus.result import Consensus
    from landloom.annotate.scores.agreement import Agreement
    from landloom.annotate.scores.annotators import AnnotatorScore
    from landloom.annotate.scores.intervals import Share
    from landloom.annotate.tasks.values import ClassChoice


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassCost:
    """What the labels of a class have cost."""

    pixels: float
    """Pixels labelled as the class, over all answers."""
    changed: float
    """Of these, pixels whose guess was another."""
    seconds: float
    """Share of the active seconds of the answers: by pixels of the class in each."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportContent:
    """What the page shows."""

    title: str
    """Name of the campaign."""
    found: Consensus
    classes: Sequence[ClassChoice]
    scores: Sequence[AnnotatorScore]
    agreement: Agreement
    costs: Mapping[int, ClassCost]
    """Code of a class → its cost."""
    chips: Mapping[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]
    """Sample chips: picture, and class with confidence."""
    notes: Sequence[str]


def report_page(content: ReportContent) -> str:
    """The page as HTML."""
    parts = [
        _head(content),
        _notes(content.notes),
        _distributions(content),
        _chips(content),
        _quality(content),
        _annotators(content),
        _agreement(content),
        _costs(content),
    ]
    return page(f"Consensus of {content.title}", parts)


def _head(content: ReportContent) -> str:
    found = content.found
    pixels = int(found.patterns.count[found.label > 0].sum())
    numbers = [
        (f"{len(found.tasks):,}", "tasks"),
        (f"{pixels:,}", "pixels labelled"),
        (f"{len(found.patterns.annotators):,}", "annotators"),
    ]
    if found.quality is not None:
        numbers += [
            (_percent(found.quality.accuracy.value), "right on reference tasks"),
            (f"{found.quality.ece:.3f}", "calibration error"),
        ]
    lead = f"One label for every pixel, by the method {found.method} (version {found.version})."
    return head(f"Consensus of {content.title}", lead, numbers)


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    return "<h2>Notes</h2>" + table(("note",), [(note,) for note in notes])


def _distributions(content: ReportContent) -> str:
    found = content.found
    labelled = found.label > 0
    count = found.patterns.count[labelled]
    sums = np.bincount(found.label[labelled], weights=count, minlength=256)
    shares = [float(sums[one.code] / max(count.sum(), 1)) for one in content.classes]
    rows = {found.method: (found.confidence[labelled], count)}
    if found.method != "published":
        rows["published"] = (found.published_score[labelled], count)
    unanimous = float(count[found.published_score[labelled] > 1 - 1e-9].sum() / max(count.sum(), 1))
    return (
        "<h2>Classes and confidence</h2>"
        + figure(figures.class_shares(content.classes, shares), "Distribution of the classes.")
        + figure(
            figures.confidence_shares(rows),
            f"Distribution of the confidence. All annotators agree on {unanimous:.1%} of the pixels; there the "
            "published equation gives 100 %.",
        )
    )


def _chips(content: ReportContent) -> str:
    if not content.chips:
        return ""
    caption = "Sample chips: one of their scenes, the labels over it, and the confidence."
    return "<h2>Sample chips</h2>" + figure(figures.sample_chips(content.chips, content.classes), caption)


def _quality(content: ReportContent) -> str:
    found = content.found
    rows = {name: one for name, one in ((found.method, found.quality), ("published", found.published_quality)) if one}
    if not rows:
        return "<h2>Quality</h2><p>There are fewer than two reference tasks: quality is not known.</p>"
    header = ("method", "accuracy", "95 % interval", "calibration error", "Brier", "log loss", "tasks", "ties")
    ties = {found.method: found.ties, "published": found.published_ties}
    lines = [_quality_row(name, one, ties[name]) for name, one in rows.items()]
    own = next(iter(rows.values()))
    return (
        "<h2>Quality on reference tasks</h2>"
        "<p>Each reference task is predicted by a model that has not seen its expert answer.</p>"
        + table(header, lines, range(1, 8))
        + figure(figures.reliability(rows), "Reliability: the size of a point is its share of the pixels.")
        + figure(figures.confusion(own.confusion, content.classes, "consensus"), "Confusion, percent of the reference.")
    )


def _quality_row(name: str, one: Quality, ties: int) -> tuple[str, ...]:
    share = one.accuracy
    return (
        name,
        _percent(share.value),
        _interval(share),
        f"{one.ece:.3f}",
        f"{one.brier:.3f}",
        f"{one.log_loss:.3f}",
        f"{share.tasks:,}",
        f"{ties:,}",
    )


def _annotators(content: ReportContent) -> str:
    copying = content.found.parameters.get("copy_rate", {})
    header = (
        "annotator",
        "tasks",
        "references",
        "accuracy, 95 % interval",
        "edited",
        "planted errors kept",
        "wrong guesses kept",
        "copy rate",
    )
    rows = [
        (
            str(one.annotator),
            f"{one.tasks:,}",
            f"{one.accuracy.tasks:,}",
            f"{_percent(one.accuracy.value)}, {_interval(one.accuracy)}",
            _percent(one.edited.value),
            _percent(one.planted.value),
            _percent(one.copied.value),
            _percent(copying.get(str(one.annotator), float("nan"))),
        )
        for one in content.scores
    ]
    note = "<p>Kept: labelled as a wrong guess was, by copying or by chance. The copy rate is that of the model.</p>"
    return "<h2>Annotators</h2>" + note + table(header, rows, range(1, 8))


def _agreement(content: ReportContent) -> str:
    found = content.agreement
    names = {one.code: one.name for one in content.classes}
    rows = [(f"{code} {names[code]}", _number(alpha)) for code, alpha in found.by_class.items()]
    pairs = [
        (f"{one.first} and {one.second}", f"{one.pixels:,}", _percent(one.agreed), _number(one.kappa))
        for one in found.pairs
    ]
    words = (
        f"<p>Krippendorff's alpha {_number(found.alpha)}, Fleiss' kappa {_number(found.kappa)}; unanimous on "
        f"{_percent(found.unanimous)} of {found.pixels:,} pixels with at least two labels.</p>"
    )
    return (
        "<h2>Agreement</h2>"
        + words
        + table(("class", "alpha against all others"), rows, (1,))
        + table(("pair", "pixels", "agreed", "Cohen's kappa"), pairs, range(1, 4))
    )


def _costs(content: ReportContent) -> str:
    names = {one.code: one.name for one in content.classes}
    rows = [
        (
            f"{code} {names[code]}",
            f"{one.pixels:,.0f}",
            f"{one.changed:,.0f}",
            f"{one.seconds / 3600:.2f}",
            f"{1000 * one.seconds / one.pixels:.1f}" if one.pixels else "–",
        )
        for code, one in content.costs.items()
    ]
    header = ("class", "pixels labelled", "of these changed", "hours", "seconds per 1,000 pixels")
    note = "<p>Active seconds of an answer are shared among its classes by their pixels.</p>"
    return "<h2>Cost of each class</h2>" + note + table(header, rows, range(1, 5))


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{share:.1%}"


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.2f}"


def _interval(share: Share) -> str:
    return "–" if np.isnan(share.low) else f"{share.low:.1%} to {share.high:.1%}"
