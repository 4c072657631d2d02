"""Reading files of a scene to arrays on a grid: windowed reads, resampled exactly or by nearest neighbour."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from scipy.ndimage import minimum_filter

from landloom.archive.safe.masks import product_mask
from landloom.engine.pixels.windows import source_window
from landloom.errors import InvalidInputError, PermanentFaultError, TransientFaultError
from landloom.imagery.composite import Observation
from landloom.imagery.resample import interpolated, to_grid
from landloom.imagery.stored import Storage, class_numbers, number_rule
from landloom.imagery.valid import bits_valid, data_valid, scl_valid
from landloom.model.scene import Role
from landloom.model.sensor import REFLECTANCE_SCALE, SENSORS
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from landloom.imagery.stored import NumberRule
    from landloom.model.grid import Grid
    from landloom.model.scene import Scene, SceneFile
    from landloom.store.raster import RasterFile
    from landloom.store.window_reads import TileCache

NODATA_ONLY: Final = "nodata only"
"""Published note for a scene whose usable pixels are known from nodata alone."""
_PER_STEP: Final = 1 / REFLECTANCE_SCALE
MASK_PIXEL: Final = 20.0
"""Metres of a pixel by which unusable areas grow for a product with its own masks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelMask:
    """Rule for the usable pixels of a scene."""

    clear: frozenset[int] | None = None
    """Usable classes; by default the sensor's own."""
    dilate: int = 0
    """Pixels of the classification by which unusable areas grow."""


class SceneFaultError(PermanentFaultError):
    """A scene that is permanently unusable; the message names the file and the reason."""

    def __init__(self, scene: Scene, reason: str) -> None:
        self.scene = scene
        super().__init__(reason)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.scene, str(self))


def _own_scaling(asset: SceneFile, file: RasterFile) -> tuple[float, float] | None:
    """Scale and offset that a file itself declares; of these the archive may have settled the offset already."""
    found = file.scaling_of(asset.band)
    return found if found is None or not asset.offset_known else (found[0], 0.0)


