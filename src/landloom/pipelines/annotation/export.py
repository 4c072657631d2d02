"""Everything that was answered, for others: tables and rasters with pseudonyms, and the ledger to rebuild it from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.annotate.scores.annotators import score_annotators
from landloom.errors import InvalidInputError
from landloom.formats.csv_table import csv_bytes
from landloom.formats.geotiff import encode_geotiff
from landloom.pipelines.annotation.campaign_answers import CampaignAnswers
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.annotate.scores.intervals import Share

ANSWERS: Final = "answers.csv"
"""A row for each answer."""
ANNOTATORS: Final = "annotators.csv"
"""A row for each annotator."""
CAMPAIGN: Final = "campaign.json"
"""Classes and settings of the campaign."""
LABELS: Final = "labels"
"""Folder of the rasters: one for each chip and annotator; `guess` and `reference` beside them."""
LEDGER: Final = "ledger"
"""Folder of the exported ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """What was written."""

    folder: str
    files: int
    tasks: int
    answers: int
    rows: int
    """Rows of the exported ledger."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def export_answers(folder: str | Path, out: Path) -> ExportReport:
    """Export the answers of a campaign; people are named by pseudonyms alone.

    Cells that a spreadsheet would compute begin with an apostrophe.

    Args:
        folder: of the campaign.
        out: new folder.

    Raises:
        InvalidInputError: the folder exists and is not empty, or nobody has answered yet.
    """
    from landloom.annotate.ledger.copies.export import export_ledger  # noqa: PLC0415 - the extra `annotate`
    from landloom.annotate.ledger.database import open_ledger  # noqa: PLC0415 - the extra `annotate`

    if out.exists() and any(out.iterdir()):
        raise InvalidInputError(f"{out}: got a folder that is not empty, expected a new one")
    own = CampaignAnswers.read(folder)
    store, files = open_store(str(out)), 0
    for key, data in (
        (ANSWERS, csv_bytes(*_answers(own), quote_formulas=True)),
        (ANNOTATORS, csv_bytes(*_annotators(own), quote_formulas=True)),
        (CAMPAIGN, _campaign(own)),
        *_rasters(own),
    ):
        store.put(key, data)
        files += 1
    with open_ledger(own.folder.database) as ledger:
        rows = export_ledger(ledger, out / LEDGER)
    return ExportReport(
        folder=str(out),
        files=files + sum(one.is_file() for one in (out / LEDGER).iterdir()),
        tasks=len(own.tasks),
        answers=sum(len(task.answers) for task in own.tasks),
        rows=rows,
    )


def _answers(own: CampaignAnswers) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    header = (
        "task",
        "chip",
        "row",
        "column",
        "height",
        "width",
        "kind",
        "annotator",
        "sequence",
        "seconds",
        "changed",
        "flagged",
        "comment",
        "adjudicated",
    )
    rows: list[tuple[object, ...]] = [
        (
            task.id,
            task.window.chip,
            task.window.row,
            task.window.column,
            task.window.height,
            task.window.width,
            str(task.kind),
            answer.annotator,
            answer.sequence,
            round(answer.seconds, 3),
            answer.changed,
            answer.flagged,
            answer.comment,
            task.adjudicated is not None,
        )
        for task in own.tasks
        for answer in task.answers
    ]
    return header, rows


def _annotators(own: CampaignAnswers) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    shares = ("accuracy", "edited", "planted", "copied", "unseen")
    header = ("annotator", "tasks", "pixels", *(f"{name}_{part}" for name in shares for part in _PARTS), "copy_rate")
    rows: list[tuple[object, ...]] = []
    for one in score_annotators(own.answers, own.campaign.codes):
        cells = [cell for name in shares for cell in _share(getattr(one, name))]
        rate = one.copy_rate
        rows.append((one.annotator, one.tasks, one.pixels, *cells, "" if np.isnan(rate) else round(rate, 6)))
    return header, rows


_PARTS: Final = ("share", "low", "high", "pixels", "tasks")


def _share(share: Share) -> tuple[object, ...]:
    if not share.pixels:
        return ("", "", "", 0, 0)
    return (round(share.value, 6), round(share.low, 6), round(share.high, 6), share.pixels, share.tasks)


def _campaign(own: CampaignAnswers) -> bytes:
    campaign = own.campaign
    document = {
        "name": campaign.name,
        "taxonomy": campaign.taxonomy,
        "taxonomy_version": campaign.taxonomy_version,
        "classes": [one.document() for one in campaign.classes],
        "settings": campaign.settings.document(),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _rasters(own: CampaignAnswers) -> Iterator[tuple[str, bytes]]:
    """Key and GeoTIFF of the labels of every annotator on every chip; 0 where there is no answer."""
    for chip, tasks in own.chips.items():
        grid = own.source.grid(chip)
        layers: dict[str, NDArray[np.uint8]] = {}
        for at, window in tasks:
            square = (
                slice(window.row, window.row + window.height),
                slice(window.column, window.column + window.width),
            )
            one = own.answers[at]
            parts = {str(who): labels for who, labels in zip(one.annotators, one.labels, strict=True)}
            known = {"guess": one.model_guess, "reference": one.reference}
            parts |= {name: raster for name, raster in known.items() if raster is not None}
            for name, labels in parts.items():
                layer = layers.setdefault(name, np.zeros(grid.shape, np.uint8))
                layer[square] = labels.reshape(window.height, window.width)
        for name, layer in sorted(layers.items()):
            yield f"{LABELS}/{chip}/{name}.tif", encode_geotiff(layer[None], grid, nodata=0, bands=["class"])
