"""`labels add`: a further label product for an existing corpus, as a new label version; imagery is not changed."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import numpy as np

from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.info import ProductInfo
from landloom.corpus.layout import CORPUS
from landloom.engine.context import build_context, is_done, run_units, unfinished
from landloom.engine.executors import inline
from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.engine.sources.cell_fractions import CellsTask, SampleCells, is_raster, read_millionths, source_settings
from landloom.engine.sources.check import check_source
from landloom.engine.sources.label_files import LabelFiles
from landloom.engine.sources.unlabelled import bounds_of, label_notes, require_labels, unlabelled
from landloom.engine.units import Unit, unit_digest
from landloom.errors import CorpusError, InvalidInputError, InvalidValueError, LandloomError, Problem, bullets, counted
from landloom.model.address import public, shown
from landloom.model.product import product
from landloom.model.recipe import LabelSource, Terms
from landloom.model.taxonomy import taxonomy
from landloom.publication.files import CorpusWriter
from landloom.publication.kept_labels import keep_labels, kept_labels, source_identity
from landloom.publication.relisting import fractions_of, relist

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.corpus.manifest import FileEntry
    from landloom.engine.context import BuildContext
    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.engine.units import Outcome
    from landloom.model.sample import Sample

FOLDER: Final = ".landloom/added"
"""Folder of the tables of added labels."""
_NAME: Final = re.compile(r"[a-z][a-z0-9-]*")
_VERSIONED: Final = re.compile(r".*-v\d+")

OnInvalid = Literal["error", "repair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedLabels:
    """A file of labels with its description."""

    file: str
    """Vector file, or a raster of codes."""
    taxonomy: str
    """Name of its taxonomy."""
    name: str
    """Name of these labels in the corpus: lower-case letters, digits and `-`."""
    terms: Terms
    """Licence and attribution."""
    column: str | None = None
    """Column with the code; None for rasters."""
    layer: str | None = None
    """Layer, if the file has several."""
    encoding: str | None = None
    """Encoding of text that is not UTF-8, where the file does not say it."""
    allow_empty: bool = False
    """Whether it may have no label for any sample."""
    invalid: OnInvalid = "error"
    """Whether rows with invalid geometries are an error, or repaired and reported."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or _VERSIONED.fullmatch(self.name):
            raise InvalidValueError(
                f"got the name {self.name!r}, expected lower-case letters, digits and '-', and no version such as -v2"
            )

    @property
    def is_raster(self) -> bool:
        """Whether it is a raster of codes."""
        return is_raster(self.file)

    @property
    def source(self) -> LabelSource:
        """The same as a section of a recipe; of the file only its name, because documents contain no paths."""
        return LabelSource(
            taxonomy=self.taxonomy,
            file=Path(public(self.file)).name,
            column=self.column,
            layer=self.layer,
            encoding=self.encoding,
            allow_empty=self.allow_empty,
            invalid=self.invalid,
        )

    def document(self) -> dict[str, Any]:
        """As a section of a recipe."""
        return {**self.source.model_dump(mode="json"), "terms": self.terms.model_dump(mode="json")}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsReport:
    """Result of adding labels."""

    product: str
    """Key of the product."""
    version: str
    """Label version under this name."""
    added: bool
    """False if the corpus already had the same labels: nothing was written."""
    samples: int
    notes: tuple[str, ...]
    """Repaired rows and resolved overlaps."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelName:
    """A label version and its product."""

    version: int
    recipe: str
    """Its key in the recipe's `labels`: `corine`, `corine-v2`."""
    key: str
    """Key of its product: `labels_corine_v2`; `labels` for the main labels of the corpus."""

    @classmethod
    def of(cls, name: str, version: int, *, own: bool) -> Self:
        """The names of a version.

        Args:
            name: name of the labels as given by the user.
            version: from 1.
            own: whether they are the first, main labels of the corpus.

        Example:
            >>> LabelName.of("corine-2024", 2, own=False).key
            'labels_corine_2024_v2'
        """
        recipe = name if version == 1 else f"{name}-v{version}"
        key = "labels" if own and version == 1 else f"labels_{recipe.replace('-', '_')}"
        return cls(version=version, recipe=recipe, key=key)


