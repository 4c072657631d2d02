"""`landloom export`, `publish`, `labels` and `cite`: operations on a finished corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landloom.errors import counted
from landloom.reports.options import JsonOption, ReadingCommand, WorkersOption
from landloom.reports.terminal import ProgressBars, cores, note, say, say_json, size

if TYPE_CHECKING:
    from landloom.engine.executors import Factory
    from landloom.publication.labels import AddedLabels

EXCHANGES = ("webdataset", "hf", "taco")
VRT = "vrt"
PROGRAMS = ("fiftyone", "labelstudio", "cvat")
PlaceArgument = Annotated[str, typer.Argument(help="Folder or address of the corpus.")]
FolderArgument = Annotated[Path, typer.Argument(help="Folder of the corpus.")]
OutArgument = Annotated[Path, typer.Argument(help="Folder to write.")]
AsJson = JsonOption
Workers = WorkersOption

labels = typer.Typer(help="Work with the labels of a corpus.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(cls=ReadingCommand, epilog="Example: landloom export corpus out/cubes --layout cubes")(export)
    address = "https://example.org/demo/1.0"
    app.command(
        cls=ReadingCommand, epilog=f"Example: landloom publish corpus s3://bucket/demo/1.0 --base-url {address}"
    )(publish)
    terms = "--licence CC-BY-4.0 --attribution 'Copernicus Land Monitoring Service'"
    source = "--source clc2018.gpkg --column CODE_18 --taxonomy clc --name clc-2018"
    labels.command(cls=ReadingCommand, epilog=f"Example: landloom labels add corpus {source} {terms}")(add)
    app.add_typer(labels, name="labels", epilog=f"Example: landloom labels add corpus {source} {terms}")
    app.command(cls=ReadingCommand, epilog="Example: landloom cite corpus --bibtex")(cite)


@labels.callback()
def labels_group() -> None:
    """Work with the labels of a corpus."""


def export(
    corpus: PlaceArgument,
    out: OutArgument,
    *,
    layout: Annotated[list[str] | None, typer.Option(metavar="chips|cubes", help="Layout; repeat for both.")] = None,
    codec: Annotated[
        str | None,
        typer.Option(
            metavar="zstd|lz4", help="With --layout cubes: their compression; lz4 is larger, and several times faster."
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="webdataset|hf|taco|npz|pickle|fiftyone|labelstudio|cvat|vrt",
            help="Write samples for other training code, pictures for other programs, or mosaics of tiles (vrt).",
        ),
    ] = None,
    split_set: Annotated[
        str | None, typer.Option(help="With --to, but npz, pickle and vrt: whose splits; by default the recipe's.")
    ] = None,
    single_image: Annotated[
        str | None,
        typer.Option(metavar="all|least-cloudy", help="With --to: one file per date, or only the clearest date."),
    ] = None,
    purity: Annotated[
        float | None,
        typer.Option(
            "--global", metavar="SHARE", help="With --to: one label per window, of a class with at least this share."
        ),
    ] = None,
    fractions: Annotated[
        bool, typer.Option("--fractions", help="With --global: the shares of all classes instead of one label.")
    ] = False,
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """Convert a corpus to chips or cubes, with equal pixels, or write its samples for training (--to).

    An interrupted export of a corpus continues where it stopped. Opening a pickle runs what it holds: take npz for
    files that others will open.
    """
    if (layout is None) == (to is None):
        raise typer.BadParameter("expected either --layout or --to")
    if codec is not None and to is not None:
        raise typer.BadParameter("--codec is of --layout cubes")
    if to in (*EXCHANGES, *PROGRAMS, VRT):
        if single_image is not None or purity is not None or fractions:
            raise typer.BadParameter(f"--single-image, --global and --fractions are of --to npz and pickle, not {to}")
        _say_others(corpus, out, to, split_set=split_set, as_json=as_json)
        return
    if split_set is not None:
        raise typer.BadParameter("--split-set is of --to, but npz, pickle and vrt")
    if to is not None:
        _say_samples(corpus, out, to, single_image=single_image, purity=purity, fractions=fractions, as_json=as_json)
        return
    from landloom.engine.executors import executor_factory
    from landloom.publication.layouts import export as run_export

    with ProgressBars() as bars:
        done = run_export(
            corpus, out, layout or (), codec=codec, factory=executor_factory(cores(workers)), listener=bars
        )
    if as_json:
        say_json(done.document())
    else:
        what = " and ".join(done.layouts)
        files, tiles = counted(done.files, "file"), counted(done.tiles, "tile")
        say(f"wrote {files} of {tiles} ({size(done.size)}) as {what} to {done.corpus}")


def _say_others(corpus: str, out: Path, to: str, *, split_set: str | None, as_json: bool) -> None:
    if to == VRT:
        if split_set is not None:
            raise typer.BadParameter("--split-set is not of --to vrt, which has every sample")
        _say_mosaics(corpus, out, as_json=as_json)
    elif to in PROGRAMS:
        _say_pictures(corpus, out, to, split_set=split_set, as_json=as_json)
    else:
        _say_exchange(corpus, out, to, split_set=split_set, as_json=as_json)


def _say_pictures(corpus: str, out: Path, to: str, *, split_set: str | None, as_json: bool) -> None:
    from landloom.publication.pictures.export import export_pictures

    with ProgressBars() as bars:
        done = export_pictures(corpus, out, to, split_set=split_set, listener=bars)
    if as_json:
        say_json(done.document())
        return
    say(f"drew {counted(done.pictures, 'picture')} of {counted(done.samples, 'sample')} in {done.folder}/data")
    say(f"  import {' and '.join(f'{done.folder}/{name}' for name in done.lists)}")


def _say_mosaics(corpus: str, out: Path, *, as_json: bool) -> None:
    from landloom.publication.pictures.mosaics import export_mosaics

    with ProgressBars() as bars:
        done = export_mosaics(corpus, out, listener=bars)
    if as_json:
        say_json(done.document())
        return
    say(
        f"wrote {counted(done.mosaics, 'mosaic')} of {counted(done.tiles, 'tile')} ({size(done.size)}) to {done.folder}"
    )


def _say_exchange(corpus: str, out: Path, to: str, *, split_set: str | None, as_json: bool) -> None:
    from landloom.publication.exchange import export_exchange

    with ProgressBars() as bars:
        done = export_exchange(corpus, out, to, split_set=split_set, listener=bars)
    if as_json:
        say_json(done.document())
        return
    splits = ", ".join(f"{name} {count:,}" for name, count in done.splits.items())
    say(f"wrote {counted(done.files, 'file')} ({size(done.size)}) to {done.folder}: {splits}")
    if done.left_out:
        say(f"  left out: {counted(done.left_out, 'sample')} in no split")


def publish(
    corpus: PlaceArgument,
    target: Annotated[str, typer.Argument(help="Target: s3://…, az://…, gs://…, file://…")],
    *,
    base_url: Annotated[str, typer.Option(help="Public address of its files.")],
    transfers: Annotated[int, typer.Option(min=1, max=256, help="Concurrent transfers.")] = 16,
    workers: Workers = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish a valid corpus; files already in the target are not sent again, and never overwritten."""
    from landloom.engine.executors import executor_factory

    factory = executor_factory(cores(workers))
    if dry_run:
        _say_preview(corpus, target, base_url, factory, as_json=as_json)
        return
    from landloom.publication.publish import publish as run_publish

    with ProgressBars() as bars:
        done = run_publish(corpus, target, base_url, workers=transfers, listener=bars, factory=factory)
    if as_json:
        say_json(done.document())
        return
    if done.uploaded:
        say(f"sent {counted(done.uploaded, 'file')} ({size(done.size)}), {done.unchanged:,} already present")
    else:
        say("published before, nothing to send")
    say(f"{done.name} {done.version} is at {done.target}; catalogue: {done.base_url}/stac-v1.0/catalog.json")
    say(f"digest of everything published: {done.digest}")


