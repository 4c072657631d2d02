"""Compare models on one split: read their predictions, write the page and the tables."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.evaluation.leaderboard import Leaderboard
from landloom.training.evaluation.page import leaderboard_page
from landloom.training.evaluation.predictions import Predictions
from landloom.training.evaluation.scores import GROUPS, Shift, shift_of
from landloom.training.evaluation.tables import leaderboard_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PREDICTIONS: Final = "predictions-{split}.parquet"
"""File of a model folder with the predictions of a split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderboardReport:
    """Result of comparing models."""

    board: Leaderboard
    files: tuple[Path, ...]
    """Page, Markdown and JSON."""


def read_predictions(path: Path, split: str) -> Predictions:
    """Predictions of a split: of a model folder, or of a file.

    Args:
        path: model folder, or a Parquet file of predictions.
        split: which; rows of other splits in a file are left out.

    Raises:
        NotFoundError: no such path or split.
        InvalidDocumentError: no predictions.
    """
    file = path / PREDICTIONS.format(split=split) if path.is_dir() else path
    if not file.is_file():
        made = sorted(path.glob(PREDICTIONS.format(split="*"))) if path.is_dir() else []
        names = ", ".join(one.name for one in made) or "no predictions"
        there = f"there {'are' if len(made) > 1 else 'is'} {names}" if path.is_dir() else "no such file"
        raise NotFoundError(f"{path}: got no predictions of the split {split}, {there}")
    found = Predictions.decoded(file.read_bytes(), str(file))
    own = np.array(found.split, object) == split
    if not own.any():
        splits = ", ".join(sorted(set(found.split)))
        raise NotFoundError(f"{file}: got no rows of the split {split}, expected one of {splits}")
    return found if own.all() else found.rows(own)


def compare_models(
    models: Sequence[str],
    split: str = "test",
    *,
    out: Path,
    by: str = "macro_f1",
    areas: Path | None = None,
    inside: str | None = None,
    outside: str | None = None,
    seed: int = 0,
) -> LeaderboardReport:
    """Compare models on one split, and write the page with its tables.

    Args:
        models: model folders or files of predictions, as `PATH` or `NAME=PATH`; those of one name are seeds of a model.
        split: on which they are compared.
        out: file for the page; Markdown and JSON of the same name are written beside it.
        by: measure that orders them.
        areas: CSV with the columns class and area: what the model mapped, for area-adjusted estimates.
        inside: split of held-out samples in the training region, if `split` lies outside of it.
        outside: `country=NAME,…` or `stratum=NAME,…`: samples outside of the training region.
        seed: of the bootstrap.

    Raises:
        NotFoundError: no predictions of the split.
        InvalidInputError: predictions of different corpora, split sets, classes or samples.
    """
    if inside is not None and outside is not None:
        raise InvalidInputError("got both --inside and --outside, expected one of them")
    paths = _named(models)
    read = {name: [read_predictions(path, split) for path in own] for name, own in paths.items()}
    shifts: dict[str, Shift] = {}
    for name, own in paths.items():
        if inside is not None:
            shifts[name] = shift_of([read_predictions(path, inside) for path in own], read[name], seed)
        elif outside is not None:
            shifts[name] = _shift(read[name], outside, seed)
    mapped = None if areas is None else _areas(areas)
    board = Leaderboard.of(read, split, by=by, mapped=mapped, shifts=shifts, seed=seed)
    contents = {
        ".html": leaderboard_page(board),
        ".md": leaderboard_markdown(board),
        ".json": json.dumps(board.document(), indent=2, allow_nan=False) + "\n",
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    files = tuple(out.with_suffix(suffix) for suffix in contents)
    for file, text in zip(files, contents.values(), strict=True):
        file.write_text(text, encoding="utf-8")
    return LeaderboardReport(board=board, files=files)


def _named(models: Sequence[str]) -> dict[str, list[Path]]:
    """Name of a model → folder or file of each seed."""
    found: dict[str, list[Path]] = {}
    for text in models:
        name, mark, place = text.partition("=")
        path = Path(place if mark and not Path(text).exists() else text)
        own = name if mark and not Path(text).exists() else path.resolve().name.removesuffix(".parquet")
        known = found.setdefault(own, [])
        if path in known or (known and not mark):
            raise InvalidInputError(
                f"got {own} twice, expected other names: give NAME=PATH; seeds of one model share one"
            )
        known.append(path)
    return found


def _shift(seeds: Sequence[Predictions], outside: str, seed: int) -> Shift:
    column, _, text = outside.partition("=")
    names = {word.strip() for word in text.split(",") if word.strip()}
    if column not in GROUPS or not names:
        raise InvalidInputError(
            f"--outside: got {outside!r}, expected {' or '.join(f'{one}=NAME,…' for one in GROUPS)}"
        )
    words = getattr(seeds[0], column)
    if words is None:
        raise InvalidInputError(f"--outside: got predictions without a {column}, expected one in every row")
    unknown = names - set(words)
    if unknown:
        raise NotFoundError.of(column, min(unknown), set(words))
    far = np.array([word in names for word in words])
    return shift_of([one.rows(~far) for one in seeds], [one.rows(far) for one in seeds], seed)


def _areas(path: Path) -> Mapping[str, float]:
    found: dict[str, float] = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not {"class", "area"} <= set(reader.fieldnames or ()):
            raise InvalidInputError(f"{path}: got the columns {reader.fieldnames}, expected class and area")
        for number, row in enumerate(reader, 2):
            try:
                value = float(row["area"])
            except (TypeError, ValueError):
                raise InvalidInputError(
                    f"{path}, line {number}: got the area {row['area']!r}, expected a number"
                ) from None
            if found.setdefault(row["class"], value) != value:
                raise InvalidInputError(f"{path}, line {number}: got class {row['class']} twice, expected it once")
    return found
