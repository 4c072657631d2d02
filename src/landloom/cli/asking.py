"""`landloom query`, `index`, `crawl`, and `corpora`: find samples and files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landloom.reports.options import JsonOption, ReadingCommand, named_values
from landloom.reports.talk import TALK
from landloom.reports.terminal import say, say_json, say_lines, say_table, size, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.query.corpus import Corpus
    from landloom.query.selection import Selection

CorpusName = Annotated[str, typer.Argument(help="Folder, address or registered name of a corpus.")]
RegionOption = Annotated[
    str | None,
    typer.Option(help="west,south,east,north in degrees, WKT, a vector file (file.gpkg|layer), or a country's name."),
]
WhereOption = Annotated[str | None, typer.Option(help="CQL2 text: clc_311 + clc_312 >= 0.5 AND split = 'train'.")]
PeriodOption = Annotated[
    tuple[str, str] | None,
    typer.Option(help="First day or month, and the first after the period; `..` leaves an end open."),
]
SplitOption = Annotated[list[str] | None, typer.Option(help="Only samples of this split; may be repeated.")]
SplitSetOption = Annotated[str | None, typer.Option(help="Split set that splits are of; see landloom split.")]
ProductOption = Annotated[list[str] | None, typer.Option("--product", help="Key of a product; may be repeated.")]


corpora = typer.Typer(help="Manage corpora registered by name.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(cls=ReadingCommand, epilog="Example: landloom query corpus --where 'clc_3 >= 0.5' --list files.txt")(
        query
    )
    app.command("index", epilog="Example: landloom index rapidai4eo/resources --out rapidai4eo")(index)
    app.command(
        cls=ReadingCommand, epilog="Example: landloom crawl corpus/stac-v1.0/catalog.json --region 12.2,50.1,12.3,50.2"
    )(crawl)
    corpora.command("list", epilog="Example: landloom corpora list")(list_corpora)
    corpora.command("add", epilog="Example: landloom corpora add mine https://data.example.org/mine/")(add)
    corpora.command("remove", epilog="Example: landloom corpora remove mine")(remove)
    app.add_typer(corpora, name="corpora", epilog="Example: landloom corpora list")


def region_of(text: str | None) -> Any:
    """Parse the region of the command line: four numbers are a box, other text is passed on unchanged."""
    if text is None:
        return None
    try:
        box = tuple(float(part) for part in text.split(","))
    except ValueError:
        return text
    return box if len(box) == 4 else text


def select(
    corpus: Corpus,
    region: str | None,
    where: str | None,
    period: tuple[str, str] | None,
    products: list[str] | None,
    split_set: str | None = None,
    split: list[str] | None = None,
    *,
    sums: list[str] | None = None,
    **others: Any,
) -> Selection:
    """Query a corpus with these options."""
    opened = corpus.define(**named_values("--sum", sums, "'forest=clc_311 + clc_312'"))
    return opened.query(
        region=region_of(region),
        where=where,
        period=period,
        products=products or None,
        split_set=split_set,
        split=split or None,
        **others,
    )


def query(
    corpus: CorpusName = "corpus",
    *,
    region: RegionOption = None,
    where: WhereOption = None,
    period: PeriodOption = None,
    product: ProductOption = None,
    relation: Annotated[
        Literal["intersects", "within"], typer.Option(help="Samples that touch the region, or lie within it.")
    ] = "intersects",
    countries: Annotated[
        str | None, typer.Option(help="Vector layer with the names of countries; file.gpkg|layer.")
    ] = None,
    sums: Annotated[
        list[str] | None, typer.Option("--sum", help="Name a sum for --where: 'forest=clc_311 + clc_312'.")
    ] = None,
    stratum: Annotated[list[str] | None, typer.Option(help="Only samples of this stratum; may be repeated.")] = None,
    split: SplitOption = None,
    split_set: SplitSetOption = None,
    limit: Annotated[
        int | None, typer.Option(min=0, help="Maximum number of samples: the first ones, or a random draw with --seed.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Draw the samples of --limit at random with this seed.")
    ] = None,
    list_file: Annotated[
        Path | None, typer.Option("--list", help="Write the list of files, one relative path per line.")
    ] = None,
    absolute: Annotated[bool, typer.Option(help="Write full addresses to --list instead.")] = False,
    ids: Annotated[bool, typer.Option(help="Print the ids, one per line.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Choose samples by place, label and time; count them and their files, or list them."""
    from landloom.query.corpus import Corpus

    found = select(
        Corpus.open(corpus, countries=countries),
        region,
        where,
        period,
        product,
        split_set,
        split,
        sums=sums,
        relation=relation,
        strata=stratum or None,
        limit=limit,
        seed=seed,
    )
    if list_file is not None:
        found.assets.write_list(list_file, absolute=absolute)
    if as_json:
        say_json({"samples": len(found), "files": len(found.assets), "ids": list(found.ids)})
    elif TALK.get().form == "csv":
        say_table(f"{corpus}", *sample_rows(found))
    elif ids:
        say_lines(found.ids)
    else:
        say(str(found.describe()))
        if list_file is not None:
            say(f"wrote {len(found.assets):,} paths to {list_file}")