def _say_preview(corpus: str, target: str, base_url: str, factory: Factory, *, as_json: bool) -> None:
    """Print what a publication would send."""
    from landloom.publication.publish import preview

    found = preview(corpus, target, base_url, factory=factory)
    if as_json:
        say_json(found.document())
    elif found.is_published:
        say("published before, nothing to send")
    else:
        say(f"the corpus is valid; {counted(found.files, 'file')} ({size(found.size)} without the catalogue) to send")
        say(f"  to {found.target}, where files of an earlier attempt are not sent again; nothing was written")


def add(
    corpus: FolderArgument,
    *,
    source: Annotated[str, typer.Option(help="Vector file, or a raster of codes.")],
    taxonomy: Annotated[str, typer.Option(help="Taxonomy of the codes: clc, landcovernet, worldcover, …")],
    name: Annotated[str, typer.Option(help="Name of these labels: lower-case letters, digits and '-'.")],
    licence: Annotated[str, typer.Option(help="SPDX id, or `proprietary` with --licence-url.")],
    attribution: Annotated[str, typer.Option(help="Attribution that users have to print.")],
    column: Annotated[str | None, typer.Option(help="Column with the code; not for rasters.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer, if the file has several.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of text that is not UTF-8, such as cp1252.")] = None,
    licence_url: Annotated[str | None, typer.Option(help="Link to the full terms.")] = None,
    described_at: Annotated[str | None, typer.Option(help="Link to the description of the source.")] = None,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Accept labels that reach no sample.")] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Repair invalid geometries instead of refusing them.")
    ] = False,
    workers: Workers = 0,
    as_json: AsJson = False,
) -> None:
    """Add class fractions from a file as a further label product; imagery is not changed.

    Adding the same labels again changes nothing; different labels with the same name become a new label version.
    """
    from landloom.engine.executors import executor_factory
    from landloom.model.recipe import Terms
    from landloom.publication.labels import AddedLabels, add_labels
    from landloom.store.vector import vector_name

    terms = Terms(licence=licence, licence_url=licence_url, attribution=attribution, source=described_at)
    own = vector_name(source, layer, encoding)
    given = AddedLabels(
        file=own.file,
        taxonomy=taxonomy,
        name=name,
        terms=terms,
        column=column,
        layer=own.layer,
        encoding=own.encoding,
        allow_empty=allow_empty,
        invalid="repair" if repair else "error",
    )
    with ProgressBars() as bars:
        done = add_labels(
            corpus,
            given,
            factory=executor_factory(cores(workers)),
            listener=bars,
        )
    if as_json:
        say_json(done.document())
        return
    for line in done.notes:
        note(line)
    if done.added:
        say(f"added {done.product}, label version {done.version}, to {counted(done.samples, 'sample')}")
        say("  later builds of this corpus keep it")
        say(f"  builds elsewhere make it if the recipe names it: {_recipe_lines(given, done.version)}")
    else:
        say(f"{corpus} has these labels already: {done.product}, label version {done.version}")


