"""Figures of the manager's page as PNG, and the same numbers as CSV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from starlette.responses import Response

from landloom.errors import NotFoundError
from landloom.formats.csv_table import csv_bytes
from landloom.server.annotate.access import Access
from landloom.server.annotate.routes import Lane, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from landloom.server.annotate.calls import Call
    from landloom.server.annotate.state import AppState

Rows = list[tuple[Any, ...]]
NAN: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Figure:
    """Numbers, and how they are drawn."""

    header: tuple[str, ...]
    rows: Callable[[AppState], Rows]
    draw: Callable[[AppState, Rows], bytes]
    """Loads matplotlib, which takes longer than the rest of the server to start, and only managers need it."""


def _progress(state: AppState) -> Rows:
    return [
        (one.chip, one.tasks, one.done, one.started, one.submissions, one.needed, one.surplus)
        for one in state.summaries.chips()
    ]


def _draw_progress(_: AppState, rows: Rows) -> bytes:
    from landloom.reports import charts

    parts = {
        "done": [row[2] for row in rows],
        "started": [row[3] for row in rows],
        "open": [row[1] - row[2] - row[3] for row in rows],
    }
    return charts.stacked_bars([row[0] for row in rows], parts, "tasks")


def _throughput(state: AppState) -> Rows:
    return [(day, count, spent) for day, (count, spent) in state.summaries.work().days.items()]


def _draw_throughput(_: AppState, rows: Rows) -> bytes:
    from landloom.reports import charts

    return charts.stacked_bars([row[0] for row in rows], {"submissions": [row[1] for row in rows]}, "submissions")


def _seconds(state: AppState) -> Rows:
    people = state.summaries.work().people
    return [(name, count, total, middle) for name, (count, _, _, total, middle) in sorted(people.items())]


def _draw_seconds(_: AppState, rows: Rows) -> bytes:
    from landloom.reports import charts

    return charts.stacked_bars([row[0] for row in rows], {"median": [row[3] for row in rows]}, "seconds for a task")


def _classes(state: AppState) -> Rows:
    found = state.summaries.work().classes
    return [(one.code, one.name, *found.get(one.code, (0, 0, 0.0))) for one in state.campaign.classes]


def _draw_classes(_: AppState, rows: Rows) -> bytes:
    from landloom.reports import charts

    parts = {"unchanged": [row[2] - row[3] for row in rows], "changed": [row[3] for row in rows]}
    return charts.stacked_bars([f"{row[0]} {row[1]}" for row in rows], parts, "pixels")


def _annotators(state: AppState) -> Rows:
    scores = state.summaries.scores()
    rows: Rows = []
    for person in state.summaries.people():
        score = scores.get(person.name)
        accuracy = (NAN, NAN, NAN, 0) if score is None else _share(score.accuracy)
        rows.append((person.name, str(person.trust), person.submissions, person.counted, *accuracy))
    return rows


def _share(share: Any) -> tuple[float, float, float, int]:
    return share.value, share.low, share.high, share.tasks


def _draw_annotators(_: AppState, rows: Rows) -> bytes:
    from landloom.reports import charts

    columns = ([row[at] for row in rows] for at in (0, 4, 5, 6))
    names, values, lows, highs = columns
    return charts.interval_dots(names, values, lows, highs, "accuracy on reference tasks, 95 % interval")


def _edits(state: AppState) -> Rows:
    return [
        (name, *_share(score.edited)[:3], *_share(score.planted)[:3], *_share(score.copied)[:3], score.copy_rate)
        for name, score in sorted(state.summaries.scores().items())
    ]


def _draw_edits(_: AppState, rows: Rows) -> bytes:
    from landloom.reports import charts

    lines = [(f"{row[0]}: edited", *row[1:4]) for row in rows]
    lines += [(f"{row[0]}: planted accepted", *row[4:7]) for row in rows]
    lines += [(f"{row[0]}: wrong guess accepted", *row[7:10]) for row in rows]
    lines.sort(key=lambda line: line[0])
    names, values, lows, highs = ([line[at] for line in lines] for at in range(4))
    return charts.interval_dots(names, values, lows, highs, "share of pixels, 95 % interval")


def _confusions(state: AppState) -> Rows:
    names = {one.code: one.name for one in state.campaign.classes}
    matrix = state.summaries.confusion(None).tolist()
    codes = sorted(names)
    return [
        (code, names[code], other, names[other], matrix[row][column])
        for row, code in enumerate(codes)
        for column, other in enumerate(codes)
    ]


def _draw_confusions(state: AppState, rows: Rows) -> bytes:
    from landloom.reports import charts

    names = {one.code: one.name for one in state.campaign.classes}
    counts = np.array([row[4] for row in rows], np.int64).reshape(len(names), len(names))
    return charts.confusion_matrix([names[code] for code in sorted(names)], counts)


def _agreement(state: AppState) -> Rows:
    found = state.summaries.agreement()
    names = {one.code: one.name for one in state.campaign.classes}
    rows: Rows = [("all", "", found.alpha, found.kappa, found.unanimous, found.pixels)]
    return rows + [(names[code], code, alpha, NAN, NAN, "") for code, alpha in found.by_class.items()]


def _draw_agreement(_: AppState, rows: Rows) -> bytes:
    from landloom.reports import charts

    values = [row[2] for row in rows]
    return charts.interval_dots([row[0] for row in rows], values, values, values, "Krippendorff's alpha")


def _disagreement(state: AppState) -> Rows:
    return [
        (chip, task, at.row, at.column, at.height, at.width, share)
        for chip, tasks in state.summaries.disagreement().items()
        for at, task, share in tasks
    ]


def _draw_disagreement(_: AppState, rows: Rows) -> bytes:
    from landloom.reports import charts

    chips: dict[str, Rows] = {}
    for row in rows:
        chips.setdefault(row[0], []).append(row)
    order = sorted(chips, key=lambda chip: -sum(row[6] for row in chips[chip]) / len(chips[chip]))
    return charts.value_maps({chip: _map(chips[chip]) for chip in order}, "share of pixels on which answers differ")


def _map(rows: Sequence[tuple[Any, ...]]) -> NDArray[np.float64]:
    """A chip in cells of its smallest task; NaN where fewer than two have answered."""
    side = min(min(row[4], row[5]) for row in rows)
    height, width = (max(row[at] + row[at + 2] for row in rows) for at in (2, 3))
    cells = np.full((-(-height // side), -(-width // side)), np.nan)
    for row in rows:
        cells[row[2] // side : -(-(row[2] + row[4]) // side), row[3] // side : -(-(row[3] + row[5]) // side)] = row[6]
    return cells


_SHARES: Final = ("value", "low", "high")
FIGURES: Final[dict[str, Figure]] = {
    "progress": Figure(
        ("chip", "tasks", "done", "started", "submissions", "needed", "surplus"), _progress, _draw_progress
    ),
    "throughput": Figure(("date", "submissions", "seconds"), _throughput, _draw_throughput),
    "seconds": Figure(("annotator", "submissions", "seconds", "median_seconds"), _seconds, _draw_seconds),
    "classes": Figure(("code", "class", "pixels", "changed", "seconds"), _classes, _draw_classes),
    "annotators": Figure(
        ("annotator", "trust", "submissions", "counted", "accuracy", "low", "high", "reference_tasks"),
        _annotators,
        _draw_annotators,
    ),
    "edits": Figure(
        (
            "annotator",
            *(f"{name}_{end}" for name in ("edited", "planted_accepted", "wrong_guess_accepted") for end in _SHARES),
            "copy_rate",
        ),
        _edits,
        _draw_edits,
    ),
    "confusions": Figure(
        ("reference", "reference_name", "label", "label_name", "pixels"), _confusions, _draw_confusions
    ),
    "agreement": Figure(("class", "code", "alpha", "kappa", "unanimous", "pixels"), _agreement, _draw_agreement),
    "disagreement": Figure(
        ("chip", "task", "row", "column", "height", "width", "share"), _disagreement, _draw_disagreement
    ),
}
"""Name → figure."""


def figure(state: AppState, call: Call) -> Response:
    """One figure, as the ending of its name says."""
    name, _, ending = call.path["name"].rpartition(".")
    found = FIGURES.get(name)
    if found is None or ending not in ("png", "csv"):
        raise NotFoundError("no such figure")
    rows = found.rows(state)
    if ending == "png":
        headers = {"cache-control": "no-store"}
        return Response(found.draw(state, rows), media_type="image/png", headers=headers)
    headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="{name}.csv"'}
    blank = [[None if value != value else value for value in row] for row in rows]  # noqa: PLR0124 - NaN
    return Response(csv_bytes(found.header, blank, quote_formulas=True), media_type="text/csv", headers=headers)


ROUTES: Final = (
    Route(
        method="GET",
        path="/api/manage/figures/{name}",
        access=Access.MANAGER,
        handler=figure,
        lane=Lane.READING,
    ),
)
