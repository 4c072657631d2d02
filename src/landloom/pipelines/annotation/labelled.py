"""`landloom annotate import`: labels from files, so that consensus also serves people who label elsewhere."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.annotate.tasks.cut import cut_chip
from landloom.annotate.tasks.values import TaskKind
from landloom.errors import (
    InvalidInputError,
    InvalidValueError,
    LandloomError,
    NotFoundError,
    Problem,
    bullets,
    counted,
    grouped,
)
from landloom.formats.geotiff import decode_geotiff
from landloom.model.address import shown
from landloom.pipelines.annotation.classes import ClassCodes
from landloom.pipelines.annotation.folder import open_folder
from landloom.pipelines.annotation.points import PointPlaces, read_points
from landloom.pipelines.annotation.series import SeriesSource
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.tasks.values import TaskWindow
    from landloom.model.grid import Grid

_TIFF: Final = frozenset({".tif", ".tiff"})
_LISTED: Final = 30
"""Problems that are listed."""
_COLUMNS: Final = ("lon", "lat", "chip", "row", "column", "class", "annotator")
_NO_REFERENCE: Final = (TaskKind.BLIND, TaskKind.PLANTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How files are read."""

    annotator: str | None = None
    """Whose labels they are; by default the column `annotator`, else the name of a CSV, or of a GeoTIFF's folder."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our name of a column (lon, lat, chip, row, column, class, annotator) → its name in the tables."""
    classes: Mapping[str, str] = field(default_factory=dict)
    """Value in the files → class of the campaign: its code, key or name."""
    reference: bool = False
    """Whether the labels are an expert's reference."""
    skip_invalid: bool = False
    """Whether to import the rest where rows or files cannot be used; by default nothing is."""

    def __post_init__(self) -> None:
        unknown = [name for name in self.columns if name not in _COLUMNS]
        if unknown:
            raise InvalidInputError(f"got a column for {', '.join(unknown)}, expected {', '.join(_COLUMNS)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """Labels that were imported."""

    annotators: tuple[str, ...]
    tasks: int
    """Tasks with a label of anybody."""
    new: int
    """Answers that the ledger did not hold yet, one per task and annotator."""
    pixels: int
    """Labels of all annotators together."""
    rejected: tuple[str, ...]
    """Files and rows that were left out."""
    notes: tuple[str, ...]
    """What was not read of files that were used."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class _Canvas:
    """Labels of chips, annotator by annotator."""

    def __init__(self, source: SeriesSource) -> None:
        self.source = source
        self.layers: dict[tuple[str, str], NDArray[np.uint8]] = {}
        self.notes: list[str] = []

    def layer(self, chip: str, annotator: str) -> NDArray[np.uint8]:
        """(y, x) labels of one annotator in a chip."""
        key = (chip, annotator)
        if key not in self.layers:
            self.layers[key] = np.zeros(self.source.grid(chip).shape, np.uint8)
        return self.layers[key]

    def answers(self, size: int) -> dict[str, dict[TaskWindow, bytes]]:
        """Annotator → labels cut into the tasks of the campaign; tasks without any are left out."""
        found: dict[str, dict[TaskWindow, bytes]] = {}
        for (chip, annotator), layer in sorted(self.layers.items()):
            height, width = layer.shape
            for window in cut_chip(chip, height, width, size):
                part = layer[window.row : window.row + window.height, window.column : window.column + window.width]
                if part.any():
                    found.setdefault(annotator, {})[window] = part.tobytes()
        return found


def import_labels(folder: str | Path, files: Sequence[str], options: ImportOptions | None = None) -> ImportReport:
    """Import labels into a campaign.

    The first band of a GeoTIFF holds the codes of the campaign (or values that `classes` translates) on exactly the
    pixels of one or several chips; 0 and its nodata value are not labelled. A table has a row per labelled pixel. A
    second class of the same person for a pixel, in the same file or another, cannot be used.

    Args:
        folder: of the campaign.
        files: GeoTIFFs and tables.
        options: how they are read.

    Raises:
        InvalidInputError: files or rows that cannot be used, each named; nothing was imported. Or there is no label.
        CorpusError: there is no campaign.
        ConflictError: a person has other labels of the same task already, or a task another reference.
    """
    from landloom.annotate.ledger.answers import answered_tasks  # noqa: PLC0415 - the extra `annotate`
    from landloom.annotate.ledger.campaigns import campaign  # noqa: PLC0415 - the extra `annotate`
    from landloom.annotate.ledger.database import open_ledger  # noqa: PLC0415 - the extra `annotate`

    wanted = options or ImportOptions()
    there = open_folder(folder)
    with open_ledger(there.database) as ledger:
        known = campaign(ledger, there.name)
        source = SeriesSource(corpus=Corpus.open(there.corpus), key=known.settings.series)
        canvas = _Canvas(source)
        codes = ClassCodes.of(known.classes, wanted.classes)
        problems: list[Problem] = []
        for file in files:
            read = _read_raster if Path(file).suffix.lower() in _TIFF else _read_table
            problems += read(file, canvas, codes, wanted)
        kinds = {task.window: task.kind for task in answered_tasks(ledger, there.name, unanswered=True)}
        answers = canvas.answers(known.settings.task_size)
        problems += _unfit(answers, kinds, reference=wanted.reference)
        if problems and not wanted.skip_invalid:
            raise InvalidInputError(f"got labels that cannot be used; nothing was imported:\n{_listed(problems)}")
        if not any(answers.values()):
            given = counted(len(files), "file")
            raise InvalidInputError(f"got {given} without any label of the campaign\n{_listed(problems)}".rstrip())
        new = sum(_add(ledger, there.name, name, own, reference=wanted.reference) for name, own in answers.items())
    return ImportReport(
        annotators=tuple(sorted(name for name, own in answers.items() if own)),
        tasks=len({window for own in answers.values() for window in own}),
        new=new,
        pixels=sum(len(labels) - labels.count(0) for own in answers.values() for labels in own.values()),
        rejected=tuple(str(problem) for problem in problems),
        notes=tuple(canvas.notes),
    )


def _unfit(
    answers: dict[str, dict[TaskWindow, bytes]], kinds: Mapping[TaskWindow, TaskKind], *, reference: bool
) -> list[Problem]:
    """Take out what the campaign has no task for: other chips; of references, tasks that others need as they are."""
    problems = []
    for annotator, own in answers.items():
        for window in list(own):
            kind = kinds.get(window)
            if kind is None:
                problems.append(Problem(where=f"{window.chip} by {annotator}", what="is no chip of the campaign"))
            elif reference and kind in _NO_REFERENCE:
                what = "is a task without a reference, which others get with another guess"
                place = f"{window.chip}, row {window.row}, column {window.column}"
                problems.append(Problem(where=f"{place} by {annotator}", what=what))
            else:
                continue
            del own[window]
    return problems


def _add(ledger: Ledger, campaign: str, name: str, answers: Mapping[TaskWindow, bytes], *, reference: bool) -> int:
    """Put one person's labels into the ledger; the number of new answers."""
    from landloom.annotate.ledger.accounts.users import create_user, user  # noqa: PLC0415 - the extra `annotate`
    from landloom.annotate.ledger.imported import import_answers, import_references  # noqa: PLC0415 - the same

    try:
        person = user(ledger, name)
    except NotFoundError:
        person = create_user(ledger, name, None)
    return (import_references if reference else import_answers)(ledger, campaign, person, answers)


def _listed(problems: Sequence[Problem]) -> str:
    rows = grouped(problems)
    more = f"\n  … and {len(rows) - _LISTED} more kinds" if len(rows) > _LISTED else ""
    return bullets(rows[:_LISTED]) + more


def _annotator(name: str) -> str:
    from landloom.annotate.ledger.accounts.users import check_name  # noqa: PLC0415 - the extra `annotate`

    check_name(name)
    return name


def _read_table(file: str, canvas: _Canvas, codes: ClassCodes, wanted: ImportOptions) -> list[Problem]:
    """Draw the points of a table; the rows that cannot be used."""
    name, problems = Path(file).name, []
    places = PointPlaces(source=canvas.source)
    try:
        rows = read_points(file, ("class",), wanted.columns)
    except LandloomError as error:
        return [Problem(where="", what=str(error))]
    for number, row in rows:
        try:
            annotator = _annotator(wanted.annotator or row.get("annotator", Path(file).stem))
            code = codes.code(row["class"])
            for place in places.of(row):
                layer = canvas.layer(place.chip, annotator)
                if layer[place.row, place.column] not in {0, code}:
                    raise InvalidInputError(
                        f"got a second class for row {place.row}, column {place.column} of {place.chip} by {annotator}"
                    )
                layer[place.row, place.column] = code
        except LandloomError as error:
            problems.append(Problem(where=f"{name}, row {number}", what=str(error)))
    return problems


def _read_raster(file: str, canvas: _Canvas, codes: ClassCodes, wanted: ImportOptions) -> list[Problem]:
    """Draw a raster; what of it cannot be used."""
    path = Path(file)
    try:
        annotator = _annotator(wanted.annotator or path.resolve().parent.name)
        array, grid, about = decode_geotiff(path.read_bytes())
        bands = array if array.ndim == 3 else array[None]
        drawn = _coded(bands[0], about.nodata, codes)
        if len(bands) > 1:
            canvas.notes.append(f"{path.name}: band 1 of {len(bands)} is read")
        outside = _draw(drawn, grid, canvas, annotator)
    except OSError as error:
        return [Problem(where=path.name, what=f"cannot be read: {error.strerror or error}")]
    except LandloomError as error:
        return [Problem(where=shown(str(path)), what=str(error))]
    if not outside:
        return []
    what = f"got {counted(outside, 'labelled pixel')} in no chip that lies in the raster as a whole"
    return [Problem(where=shown(str(path)), what=what)]


def _coded(layer: NDArray[Any], nodata: float | None, codes: ClassCodes) -> NDArray[np.uint8]:
    """(y, x) codes of the campaign for the values of a raster; 0 where it is not labelled."""
    if layer.dtype.kind not in "ui":
        raise InvalidInputError(f"got pixels of type {layer.dtype}, expected whole numbers")
    labelled = layer != 0 if nodata is None else (layer != 0) & (layer != nodata)
    drawn = np.zeros(layer.shape, np.uint8)
    for value, code in codes.table(np.unique(layer[labelled]).tolist()).items():
        drawn[labelled & (layer == value)] = code
    return drawn


def _draw(drawn: NDArray[np.uint8], grid: Grid, canvas: _Canvas, annotator: str) -> int:
    """Draw codes into all chips that lie in them; the number of labelled pixels in none of these."""
    chips = _chips_within(grid, canvas.source)
    if not chips:
        where = f"EPSG:{grid.epsg} {grid.bounds} at {grid.resolution} m"
        raise InvalidInputError(f"got a raster of {where}, expected exactly the pixels of a chip")
    inside, pairs = np.zeros(drawn.shape, np.bool_), []
    for chip, row, column in chips:
        target = canvas.layer(chip, annotator)
        square = (slice(row, row + target.shape[0]), slice(column, column + target.shape[1]))
        part = drawn[square]
        second = int(np.count_nonzero((part > 0) & (target > 0) & (part != target)))
        if second:
            raise InvalidInputError(f"got a second class for {counted(second, 'pixel')} of {chip} by {annotator}")
        inside[square] = True
        pairs.append((target, part))
    for target, part in pairs:
        target[part > 0] = part[part > 0]
    return int(np.count_nonzero((drawn > 0) & ~inside))


def _chips_within(grid: Grid, source: SeriesSource) -> list[tuple[str, int, int]]:
    """Chips that lie inside a raster on the same pixels, with their first row and column in it."""
    sidecar = source.corpus.sidecar
    rows = np.arange(len(sidecar), dtype=np.int32)
    squares = sidecar.squares(rows)
    west, south, east, north = grid.bounds
    inside = (sidecar.epsg(rows) == grid.epsg) & (squares[:, 0] >= west - 1e-6) & (squares[:, 1] >= south - 1e-6)
    inside &= (squares[:, 2] <= east + 1e-6) & (squares[:, 3] <= north + 1e-6)
    found = []
    for chip in sidecar.texts(rows[inside]):
        try:
            found.append((chip, *source.grid(chip).offset_in(grid)))
        except InvalidValueError:  # other pixels
            continue
    return found