def _recipe_lines(given: AddedLabels, version: str) -> str:
    name = given.name if version == "1" else f"{given.name}-v{version}"
    return f"labels.{name} with file {given.file}"


def cite(
    corpus: PlaceArgument = "corpus",
    *,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print only the BibTeX entry.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how to cite a corpus, accessed today: sentence, BibTeX, attribution of each product, funding and contact."""
    from datetime import UTC, datetime

    from landloom.corpus import citation
    from landloom.corpus.documents import parse_corpus_json
    from landloom.corpus.layout import CORPUS
    from landloom.store.open import open_store

    info, today = parse_corpus_json(open_store(corpus).get(CORPUS)), datetime.now(UTC).date().isoformat()
    if as_json:
        say_json(
            {
                "text": citation.citation(info, today),
                "bibtex": citation.bibtex(info, today),
                "doi": citation.doi(info),
                "attribution": citation.attributions(info),
                "funding": info.publication.funding,
                "contact": info.publication.contact,
            }
        )
    else:
        say(citation.bibtex(info, today) if bibtex else citation.cite(info, today).rstrip())


def _say_samples(
    corpus: str,
    out: Path,
    to: str,
    *,
    single_image: str | None = None,
    purity: float | None = None,
    fractions: bool = False,
    as_json: bool = False,
) -> None:
    """Export the samples of a corpus as pickle or npz and print a summary: `landloom export --to`."""
    from landloom.publication.sample_files import Purity, export_samples

    if single_image not in (None, "all", "least-cloudy"):
        raise typer.BadParameter(f"--single-image: got {single_image!r}, expected all or least-cloudy")
    single: Any = single_image
    rule = None if purity is None else Purity(least=purity, fractions=fractions)
    with ProgressBars() as bars:
        done = export_samples(corpus, out, to, single_image=single, one_label=rule, listener=bars)
    if as_json:
        say_json(done.document())
        return
    say(f"wrote {done.files:,} samples ({size(done.size)}) as {to} to {done.folder}")
    if done.impure or done.empty:
        say(f"  left out: {done.impure:,} windows without a class of that share, {done.empty:,} without any date")
