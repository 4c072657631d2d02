"""Labelled arrays of a selection: one sample's cube, or many samples lazily through Dask.

Chips are read from whichever layout the corpus has. A missing chip is nodata, and False in the coordinate `observed`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.layout import ANY_SAMPLE
from landloom.errors import InvalidInputError, MissingExtraError, NotFoundError, PermanentFaultError
from landloom.formats.zarr.cubes import CubeReader
from landloom.query.address_lists import filled
from landloom.query.assets import slots_of
from landloom.query.cql2.mask import evaluate_mask, mask_layers
from landloom.query.cube_axes import Axis, labelled
from landloom.query.recent import Kept

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.model.grid import Grid
    from landloom.model.product import Product
    from landloom.query.assets import Slot
    from landloom.query.index.chosen import Chosen, Identified
    from landloom.store.protocol import Store


OPEN_TILES: Final = 64
"""Tiles whose documents and shard indexes are kept per product of a selection."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pixels:
    """One sample's chips of a product in time order, as plain arrays."""

    values: NDArray[Any]
    """(time, band, y, x); nodata where a chip is missing."""
    times: NDArray[np.datetime64]
    """(time,) middle of each timestep; NaT for a product without any."""
    bands: tuple[str, ...]
    """Names of the bands."""
    observed: NDArray[np.bool_]
    """(time,) existing chips."""


@dataclass(frozen=True, kw_only=True)
class _Source:
    """One product of a selection, readable sample by sample."""

    selection: Chosen
    product: str
    steps: tuple[int, ...] | None = None
    """Positions of the timesteps to read among those of the period; None for all."""

    @cached_property
    def info(self) -> CorpusInfo:
        return self.selection.sidecar.info

    @cached_property
    def row(self) -> Product:
        return self.info.product(self.product).product

    @cached_property
    def store(self) -> Store:
        from landloom.store.open import open_store

        return open_store(self.selection.base.rstrip("/"))

    @cached_property
    def bands(self) -> tuple[str, ...]:
        """All bands of a chip, in file order."""
        bands = tuple(band.name for band in self.row.bands)
        if self.row.kind == "labels" or not bands:
            raise InvalidInputError(f"product {self.product!r} has no bands to load")
        return bands

    @cached_property
    def chosen(self) -> tuple[str, ...]:
        """Requested bands that this product has."""
        wanted = self.selection.bands
        chosen = self.bands if wanted is None else tuple(band for band in wanted if band in self.bands)
        if not chosen:
            raise NotFoundError.of(f"band of {self.product}", str((wanted or ("",))[0]), self.bands)
        return chosen

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Its timesteps in the period, each once."""
        chips = self.info if "chips" in self.info.layouts else replace(self.info, layouts=("chips",))
        slots = slots_of(chips, (self.product,), self.selection.period, self.bands[:1])
        return slots if self.steps is None else tuple(slots[step] for step in self.steps)

    @cached_property
    def cubes(self) -> Kept[CubeReader]:
        """The readers of tiles used last."""
        return Kept(OPEN_TILES)

    @cached_property
    def axes(self) -> tuple[Axis, Axis]:
        """Those that all samples share."""
        return Axis.of("time", _times(self)), Axis.of("band", np.array(self.chosen))

    def exists(self, row: NDArray[np.int32]) -> NDArray[np.bool_]:
        """(time,) existing chips of a sample."""
        if not self.selection.sidecar.has_availability(self.product):
            return np.ones(len(self.slots), dtype=bool)
        codes, patterns = self.selection.sidecar.availability(self.product)
        own = patterns[0 if codes is None else int(codes[row[0]])]
        there: NDArray[np.bool_] = own[[slot.position for slot in self.slots]]
        return there

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of its timesteps."""
        return tuple(str(slot.timestep) for slot in self.slots)

    @cached_property
    def array(self) -> str:
        """Template of the folder of a tile's cubes array."""
        return f"{self.info.layout.cube(ANY_SAMPLE, self.row)}/"

    def read(self, row: NDArray[np.int32], identity: str, grid: Grid, bands: tuple[str, ...]) -> NDArray[Any]:
        """(time, band, y, x) of one sample."""
        directory = self.selection.sidecar.directories(row)[0].decode()
        if "chips" not in self.info.layouts and self.row.kind != "raster-labels":
            return self._from_cubes(directory, identity, grid, bands)
        result = self._blank(grid, bands)
        for position in np.flatnonzero(self.exists(row)).tolist():
            result[position] = self._chip(self.slots[position], directory, identity, grid, bands)
        return result

    def _chip(self, slot: Slot, directory: str, identity: str, grid: Grid, bands: tuple[str, ...]) -> NDArray[Any]:
        from landloom.formats.geotiff import decode_geotiff

        files = [filled(slot.template, directory, identity)]
        if slot.band is not None:
            files = [f"{files[0].removesuffix(f'{slot.band}.tif')}{band}.tif" for band in bands]
        arrays = []
        for path in files:
            array, found, _ = decode_geotiff(self.store.get(path))
            if found.shape != grid.shape:
                raise PermanentFaultError(f"{path}: got {found.shape} pixels, expected {grid.shape}")
            arrays.append(array if array.ndim == 3 else array[None])
        stacked = np.concatenate(arrays)
        if slot.band is None:
            if len(stacked) != len(self.bands):
                raise PermanentFaultError(f"{files[0]}: got {len(stacked)} bands, expected {len(self.bands)}")
            stacked = stacked[[self.bands.index(band) for band in bands]]
        return stacked

    def _blank(self, grid: Grid, bands: tuple[str, ...]) -> NDArray[Any]:
        """(time, band, y, x) without any chip."""
        return np.full((len(self.slots), len(bands), *grid.shape), self.row.nodata or 0, dtype=self.row.dtype)

    def _from_cubes(self, directory: str, identity: str, grid: Grid, bands: tuple[str, ...]) -> NDArray[Any]:
        prefix = filled(self.array, directory, "")
        reader = self.cubes.get(prefix, lambda: CubeReader(self.store.get, self.store.get_range, prefix))
        cube = reader.read(identity)
        if (reader.spec.timesteps, reader.spec.bands) == (self.names, bands):
            return cube
        result = self._blank(grid, bands)
        # For dates per granule, a cube has those of its tile, not those of the whole corpus.
        steps = {name: position for position, name in enumerate(reader.spec.timesteps)}
        there = [position for position, slot in enumerate(self.slots) if str(slot.timestep) in steps]
        times = [steps[str(self.slots[position].timestep)] for position in there]
        result[there] = cube[np.ix_(times, [reader.spec.bands.index(band) for band in bands])]
        return result

    def grid(self, row: NDArray[np.int32]) -> Grid:
        """Grid of a sample."""
        from landloom.model.grid import Grid

        if not self.bands:
            raise InvalidInputError(f"product {self.product!r} has no bands to load")
        if self.row.resolution is None:
            raise InvalidInputError(f"product {self.product!r} states no resolution")
        sidecar = self.selection.sidecar
        west, south, east, north = sidecar.squares(row)[0].tolist()
        return Grid.of_bounds(int(sidecar.epsg(row)[0]), (west, south, east, north), self.row.resolution)