class SceneReader:
    """The open files of one scene; close it as soon as its timestep is done.

    Files are opened on first use. Permanent faults become a `SceneFaultError`; transient ones are raised
    unchanged, to be retried.
    """

    def __init__(
        self,
        scene: Scene,
        *,
        bands: Sequence[str],
        mask: PixelMask,
        tiles: TileCache | None = None,
        displaced: tuple[float, float] | None = None,
    ) -> None:
        self.scene = scene
        self.displaced = displaced
        """Metres to the east and north by which its image is displaced, to be removed; None to read it as it is."""
        self.sensor = SENSORS[scene.sensor]
        self.validity = NODATA_ONLY
        """Source of the usable pixels: the classification, or the product's own masks once they are read."""
        self.clamped = 0
        """Number of valid pixels so far that the offset would have taken below 1."""
        self._tiles = tiles
        self._bands = tuple(bands)
        self._mask = mask
        self._stack = ExitStack()
        self._files: dict[str, RasterFile] = {}
        self._rules: dict[str, NumberRule] = {}
        self._signed: dict[str, str] = {}
        if self.sensor.classification is not None and Role.CLASSIFICATION in scene.layers:
            self.validity = self.sensor.classification.name

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def release(self) -> None:
        """Close the files; they are opened again on the next use."""
        self._stack.close()
        self._files.clear()

    def grid(self, band: str) -> Grid:
        """Grid of a band's file.

        Raises:
            SceneFaultError: the file is missing or broken: the scene is unusable.
            TransientFaultError: the file is temporarily unreadable.
        """
        with self._named():
            return self._file(band, self._band_asset(band)).grid

    def classification_grid(self) -> Grid:
        """Grid of the classification's file.

        Raises:
            SceneFaultError: as for `grid`.
            TransientFaultError: as for `grid`.
        """
        with self._named():
            return self._classification().grid

    def observe(self, target: Grid) -> Observation | None:
        """The observation of a grid by the scene; None if it does not reach the grid, or has no valid pixel.

        Raises:
            SceneFaultError: a file is missing, broken, or lacks a band: the scene is unusable.
            TransientFaultError: a file is temporarily unreadable.
        """
        with self._named():
            return self._observe(target)

    def band(self, name: str, target: Grid) -> NDArray[np.uint16] | None:
        """One band on a grid, 10,000 × reflectance, 0 without data; None outside the scene.

        Raises:
            SceneFaultError: the file is missing, broken, or lacks the band: the scene is unusable.
            TransientFaultError: the file is temporarily unreadable.
        """
        with self._named():
            return self._band(name, target)

    def classes(self, target: Grid) -> NDArray[Any] | None:
        """Values of the classification on a grid, 0 without data; None outside the scene.

        Raises:
            SceneFaultError: as for `band`.
            TransientFaultError: as for `band`.
        """
        with self._named():
            file, target = self._classification(), self._sought(target)
            window = source_window(file.grid, target)
            if window is None:
                return None
            numbers = self._class_numbers(file, window)
            moved: NDArray[Any] = to_grid(numbers, window, target, nodata=0)
            return moved

    def clear(self, target: Grid) -> NDArray[np.bool_] | None:
        """Usable pixels by the scene's own classification; None if it does not cover the grid.

        Raises:
            SceneFaultError: as for `band`.
            TransientFaultError: as for `band`.
        """
        with self._named():
            return self._clear_pixels(target)

    @property
    def stored(self) -> dict[str, str]:
        """Band → what was done to its numbers beyond the offset, for the bands read so far that needed anything."""
        return {name: rule.said for name, rule in sorted(self._rules.items()) if rule.said}

    @property
    def is_classified(self) -> bool:
        """Whether usable pixels may be known from more than nodata."""
        return Role.CLASSIFICATION in self.scene.layers or self.sensor.classification is None

    def _sought(self, target: Grid) -> Grid:
        """Where the image shows what belongs to a target."""
        if self.displaced is None:
            return target
        east, north = self.displaced
        return replace(target, west=target.west + east, north=target.north + north)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn permanent faults into faults of the scene, without local paths."""
        try:
            yield
        except TransientFaultError as error:
            if not self._signed:
                raise
            raise TransientFaultError(self._unsigned(str(error))) from None
        except PermanentFaultError as error:
            reason = self._unsigned(str(error))
            for name, asset in self._named_assets().items():
                reason = reason.replace(asset.href, f"{self.scene.id}/{name}")
            raise SceneFaultError(self.scene, reason) from (None if self._signed else error)

    def _unsigned(self, text: str) -> str:
        """A message without signatures."""
        for address, href in self._signed.items():
            text = text.replace(address, href).replace(address.partition("?")[2], "…")
        return text

    def _named_assets(self) -> dict[str, SceneFile]:
        named = dict(self.scene.bands) | dict(self.scene.masks)
        if self.sensor.classification is not None and Role.CLASSIFICATION in self.scene.layers:
            named[self.sensor.classification.name] = self.scene.layers[Role.CLASSIFICATION]
        return named

    def _observe(self, target: Grid) -> Observation | None:
        valid = self._clear_pixels(target)
        if valid is None or not valid.any():
            return None
        bands = np.empty((len(self._bands), *target.shape), dtype=np.uint16)
        for index, name in enumerate(self._bands):
            part = self._band(name, target)
            if part is None:
                return None
            bands[index] = part
            valid &= data_valid(part)
        return Observation(bands=bands, valid=valid) if valid.any() else None

    def _clear_pixels(self, grid: Grid) -> NDArray[np.bool_] | None:
        layer, target = self.sensor.classification, self._sought(grid)
        if layer is None:
            return self._own_masks(target)
        file = self._classification()
        window = source_window(file.grid, target, margin=self._mask.dilate)
        if window is None:
            return None
        numbers = self._class_numbers(file, window)
        if layer.blocked:
            usable = bits_valid(numbers, layer.blocked, dilate=self._mask.dilate, nodata=layer.nodata)
        else:
            clear = layer.clear if self._mask.clear is None else self._mask.clear
            usable = scl_valid(numbers, clear=clear, dilate=self._mask.dilate)
        moved: NDArray[np.uint8] = to_grid(usable.astype(np.uint8), window, target, nodata=0)
        return moved.astype(np.bool_)

    def _own_masks(self, target: Grid) -> NDArray[np.bool_] | None:
        """Pixels left usable by a Level-1C product's cloud and quality masks; all if it has none."""
        source = self._file(self._bands[0], self._band_asset(self._bands[0])).grid
        finest = source if source.pixel_width <= 10 else source.at(10.0)
        dilate = self._mask.dilate
        window = source_window(finest, target, margin=round(dilate * MASK_PIXEL / finest.pixel_width))
        if window is None:
            return None
        masks = product_mask(self.scene, window, self._bands)
        self.validity = ", ".join(sorted({name.rpartition("_")[0] for name in masks.sources})) or NODATA_ONLY
        usable = masks.valid.astype(np.uint8)
        if dilate:
            side = 2 * round(dilate * MASK_PIXEL / window.pixel_width) + 1
            usable = minimum_filter(usable, size=side, mode="constant", cval=1)
        moved: NDArray[np.uint8] = to_grid(usable, window, target, nodata=0)
        return moved.astype(np.bool_)

    def _band(self, name: str, target: Grid) -> NDArray[np.uint16] | None:
        asset = self._band_asset(name)
        file = self._file(name, asset)
        own = target if file.grid.epsg != target.epsg else source_window(file.grid, target)
        if own is None:
            return None
        window = source_window(file.grid, self._sought(own), margin=0 if self.displaced is None else 1)
        if window is None:
            return None
        rule = self._rule(name, asset, file)
        numbers, clamped = rule.apply(self._read(file, window, asset.band))
        self.clamped += clamped
        if self.displaced is not None:
            # On the file's own pixels, where it can be: those of a coarser band stay as they are, and are repeated.
            numbers, window = interpolated(numbers, window, self._sought(own)), own
        moved: NDArray[np.uint16] = to_grid(numbers, window, target, nodata=0)
        return moved

    def _rule(self, name: str, asset: SceneFile, file: RasterFile) -> NumberRule:
        """How the numbers of a band become 10,000 × reflectance; found out once."""
        if name not in self._rules:
            self._require_band(file, asset.band)
            declared = (asset.nodata, file.nodata_of(asset.band))
            storage = Storage(
                dtype=file.dtype,
                nodata=tuple(value for value in declared if value is not None),
                scaling=(_PER_STEP, 0.0) if asset.scale_known else _own_scaling(asset, file),
            )
            try:
                self._rules[name] = number_rule(
                    storage,
                    conversion=asset.conversion,
                    usual=self.sensor.conversion,
                    offset=asset.offset,
                    preview=partial(file.preview, asset.band),
                )
            except InvalidInputError as error:
                raise PermanentFaultError(f"{asset.href}: {error}") from error
        return self._rules[name]

    def _class_numbers(self, file: RasterFile, window: Grid) -> NDArray[Any]:
        """Classes or quality bits of a window, whatever type they are stored as."""
        asset = self.scene.layers[Role.CLASSIFICATION]
        self._require_band(file, asset.band)
        layer, declared = self.sensor.classification, (asset.nodata, file.nodata_of(asset.band))
        dtype = np.uint16 if layer is not None and layer.blocked else np.uint8
        nodata = tuple(value for value in declared if value is not None)
        try:
            return class_numbers(self._read(file, window, asset.band), dtype, nodata)
        except InvalidInputError as error:
            raise PermanentFaultError(f"{asset.href}: {error}") from error

    @staticmethod
    def _require_band(file: RasterFile, band: int) -> None:
        if not 1 <= band <= file.count:
            raise PermanentFaultError(f"{file.href}: no band {band}, the file has {file.count}")

    def _read(self, file: RasterFile, window: Grid, band: int) -> NDArray[Any]:
        """Read from cached tiles if tiles are expensive to decode."""
        if self._tiles is None or not file.driver.startswith("JP2"):
            return file.read(window, band=band, fill=0)
        return self._tiles.read(file, window, band=band, fill=0)

    def _classification(self) -> RasterFile:
        layer = self.sensor.classification
        if layer is None or Role.CLASSIFICATION not in self.scene.layers:
            raise self._lacks("SCL" if layer is None else layer.name)
        return self._file(layer.name, self.scene.layers[Role.CLASSIFICATION])

    def _file(self, name: str, asset: SceneFile) -> RasterFile:
        if name not in self._files:
            address = asset.href if asset.signing is None else asset.signing.signed(asset.href)
            if address != asset.href:
                self._signed[address] = asset.href
            document = self.scene.found_at or self.scene.href
            opened = open_raster(address, stated=asset.grid, document=document)
            self._files[name] = self._stack.enter_context(opened)
        return self._files[name]

    def _band_asset(self, name: str) -> SceneFile:
        if name not in self.scene.bands:
            raise self._lacks(name)
        return self.scene.bands[name]

    def _lacks(self, name: str) -> PermanentFaultError:
        return PermanentFaultError(f"{self.scene.id}: no band {name}, got {', '.join(sorted(self._named_assets()))}")
