"""The tables of a leaderboard as text, for pages, terminals and Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.training.evaluation.measures import BY_CLASS, OVERALL, TITLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from landloom.training.evaluation.intervals import Estimate
    from landloom.training.evaluation.leaderboard import Leaderboard
    from landloom.training.evaluation.scores import GroupScores, ModelScores

_IN_POINTS: Final = frozenset({"ece", "brier"})
"""Measures that are not shown in percent."""


def measures_of(board: Leaderboard) -> list[str]:
    """Measures that every model has, in the order of pages."""
    return [name for name in OVERALL if all(name in one.overall for one in board.models)]


def model_rows(board: Leaderboard) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table of models."""
    measures = measures_of(board)
    seeds = any(one.seeds > 1 for one in board.models)
    header = ["model", *(["seeds"] if seeds else []), *(TITLES[name] for name in measures)]
    rows = [
        [one.name, *([str(one.seeds)] if seeds else []), *(told(name, one.overall[name]) for name in measures)]
        for one in board.models
    ]
    return header, rows


def paired_rows(board: Leaderboard) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table of differences."""
    measures = measures_of(board)
    header = ["models", *(TITLES[name] for name in measures)]
    rows = [
        [
            f"{one.first} − {one.second}",
            *(told(name, one.differences[name], sign=True, star=True) for name in measures),
        ]
        for one in board.paired
    ]
    return header, rows


def present(one: ModelScores) -> list[int]:
    """Numbers of the classes that occur in truth or prediction."""
    found: list[int] = np.flatnonzero(one.table.sum(axis=0) + one.table.sum(axis=1)).tolist()
    return found


def class_rows(one: ModelScores) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table of classes that occur in truth or prediction."""
    sums = one.table.sum(axis=1)
    header = ["class", "reference", *(TITLES[name] for name in BY_CLASS)]
    rows = [
        [one.classes[place], f"{sums[place]:,.0f}", *(told(name, one.by_class[name][place]) for name in BY_CLASS)]
        for place in present(one)
    ]
    return header, rows


def group_rows(rows: Mapping[str, GroupScores], what: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table of countries or strata."""
    header = [what, "samples", "blocks", TITLES["accuracy"], TITLES["macro_f1"]]
    return header, [
        [name, f"{one.samples:,}", f"{one.blocks:,}", *(told(key, one.scores[key]) for key in ("accuracy", "macro_f1"))]
        for name, one in rows.items()
    ]


def shown(name: str, value: float, *, sign: bool = False) -> str:
    """A value of a measure as pages show it."""
    if np.isnan(value):
        return "–"
    mark = "+" if sign else ""
    return f"{value:{mark}.3f}" if name in _IN_POINTS else f"{100 * value:{mark}.1f}"


def told(name: str, one: Estimate, *, sign: bool = False, star: bool = False) -> str:
    """An estimate as pages show it: its value, its deviation over seeds, its interval."""
    parts = [shown(name, one.value, sign=sign) + ("*" if star and one.differs else "")]
    if one.deviation is not None and not np.isnan(one.deviation):
        parts.append(f"± {shown(name, one.deviation)}")
    if not np.isnan(one.low):
        parts.append(f"({shown(name, one.low, sign=sign)} to {shown(name, one.high, sign=sign)})")
    return " ".join(parts)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; bars in cells are escaped.

    Example:
        >>> print(markdown_table(["a", "b"], [["1", "2"]]))
        | a | b |
        |---|---:|
        | 1 | 2 |
    """

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    marks = "|---" + "|---:" * (len(header) - 1) + "|"
    return "\n".join([line(header), marks, *(line(row) for row in rows)])


def leaderboard_markdown(board: Leaderboard) -> str:
    """The tables of the page as Markdown."""
    parts = [f"# Models on the split {board.split}", markdown_table(*model_rows(board))]
    if len(board.models) > 1:
        parts += ["## Differences on the same blocks", markdown_table(*paired_rows(board))]
    for one in board.models:
        parts += [f"## {one.name}", *one.notes, markdown_table(*class_rows(one))]
        parts += [markdown_table(*group_rows(rows, column)) for column, rows in one.groups.items()]
    parts.append("95 % intervals over spatial blocks; ± is the deviation over seeds; * excludes 0.")
    return "\n\n".join(parts) + "\n"