def versions(info: CorpusInfo, name: str) -> list[LabelName]:
    """Label versions of a corpus under a name, oldest first."""
    known = {item.key for item in info.labels}
    own = next(iter(info.recipe.get("labels", {})), None) == name
    found: list[LabelName] = []
    while (one := LabelName.of(name, len(found) + 1, own=own)).key in known:
        found.append(one)
    return found


def add_labels(
    corpus: str | Path,
    source: AddedLabels,
    *,
    factory: Factory = inline,
    listener: Listener | None = None,
    identity: str | None = None,
) -> LabelsReport:
    """Add class fractions from a source to a corpus; later builds keep them.

    Labels that the corpus already has under this name, with the same values and terms, are not added again; different
    ones become a new label version, and the old versions are kept.

    Args:
        corpus: folder of the corpus.
        source: source and name of the labels.
        factory: makes executors; by default only this process.
        listener: receives progress.
        identity: of the source, where it has been added before; of tiles that it was added to it is not read again.

    Raises:
        CorpusError: there is no corpus.
        InvalidInputError: the source has no CRS, invalid geometries or unknown codes (rows are named), or has changed
            since it was added.
        NotFoundError: no such taxonomy, layer or column.
    """
    folder = Path(corpus)
    if not (folder / CORPUS).is_file():
        raise CorpusError(f"{folder}: is not a finished corpus; labels can only be added on a local disk")
    there = FinishedCorpus.open(str(folder))
    taxonomy(source.taxonomy)  # report an unknown taxonomy before anything is read
    repaired = check_source(source.file, source.source) if identity is None else []
    with build_context(folder, factory, listener) as context:
        now = source_identity(context, source.file) if identity is None else identity
        units = list(_units(there, source, context, now))
        todo = unfinished(units, context)
        if identity is not None:  # whether the source is still there matters to new samples alone
            todo = [unit for unit in units if not is_done(unit, context)]
            _require_unchanged(source, identity, context, todo)
        problems = run_units(f"labels {source.name}", todo, context)
        if problems:
            lost = counted(len(problems), "tile")
            raise InvalidInputError(f"{source.file}: no labels for {lost}:\n{bullets(problems)}")
        entries = {unit.tile: context.journal.get(unit.id) for unit in units}
        outcomes = {tile: entry.outcome for tile, entry in entries.items() if entry is not None}
        samples = [sample for own in there.tiles.values() for sample in own]
        missing = unlabelled(outcomes.values())
        require_labels(source.file, source.source, missing, len(samples), bounds_of(samples))
        notes = _notes(source, outcomes, repaired, len(samples))
        tables = {tile: read_millionths(context.store, _key(source, tile)) for tile in there.tiles}
        known = versions(there.info, source.name)
        keep_labels(context.journal, {one.name: getattr(source, one.name) for one in fields(source)}, now)
        for one in known:
            if _is_same(there, one, source, tables):
                return _report(one, there, notes, added=False)
        own = not there.info.labels
        one = LabelName.of(source.name, len(known) + 1, own=own)
        info = extended_info(there.info, source, one)
        _publish(there, one, tables, CorpusWriter(info=info, store=context.store))
    return _report(one, there, notes, added=True)


def restore_labels(
    folder: Path, *, factory: Factory = inline, listener: Listener | None = None
) -> tuple[list[str], list[Problem]]:
    """Bring back into a corpus that was built anew what `labels add` had brought in, but for what its recipe names.

    Returns:
        Keys of the products that are back; a problem for each that cannot be had.
    """
    with Journal(folder / JOURNAL) as journal:
        kept = kept_labels(journal)
    back: list[str] = []
    problems: list[Problem] = []
    named = FinishedCorpus.open(str(folder)).info.recipe.get("labels", {}) if kept else {}
    for document in kept:
        identity = document.pop("identity")
        source = AddedLabels(**document)
        if source.name in named:
            continue
        try:
            back.append(add_labels(folder, source, factory=factory, listener=listener, identity=identity).product)
        except LandloomError as error:
            problems.append(Problem(where=f"labels {source.name}", what=str(error)))
    return back, problems