def sample_rows(found: Selection) -> tuple[tuple[str, ...], Iterator[tuple[object, ...]]]:
    """Names of columns, and a row for each sample: where it is, its stratum and split, its class shares."""
    frame = found.to_geodataframe(labels=True)
    bounds = frame.bounds.round(6)
    table = frame.drop(columns="geometry").join(bounds.set_axis(["west", "south", "east", "north"], axis=1))
    table = table.astype(object).where(table.notna(), "")
    return ("id", *table.columns), table.itertuples(name=None)


def index(
    resources: Annotated[
        list[Path], typer.Argument(help="Folder of the resource files, or the three files in any order.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder of the corpus; index/samples.parquet is written there.")],
    name: Annotated[str | None, typer.Option(help="Name of the corpus; by default that of the files.")] = None,
    corpus_version: Annotated[str, typer.Option(help="Version of the corpus.")] = "1.0",
    product: Annotated[
        list[str] | None, typer.Option("--product", help="Product, as in the published corpus; by default all.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Build the index of a corpus from its published resource files: geometries, labels, class mapping.

    Fractions are converted to integer millionths that sum to exactly 1,000,000: divided by their sum, rounded down, and
    the rest goes to the largest remainders. Area without a label (a sum below 0.999) counts as nodata; a sum above
    1.001 is refused.
    """
    from landloom.query.index.interchange import find_resources, write_index

    files = find_resources(resources)
    done = write_index(files, out, name=name, version=corpus_version, products=product or None)
    if as_json:
        say_json(done.document())
        return
    odd = f", {done.odd:,} with an outline of their own" if done.odd else ""
    say(f"wrote {done.path}: {done.samples:,} samples{odd}, {done.columns} label columns, {size(done.size)}")
    say(f"next: landloom query {out}")


def crawl(
    root: Annotated[str, typer.Argument(help="Path or URL of a static STAC, or the name of a known corpus.")],
    *,
    region: RegionOption = None,
    period: PeriodOption = None,
    role: Annotated[list[str] | None, typer.Option("--role", help="Assets with this role; may be repeated.")] = None,
    collection: Annotated[
        list[str] | None, typer.Option(help="Only these child collections of the root; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Walk any static STAC and print the addresses of matching assets.

    What cannot be read is left out, one line each on the error stream; the exit code is then 1.
    """
    from landloom.query.search import stac_search

    left_out: list[str] = []

    def report(where: str, what: str, _: Exception) -> None:
        left_out.append(what if what.startswith(where) else f"{where}: {what}")

    area = region_of(region)
    items = stac_search(root, region=area, period=period, roles=role, collections=collection, report=report)
    if as_json:
        say_json([{"id": item.id, "collection": item.collection, "hrefs": item.hrefs()} for item in items])
    else:
        for item in items:
            say_lines(item.hrefs())
    for line in left_out:
        warn(f"left out: {line}")
    if left_out:
        raise typer.Exit(1)


def list_corpora(*, as_json: JsonOption = False) -> None:
    """List the registered corpora."""
    from landloom.query.catalog.corpora import corpora as known

    rows = sorted(known().values(), key=lambda item: item.name)
    if as_json:
        say_json([{"name": item.name, "bases": list(item.bases), "kind": item.kind} for item in rows])
    else:
        say_table("corpora", ("name", "queried by", "address"), [(i.name, i.kind, i.bases[0]) for i in rows])


def add(
    name: Annotated[str, typer.Argument(help="Name for the corpus.")],
    base: Annotated[list[str], typer.Argument(help="Address of its folder; further addresses are fallbacks.")],
    *,
    kind: Annotated[
        Literal["index", "resources", "stac"] | None,
        typer.Option(help="How it is queried: by our index, three published resource files, or only its STAC."),
    ] = None,
) -> None:
    """Register a corpus by name; a mirror of a known corpus keeps its known details, such as its terms."""
    from dataclasses import replace

    from landloom.query.catalog.corpora import RegisteredCorpus, add_corpus, corpora, registry_path

    bases = tuple(address.rstrip("/") + "/" for address in base)
    known = corpora().get(name)
    item = RegisteredCorpus(name=name, bases=bases) if known is None else replace(known, bases=bases)
    item = replace(item, kind=kind or item.kind)
    add_corpus(item)
    say(f"wrote {registry_path()}; next: landloom {'crawl' if item.kind == 'stac' else 'query'} {name}")


def remove(name: Annotated[str, typer.Argument(help="A name that you have registered.")]) -> None:
    """Remove a corpus from your registry; its files are not deleted."""
    from landloom.query.catalog.corpora import registry_path, remove_corpus

    remove_corpus(name)
    say(f"removed {name} from {registry_path()}")
