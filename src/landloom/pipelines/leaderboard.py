"""Compare models on one split: read their predictions, write the page and the tables."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.evaluation.leaderboard import Leaderboard
from landloom.training.evaluation.page import leaderboard_page
from landloom.training.evaluation.predictions import Predictions
from landloom.training.evaluation.scores import GROUPS, Shift, shift_of
from landloom.training.evaluation.tables import leaderboard_markdown
from landloom.training.fit.folder import MODEL, ModelFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


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
        InvalidInputError: a model of numbers.
        InvalidDocumentError: no predictions.
    """
    if path.is_dir():
        folder = ModelFolder(path)
        if (path / f"values-{split}.parquet").is_file():
            raise InvalidInputError(f"{path}: got a model of numbers, expected classes; its scores are in card.md")
        if split not in folder.splits():
            raise NotFoundError.of(f"predictions in {path} of the split", split, folder.splits())
        return folder.predictions(split)
    if not path.is_file():
        raise NotFoundError(f"{path}: no such model folder or file of predictions")
    found = Predictions.decoded(path.read_bytes(), str(path))
    own = np.array(found.split, object) == split
    if not own.any():
        splits = ", ".join(sorted(set(found.split)))
        raise NotFoundError(f"{path}: got no rows of the split {split}, expected one of {splits}")
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
    """Name of a model → folder or file of each seed.

    Folders whose models differ in the seed alone are seeds of one model, too, by the name of the first.
    """
    found: dict[str, list[Path]] = {}
    alike: dict[str, str] = {}
    for text in models:
        name, mark, place = text.partition("=")
        is_named = bool(mark) and not Path(text).exists()
        path = Path(place if is_named else text)
        own = name if is_named else path.resolve().name.removesuffix(".parquet")
        kind = None if is_named else _without_seed(path)
        if kind is not None:
            own = alike.setdefault(kind, own)
        known = found.setdefault(own, [])
        if path.resolve() in {one.resolve() for one in known} or (known and not is_named and kind is None):
            raise InvalidInputError(f"got {own} twice, expected other names: NAME=PATH; seeds of one model share one")
        known.append(path)
    return found


def _without_seed(path: Path) -> str | None:
    """What a model is but for its seed; None of files, and of folders without a description."""
    if not (path / MODEL).is_file():
        return None
    document = asdict(ModelFolder(path).description())
    del document["seed"]
    document["settings"] = {name: value for name, value in document["settings"].items() if name != "seed"}
    return json.dumps(document, sort_keys=True)


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
