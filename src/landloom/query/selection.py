"""A selection: an immutable set of samples of a corpus, and the operations on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from operator import index as position
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, overload

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError, counted
from landloom.model.apportion import MILLION
from landloom.query.arguments import limited, period_of
from landloom.query.cql2.class_names import class_names
from landloom.query.label_sets import areas, level_columns
from landloom.query.recent import Kept
from landloom.query.views.linked import LinkedSample

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    import geopandas as gpd
    import pystac
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike, NDArray

    from landloom.model.time import Period
    from landloom.query.assets import AssetSet
    from landloom.query.embeddings import Neighbour
    from landloom.query.index.sidecar import Rows, Sidecar
    from landloom.query.transfer.download import DownloadProgress, Report

OPEN: Final = 8
"""Products that a selection keeps open."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
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

    @overload
    def __getitem__(self, index: slice) -> Selection: ...
    @overload
    def __getitem__(self, index: SupportsIndex) -> LinkedSample: ...
    def __getitem__(self, index: slice | SupportsIndex) -> Selection | LinkedSample:
        """One sample with its files and labels, or a part of the selection, in index order.

        Example:
            >>> from landloom.query.example import example_corpus
            >>> selection = example_corpus().query()
            >>> selection[-1].id, selection[:2].ids
            ('35N_19E-292N_23_31', ('33N_16E-243N_29_01', '33N_16E-243N_29_02'))
        """
        if isinstance(index, slice):
            return replace(self, rows=np.sort(self.rows[index]))
        number = position(index)
        if not -len(self) <= number < len(self):
            raise IndexError(f"no sample number {number} in this selection of {len(self)}")
        return next(replace(self, rows=self.rows[[number]]).linked())

    def sample(self, n: int = 1, seed: int = 0) -> Selection:
        """Some samples at random, without any twice; all if there are fewer.

        Args:
            n: number of samples.
            seed: seed of the draw.

        Raises:
            InvalidInputError: not whole numbers from 0.
        """
        return replace(self, rows=limited(self.rows, n, seed))

    def __repr__(self) -> str:
        from landloom.query.views.text import days

        when = "" if self.period is None else f" in {days(self.period)}"
        kinds = f"{', '.join(self.products) or 'no product'}{when}"
        name = f"{self.sidecar.meta.name} {self.sidecar.meta.version}"
        return f"<Selection of {name}: {len(self):,} of {counted(len(self.sidecar), 'sample')}; {kinds}>"

    def _repr_html_(self) -> str:
        from landloom.query.views.page import selection_page

        return selection_page(self)

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

    def histogram(
        self, level: int | None = None, labels: str | None = None, *, names: bool = False
    ) -> dict[str, float]:
        """Area of each class in these samples, in samples: 2.5 is the area of two and a half samples.

        Args:
            level: level of the taxonomy, 1 is the coarsest; by default the finest.
            labels: key of the label product, one alone, for each speaks of the whole area; the first unless told.
            names: give the names of classes instead of their columns.

        Returns:
            Label column, or name, → area; without classes that do not occur.

        Raises:
            NotFoundError: no such label product.
        """
        found = areas(self.sidecar, self.rows, level_columns(self.sidecar, level, labels))
        if not names:
            return found
        titles = class_names(self.sidecar)
        return {titles.get(column, column): area for column, area in found.items()}

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
        from landloom.query.views.frames import outlines

        return outlines(self.sidecar, self.rows)

    def to_geodataframe(self, *, labels: bool = False) -> gpd.GeoDataFrame:
        """One row per sample, indexed by id: zone, tile, stratum, split and footprint in WGS84.

        Args:
            labels: add one column of fractions per class.
        """
        from landloom.query.views.frames import geodataframe

        return geodataframe(self.sidecar, self.rows, self.fractions() if labels else {})

    def cube(
        self,
        sample: str | int | LinkedSample,
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

    def rgb(self, sample: str | int | LinkedSample = 0, product: str | None = None) -> xr.DataArray:
        """True-colour pictures of one sample, for `plot.imshow`; see `landloom.query.views.pictures.true_colours`."""
        from landloom.query.views.pictures import true_colours

        return true_colours(self, sample, product)

    def composite(
        self, period: Any = None, product: str | None = None, *, mask: str | None = None, quality: str = "pfqa"
    ) -> xr.DataArray:
        """Medians of all samples over a period as (sample, band, y, x), lazily through Dask.

        See `landloom.query.views.reductions.composite_many`.
        """
        from landloom.query.views.reductions import composite_many

        chosen = self if period is None else replace(self, period=period_of(period))
        return composite_many(chosen, product, mask=mask, quality=quality)

    def download(
        self,
        folder: str | os.PathLike[str],
        *,
        profile: str | None = None,
        progress: Callable[[DownloadProgress], None] | None = None,
    ) -> Report:
        """Download the files of this selection, verified; see `landloom.query.transfer.selected.download_selection`."""
        from landloom.query.transfer.selected import download_selection

        return download_selection(self, folder, profile=profile, progress=progress)

    def to_pystac(self) -> pystac.ItemCollection:
        """The published STAC items of these samples; see `landloom.query.views.stac.item_collection`."""
        from landloom.query.views.stac import item_collection

        return item_collection(self)

    def describe(self) -> str:
        """A short summary: number of samples, location, classes, number of files."""
        from landloom.query.views.text import describe_selection

        return describe_selection(self)

    def plot(self, by: str | None = "stratum", ax: Axes | None = None) -> Axes:
        """Draw the samples on a map of longitude and latitude.

        Args:
            by: colour them by zone, tile, stratum or split; None for one colour.
            ax: axes to draw into; by default those of a new figure of pyplot, which a notebook shows by itself.
        """
        from landloom.query.views.maps import draw_map

        if ax is None:
            from matplotlib import pyplot as plt

            ax = plt.figure(figsize=(8, 8), layout="constrained").add_subplot()
        return draw_map(self, by, ax)