def _source(selection: Chosen, product: str) -> _Source:
    """A product of a selection, kept open."""
    source: _Source = selection.opened.get(product, lambda: _Source(selection=selection, product=product))
    return source


def _one(selection: Chosen, sample: str | int | Identified) -> NDArray[np.int32]:
    if isinstance(sample, int):
        if not -len(selection) <= sample < len(selection):
            raise NotFoundError(f"no sample number {sample} in this selection of {len(selection)}")
        row = selection.rows[sample]
    else:
        row = selection.sidecar.rows_of_ids([str(getattr(sample, "id", sample))])[0]
    place = int(np.searchsorted(selection.rows, row))
    if row < 0 or place == len(selection) or selection.rows[place] != row:
        raise NotFoundError(f"no sample {sample!r} in this selection")
    return np.array([row], dtype=np.int32)


def _times(source: _Source) -> NDArray[np.datetime64]:
    stamps = [slot.stamp for slot in source.slots]
    nothing = np.datetime64("NaT")
    return np.array([nothing if stamp is None else stamp.replace(tzinfo=None) for stamp in stamps], "M8[ns]")


def _masked(source: _Source, row: NDArray[np.int32], identity: str, mask: str, quality: str) -> NDArray[np.bool_]:
    """(time, y, x) where a mask is true, at the timesteps of the source."""
    other = _source(source.selection, quality)
    layers = mask_layers(mask)
    for layer in layers:
        if layer not in other.bands:
            raise NotFoundError.of(f"layer of {quality}", layer, other.bands)
    names = {slot.timestep: position for position, slot in enumerate(other.slots)}
    missing = [str(slot.timestep) for slot in source.slots if slot.timestep not in names]
    if missing:
        raise InvalidInputError(f"{quality} has no timestep {missing[0]!r} of {source.product}")
    grid, own = other.grid(row), source.grid(row)
    if grid.shape != own.shape:
        raise InvalidInputError(f"{quality} has {grid.shape} pixels, {source.product} {own.shape}")
    cube = other.read(row, identity, grid, layers)
    usable = evaluate_mask(mask, {layer: cube[:, position] for position, layer in enumerate(layers)})
    usable &= other.exists(row)[:, None, None]
    return usable[[names[slot.timestep] for slot in source.slots]]


def load_pixels(selection: Chosen, sample: str | int | Identified, product: str) -> Pixels:
    """One sample's chips of a product, without the labels that take most of a small cube's time.

    Args:
        selection: its period and bands are used.
        sample: id, or index in the selection, or what has an `id`.
        product: key.

    Raises:
        NotFoundError: an unknown product, band or sample.
        MissingKeyError: a chip that should exist is missing.
        InvalidInputError: a product without bands.
    """
    source, row = _source(selection, product), _one(selection, sample)
    values = source.read(row, selection.sidecar.texts(row)[0], source.grid(row), source.chosen)
    return Pixels(values=values, times=_times(source), bands=source.chosen, observed=source.exists(row))