def _report(one: LabelName, there: FinishedCorpus, notes: tuple[str, ...], *, added: bool) -> LabelsReport:
    return LabelsReport(product=one.key, version=str(one.version), added=added, samples=len(there.table), notes=notes)


def _notes(
    source: AddedLabels, outcomes: Mapping[str, Outcome], repaired: Sequence[Problem], samples: int
) -> tuple[str, ...]:
    """Repaired rows, samples without labels, and areas claimed twice."""
    lines = [line for line in label_notes(source.name, outcomes, samples) if not line.endswith(": repaired")]
    return (*lines[:1], *(f"{problem}: repaired" for problem in repaired), *lines[1:])


def _key(source: AddedLabels, tile: str) -> str:
    return f"{FOLDER}/{source.name}/{tile}.npy"


def _require_unchanged(source: AddedLabels, identity: str, context: BuildContext, todo: Sequence[Unit]) -> None:
    """Refuse a source of which samples of today would get other labels than those of then.

    Raises:
        InvalidInputError: it is not what it was, or nowhere to be found.
    """
    if todo and source_identity(context, source.file) != identity:
        raise InvalidInputError(f"{shown(source.file)}: is not the file that was added as {source.name}; add it again")


def _units(there: FinishedCorpus, source: AddedLabels, context: BuildContext, identity: str) -> Iterator[Unit]:
    settings = source_settings(source.source) | {"file": ""}
    for tile, samples in there.tiles.items():
        cells = SampleCells(samples=samples)
        task = CellsTask(store=context.uri, key=_key(source, tile), path=source.file, source=source.source, cells=cells)
        decides = unit_digest(identity, settings, cells.identity())
        product = f"added.{source.name}"
        yield Unit(kind="added", product=product, tile=tile, key=decides, memory=256 * 2**20, task=task)


def _is_same(
    there: FinishedCorpus, one: LabelName, source: AddedLabels, tables: Mapping[str, NDArray[np.int32]]
) -> bool:
    """Whether a label version has these values and terms."""
    item = there.info.product(one.key)
    if item.taxonomy != taxonomy(source.taxonomy) or item.terms != source.terms:
        return False
    held = fractions_of(there, one.key)
    return all(np.array_equal(held[tile], tables[tile]) for tile in there.tiles)


def extended_info(info: CorpusInfo, source: AddedLabels, one: LabelName) -> CorpusInfo:
    """The corpus with one more label product, as if its recipe had listed it."""
    row = product("labels")
    if one.key != row.key:
        row = replace(row, key=one.key, collection=one.key, prefix=one.key)
    stated = next((item.stated_period for item in info.labels if item.stated_period is not None), info.period)
    item = ProductInfo(
        product=row,
        terms=source.terms,
        taxonomy=taxonomy(source.taxonomy),
        stated_period=stated,
        label_version=str(one.version),
    )
    recipe = dict(info.recipe)
    if recipe:
        recipe["labels"] = {**recipe.get("labels", {}), one.recipe: source.document()}
    return replace(info, products=(*info.products, item), recipe=recipe)


def _publish(
    there: FinishedCorpus, one: LabelName, tables: Mapping[str, NDArray[np.int32]], publication: CorpusWriter
) -> None:
    """Write the label files, the index, and everything derived from it; imagery is only listed."""
    item = publication.info.product(one.key)
    columns = () if item.taxonomy is None else item.taxonomy.columns()

    def write(tile: str, samples: Sequence[Sample]) -> Sequence[FileEntry]:
        files = LabelFiles(
            layout=publication.info.layout, product=item.product, columns=columns, samples=tuple(samples)
        )
        return files.write(publication.store, tables[tile].astype(np.int64))

    exists = {tile: {one.key: np.ones((len(own), 1), np.bool_)} for tile, own in there.tiles.items()}
    relist(there, publication, exists, write, {one.key: tables})
