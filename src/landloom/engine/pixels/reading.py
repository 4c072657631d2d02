"""Reading files of a scene to arrays on a grid: windowed reads, resampled exactly or by nearest neighbour."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.engine.pixels.directions import SceneDirections
from landloom.engine.pixels.files import OpenFiles
from landloom.engine.pixels.masks import KeptMask, SceneFiles, SceneMasks, lacking, named_files, require_band
from landloom.engine.pixels.windows import nests, source_window
from landloom.errors import FaultError, InvalidInputError, PermanentFaultError, TransientFaultError
from landloom.imagery.layers import Layer, merged
from landloom.imagery.resample import interpolated, nesting, repeat, to_grid
from landloom.imagery.stored import Storage, number_rule
from landloom.imagery.valid import data_valid
from landloom.model.address import is_remote
from landloom.model.sensor import REFLECTANCE_SCALE
from landloom.store.rasters.plan import ReadPlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from landloom.engine.pixels.masks import PixelMask
    from landloom.imagery.composite import Observation
    from landloom.imagery.stored import NumberRule
    from landloom.model.grid import Grid
    from landloom.model.scene import Scene, SceneFile
    from landloom.store.raster import RasterFile
    from landloom.store.window_reads import TileCache

_PER_STEP: Final = 1 / REFLECTANCE_SCALE


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


def _moved(placed: tuple[NDArray[np.uint16], Grid] | None, target: Grid) -> NDArray[np.uint16] | None:
    """Pixels on their grid brought to a target."""
    if placed is None or placed[1] == target:
        return None if placed is None else placed[0]
    moved: NDArray[np.uint16] = to_grid(*placed, target, nodata=0)
    return moved


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
        to_sun: float | None = None,
    ) -> None:
        self.scene = scene
        self.displaced = displaced
        """Metres to the east and north by which its image is displaced, to be removed; None to read it as it is."""
        self.directions = None if to_sun is None else SceneDirections(scene, to_sun)
        """Brings reflectance to a nadir view and a fixed sun of this zenith; None to leave it as it is."""
        self.sensor = scene.made_by
        self.is_remote = any(is_remote(asset.href) for asset in named_files(scene).values())
        """Whether any of its files is read over the network."""
        self.clamped = 0
        """Number of valid pixels so far that the offset would have taken below 1."""
        self._tiles = tiles
        self.bands = tuple(bands)
        """Bands of an observation."""
        self.is_covered = False
        """Whether all that it could have shown of a grid so far was shown already, by others of its overpass."""
        self._files = OpenFiles(scene)
        self._seen: dict[Grid, KeptMask] = {}
        self._rules: dict[str, NumberRule] = {}
        self._masks = SceneMasks(
            scene, mask, bands=self.bands, files=SceneFiles(open=self._files.open, read=self._read, band=self._band)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()

    def release(self) -> None:
        """Close the files; they are opened again on the next use."""
        self._files.release()

    @property
    def masks(self) -> tuple[str, ...]:
        """Names of the files that tell which pixels are usable."""
        return self._masks.names

    def open_ahead(self, names: Iterable[str]) -> None:
        """Begin to open files over the network; faults are raised where they are used."""
        self._files.ahead(names)

    def masks_of(self, target: Grid) -> list[tuple[RasterFile, Grid, int]]:
        """The windows that the usable pixels of a target are read from: file, window, number of the band.

        Raises:
            SceneFaultError: as for `observe`.
            TransientFaultError: as for `observe`.
        """
        with self._named():
            return list(self._masks.windows(self._sought(target)))

    @contextmanager
    def together(self, names: Sequence[str], target: Grid) -> Iterator[None]:
        """Within, what bands of a target need over the network is requested at once; nothing else is read within."""
        if not self.is_remote:
            yield
            return
        self.open_ahead(names)
        with ReadPlan([file.planned(window, band, 0) for file, window, band in self.bands_of(target, names)]):
            yield

    def bands_of(self, target: Grid, names: Sequence[str] | None = None) -> list[tuple[RasterFile, Grid, int]]:
        """The windows that the bands of a target are read from, of files that can be opened."""
        found = []
        for name in self.bands if names is None else names:
            try:
                asset = self._band_asset(name)
                file = self._files.open(name, asset)
            except FaultError:  # raised again where the band is read
                continue
            window = self._window(file.grid, target)
            if window is not None:
                found.append((file, window, asset.band))
        return found

    def nests(self, target: Grid) -> bool:
        """Whether each pixel of a target lies in one pixel of every file it is observed from; raises as `observe`."""
        if not self._masks.are_layers:
            return False
        files = (file for file, _, _ in (*self.masks_of(target), *self.bands_of(target)))
        return all(nests(target, file.grid) for file in files)

    def shows(self, target: Grid, shown: NDArray[np.bool_] | None = None) -> NDArray[np.bool_] | None:
        """Pixels of a target that are usable as far as masks tell, and not shown yet; None if there is none.

        What masks tell is kept for its observation. Only where there is any are the bands read ahead.

        Args:
            target: the grid.
            shown: (y, x) pixels that other scenes of its overpass show.

        Raises:
            SceneFaultError: as for `observe`.
            TransientFaultError: as for `observe`.
        """
        with self._named():
            usable = self._masks.usable(self._sought(target))
        if usable is None or not usable.any():
            self._seen[target] = KeptMask(None, planned=True)
            return None
        added = usable if shown is None else usable & ~shown
        self._seen[target] = KeptMask(np.packbits(usable), planned=bool(added.any()))
        return added if added.any() else None

    def forget(self) -> None:
        """Forget what `shows` has kept."""
        self._seen.clear()

    def grid(self, band: str) -> Grid:
        """Grid of a band's file.

        Raises:
            SceneFaultError: the file is missing or broken: the scene is unusable.
            TransientFaultError: the file is temporarily unreadable.
        """
        with self._named():
            return self._files.open(band, self._band_asset(band)).grid

    def classification_grid(self) -> Grid:
        """Grid of the classification's file.

        Raises:
            SceneFaultError: as for `grid`.
            TransientFaultError: as for `grid`.
        """
        with self._named():
            return self._masks.grid()

    def observe(self, target: Grid) -> Observation | None:
        """The observation of a grid by the scene; None if it does not reach the grid, or has no valid pixel.

        Raises:
            SceneFaultError: a file is missing, broken, or lacks a band: the scene is unusable.
            TransientFaultError: a file is temporarily unreadable.
        """
        layer = self.layer(target)
        return None if layer is None else merged([layer])

    def layer(self, target: Grid, shown: NDArray[np.bool_] | None = None) -> Layer | None:
        """What the scene adds to what is already seen of a grid; its bands are read only if that is any pixel.

        Args:
            target: the grid.
            shown: (y, x) pixels that other scenes of its overpass show.

        Raises:
            SceneFaultError: as for `observe`.
            TransientFaultError: as for `observe`.
        """
        with self._named():
            return self._layer(target, shown)

    def band(self, name: str, target: Grid) -> NDArray[np.uint16] | None:
        """One band on a grid, 10,000 × reflectance, 0 without data; None outside the scene.

        Raises:
            SceneFaultError: the file is missing, broken, or lacks the band: the scene is unusable.
            TransientFaultError: the file is temporarily unreadable.
        """
        with self._named():
            return _moved(self._placed(name, target), target)

    def classes(self, target: Grid) -> NDArray[Any] | None:
        """Values of the classification on a grid, 0 without data; None outside the scene.

        Raises:
            SceneFaultError: as for `band`.
            TransientFaultError: as for `band`.
        """
        with self._named():
            return self._masks.classes(self._sought(target))

    def clear(self, target: Grid) -> NDArray[np.bool_] | None:
        """Usable pixels by the scene's own classification; None if it does not cover the grid.

        Raises:
            SceneFaultError: as for `band`.
            TransientFaultError: as for `band`.
        """
        with self._named():
            return self._masks.usable(self._sought(target))

    @property
    def validity(self) -> str:
        """Source of the usable pixels: the classification, or the product's own masks once they are read."""
        return self._masks.validity

    @property
    def masked(self) -> dict[str, str]:
        """Mask → how it was used and what was odd about it, of those read so far with anything to tell."""
        return self._masks.said

    @property
    def stored(self) -> dict[str, str]:
        """Band → what was done to its numbers beyond the offset, for the bands read so far that needed anything."""
        return {name: rule.said for name, rule in sorted(self._rules.items()) if rule.said}

    @property
    def is_classified(self) -> bool:
        """Whether usable pixels may be known from more than nodata."""
        return self._masks.is_known

    def _sought(self, target: Grid) -> Grid:
        """Where the image shows what belongs to a target."""
        if self.displaced is None:
            return target
        return replace(target, west=target.west + self.displaced[0], north=target.north + self.displaced[1])

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Turn permanent faults into faults of the scene, without local paths."""
        try:
            yield
        except TransientFaultError as error:
            if not self._files.signed:
                raise
            raise type(error)(self._files.unsigned(str(error))) from None
        except PermanentFaultError as error:
            reason = self._files.unsigned(str(error))
            for name, asset in named_files(self.scene).items():
                reason = reason.replace(asset.href, f"{self.scene.id}/{name}")
            raise SceneFaultError(self.scene, reason) from (None if self._files.signed else error)

    def _layer(self, target: Grid, shown: NDArray[np.bool_] | None) -> Layer | None:
        kept = self._seen.pop(target, None)
        valid = self._masks.usable(self._sought(target)) if kept is None else kept.of(target)
        if valid is None or not valid.any():
            return None
        if shown is not None:
            valid = valid & ~shown
            if not valid.any():
                self.is_covered = True
                return None
        bands = []
        with nullcontext() if kept is not None and kept.planned else self.together(self.bands, target):
            for name in self.bands:
                part = self._native(name, target)
                if part is None:
                    return None
                bands.append(part)
                usable = data_valid(part)
                if not usable.all():
                    valid &= repeat(usable, target.height // len(part))
        return Layer(bands=tuple(bands), valid=valid) if valid.any() else None

    def _window(self, source: Grid, target: Grid) -> Grid | None:
        """The window of a band's file that is read for a target."""
        if self.displaced is None:
            return source_window(source, target)
        own = target if source.epsg != target.epsg else source_window(source, target)
        return None if own is None else source_window(source, self._sought(own), margin=1)

    def _placed(self, name: str, target: Grid) -> tuple[NDArray[np.uint16], Grid] | None:
        """A band's own pixels that cover a target, and their grid.

        A displacement is removed: the file's pixels are interpolated.
        """
        source = self._files.open(name, self._band_asset(name)).grid
        window = self._window(source, target)
        if window is None:
            return None
        if self.displaced is None:
            return self._numbers(name, window), window
        own = target if source.epsg != target.epsg else source_window(source, target)
        return None if own is None else (interpolated(self._numbers(name, window), window, self._sought(own)), own)

    def _native(self, name: str, target: Grid) -> NDArray[np.uint16] | None:
        """A band in its own pixels if a target consists of whole ones, else in the target's."""
        placed = self._placed(name, target)
        if placed is not None and nesting(placed[1], target):
            return placed[0]
        return _moved(placed, target)

    def _band(self, name: str, target: Grid) -> NDArray[np.uint16] | None:
        """A band on a grid, where the image has it, displaced or not."""
        window = source_window(self._files.open(name, self._band_asset(name)).grid, target)
        return _moved(None if window is None else (self._numbers(name, window), window), target)

    def _numbers(self, name: str, window: Grid) -> NDArray[np.uint16]:
        """10,000 × reflectance of a window of a band's file."""
        asset = self._band_asset(name)
        file = self._files.open(name, asset)
        rule = self._rule(name, asset, file)
        numbers, clamped = rule.apply(self._read(file, window, asset.band))
        self.clamped += clamped
        return numbers if self.directions is None else self.directions.applied(name, numbers, window)

    def _rule(self, name: str, asset: SceneFile, file: RasterFile) -> NumberRule:
        """How the numbers of a band become 10,000 × reflectance; found out once."""
        if name not in self._rules:
            require_band(file, asset.band)
            declared = (asset.nodata, file.nodata_of(asset.band), self.sensor.nodata)
            storage = Storage(
                dtype=file.dtype,
                nodata=tuple(value for value in declared if value is not None),
                scaling=(_PER_STEP, 0.0) if asset.scale_known else _own_scaling(asset, file),
            )
            usual, preview = self.sensor.conversion, partial(file.preview, asset.band)
            try:
                self._rules[name] = number_rule(
                    storage, conversion=asset.conversion, usual=usual, offset=asset.offset, preview=preview
                )
            except InvalidInputError as error:
                raise PermanentFaultError(f"{asset.href}: {error}") from error
        return self._rules[name]

    def _read(self, file: RasterFile, window: Grid, band: int, fill: float = 0) -> NDArray[Any]:
        """Read from cached tiles if tiles are expensive to decode."""
        if self._tiles is None or not file.driver.startswith("JP2"):
            return file.read(window, band=band, fill=fill)
        return self._tiles.read(file, window, band=band, fill=fill)

    def _band_asset(self, name: str) -> SceneFile:
        if name not in self.scene.bands:
            raise lacking(self.scene, name)
        return self.scene.bands[name]
