"""Opening and querying a corpus."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from landloom.corpus.layout import BEGUN
from landloom.errors import InvalidInputError, LandloomWarning, NotFoundError, counted
from landloom.query.arguments import limited, names_of, period_of
from landloom.query.cql2.condition import Condition
from landloom.query.index.opening import open_sidecar
from landloom.query.index.rapidai4eo import NAME
from landloom.query.index.resource_files import published_files
from landloom.query.index.sidecar_sources import INDEX, index_source, resource_source
from landloom.query.index.spatial import cover, refine
from landloom.query.selection import Selection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from landloom.corpus.info import CorpusInfo
    from landloom.model.time import Period
    from landloom.query.assets import Asset
    from landloom.query.cql2.filter import Node
    from landloom.query.index.sidecar import Rows, Sidecar
    from landloom.query.index.spatial import Relation
    from landloom.query.region import Region
    from landloom.query.views.linked import LinkedSample


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Corpus:
    """A corpus for queries; it is never changed.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> corpus = example_corpus()
        >>> berlin = corpus.query(region=(13.05, 52.35, 13.72, 52.69), where="clc_3 >= 0.5")
        >>> len(berlin), berlin.ids[0]
        (2, '33N_16E-243N_29_01')
    """

    sidecar: Sidecar = field(repr=False)
    """Its index."""
    base: str
    """Folder or URL of its files; ends with a slash."""
    aggregates: Mapping[str, Node] = field(default_factory=dict, repr=False)
    """Names for sums of columns, for use in filters."""
    countries: str | None = None
    """Vector layer for looking up the names of countries."""

    @classmethod
    def open(
        cls,
        uri: str | os.PathLike[str],
        *,
        cache: Path | None = None,
        countries: str | os.PathLike[str] | None = None,
        profile: str | None = None,
    ) -> Self:
        """Open a corpus.

        Args:
            uri: its folder, its index file, its URL in an object store or on the web, or a registered name such as
                `rapidai4eo` (see `landloom.query.catalog.corpora`).
            cache: folder for sidecars and downloaded files; by default the user's cache.
            countries: a vector file with one feature per country, for regions by name.
            profile: section of the AWS credentials file; by default the keys in the environment.

        Raises:
            MissingKeyError: there is no index.
            CorpusError: it is something else.
            NotFoundError: neither a folder nor a registered name.
        """
        text = str(uri)
        layer = None if countries is None else os.fspath(countries)
        path = Path(text.removeprefix("file://"))
        if (path / BEGUN).exists() and (path / INDEX).is_file():
            unfinished = "a build of it is running, has failed or was killed; see `landloom status`"
            warnings.warn(f"{text}: may be incomplete: {unfinished}", LandloomWarning, stacklevel=2)
        if path.suffix == ".parquet" and path.is_file():
            source, base = index_source(path), f"{path.resolve().parents[1]}/"
        elif (path / INDEX).is_file():
            source, base = index_source(path / INDEX), f"{path.resolve()}/"
        elif (files := published_files(path)) is not None:
            source, base = resource_source(files, NAME), f"{path.resolve()}/"
        else:
            from landloom.query.catalog.corpora import remote_source

            source, base = remote_source(text, cache, profile)
        return cls(sidecar=open_sidecar(source, cache), base=base, countries=layer)

    def __len__(self) -> int:
        return len(self.sidecar)

    @property
    def name(self) -> str:
        """Name of the corpus: `rapidai4eo`."""
        return self.sidecar.meta.name

    @property
    def version(self) -> str:
        """Version of the corpus: `1.0`."""
        return self.sidecar.meta.version

    @property
    def products(self) -> tuple[str, ...]:
        """Keys of its products."""
        return self.sidecar.meta.products

    @property
    def info(self) -> CorpusInfo:
        """The description of the corpus without the recipe; includes its products, terms and taxonomies."""
        return self.sidecar.info

    @property
    def period(self) -> Period:
        """The period covered by all its products together.

        Raises:
            InvalidValueError: no product has a period.
        """
        return self.info.period

    @property
    def bands(self) -> dict[str, tuple[str, ...]]:
        """Product → names of its bands, in file order; products without bands are left out."""
        named = {item.key: tuple(band.name for band in item.product.bands) for item in self.info.products}
        return {key: names for key, names in named.items() if names}

    @property
    def classes(self) -> dict[str, str]:
        """Label column → name of its class, the finest level first; both may be used in filters."""
        from landloom.query.cql2.class_names import class_names

        return class_names(self.sidecar)

    def describe(self) -> str:
        """What the corpus holds: samples and where they are, products, bands, period, classes, splits and strata."""
        from landloom.query.views.text import describe_corpus

        return describe_corpus(self.query())

    def cite(self) -> str:
        """What users have to state: sentence, BibTeX entry (accessed today), attribution, funding and contact."""
        from landloom.corpus.citation import cite

        return cite(self.info, datetime.now(UTC).date().isoformat())

    def __repr__(self) -> str:
        count, products = counted(len(self), "sample"), ", ".join(self.products)
        return f"<Corpus {self.name} {self.version}: {count}; {products}; {self.base}>"

    def _repr_html_(self) -> str:
        from landloom.query.views.page import corpus_page

        return corpus_page(self.query(), repr(self))

    @property
    def folder(self) -> Path | None:
        """Its folder on local disk; None if it is elsewhere."""
        return None if "://" in self.base else Path(self.base)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names for filters, the finest label columns first."""
        from landloom.query.cql2.columns import TEXTS

        return (*self.sidecar.columns, *self.sidecar.groups, *TEXTS, *self.aggregates)

    def define(self, **sums: str) -> Self:
        """The same corpus with names for sums of columns.

        Args:
            sums: name → arithmetic on columns or classes, exact: `trees="clc_311 + clc_312"`, `wet="Wetlands + clc_5"`.

        Raises:
            InvalidInputError: not an arithmetic expression, or the name of an existing column.
            NotFoundError: an unknown column.

        Example:
            >>> from landloom.query.example import example_corpus
            >>> corpus = example_corpus().define(forest="clc_311 + clc_312")
            >>> len(corpus.query(where="forest = 1"))
            2
        """
        from landloom.query.cql2.class_names import with_columns
        from landloom.query.cql2.columns import TEXTS
        from landloom.query.cql2.filter import Filter, parse_sum

        taken = sorted(set(sums) & set(self.columns))
        if taken:
            raise InvalidInputError(f"got the name {taken[0]!r} of a column for a sum, expected another")
        nodes = {name: with_columns(parse_sum(text), self.sidecar, self.aggregates) for name, text in sums.items()}
        for node in nodes.values():
            for column in Filter(root=node).names():
                if column in TEXTS or column in self.aggregates:
                    raise InvalidInputError(f"got column {column!r} in a sum, expected label columns such as clc_311")
        return replace(self, aggregates={**self.aggregates, **nodes})

    def query(  # noqa: PLR0913 - every one is a question of its own, and all are optional
        self,
        where: str | Mapping[str, Any] | None = None,
        *,
        region: Any = None,
        relation: Relation = "intersects",
        period: Period | str | date | tuple[Any, Any] | None = None,
        products: str | Iterable[str] | None = None,
        bands: str | Iterable[str] | None = None,
        strata: str | Iterable[str] | None = None,
        split: str | Iterable[str] | None = None,
        split_set: str | None = None,
        limit: int | None = None,
        seed: int | None = None,
        quiet: bool = False,
    ) -> Selection:
        """Select samples and files.

        Region, filter, strata and split select samples; period, products and bands select files. The period is
        half-open. A question that was hardly meant as it is asked draws a `LandloomWarning`: shares beyond 0 to 1, a
        region or a period where the corpus has nothing.

        Args:
            where: a filter in CQL2, text or JSON, over label columns of every level, `stratum`, `split`, `tile`, …;
                classes by name in double quotes where they have blanks: `"Coniferous forest" >= 0.5 AND forest < 1`.
            region: a box (west, south, east, north), a geometry, GeoJSON, WKT, a vector file, the name of a country.
            relation: a sample's footprint `intersects` the region or lies `within` it.
            period: a year, month or day (`2018-06`), two dates of which either may be None, or a `Period`.
            products: keys; by default all.
            bands: names.
            strata: names of strata.
            split: names of splits.
            split_set: name of the split set that they are of; by default the splits of the corpus's recipe.
            limit: maximum number of samples: the first in index order, or with a seed a random draw.
            seed: seed of the draw.
            quiet: draw no warnings.

        Raises:
            InvalidInputError: an invalid region, filter or period; it is named.
            NotFoundError: an unknown product, band, column, stratum, split, split set or country; similar names are
                listed.
        """
        if split_set is not None:
            from landloom.query.split_sets import with_split_set

            self = replace(self, sidecar=with_split_set(self.sidecar, self.base, split_set))  # noqa: PLW0642
        keys, chosen = self._keys(products), period_of(period)
        words = {"stratum": names_of(strata, "strata"), "split": names_of(split, "split")}
        condition = Condition(self.sidecar, where, self.aggregates, words)
        rows = self._rows(region, relation, condition)
        if not quiet:
            for doubt in self._doubts(condition, rows, region, keys, chosen):
                warnings.warn(doubt, LandloomWarning, stacklevel=2)
        return Selection(
            sidecar=self.sidecar,
            rows=limited(rows, limit, seed),
            products=keys,
            period=chosen,
            bands=self._bands(names_of(bands, "bands"), keys),
            base=self.base,
        )

    def select(self, ids: str | Iterable[str]) -> Selection:
        """Samples by id, one or several.

        Raises:
            InvalidInputError: not ids.
            NotFoundError: the corpus has no such sample; the first is named.
        """
        wanted = list(names_of(ids, "ids") or ())
        rows = self.sidecar.rows_of_ids(wanted)
        for identity, row in zip(wanted, rows.tolist(), strict=True):
            if row < 0:
                raise NotFoundError(f"no sample {identity!r} in {self.name}")
        return Selection(sidecar=self.sidecar, rows=np.unique(rows), products=self._keys(None), base=self.base)

    def linked(self, chip: str | Asset) -> LinkedSample:
        """All products and labels of the sample of one chip.

        Args:
            chip: an asset, its path or URL, or a sample id.

        Raises:
            NotFoundError: it is not a sample of this corpus.

        Example:
            >>> from landloom.query.example import example_corpus
            >>> chip = "imagery/33N/16E-243N/33N_16E-243N_29_01/S2-SR/2018-01.tif"
            >>> place = example_corpus().linked(chip)
            >>> place.id, place.assets["pfsr"][0].path.rsplit("/", 2)[-2:]
            ('33N_16E-243N_29_01', ['PF-SR', '2018-01-03.tif'])
        """
        text = chip if isinstance(chip, str) else str(getattr(chip, "sample", chip))
        stem = text.rsplit("/", 1)[-1].split(".", 1)[0]
        tokens = stem.split("_")
        # The name of a label file ends with the id; the folder of a chip is the id.
        candidates = [text, *text.split("/"), *("_".join(tokens[start:]) for start in range(len(tokens)))]
        rows = self.sidecar.rows_of_ids(candidates)
        found = np.unique(rows[rows >= 0])
        if len(found) != 1:
            raise NotFoundError(f"no sample of {self.name} in {text!r}")
        chosen = Selection(sidecar=self.sidecar, rows=found, products=self.products, base=self.base)
        return next(iter(chosen.linked()))

    def _keys(self, products: str | Iterable[str] | None) -> tuple[str, ...]:
        wanted = names_of(products, "products")
        keys = self.products if wanted is None else tuple(dict.fromkeys(wanted))
        for key in keys:
            if key not in self.products:
                raise NotFoundError.of("product in this corpus", key, self.products)
        return keys

    def _bands(self, bands: tuple[str, ...] | None, keys: tuple[str, ...]) -> tuple[str, ...] | None:
        if bands is None:
            return None
        known = [band.name for key in keys for band in self.info.product(key).product.bands]
        for band in bands:
            if band not in known:
                raise NotFoundError.of("band", band, known)
        return bands

    def _doubts(
        self, condition: Condition, rows: Rows, region: Any, keys: tuple[str, ...], period: Period | None
    ) -> Iterator[str]:
        from landloom.query.views.doubts import period_doubts, region_doubt, share_doubts

        if condition.filter is not None:
            yield from share_doubts(condition.filter.root, self.sidecar, self.aggregates)
        if region is not None and not len(rows):
            anything = Condition(self.sidecar, None, {}, {})
            yield from () if len(self._rows(region, "intersects", anything)) else (region_doubt(self.sidecar),)
        yield from period_doubts(self.info, keys, period) if period is not None else ()

    def _rows(self, region: Any, relation: Relation, condition: Condition) -> Rows:
        if relation not in ("intersects", "within"):
            raise NotFoundError.of("relation", str(relation), ("intersects", "within"))
        if region is None:
            return condition.of(None)
        from landloom.query.region import resolve_region

        area = resolve_region(region, self.countries)
        parts: list[Rows] = []
        covers = cover(self.sidecar, area)
        if not any(len(part.inside) + len(part.border) for part, _ in covers):
            self._refuse_swapped(area)
        for part, box in covers:
            parts.append(condition.of(self.sidecar.rows_of_runs(part.inside)))
            rows = condition.of(self.sidecar.rows_of_runs(part.border))
            parts.append(refine(self.sidecar, rows, area, box, relation))
        return np.unique(np.concatenate(parts)) if len(parts) > 2 else np.sort(np.concatenate(parts))

    def _refuse_swapped(self, area: Region) -> None:
        """Detect swapped axes: nothing of the corpus is in the region, but something would be with swapped axes."""
        from landloom.query.region import box_region

        west, south, east, north = area.bounds
        if west < east and max(abs(west), abs(east)) <= 90:
            swapped = box_region((south, west, north, east)) if south < north else None
            if swapped is not None and any(len(p.inside) + len(p.border) for p, _ in cover(self.sidecar, swapped)):
                raise InvalidInputError(
                    f"region: got {area.bounds}, where {self.name} has nothing; with swapped axes it has; "
                    "expected longitude before latitude"
                )


def open(  # noqa: A001 - it is `landloom.open`
    uri: str | os.PathLike[str],
    *,
    cache: Path | None = None,
    countries: str | os.PathLike[str] | None = None,
    profile: str | None = None,
) -> Corpus:
    """Open a corpus: a folder, an index file, an address, or a registered name; see `Corpus.open`.

    Example:
        >>> from landloom import LandloomError, open
        >>> try:
        ...     open("absent")
        ... except LandloomError as error:
        ...     print(type(error).__name__)
        NotFoundError
    """
    return Corpus.open(uri, cache=cache, countries=countries, profile=profile)
