"""The scenes of one granule: the choice, and windows read from all of them at once."""

from __future__ import annotations

import io
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from landloom.archive.choice import Candidate, SceneChoice, by_granule
from landloom.archive.selection import choose_scenes
from landloom.engine.pixels.datastrips import OverpassReader
from landloom.engine.pixels.reading import SceneReader
from landloom.engine.scenes.dates import as_one, dates_of, taken_reason, with_rest
from landloom.errors import InvalidInputError
from landloom.imagery.fill import fill_periodic
from landloom.imagery.masks.rules import plain_values
from landloom.imagery.valid import data_valid
from landloom.model.granules import granule_grid, granule_region
from landloom.model.sensor import SEEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from landloom.archive.selection import Policy, SceneFilter
    from landloom.engine.pixels.masks import PixelMask
    from landloom.model.grid import Grid
    from landloom.model.ids import GranuleId
    from landloom.model.scene import Scene
    from landloom.model.time import Period

NEST: Final = 60
"""Metres to which windows are snapped, so that bands of 10, 20 and 60 m nest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GranuleScenes:
    """The scenes of a granule in an archive, and the rule for choosing them."""

    granule: GranuleId
    candidates: tuple[Scene, ...]
    """Every scene of the period."""
    policy: Policy
    """For example `monthly + 12`."""
    rule: SceneFilter
    period: Period
    fixed: frozenset[str] | None = None
    """Ids chosen by hand in a file; they replace the policy."""
    broken: Mapping[str, str] = field(default_factory=dict)
    """Scenes that turned out to be unusable, with the reason; the next best ones replace them."""

    def __post_init__(self) -> None:
        if self.fixed is None:
            return
        taken = [scene for scene in self.candidates if scene.id in self.fixed]
        twice = [date.name for date in dates_of(taken) if date.others]
        if twice:
            raise InvalidInputError(
                f"{self.granule}: got scenes of several overpasses of {', '.join(twice)}, expected one a day"
            )

    def without(self, broken: Mapping[str, str]) -> GranuleScenes:
        """The same, with further scenes excluded."""
        return replace(self, broken={**self.broken, **broken})

    def choice(self) -> SceneChoice:
        """The choice of the policy, at most one overpass per date: that with most data, then with least cloud.

        The datastrips of an overpass are chosen together.
        """
        if self.fixed is not None:
            told = [
                Candidate.of(scene, use=scene.id in self.fixed, reason="as the file says") for scene in self._usable
            ]
            return SceneChoice(candidates=tuple(sorted(told, key=by_granule)))
        dates, region = dates_of(self._usable), granule_region(self.granule)
        seen = [as_one(date.scenes) for date in dates]
        return with_rest(choose_scenes(seen, self.policy, self.period, rule=self.rule, region=region), dates)

    def passed_over(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """Chosen date → id and reason of every scene of its other overpasses; of a choice by hand, nothing."""
        if self.fixed is not None:
            return {}
        used = set(self.choice().ids)
        return {
            date.name: tuple((scene.id, taken_reason(date)) for scene in date.others)
            for date in dates_of(self._usable)
            if date.leading.id in used
        }

    @property
    def _usable(self) -> list[Scene]:
        return [scene for scene in self.candidates if scene.id not in self.broken]

    def chosen(self) -> tuple[Scene, ...]:
        """The chosen scenes, in time order; several of one date are datastrips of one overpass.

        Raises:
            InvalidInputError: there is none.
        """
        found = self.choice().apply(self.candidates)
        if not found:
            told = "; ".join(sorted(self.broken.values())[:5])
            why = f": {told}" if told else ""
            raise InvalidInputError(
                f"{self.granule}: no usable scene in {self.period}, of {len(self.candidates)} in the archive{why}"
            )
        return found

    def identity(self, scenes: Sequence[object]) -> list[object]:
        """All inputs that determine the scenes of a granule.

        Datastrips that are read as one are named, so that units which were made of one of them are made again.

        Args:
            scenes: identity of each candidate.
        """
        joined = [[one.id for one in date.scenes] for date in dates_of(self.candidates) if len(date.scenes) > 1]
        return [
            str(self.policy),
            self.policy.cloud_weight,
            str(self.rule),
            str(self.period),
            None if self.fixed is None else sorted(self.fixed),
            sorted(self.broken),
            [
                [identity, scene.cloud_cover, scene.nodata_share]
                for identity, scene in zip(scenes, self.candidates, strict=True)
            ],
            *joined,
        ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesWindow:
    """Observations of a window in all scenes."""

    bands: NDArray[np.uint16]
    """(time, band, y, x); 0 without data."""
    scl: NDArray[Any]
    """(time, y, x) values of the classification as published: 0 without data, if 0 is not a value of its own."""
    valid: NDArray[np.bool_]
    """(time, y, x) usable: a clear class, and data in every band."""

    def filled(self, times: Sequence[datetime]) -> NDArray[np.uint16]:
        """(time, band, y, x) masked and filled, with the year as a circle; 0 if a pixel is never usable."""
        return fill_times(self.bands, self.valid, times)


def fill_times(bands: NDArray[np.uint16], valid: NDArray[np.bool_], times: Sequence[datetime]) -> NDArray[np.uint16]:
    """Fill a series whose times are instants of one year, or of several folded into one."""
    first = min(times)
    start = datetime(first.year, 1, 1, tzinfo=UTC)
    year = (datetime(first.year + 1, 1, 1, tzinfo=UTC) - start).days
    days = np.array([(instant - start).total_seconds() / 86_400 for instant in times], dtype=np.float64)
    return fill_periodic(bands, valid, days, float(year))


class GranuleReader:
    """The open files of a granule's scenes; reads windows as arrays."""

    def __init__(
        self,
        scenes: Sequence[Scene],
        bands: Sequence[str],
        mask: PixelMask,
        displaced: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        """Set what to read.

        Args:
            scenes: of one granule.
            bands: in the order of windows.
            mask: rule for usable pixels.
            displaced: scene → metres to the east and north by which its image is displaced, to be removed.
        """
        self.dates = tuple(date.scenes for date in dates_of(scenes))
        self.times = tuple(first.time for first, *_ in self.dates)
        self.bands = tuple(bands)
        self._mask = mask
        self._displaced = displaced or {}
        self._stack = ExitStack()
        self._opened: list[SceneReader] = []
        self.readers: list[SceneReader | OverpassReader] = []
        """One per date."""

    def __enter__(self) -> Self:
        for scenes in self.dates:
            own = [self._stack.enter_context(self._reader(one)) for one in scenes]
            self._opened += own
            self.readers.append(own[0] if len(own) == 1 else OverpassReader(own))
        return self

    def _reader(self, scene: Scene) -> SceneReader:
        return SceneReader(scene, bands=self.bands, mask=self._mask, displaced=self._displaced.get(scene.id))

    @property
    def stored(self) -> dict[str, dict[str, str]]:
        """Scene → how the numbers of its bands were converted, so far."""
        return {one.scene.id: one.stored for one in self._opened}

    @property
    def masked(self) -> dict[str, dict[str, str]]:
        """Scene → what there is to tell of its masks, so far."""
        return {one.scene.id: one.masked for one in self._opened if one.masked}

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def window(self, grid: Grid) -> SeriesWindow:
        """Read all bands of all dates.

        Raises:
            SceneFaultError: a file is missing or broken: the scene is unusable.
            TransientFaultError: a file is temporarily unreadable.
        """
        count = len(self.readers)
        bands = np.zeros((count, len(self.bands), *grid.shape), dtype=np.uint16)
        valid = np.zeros((count, *grid.shape), dtype=np.bool_)
        for at in range(count):
            bands[at], valid[at] = self.scene(at, grid)
        return SeriesWindow(bands=bands, scl=self.classes(grid), valid=valid)

    def scene(self, at: int, grid: Grid) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        """Bands (band, y, x) of one date, and its usable pixels (y, x)."""
        reader, names = self.readers[at], self.bands
        bands = np.zeros((len(names), *grid.shape), dtype=np.uint16)
        clear = reader.clear(grid)
        valid: NDArray[np.bool_] = np.zeros(grid.shape, np.bool_) if clear is None else clear.copy()
        for position, name in enumerate(names):
            part = reader.band(name, grid)
            if part is not None:
                bands[position] = part
            valid &= data_valid(bands[position])
        return bands, valid

    def classes(self, grid: Grid) -> NDArray[Any]:
        """Values of the classification (time, y, x), in uint8 for Sen2Cor's classes and in uint16 for others."""
        layer = self._opened[0].sensor.classification
        plain = layer is None or layer.is_sen2cor
        beyond = layer.nodata if layer is not None and layer.zero else 0
        nothing = SEEN - 1 if beyond is None else beyond
        made = np.full((len(self.readers), *grid.shape), nothing, dtype=np.uint8 if plain else np.uint16)
        for at, reader in enumerate(self.readers):
            part = reader.classes(grid)
            if part is not None:
                np.copyto(made[at], plain_values(part), where=part != 0, casting="same_kind")
        return made

    def area(self, granule: GranuleId, resolution: float) -> Grid:
        """The part of a granule covered by any scene's files; usually the whole granule.

        Raises:
            InvalidInputError: they do not cover any of it.
        """
        whole = granule_grid(granule, resolution)
        grids = [reader.classification_grid() for reader in self._opened]
        boxes = np.array([grid.bounds for grid in grids if grid.epsg == whole.epsg])
        if not len(boxes):
            raise InvalidInputError(f"{granule}: no scene lies in its zone")
        west, south = np.maximum(boxes[:, :2].min(axis=0) // NEST * NEST, (whole.west, whole.south))
        east, north = np.minimum(-(-boxes[:, 2:].max(axis=0) // NEST) * NEST, (whole.east, whole.north))
        if west >= east or south >= north:
            raise InvalidInputError(f"{granule}: its scenes reach none of it")
        step = resolution
        return whole.window(
            round((whole.north - north) / step),
            round((west - whole.west) / step),
            round((north - south) / step),
            round((east - west) / step),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecidedScenes:
    """The scenes used for a granule's series, shared by every product of the granule."""

    scenes: tuple[str, ...]
    """Ids, by date; those of one date are datastrips of one overpass, by precedence."""
    valid: NDArray[np.bool_]
    """(sample, time, y, x) usable pixels of the chips."""
    exists: NDArray[np.bool_]
    """(sample, time) where there is a chip."""
    displaced: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Scene → metres to the east and north by which its image is displaced, where this was removed."""

    @staticmethod
    def key(tile: str) -> str:
        """The key of a tile's decided scenes.

        Example:
            >>> DecidedScenes.key("37N_37TDK")
            '.landloom/decided/37N_37TDK.npz'
        """
        return f".landloom/decided/{tile}.npz"

    def encode(self) -> bytes:
        """Encode as build state."""
        buffer = io.BytesIO()
        bits, shape = np.packbits(self.valid, axis=None), np.array(self.valid.shape)
        names = np.array(self.scenes, np.str_)
        places = np.array([self.displaced.get(name, (np.nan, np.nan)) for name in self.scenes]).reshape(-1, 2)
        arrays = {"scenes": names, "bits": bits, "shape": shape, "exists": self.exists}
        np.savez_compressed(buffer, allow_pickle=False, displaced=places, **arrays)
        return buffer.getvalue()

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """The inverse of `encode`."""
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            shape = tuple(kept["shape"].tolist())
            valid = np.unpackbits(kept["bits"], count=int(np.prod(shape))).reshape(shape).astype(np.bool_)
            names = tuple(kept["scenes"].tolist())
            places = kept["displaced"].tolist() if "displaced" in kept else []  # absent in older build state
            moved = zip(names, places, strict=False)
            displaced = {name: (east, north) for name, (east, north) in moved if not np.isnan(east)}
            return cls(scenes=names, valid=valid, exists=kept["exists"], displaced=displaced)
