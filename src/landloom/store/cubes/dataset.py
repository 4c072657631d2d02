"""A variable of a Zarr cube with the interface of rasterio's datasets, as far as `landloom.store.raster` needs it."""

from __future__ import annotations

from collections import OrderedDict
from itertools import product
from math import prod
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.errors import InvalidValueError, NotFoundError, PermanentFaultError
from landloom.store.cubes.axes import Axes, crs_of, stamps, texts, transform_of
from landloom.store.cubes.group import CubeLayer, changed, open_group, told
from landloom.store.drivers import CubeVariable

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from numpy.typing import NDArray
    from rasterio.enums import Interleaving
    from rasterio.windows import Window

_LARGEST_CHUNK: Final = 2**29
"""Bytes of a chunk at most: any window costs whole ones."""


class _Chunks:
    """Decoded chunks that hold more than one band, the latest ones: each band of a date costs the whole chunk."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: OrderedDict[tuple[object, ...], NDArray[Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...]) -> NDArray[Any] | None:
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put(self, key: tuple[object, ...], chunk: NDArray[Any]) -> None:
        with self._lock:
            self._held[key] = chunk
            while sum(one.nbytes for one in self._held.values()) > self._limit and len(self._held) > 1:
                self._held.popitem(last=False)


HELD: Final = 256 * 2**20
"""Bytes of decoded chunks that a process holds."""
_CHUNKS: Final = _Chunks(HELD)


class ZarrDataset:
    """A variable of a Zarr cube: its bands are all times and bands, in this order; row 0 is north.

    Args:
        variable: which one, and of which sample.

    Raises:
        PermanentFaultError: there is no such variable, or its type, axes or georeferencing are not understood.
        TransientFaultError: its files are temporarily unreadable.
    """

    driver = "Zarr"
    subdatasets: tuple[str, ...] = ()

    def __init__(self, variable: CubeVariable) -> None:
        self._where = str(variable)
        group = open_group(variable.file)
        if variable.name not in group.variables:
            raise PermanentFaultError(f"{variable.file}: no variable {variable.name}")
        self._array = group.variables[variable.name]
        with told(self._where):
            self._state = (variable.file, variable.name, changed(variable.file))
            try:
                self._axes = Axes.of(group, variable.name)
                self._place(group, variable)
                self._name_bands(group, variable)
                self._state_numbers(group)
            except (InvalidValueError, NotFoundError) as error:
                raise PermanentFaultError(f"{self._where}: {error}") from error

    @property
    def interleaving(self) -> Interleaving:
        """Bands lie apart."""
        from rasterio.enums import Interleaving

        return Interleaving.band

    def _place(self, group: xr.Dataset, variable: CubeVariable) -> None:
        """CRS, transform and shape."""
        from rasterio.crs import CRS

        found = crs_of(group, variable.name)
        self.crs = None if found is None else CRS.from_wkt(found.to_wkt())
        self._sample = variable.sample
        if (self._axes.sample is None) != (self._sample is None):
            raise InvalidValueError("expected the number of a sample for a variable with samples, and for no other")
        self.transform, self._southern = transform_of(group, variable.name, self._axes, self._sample)
        sizes = self._array.sizes
        self.shape = int(sizes[self._axes.y]), int(sizes[self._axes.x])
        chunks = self._array.encoding.get("chunks") or self._array.shape
        self._chunks = dict(zip((str(one) for one in self._array.dims), (int(one) for one in chunks), strict=True))
        size = prod(self._chunks.values()) * self._array.dtype.itemsize
        if size > _LARGEST_CHUNK:
            raise InvalidValueError(f"got chunks of {size:,} bytes, expected at most {_LARGEST_CHUNK:,}")

    def _name_bands(self, group: xr.Dataset, variable: CubeVariable) -> None:
        """Which time and band each band of the raster is."""
        axes = self._axes
        names = texts(group, axes.band) if axes.band is not None else ("",)
        values, self._units = stamps(group, axes.time) if axes.time is not None else ((0.0,), "")
        seen = list(range(len(values)))
        if variable.sample is not None and "observed" in group.variables:
            seen = np.flatnonzero(group.variables["observed"].values[variable.sample]).tolist()
        self._bands = [(time, band) for time in seen for band in range(len(names))]
        self.descriptions = tuple(names[band] for _, band in self._bands)
        self._times = tuple(values[time] for time, _ in self._bands)
        self.count = len(self._bands)

    def _state_numbers(self, group: xr.Dataset) -> None:
        """Type, nodata, scale and offset."""
        attributes = self._array.attrs
        dtype = self._array.dtype
        if dtype.kind not in "iuf":
            raise InvalidValueError(f"got numbers of type {dtype}, expected integers or floats")
        unsigned = dtype.kind == "i" and str(attributes.get("_Unsigned", "")).lower() == "true"
        self._dtype = np.dtype(f"u{dtype.itemsize}") if unsigned else dtype.newbyteorder("=")
        stated = attributes.get("_FillValue", attributes.get("missing_value"))
        if stated is None and self._axes.sample is not None:
            stated = group.attrs.get("nodata")
        nodata = None if stated is None else float(np.atleast_1d(np.asarray(stated, np.float64))[0])
        self.nodata = nodata % 2 ** (8 * dtype.itemsize) if unsigned and nodata is not None else nodata
        factor, offset = (float(attributes.get(key, usual)) for key, usual in (("scale_factor", 1), ("add_offset", 0)))
        self.dtypes = (str(self._dtype),) * self.count
        self.nodatavals = (self.nodata,) * self.count
        self.scales, self.offsets = (factor,) * self.count, (offset,) * self.count
        self.block_shapes = [(self._chunks[self._axes.y], self._chunks[self._axes.x])] * self.count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    @property
    def times(self) -> tuple[tuple[float, ...], str] | None:
        """Time of each band, and their CF units; None without an axis of times."""
        return (self._times, self._units) if self._units else None

    def read(
        self, band: int, *, window: Window | None = None, out_shape: tuple[int, int] | None = None
    ) -> NDArray[Any]:
        """Read one band, all of it, a window, or about so many rows and columns picked over all of it.

        Raises:
            PermanentFaultError: its chunks are damaged.
            TransientFaultError: they are temporarily unreadable.
        """
        height, width = self.shape
        rows, columns = (0, height), (0, width)
        if window is not None:
            rows = int(window.row_off), int(window.row_off + window.height)
            columns = int(window.col_off), int(window.col_off + window.width)
        if self._southern:
            rows = height - rows[1], height - rows[0]
        with told(self._where):
            found = self._pixels(self._lead(band), rows, columns)
        found = found[::-1] if self._southern else found
        if out_shape is not None:
            found = found[:: -(-height // out_shape[0]), :: -(-width // out_shape[1])]
        return np.ascontiguousarray(found)

    def _lead(self, band: int) -> dict[str, int]:
        """Axis → index, of all axes but rows and columns."""
        time, number = self._bands[band - 1]
        given = {self._axes.time: time, self._axes.band: number, self._axes.sample: self._sample or 0}
        return {axis: index for axis, index in given.items() if axis is not None}

    def _pixels(self, lead: Mapping[str, int], rows: tuple[int, int], columns: tuple[int, int]) -> NDArray[Any]:
        """Rows and columns as stored, of the chunks that hold them."""
        if all(self._chunks[axis] == 1 for axis in lead):
            return self._load({**lead, self._axes.y: slice(*rows), self._axes.x: slice(*columns)}, ())
        found = np.empty((rows[1] - rows[0], columns[1] - columns[0]), self._dtype)
        high, wide = self._chunks[self._axes.y], self._chunks[self._axes.x]
        tops, lefts = (range(a // size * size, b, size) for (a, b), size in ((rows, high), (columns, wide)))
        for top, left in product(tops, lefts):
            chunk = self._chunk(lead, top, left)
            south, east = top + chunk.shape[0], left + chunk.shape[1]
            here = np.s_[max(top, rows[0]) : min(south, rows[1]), max(left, columns[0]) : min(east, columns[1])]
            into, out = (
                tuple(slice(one.start - at, one.stop - at) for one, at in zip(here, start, strict=True))
                for start in ((rows[0], columns[0]), (top, left))
            )
            found[into] = chunk[out]
        return found

    def _chunk(self, lead: Mapping[str, int], top: int, left: int) -> NDArray[Any]:
        """(y, x) of one chunk at some time and band."""
        starts = {axis: index // self._chunks[axis] * self._chunks[axis] for axis, index in lead.items()}
        key = (*self._state, *starts.values(), top, left)
        whole = _CHUNKS.get(key)
        if whole is None:
            at = {**starts, self._axes.y: top, self._axes.x: left}
            whole = self._load({axis: slice(n, n + self._chunks[axis]) for axis, n in at.items()}, tuple(lead))
            _CHUNKS.put(key, whole)
        part: NDArray[Any] = whole[tuple(index - starts[axis] for axis, index in lead.items())]
        return part

    def _load(self, index: Mapping[str, int | slice], lead: tuple[str, ...]) -> NDArray[Any]:
        """Decode a part, with the leading axes in this order, then rows and columns."""
        part = self._array[index]
        order = [part.dims.index(axis) for axis in (*lead, self._axes.y, self._axes.x)]
        numbers = np.ascontiguousarray(np.asarray(part.values).transpose(order))
        return numbers.astype(numbers.dtype.newbyteorder("="), copy=False).view(self._dtype)


def zarr_layers(path: str) -> tuple[CubeLayer, ...]:
    """The variables of a cube of Zarr version 3, those with samples once for each sample.

    Raises:
        PermanentFaultError: it is no group, has no variables, or is damaged or encoded in an unknown way.
        TransientFaultError: its files are temporarily unreadable.
    """
    group = open_group(path)
    layers: list[CubeLayer] = []
    for name in (str(one) for one in group.variables):
        own = CubeVariable(file=path, driver="Zarr", name=name)
        try:
            axes = Axes.of(group, name)
        except InvalidValueError:
            layers.append(CubeLayer(variable=own, names=(name,)))
            continue
        with told(path):
            names = (name,) if axes.band is None else texts(group, axes.band)
            samples = () if axes.sample is None else texts(group, axes.sample)
        if axes.sample is None:
            layers.append(CubeLayer(variable=own, names=names))
        for number, sample in enumerate(samples):
            one = CubeVariable(file=path, driver="Zarr", name=name, sample=number)
            layers.append(CubeLayer(variable=one, names=names, place=sample))
    return tuple(layers)