def load_cube(
    selection: Chosen,
    sample: str | int | Identified,
    product: str,
    *,
    mask: str | None = None,
    quality: str = "pfqa",
    with_labels: bool = False,
    observed_only: bool = False,
) -> xr.DataArray:
    """One sample's chips of a product in time order.

    Args:
        selection: its period and bands are used.
        sample: id, or index in the selection, or what has an `id`.
        product: key.
        mask: condition for valid pixels on layers of the quality product; others become nodata.
        quality: key of that product; it must have the same pixels and timesteps.
        with_labels: add the fraction of each class as a coordinate, `clc_311`.
        observed_only: leave out timesteps without a chip of this sample, such as the dates of other granules.

    Returns:
        (time, band, y, x) with coordinates of pixel centres, `observed` (time,), `spatial_ref` (CRS in WKT and EPSG,
        as odc-geo and rioxarray read it), and attributes `nodata`, `sample`, `product`.

    Raises:
        NotFoundError: an unknown product, band, layer or sample.
        MissingKeyError: a chip that should exist is missing.
        InvalidInputError: a product without bands, or a mask on other pixels.
    """
    import xarray as xr

    source, row = _source(selection, product), _one(selection, sample)
    if observed_only:
        source = replace(source, steps=tuple(np.flatnonzero(source.exists(row)).tolist()))
    identity, grid = selection.sidecar.texts(row)[0], source.grid(row)
    pixels = source.read(row, identity, grid, source.chosen)
    if mask is not None:
        usable = _masked(source, row, identity, mask, quality)
        pixels = np.where(usable[:, None], pixels, np.asarray(source.row.nodata or 0, dtype=pixels.dtype))
    attrs = {"nodata": source.row.nodata, "sample": identity, "product": product, "grid_mapping": "spatial_ref"}
    observed = xr.Variable("time", source.exists(row))
    array = labelled(pixels, source.axes, grid, {"observed": observed}, product, attrs)
    return array if not with_labels else array.assign_coords(_labels(selection, row, ()))


def _labels(selection: Chosen, rows: NDArray[np.int32], dims: tuple[str, ...]) -> dict[str, Any]:
    """Fractions by label column, as coordinates: one number for one sample, along `sample` for many."""
    from landloom.model.apportion import MILLION

    shares = selection.sidecar.shares(rows) / MILLION
    columns = enumerate(selection.sidecar.columns)
    return {name: (dims, shares[:, number] if dims else shares[0, number]) for number, name in columns}


def load_many(
    selection: Chosen,
    product: str,
    *,
    mask: str | None = None,
    quality: str = "pfqa",
    with_labels: bool = False,
) -> xr.DataArray:
    """All samples of a selection, read lazily on computation.

    Args:
        selection: the samples; its period and bands are used.
        product: key.
        mask: as in `load_cube`.
        quality: as in `load_cube`.
        with_labels: add class fractions as coordinates over `sample`, `clc_311`.

    Returns:
        (sample, time, band, y, x), one Dask chunk per sample. y and x count pixels from the north-west corner, whose
        position is `west`, `north` and `epsg` of each sample. `observed` is (sample, time).

    Raises:
        MissingExtraError: Dask is not installed.
        InvalidInputError: an empty selection, or samples of different sizes in pixels.
    """
    try:
        import dask.array as da
        from dask.delayed import delayed
    except ImportError as error:
        raise MissingExtraError.of("dask", "loading many samples lazily") from error
    import xarray as xr

    source = _source(selection, product)
    if not len(selection):
        raise InvalidInputError("got an empty selection, expected at least one sample")
    rows = [selection.rows[position : position + 1] for position in range(len(selection))]
    squares = selection.sidecar.squares(selection.rows)
    sizes = np.unique((squares[:, 2:] - squares[:, :2]).round(6), axis=0)
    if len(sizes) > 1:
        raise InvalidInputError(f"got samples of {len(sizes)} sizes, expected one")
    shape = (1, len(source.slots), len(source.chosen), *source.grid(rows[0]).shape)
    dtype = np.dtype(source.row.dtype)

    def one(position: int) -> NDArray[Any]:
        cube = load_cube(selection, position, product, mask=mask, quality=quality)
        return np.asarray(cube)[None]

    lazy = delayed(one, pure=True)
    library: Any = da  # its functions are untyped
    blocks = [library.from_delayed(lazy(position), shape, dtype=dtype) for position in range(len(rows))]
    coords: dict[str, Any] = {
        "sample": list(selection.ids),
        "time": _times(source),
        "band": list(source.chosen),
        "observed": (("sample", "time"), np.stack([source.exists(row) for row in rows])),
        "west": ("sample", squares[:, 0]),
        "north": ("sample", squares[:, 3]),
        "epsg": ("sample", selection.sidecar.epsg(selection.rows)),
    }
    dims = ("sample", "time", "band", "y", "x")
    attrs = {"nodata": source.row.nodata, "product": product}
    array = xr.DataArray(library.concatenate(blocks), dims=dims, coords=coords, name=product, attrs=attrs)
    return array if not with_labels else array.assign_coords(_labels(selection, selection.rows, ("sample",)))
