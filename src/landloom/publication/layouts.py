"""`export`: convert a corpus to another layout, chips to cubes or cubes to chips, with equal pixels."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.finished import FinishedCorpus, tile_content
from landloom.corpus.layout import CORPUS, STATE, TileKey
from landloom.corpus.manifest import FileEntry, read_manifest
from landloom.engine.context import build_context, run_stage
from landloom.engine.executors import inline
from landloom.engine.pixels.blocks import BUDGET
from landloom.engine.pixels.writers.target import parts
from landloom.engine.pixels.writing import product_writer
from landloom.engine.units import Outcome, Unit, unit_digest
from landloom.errors import (
    CorpusError,
    CorpusInvalidError,
    ForeignCorpusError,
    InvalidInputError,
    InvalidValueError,
    Problem,
    bullets,
    counted,
)
from landloom.formats.geotiff import decode_geotiff
from landloom.formats.zarr.codecs import codec_named
from landloom.formats.zarr.cubes import CubeReader
from landloom.publication.files import CorpusWriter, write_documents
from landloom.store.local import LocalStore
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.layout import Layout
    from landloom.corpus.stac.items import TileContent
    from landloom.engine.context import BuildContext
    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.model.time import Timestep

LAYOUTS = ("chips", "cubes")
"""Layouts of a corpus."""
CODEC, USUAL = "cube_codec", "zstd"
"""Key of a recipe for the codec of cubes, and what it is without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport:
    """Result of an export."""

    corpus: Path
    """Folder of the exported corpus."""
    layouts: tuple[str, ...]
    tiles: int
    files: int
    """Number of imagery, label and lineage files."""
    size: int
    """Their size in bytes."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertTask:
    """Converts one product of one tile to other layouts."""

    source: str
    """Source of the corpus."""
    target: str
    """Target of the corpus."""
    layout: Layout
    """Layout (paths) of both."""
    have: str
    """Layout of the source."""
    want: tuple[str, ...]
    """Layouts to write."""
    product: Product
    samples: tuple[Sample, ...]
    """Samples of one tile, in id order."""
    timesteps: tuple[Timestep, ...]
    exists: tuple[tuple[bool, ...], ...]
    """Per sample, whether it has a chip of each timestep."""
    acquired: bool
    """Whether samples have their own timesteps."""

    def run(self) -> Outcome:
        """Copy the pixels of existing chips; memory holds one sample, or one tile if cubes are written."""
        observed = np.array(self.exists, np.bool_) if self.acquired else None
        with ExitStack() as stack:
            writer = stack.enter_context(
                product_writer(
                    store=self.target,
                    layout=self.layout,
                    layouts=self.want,
                    product=self.product,
                    samples=self.samples,
                    timesteps=self.timesteps,
                    observed=observed,
                )
            )
            for position, step, chip in self._chips() if self.have == "chips" else self._cubes():
                writer.write(position, step, chip)
            files = writer.finish()
        return Outcome(files=tuple(files))

    def _chips(self) -> Iterator[tuple[int, int, NDArray[Any]]]:
        store = open_store(self.source)
        blank = np.zeros((len(self.product.bands), 0, 0), np.uint8)
        for position, sample in enumerate(self.samples):
            grid = sample.grid(float(self.product.resolution or 10))
            for step in np.flatnonzero(self.exists[position]).tolist():
                name = self.timesteps[step].name
                keys = [
                    self.layout.chip(sample.id, self.product, name, band)
                    for band, _, _ in parts(self.layout, self.product, blank)
                ]
                found = [(key, *decode_geotiff(store.get(key))[:2]) for key in keys]
                for key, _, own in found:
                    if own != grid:
                        raise InvalidInputError(f"{key}: got the grid {own}, expected that of its sample, {grid}")
                yield position, step, np.concatenate([array for _, array, _ in found])

    def _cubes(self) -> Iterator[tuple[int, int, NDArray[Any]]]:
        store = open_store(self.source)
        folder = self.layout.cube(self.samples[0].id, self.product)
        reader = CubeReader(store.get, store.get_range, f"{folder}/")
        steps = {name: step for step, name in enumerate(reader.spec.timesteps)}
        for position, sample in enumerate(self.samples):
            cube = reader.read(str(sample.id))
            for step in np.flatnonzero(self.exists[position]).tolist():
                yield position, step, cube[steps[self.timesteps[step].name]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTask:
    """Copies the files of a tile that are independent of the layout, and verifies them."""

    source: str
    target: str
    manifest: str
    """Manifest that lists them."""
    keep: tuple[str, ...]
    """Layouts whose files are copied too."""

    def run(self) -> Outcome:
        """Copy file by file."""
        source, target = open_store(self.source), open_store(self.target)
        entries = [
            entry for entry in read_manifest(source.get(self.manifest), self.manifest) if is_kept(entry.path, self.keep)
        ]
        for entry in entries:
            data = source.get(entry.path)
            if FileEntry.of(entry.path, data) != entry:
                raise CorpusInvalidError([Problem(where=entry.path, what="its bytes do not match the manifest")])
            target.put(entry.path, data)
        return Outcome(files=tuple(entries))


def is_kept(path: str, layouts: Sequence[str]) -> bool:
    """Whether a file is copied unchanged if imagery is written only in these layouts.

    Example:
        >>> is_kept("labels/33N/16E-243N/x.geojson", ()), is_kept("imagery/33N/16E-243N/S2-SR.zarr/zarr.json", ())
        (True, False)
    """
    if path.startswith("imagery/"):
        return ("cubes" if ".zarr/" in path else "chips") in layouts
    return path.startswith(("labels/", "lineage/"))


def export(
    corpus: str,
    out: str | Path,
    layouts: Sequence[str],
    *,
    codec: str | None = None,
    factory: Factory = inline,
    listener: Listener | None = None,
) -> ExportReport:
    """Convert a corpus to other layouts; an interrupted export continues where it stopped.

    Args:
        corpus: folder or address of the corpus.
        out: target folder; empty, or from the same export.
        layouts: `chips`, `cubes` or both.
        codec: of cubes, `zstd` or `lz4`; by default that of the corpus, and zstd if it has no cubes.
        factory: makes executors; by default only this process.
        listener: receives progress.

    Returns:
        Summary of the export.

    Raises:
        InvalidValueError: no such layout or codec, or a codec without cubes.
        CorpusError: there is no corpus, or its files cannot be read.
        ForeignCorpusError: the target folder contains something else.
        DiskFullError: no space is left; the next export continues.
    """
    wanted = tuple(name for name in LAYOUTS if name in layouts)
    if not wanted or set(layouts) - set(LAYOUTS):
        raise InvalidValueError(f"got layouts {', '.join(layouts) or 'none'}, expected chips, cubes or both")
    if codec is not None and "cubes" not in wanted:
        raise InvalidValueError(f"got codec {codec_named(codec)} of cubes, but layouts {', '.join(wanted)}")
    there, folder = FinishedCorpus.open(corpus), Path(out)
    info = exported_info(there.info, wanted, codec)
    _claim(there, folder, info)
    with build_context(folder, factory, listener) as context:
        units = list(_units(there, corpus, context.uri, info))
        problems = run_stage("exporting", units, context)
        if problems:
            raise CorpusError(f"{corpus}: {counted(len(problems), 'part')} cannot be exported:\n{bullets(problems)}")
        publication = CorpusWriter(info=info, store=context.store)
        publication.put("", info.layout.index, there.store.get(info.layout.index))
        for entry in there.tables():
            publication.put("", entry.path, there.store.get(entry.path))
        total = [0, 0]
        contents = _contents(there, info, publication, context, units, total)
        write_documents(publication, info, contents, there.table, items=there.json_items)
    return ExportReport(corpus=folder, layouts=wanted, tiles=len(there.tiles), files=total[0], size=total[1])


def exported_info(info: CorpusInfo, layouts: tuple[str, ...], codec: str | None) -> CorpusInfo:
    """The description of the exported corpus: unchanged, as if its recipe had listed these layouts and this codec."""
    recipe = {key: value for key, value in info.recipe.items() if key != CODEC}
    if "layouts" in recipe:
        recipe["layouts"] = list(layouts)
    if "cubes" in layouts and (codec or codec_of(info)) != USUAL:
        recipe[CODEC] = codec_of(info) if codec is None else codec_named(codec)
    return replace(info, layouts=layouts, recipe=recipe)


def codec_of(info: CorpusInfo) -> str:
    """Codec of the cubes of a corpus, as its recipe says."""
    return str(info.recipe.get(CODEC, USUAL)) if "cubes" in info.layouts else USUAL


def _claim(there: FinishedCorpus, folder: Path, wanted: CorpusInfo) -> None:
    """Refuse a folder with contents other than the same export."""
    if isinstance(there.store, LocalStore) and folder.resolve().is_relative_to(there.store.root.resolve()):
        raise ForeignCorpusError(f"{folder}: is inside the corpus; choose another folder")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / CORPUS).exists():
        if not (folder / STATE).exists():
            raise ForeignCorpusError(f"{folder}: contains files of something else; choose another folder")
        return
    found = parse_corpus_json((folder / CORPUS).read_bytes())
    got, expected = ((one.name, one.version, one.layouts, codec_of(one)) for one in (found, wanted))
    if got != expected:
        raise ForeignCorpusError(
            f"{folder}: got the corpus {_described(found)}, expected {_described(wanted)}; choose another folder"
        )


def _described(info: CorpusInfo) -> str:
    codec = f" ({codec_of(info)})" if codec_of(info) != USUAL else ""
    return f"{info.name} {info.version} as {' and '.join(info.layouts)}{codec}"


def _units(there: FinishedCorpus, source: str, target: str, wanted: CorpusInfo) -> Iterator[Unit]:
    """One unit per tile for copied files, and one per tile and product for converted imagery."""
    info, codec = there.info, codec_of(wanted)
    has = tuple(name for name in info.layouts if name != "cubes" or codec == codec_of(info))
    keep = tuple(name for name in wanted.layouts if name in has)
    want = tuple(name for name in wanted.layouts if name not in has)
    exists = there.exists()
    for tile, samples in there.tiles.items():
        entries = there.entries(tile)
        manifest = info.layout.manifest(TileKey.parse(tile))
        copy = CopyTask(source=source, target=target, manifest=manifest, keep=keep)
        kept = [(entry.path, entry.sha256) for entry in entries if is_kept(entry.path, keep)]
        yield Unit(kind="copy", product="files", tile=tile, key=unit_digest(kept), memory=BUDGET, task=copy)
        for item in info.products if want else ():
            if item.product.folder is None or not exists[tile][item.key].any():
                continue
            task = _convert(there, item, exists[tile][item.key], samples, (source, target), want, codec)
            marks = (f"/{item.product.folder}/", f"/{item.product.folder}.zarr/")
            made_of = [(entry.path, entry.sha256) for entry in entries if any(mark in entry.path for mark in marks)]
            form = want if codec == USUAL else (*want, codec)
            decides = unit_digest(made_of, form, asdict(task.product), [str(sample.id) for sample in samples])
            yield Unit(kind="convert", product=item.key, tile=tile, key=decides, memory=2 * BUDGET, task=task)


def _convert(
    there: FinishedCorpus,
    item: ProductInfo,
    exists: NDArray[np.bool_],
    samples: tuple[Sample, ...],
    between: tuple[str, str],
    want: tuple[str, ...],
    codec: str,
) -> ConvertTask:
    if not item.timesteps:
        raise CorpusError(f"product {item.key} has no timesteps, and so no {' or '.join(want)} to convert")
    steps = np.flatnonzero(exists.any(axis=0)) if item.acquired else np.arange(item.slots)
    return ConvertTask(
        source=between[0],
        target=between[1],
        layout=replace(there.info.layout, codec=codec_named(codec)),
        have=there.info.layouts[0],
        want=want,
        product=item.product,
        samples=samples,
        timesteps=tuple(item.timesteps[step] for step in steps.tolist()),
        exists=tuple(tuple(row) for row in exists[:, steps].tolist()),
        acquired=item.acquired,
    )


def _contents(
    there: FinishedCorpus,
    info: CorpusInfo,
    publication: CorpusWriter,
    context: BuildContext,
    units: Sequence[Unit],
    total: list[int],
) -> Iterator[TileContent]:
    """The exported tiles, one at a time; `total` counts files and bytes."""
    exists = there.exists()
    for tile, samples in there.tiles.items():
        own = [context.journal.get(unit.id) for unit in units if unit.tile == tile]
        entries = list(chain.from_iterable(entry.outcome.files for entry in own if entry is not None))
        total[0] += len(entries)
        total[1] += sum(entry.size for entry in entries)
        publication.files[tile] = entries
        yield tile_content(info, tile, samples, exists[tile], entries, there.store.get)
