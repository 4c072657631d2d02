"""A selection: an immutable set of samples of a corpus, and the operations on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.apportion import MILLION
from landloom.query.label_sets import label_prefix, label_product, label_set
from landloom.query.recent import Kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from landloom.model.time import Period
    from landloom.query.assets import AssetSet
    from landloom.query.embeddings import Neighbour
    from landloom.query.index.sidecar import Rows, Sidecar

OPEN: Final = 8
"""Products that a selection keeps open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedSample:
    """One sample with all its files and labels."""

    id: str
    """The sample."""
    assets: Mapping[str, AssetSet]
    """Product → its files of this sample, in time order; products without files are left out."""
    fractions: Mapping[str, float]
    """Label column → fraction of the sample, if it is not 0; columns of the finest level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Some samples of a corpus, in index order.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> corpus = example_corpus()
        >>> forest = corpus.query(where="clc_31 = 1") - corpus.query(split="test")
        >>> forest.ids, forest.histogram(level=1)
        (('33N_16E-243N_29_01',), {'clc_3': 1.0})
    """

    sidecar: Sidecar = field(repr=False)
    """The corpus's index."""
    rows: Rows = field(repr=False)
    """Ascending rows of the index."""
    products: tuple[str, ...]
    """Keys of the selected products."""
    period: Period | None = None
    """Period; None for all time."""
    bands: tuple[str, ...] | None = None
    """Names of the bands returned by `load`; None for all."""
    base: str = field(default="", repr=False)
    """Prefix of relative paths in hrefs; ends with a slash."""
    opened: Kept[Any] = field(default_factory=lambda: Kept(OPEN), init=False, repr=False, compare=False)
    """What `cube` keeps open: key of a product → its reader."""

    def __post_init__(self) -> None:
        self.rows.flags.writeable = False

    @property
    def ids(self) -> tuple[str, ...]:
        """Sample ids."""
        return self.sidecar.texts(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __contains__(self, identity: object) -> bool:
        row = self.sidecar.rows_of_ids([str(identity)])[0]
        return bool(row >= 0 and np.isin(row, self.rows))

    def _same_corpus(self, other: Selection) -> None:
        mine, theirs = self.sidecar.meta.source, other.sidecar.meta.source
        if self.sidecar is not other.sidecar and (mine is None or mine != theirs):
            raise InvalidInputError("got selections of two corpora, expected two of the same corpus")

    def __or__(self, other: Selection) -> Selection:
        if not isinstance(other, Selection):
            return NotImplemented
        self._same_corpus(other)
        return replace(self, rows=np.union1d(self.rows, other.rows))

    def __and__(self, other: Selection) -> Selection:
        if not isinstance(other, Selection):
            return NotImplemented
        self._same_corpus(other)
        return replace(self, rows=np.intersect1d(self.rows, other.rows, assume_unique=True))

    def __sub__(self, other: Selection) -> Selection:
        if not isinstance(other, Selection):
            return NotImplemented
        self._same_corpus(other)
        return replace(self, rows=np.setdiff1d(self.rows, other.rows, assume_unique=True))

    @property
    def assets(self) -> AssetSet:
        """Existing files of these samples, for the selected products and period.

        A corpus with only cubes has no chip files, so only labels are listed; see `cubes`.
        """
        from landloom.query.assets import AssetSet, slots_of

        slots = slots_of(self.sidecar.info, self.products, self.period, self.bands)
        return AssetSet(sidecar=self.sidecar, rows=self.rows, slots=slots, base=self.base)

    @property
    def cubes(self) -> tuple[str, ...]:
        """Paths of the arrays (Zarr folders) with the imagery of these samples, for a corpus without chips."""
        from landloom.corpus.layout import ANY_SAMPLE
        from landloom.query.address_lists import filled

        info = self.sidecar.info
        if "chips" in info.layouts:
            return ()
        rows = [info.product(key).product for key in self.products]
        arrays = [info.layout.cube(ANY_SAMPLE, row) for row in rows if row.kind in ("imagery", "quality")]
        directories = dict.fromkeys(self.sidecar.directories(self.rows).astype(str).tolist())
        return tuple(filled(array, directory, "") for directory in directories for array in arrays)

    def linked(self) -> Iterator[LinkedSample]:
        """Each sample with all its products and labels, whatever products were selected."""
        shares = self.sidecar.shares(self.rows)
        names = np.array(self.sidecar.columns)
        keys = tuple(item.key for item in self.sidecar.info.products)
        for number, identity in enumerate(self.ids):
            one = replace(self, rows=self.rows[number : number + 1].copy())
            sets = {key: replace(one, products=(key,), bands=None).assets for key in keys}
            present = np.flatnonzero(shares[number])
            yield LinkedSample(
                id=identity,
                assets={key: assets for key, assets in sets.items() if len(assets)},
                fractions={str(names[n]): int(shares[number, n]) / MILLION for n in present},
            )

    def counts(self, by: str) -> dict[str | None, int]:
        """Number of samples for each zone, tile, stratum or split.

        Raises:
            NotFoundError: another name.
        """
        from landloom.query.cql2.columns import RowColumns

        if by not in ("zone", "tile", "stratum", "split"):
            raise NotFoundError.of("way to count", by, ("zone", "tile", "stratum", "split"))
        words = RowColumns(self.sidecar, self.rows).words(by)
        totals: dict[str | None, int] = {}
        for code, count in enumerate(np.bincount(words.codes, minlength=len(words.texts)).tolist()):
            if count:
                totals[words.texts[code]] = totals.get(words.texts[code], 0) + count
        return dict(sorted(totals.items(), key=lambda item: (item[0] is None, item[0] or "")))

    def _level(self, level: int | None, labels: str | None) -> dict[str, list[str]]:
        if level is None:
            return {column: [column] for column in label_set(self.sidecar, labels)}
        item = label_product(self.sidecar.info, labels)
        own = None if item is None else item.taxonomy
        if item is None or own is None:
            return {}
        found: dict[str, list[str]] = {}
        prefix = label_prefix(self.sidecar.info, item)
        for column in (prefix + name for name in own.columns(level)):
            if level != own.levels:
                found[column] = list(self.sidecar.groups[column])
            elif column in self.sidecar.columns:
                found[column] = [column]
        return found

    def histogram(self, level: int | None = None, labels: str | None = None) -> dict[str, float]:
        """Area of each class in these samples, in samples: 2.5 is the area of two and a half samples.

        Args:
            level: level of the taxonomy, 1 is the coarsest; by default the finest.
            labels: key of the label product, one alone, for each speaks of the whole area; the first unless told.

        Returns:
            Label column → area; without classes that do not occur.

        Raises:
            NotFoundError: no such label product.
        """
        chosen = np.zeros(len(self.sidecar), dtype=bool)
        chosen[self.rows] = True
        sums = {}
        for number, column in enumerate(self.sidecar.columns):
            places, values = self.sidecar.labels.entries(number)
            sums[column] = int(values[chosen[places]].sum(dtype=np.int64))
        totals = {name: sum(sums[member] for member in members) for name, members in self._level(level, labels).items()}
        return {name: total / MILLION for name, total in totals.items() if total}

    def fractions(self, taxonomy: str | None = None) -> dict[str, NDArray[np.float64]]:
        """(sample,) fractions of each label column of the finest level.

        Args:
            taxonomy: another taxonomy with a crosswalk, such as `landcovernet`; that of the labels if None.

        Raises:
            NotFoundError: there is no crosswalk to it from the labels of the corpus.
        """
        shares = self.sidecar.shares(self.rows)
        columns = list(self.sidecar.columns)
        if taxonomy is not None:
            from landloom.model.crosswalk import crosswalk_from

            walk = crosswalk_from(columns, taxonomy)
            shares = walk.aggregate(shares[:, [columns.index(name) for name in walk.source.columns()]])
            columns = list(walk.target.columns())
        return {name: shares[:, number] / MILLION for number, name in enumerate(columns)}

    def footprints(self) -> Any:
        """(sample,) shapely polygons in WGS84, as published."""
        import shapely

        from landloom.query.index.spatial import polygons

        shapes = polygons(self.sidecar.corners(self.rows, exact=True))
        for place in np.flatnonzero(np.isin(self.rows, self.sidecar.odd_rows)).tolist():
            number = int(np.searchsorted(self.sidecar.odd_rows, self.rows[place]))
            shapes[place] = shapely.from_wkb(self.sidecar.odd_outline(number))
        return shapes

    def to_geodataframe(self, *, labels: bool = False) -> gpd.GeoDataFrame:
        """One row per sample, indexed by id: zone, tile, stratum, split and footprint in WGS84.

        Args:
            labels: add one column of fractions per class.
        """
        import geopandas as gpd
        import pandas as pd

        from landloom.query.cql2.columns import RowColumns

        columns = RowColumns(self.sidecar, self.rows)
        data: dict[str, Any] = {}
        for name in ("zone", "tile", "stratum", "split"):
            words = columns.words(name)
            data[name] = np.array(list(words.texts), dtype=object)[words.codes]
        if labels:
            data |= self.fractions()
        index = pd.Index(list(self.ids), name="id")
        frame = pd.DataFrame(data, index=index)
        return gpd.GeoDataFrame(frame, geometry=self.footprints(), crs="EPSG:4326")

    def cube(
        self,
        sample: str | int,
        product: str,
        *,
        mask: str | None = None,
        quality: str = "pfqa",
        with_labels: bool = False,
        observed_only: bool = False,
    ) -> xr.DataArray:
        """One sample's chips of a product as (time, band, y, x); see `landloom.query.cubes.load_cube`."""
        from landloom.query.cubes import load_cube

        return load_cube(
            self,
            sample,
            product,
            mask=mask,
            quality=quality,
            with_labels=with_labels,
            observed_only=observed_only,
        )

    def load(
        self, product: str, *, mask: str | None = None, quality: str = "pfqa", with_labels: bool = False
    ) -> xr.DataArray:
        """All samples as (sample, time, band, y, x), lazily through Dask; see `landloom.query.cubes.load_many`."""
        from landloom.query.cubes import load_many

        return load_many(self, product, mask=mask, quality=quality, with_labels=with_labels)

    def embeddings(self, name: str | None = None) -> NDArray[np.float32]:
        """(sample, width) embeddings of these samples; NaN for a sample without one.

        Args:
            name: of the embedding set, as `landloom embed` has made it; by default the only one.

        Raises:
            NotFoundError: no such set.
            InvalidInputError: none is named, and there are several; or it was made for other samples.
        """
        from landloom.query.embeddings import read_embeddings

        return read_embeddings(self.sidecar, self.base, name).vectors[self.rows]

    def nearest(
        self, like: str | ArrayLike, count: int = 10, *, embeddings: str | None = None
    ) -> tuple[Neighbour, ...]:
        """The samples of this selection whose embeddings are nearest to a sample's or to a vector, nearest first.

        Args:
            like: a sample id, of this selection or not; or a vector.
            count: of samples at most.
            embeddings: name of the embedding set; by default the only one.

        Raises:
            NotFoundError: no such set or sample.
            InvalidInputError: a sample without an embedding, a vector of other length, a count below 1.
        """
        from landloom.query.embeddings import nearest, read_embeddings

        return nearest(read_embeddings(self.sidecar, self.base, embeddings), self.sidecar, self.rows, like, count)

    def describe(self) -> str:
        """A short summary: number of samples, location, classes, number of files."""
        meta = self.sidecar.meta
        zones = ", ".join(f"{name} {count:,}" for name, count in self.counts("zone").items())
        lines = [f"{meta.name} {meta.version}: {len(self):,} of {len(self.sidecar):,} samples"]
        if len(self):
            lines.append(f"zones: {zones}")
        sets: list[str | None] = [item.key for item in self.sidecar.info.labels]
        for key in sets or [None]:
            area = sorted(self.histogram(labels=key).items(), key=lambda item: -item[1])[:5]
            if area:
                shares = ", ".join(f"{name} {100 * value / len(self):.1f} %" for name, value in area)
                lines.append(f"classes{'' if key in sets[:1] else f' of {key}'}: {shares}")
        when = "" if self.period is None else f" in {self.period}"
        lines.append(f"files: {len(self.assets):,} of {', '.join(self.products) or 'no product'}{when}")
        if self.cubes:
            lines.append(f"cubes: {len(self.cubes):,}")
        return "\n".join(lines)

    def plot(self, by: str | None = "stratum", ax: Axes | None = None) -> Axes:
        """Draw the samples on a map of longitude and latitude.

        Args:
            by: colour them by zone, tile, stratum or split; None for one colour.
            ax: axes to draw into; by default new ones.
        """
        from matplotlib.figure import Figure

        from landloom.reports.figures import as_text, legend

        if ax is None:
            ax = Figure(figsize=(8, 8), layout="constrained").add_subplot()
        middles = self.sidecar.corners(self.rows).mean(axis=1)
        if by is None:
            ax.scatter(middles[:, 0], middles[:, 1], s=4)
        else:
            from landloom.query.cql2.columns import RowColumns

            words = RowColumns(self.sidecar, self.rows).words(by)
            values = sorted(self.counts(by), key=str)
            drawn = []
            for value in values:
                own = np.array([word == value for word in words.texts], dtype=bool)[words.codes]
                grey = "0.8" if value is None else None
                drawn.append(
                    ax.scatter(middles[own, 0], middles[own, 1], s=4, color=grey, zorder=2 if grey is None else 1)
                )
            if len(self) and len(values) <= 40:
                legend(
                    ax,
                    drawn,
                    ["none" if value is None else str(value) for value in values],
                    title=by,
                    markerscale=3,
                    loc="best",
                )
        if len(self):
            ax.set_aspect(1 / np.cos(np.radians(middles[:, 1].mean())))
        ax.set_xlabel("longitude")
        ax.set_ylabel("latitude")
        ax.set_title(f"{len(self):,} samples")
        if (figure := ax.get_figure(root=True)) is not None:
            as_text(figure)
        return ax
