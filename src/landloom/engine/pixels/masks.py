"""The usable pixels of one scene: from its classification, its product's own masks, other bands, or a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.archive.safe.masks import product_mask
from landloom.engine.pixels.network import NAME
from landloom.engine.pixels.windows import source_window
from landloom.errors import InvalidInputError, PermanentFaultError
from landloom.imagery.dilation import dilated
from landloom.imagery.masks.rules import MaskRule, layer_numbers, named_values
from landloom.imagery.resample import to_grid
from landloom.model.scene import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.pixels.network import Cells, CloudNetwork
    from landloom.model.grid import Grid
    from landloom.model.scene import Scene, SceneFile
    from landloom.model.sensor import Classification
    from landloom.store.raster import RasterFile

NODATA_ONLY: Final = "nodata only"
"""Published note for a scene whose usable pixels are known from nodata alone."""
UNKNOWN: Final = "unknown values"
"""Start of what is told of values that a mask does not define."""
MASK_PIXEL: Final = 20.0
"""Metres of a pixel by which unusable areas grow for a product with its own masks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskSource:
    """One source of a scene's usable pixels; a value that is sent to workers."""

    layer: Classification | None = None
    """A band and the meaning of its values; None for the scene's own classification."""
    clear: frozenset[int] | None = None
    """Usable classes, or bits that leave a pixel usable; by default those of the layer."""
    dilate: int = 0
    """Pixels of the layer by which unusable areas grow."""
    least_clear: float = 0.0
    """Smallest share of usable pixels, before they grow, among all pixels of the scene with data."""
    network: CloudNetwork | None = None
    """Finds usable pixels instead of a layer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelMask:
    """Rule for the usable pixels of a scene."""

    clear: frozenset[int] | None = None
    """Usable classes; by default the sensor's own."""
    dilate: int = 0
    """Pixels of the classification by which unusable areas grow."""
    sources: tuple[MaskSource, ...] = ()
    """Where usable pixels are known from, instead of the classification alone; a pixel has to be usable in all."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands that it reads."""
        networks = (name for source in self.sources if source.network is not None for name in source.network.bands)
        layers = (source.layer.name for source in self.sources if source.layer is not None)
        return tuple(dict.fromkeys((*layers, *networks)))

    def with_bands(self, bands: Sequence[str]) -> tuple[str, ...]:
        """The bands of a product and those that the mask reads besides."""
        return tuple(dict.fromkeys((*bands, *self.bands)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFiles:
    """Access to the files of an open scene."""

    open: Callable[[str, SceneFile], RasterFile]
    """By name, opened once."""
    read: Callable[[RasterFile, Grid, int, float], NDArray[Any]]
    """A window of a band; the last argument fills what lies outside the file."""
    band: Callable[[str, Grid], NDArray[np.uint16] | None]
    """A band on a grid, 10,000 × reflectance."""


@dataclass(frozen=True, slots=True)
class KeptMask:
    """What masks tell of a target, until it is observed."""

    bits: NDArray[np.uint8] | None
    """Usable pixels, packed; None if there is none."""
    planned: bool = field(kw_only=True)
    """Whether its bands are read ahead, or none is needed."""

    def of(self, target: Grid) -> NDArray[np.bool_] | None:
        """Usable pixels (y, x) of the target."""
        if self.bits is None:
            return None
        return np.unpackbits(self.bits, count=target.height * target.width).reshape(target.shape).astype(np.bool_)


@dataclass(slots=True)
class SceneMasks:
    """The masks of an open scene. Faults name its files; whoever opened the scene says which scene it is."""

    scene: Scene
    mask: PixelMask
    bands: Sequence[str] = field(kw_only=True)
    files: SceneFiles = field(kw_only=True)
    validity: str = field(default=NODATA_ONLY, init=False)
    """Source of the usable pixels: the classification, or the product's own masks once they are read."""
    _unknown: dict[str, set[int]] = field(default_factory=dict, init=False)
    _checked: set[str] = field(default_factory=set, init=False)
    _used: dict[str, str] = field(default_factory=dict, init=False)
    _cells: Cells = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        layer = self._layer
        if layer is not None and Role.CLASSIFICATION in self.scene.layers:
            self.validity = layer.name

    @property
    def _layer(self) -> Classification | None:
        return self.scene.made_by.classification

    @property
    def is_known(self) -> bool:
        """Whether usable pixels may be known from more than nodata."""
        return bool(self.mask.sources) or Role.CLASSIFICATION in self.scene.layers or self._layer is None

    @property
    def said(self) -> dict[str, str]:
        """Mask → how it was used, of masks that the recipe names; and values that the layer does not define."""
        told = dict(self._used)
        for name, values in sorted(self._unknown.items()):
            odd = f"{UNKNOWN} {named_values(tuple(sorted(values)))} are not usable"
            told[name] = f"{told[name]}; {odd}" if name in told else odd
        return told

    def grid(self) -> Grid:
        """Grid of the classification's file."""
        layer, asset = self._classification()
        return self.files.open(layer.name, asset).grid

    def classes(self, target: Grid) -> NDArray[Any] | None:
        """Values of the classification on a grid, 0 without data; None outside the scene."""
        layer, asset = self._classification()
        file = self.files.open(layer.name, asset)
        window = source_window(file.grid, target)
        if window is None:
            return None
        moved: NDArray[Any] = to_grid(self._numbers(MaskRule(layer=layer), file, window, asset), window, target)
        return moved

    def usable(self, target: Grid) -> NDArray[np.bool_] | None:
        """Pixels that every source leaves usable; None if one of them does not reach the grid."""
        if not self.mask.sources:
            if self._layer is None:
                return self._own_masks(target)
            layer, asset = self._classification()
            return self._by_layer(MaskRule(layer=layer, clear=self.mask.clear, dilate=self.mask.dilate), asset, target)
        found: NDArray[np.bool_] | None = None
        for source in self.mask.sources:
            part = self._by_source(source, target)
            if part is None:
                return None
            found = part if found is None else found & part
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the files that are read."""
        own = self._layer
        first = (own.name,) if own is not None and any(source.layer is None for source in self._sources) else ()
        return tuple(dict.fromkeys((*first, *self.mask.bands)))

    @property
    def are_layers(self) -> bool:
        """Whether usable pixels are known from layers alone, each of which is taken as it is."""
        return all(one.network is None and (one.layer or self._layer) is not None for one in self._sources)

    def windows(self, target: Grid) -> Iterator[tuple[RasterFile, Grid, int]]:
        """The windows that layers are read from for a target: file, window, number of the band.

        Product masks and networks are not among them: they read what they need.
        """
        for source in self._sources:
            if source.network is not None or (source.layer is None and self._layer is None):
                continue
            layer, asset = self._source_layer(source)
            file = self.files.open(layer.name, asset)
            window = source_window(file.grid, target, margin=source.dilate)
            if window is not None:
                yield file, window, asset.band

    @property
    def _sources(self) -> tuple[MaskSource, ...]:
        """Where usable pixels are known from."""
        return self.mask.sources or (MaskSource(clear=self.mask.clear, dilate=self.mask.dilate),)

    def _by_source(self, source: MaskSource, target: Grid) -> NDArray[np.bool_] | None:
        if source.network is not None:
            self._used[NAME] = f"{source.network.level}, dilated by {source.network.dilate}"
            first = source.network.bands[0]
            grid = self.files.open(first, self._band_asset(first)).grid
            return source.network.usable(self.files.band, grid, target, self._cells)
        layer, asset = self._source_layer(source)
        rule = MaskRule(layer=layer, clear=source.clear, dilate=source.dilate)
        self._used[layer.name] = rule.said
        if source.least_clear > 0 and layer.name not in self._checked:
            self._require_clear(rule, asset, source.least_clear)
            self._checked.add(layer.name)
        return self._by_layer(rule, asset, target)

    def _source_layer(self, source: MaskSource) -> tuple[Classification, SceneFile]:
        own = self._layer
        if source.layer is None or (own is not None and source.layer.name == own.name):
            layer, asset = self._classification()
            return source.layer or layer, asset
        return source.layer, self._band_asset(source.layer.name)

    def _by_layer(self, rule: MaskRule, asset: SceneFile, target: Grid) -> NDArray[np.bool_] | None:
        file = self.files.open(rule.layer.name, asset)
        window = source_window(file.grid, target, margin=rule.dilate)
        if window is None:
            return None
        usable = rule.usable(self._numbers(rule, file, window, asset))
        moved: NDArray[np.uint8] = to_grid(usable.astype(np.uint8), window, target, nodata=0)
        return moved.astype(np.bool_)

    def _numbers(self, rule: MaskRule, file: RasterFile, window: Grid, asset: SceneFile) -> NDArray[Any]:
        """Values of a window; values that the layer does not define are noted."""
        require_band(file, asset.band)
        layer, nodata = rule.layer, _nodata(file, asset)
        # Where 0 is a value and nothing is declared as nodata, the extent of the file decides.
        beyond = next(iter(nodata), 0.0) if layer.zero and layer.nodata is None else float(layer.nodata or 0)
        try:
            stored = self.files.read(file, window, asset.band, beyond if layer.zero else 0)
            numbers = layer_numbers(stored, layer, nodata)
        except InvalidInputError as error:
            raise PermanentFaultError(f"{asset.href}: {error}") from error
        if layer.zero and not nodata and layer.nodata is None:
            numbers = np.where(_inside(file.grid, window), numbers, numbers.dtype.type(0))
        if unknown := rule.unknown(numbers):
            self._unknown.setdefault(layer.name, set()).update(unknown)
        return numbers

    def _require_clear(self, rule: MaskRule, asset: SceneFile, least: float) -> None:
        """Refuse a scene with too few usable pixels, by a sample of all pixels of the layer."""
        file = self.files.open(rule.layer.name, asset)
        require_band(file, asset.band)
        numbers = layer_numbers(file.preview(asset.band), rule.layer, _nodata(file, asset))
        seen = int(np.count_nonzero(numbers))
        clear = int(np.count_nonzero(MaskRule(layer=rule.layer, clear=rule.clear).usable(numbers)))
        if clear < least * seen:
            raise PermanentFaultError(
                f"{asset.href}: got {100 * clear / seen:.1f} % clear, expected at least {100 * least:g} %"
            )

    def _own_masks(self, target: Grid) -> NDArray[np.bool_] | None:
        """Pixels left usable by a Level-1C product's cloud and quality masks; all if it has none."""
        source = self.files.open(self.bands[0], self._band_asset(self.bands[0])).grid
        finest = source if source.pixel_width <= 10 or not self.scene.masks else source.at(10.0)
        dilate = self.mask.dilate
        window = source_window(finest, target, margin=round(dilate * MASK_PIXEL / finest.pixel_width))
        if window is None:
            return None
        masks = product_mask(self.scene, window, self.bands)
        self.validity = ", ".join(sorted({name.rpartition("_")[0] for name in masks.sources})) or NODATA_ONLY
        usable = masks.valid
        if dilate:
            usable = ~dilated(~usable, round(dilate * MASK_PIXEL / window.pixel_width))
        moved: NDArray[np.uint8] = to_grid(usable.astype(np.uint8), window, target, nodata=0)
        return moved.astype(np.bool_)

    def _classification(self) -> tuple[Classification, SceneFile]:
        layer = self._layer
        if layer is None or Role.CLASSIFICATION not in self.scene.layers:
            raise lacking(self.scene, "SCL" if layer is None else layer.name)
        return layer, self.scene.layers[Role.CLASSIFICATION]

    def _band_asset(self, name: str) -> SceneFile:
        if name not in self.scene.bands:
            raise lacking(self.scene, name)
        return self.scene.bands[name]


def joined_uses(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """What two windows of a scene tell of its masks, each thing once.

    Example:
        >>> joined_uses({"SCL": "clear 4"}, {"SCL": "clear 4; unknown values 12 are not usable"})
        {'SCL': 'clear 4; unknown values 12 are not usable'}
    """
    names = dict.fromkeys((*one, *other))
    parts = {name: (*one.get(name, "").split("; "), *other.get(name, "").split("; ")) for name in names}
    return {name: "; ".join(dict.fromkeys(part for part in told if part)) for name, told in parts.items()}


def named_files(scene: Scene) -> dict[str, SceneFile]:
    """Name → file of a scene: bands, masks and the classification."""
    named, layer = dict(scene.bands) | dict(scene.masks), scene.made_by.classification
    if layer is not None and Role.CLASSIFICATION in scene.layers:
        named[layer.name] = scene.layers[Role.CLASSIFICATION]
    return named


def lacking(scene: Scene, name: str) -> PermanentFaultError:
    """The fault of a scene without a band."""
    return PermanentFaultError(f"{scene.id}: no band {name}, got {', '.join(sorted(named_files(scene)))}")


def require_band(file: RasterFile, band: int) -> None:
    """Refuse a file that has fewer bands.

    Raises:
        PermanentFaultError: names the file.
    """
    if not 1 <= band <= file.count:
        raise PermanentFaultError(f"{file.href}: no band {band}, the file has {file.count}")


def _nodata(file: RasterFile, asset: SceneFile) -> tuple[float, ...]:
    declared = (asset.nodata, file.nodata_of(asset.band))
    return tuple(value for value in declared if value is not None)


def _inside(grid: Grid, window: Grid) -> NDArray[np.bool_]:
    """Pixels of a window that lie in a file."""
    row, column = window.offset_in(grid)
    rows, columns = np.arange(window.height) + row, np.arange(window.width) + column
    inside: NDArray[np.bool_] = ((rows >= 0) & (rows < grid.height))[:, None] & (columns >= 0) & (columns < grid.width)
    return inside
