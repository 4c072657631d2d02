"""The page of a leaderboard: the models compared, then each with its scores and figures."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np

from landloom.reports import charts
from landloom.reports.page import figure, head, page, table
from landloom.training.evaluation.measures import SMALLER, TITLES
from landloom.training.evaluation.tables import (
    class_rows,
    group_rows,
    measures_of,
    model_rows,
    paired_rows,
    present,
    shown,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from landloom.training.evaluation.leaderboard import Leaderboard
    from landloom.training.evaluation.scores import ModelScores


def leaderboard_page(board: Leaderboard) -> str:
    """The page as HTML, one file with its figures."""
    names = ", ".join(one.name for one in board.models)
    several = len(board.models) > 1
    title = f"Models on the split {board.split}" if several else f"{names} on the split {board.split}"
    parts = [_head(board, title), _models(board)]
    if several:
        parts.append(_paired(board))
    for one in board.models:
        parts += [_of_model(one), _classes(one), _calibration(one), _groups(one), _areas(one), _shift(one)]
    parts.append(_method(board))
    return page(title, parts)


def _head(board: Leaderboard, title: str) -> str:
    best = board.models[0]
    numbers = [
        (f"{len(board.models):,}", "model" if len(board.models) == 1 else "models"),
        (f"{best.samples:,}", "samples"),
        (f"{best.blocks:,}", "blocks"),
        (shown(board.by, best.overall[board.by].value), f"{TITLES[board.by]} of {best.name}"),
    ]
    order = f", the best by {TITLES[board.by]} first" if len(board.models) > 1 else ""
    lead = f"Scores of held-out samples{order}, with 95 % intervals over blocks."
    return head(title, lead, numbers)


def _models(board: Leaderboard) -> str:
    header, rows = model_rows(board)
    values = [one.overall[board.by] for one in board.models]
    drawn = charts.interval_dots(
        [one.name for one in board.models],
        [one.value for one in values],
        [one.low for one in values],
        [one.high for one in values],
        f"{TITLES[board.by]}, 95 % interval",
        limits=None,
    )
    better = ", ".join(TITLES[name] for name in measures_of(board) if name in SMALLER)
    return (
        "<h2>Scores</h2>"
        + _wide(header, rows)
        + "<p>In percent, but for the calibration error (ECE) and the Brier score. "
        + f"Less is better: {html.escape(better)}.</p>"
        + (figure(drawn, f"Models by {TITLES[board.by]}.") if len(rows) > 1 else "")
    )


def _paired(board: Leaderboard) -> str:
    header, rows = paired_rows(board)
    values = [one.differences[board.by] for one in board.paired]
    drawn = charts.interval_dots(
        [f"{one.first} − {one.second}" for one in board.paired],
        [one.value for one in values],
        [one.low for one in values],
        [one.high for one in values],
        f"difference in {TITLES[board.by]}, 95 % interval",
        limits=None,
        mark=0,
    )
    return (
        "<h2>Differences on the same blocks</h2>"
        "<p>Blocks are drawn for both models together. A star marks intervals that exclude 0; with many pairs, some "
        "do by chance.</p>"
        + _wide(header, rows)
        + figure(drawn, f"Differences in {TITLES[board.by]}; left of the line the second model is larger.")
    )


def _of_model(one: ModelScores) -> str:
    notes = "".join(f"<p>Note: {html.escape(note)}</p>" for note in one.notes)
    return f"<h2>{html.escape(one.name)}</h2>{notes}"


def _classes(one: ModelScores) -> str:
    header, rows = class_rows(one)
    places = present(one)
    names, values = [one.classes[place] for place in places], [one.by_class["f1"][place] for place in places]
    dots = charts.interval_dots(
        names,
        [each.value for each in values],
        [each.low for each in values],
        [each.high for each in values],
        "F1, 95 % interval",
    )
    matrix = charts.confusion_matrix(names, one.table[np.ix_(places, places)], "prediction")
    return (
        "<h3>Classes</h3>"
        + _wide(header, rows)
        + figure(dots, f"{one.name}: F1 of each class.")
        + figure(matrix, f"{one.name}: confusion, percent of the reference.")
    )


def _calibration(one: ModelScores) -> str:
    bins = np.array(
        [(each.confidence, each.right, np.nan, np.nan, each.weight / one.weight) for each in one.reliability]
    )
    curve = charts.reliability_curves({one.name: bins}, "% right")
    caption = (
        f"{one.name}: reliability, ECE {one.overall['ece'].value:.3f}. Points below the line are too confident; their "
        "size is their share of the rows."
    )
    return "<h3>Calibration</h3>" + figure(curve, caption)


def _groups(one: ModelScores) -> str:
    found = ""
    for column, rows in one.groups.items():
        header, lines = group_rows(rows, column)
        values = [each.scores["accuracy"] for each in rows.values()]
        dots = charts.interval_dots(
            list(rows),
            [each.value for each in values],
            [each.low for each in values],
            [each.high for each in values],
            "overall accuracy, 95 % interval",
        )
        found += (
            f"<h3>By {column}</h3>" + _wide(header, lines) + figure(dots, f"{one.name}: overall accuracy by {column}.")
        )
    return found


def _areas(one: ModelScores) -> str:
    if one.adjusted is None:
        return ""
    own = one.adjusted
    pairs = ((own.users, own.users_error), (own.producers, own.producers_error), (own.shares, own.shares_error))
    rows = [
        [word, *(_with_error(values[place], errors[place]) for values, errors in pairs)]
        for place, word in enumerate(one.classes)
    ]
    header = ["class", "user's accuracy", "producer's accuracy", "share of the area"]
    return (
        "<h3>Area-adjusted</h3><p>Estimates for the mapped area ± standard error (Olofsson et al. 2014); overall "
        f"accuracy {_with_error(own.accuracy, own.accuracy_error)}.</p>" + _wide(header, rows)
    )


def _shift(one: ModelScores) -> str:
    if one.shift is None:
        return ""
    header, rows = group_rows({"inside": one.shift.inside, "outside": one.shift.outside}, "training region")
    lost = ", ".join(f"{TITLES[name]} {told(name, each, sign=True)}" for name, each in one.shift.loss.items())
    return (
        "<h3>Outside the training region</h3>"
        + _wide(header, rows)
        + f"<p>Inside minus outside: {html.escape(lost)}.</p>"
    )


def _method(board: Leaderboard) -> str:
    rows = [
        ("split", board.split),
        ("split set", board.split_set or "not known"),
        ("corpus", board.corpus or "not known"),
        ("intervals", "95 %, percentiles of a bootstrap over spatial blocks"),
        ("several seeds", "mean over the seeds, ± their standard deviation"),
    ]
    return "<h2>How this was measured</h2>" + table(("what", "value"), rows)


def _wide(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose intervals stand below their values."""
    lines = [[row[0], *(cell.replace(" (", "\n(") for cell in row[1:])] for row in rows]
    return table(header, lines, range(1, len(header)))


def _with_error(value: float, error: float) -> str:
    if np.isnan(value):
        return "–"
    return f"{100 * value:.1f}" + ("" if np.isnan(error) else f" ± {100 * error:.1f}")
