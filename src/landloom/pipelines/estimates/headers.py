"""What a build reads at most, from the headers of some source files: real sizes of the blocks that samples touch.

Headers are kept where the build keeps its own, which does not ask for them again.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from landloom.engine.pixels.reading import SceneReader
from landloom.engine.timesteps import TimestepTask
from landloom.errors import InvalidInputError, LandloomError
from landloom.pipelines.estimates.work import Work
from landloom.products.fused.task import FusedTask
from landloom.products.granule_series.task import GranuleSeriesTask
from landloom.products.series.task import SeriesTask
from landloom.store.network.headers import kept_headers
from landloom.store.network.traffic import give_back, traffic
from landloom.store.rasters.fetching import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landloom.engine.context import BuildContext
    from landloom.engine.pixels.masks import PixelMask
    from landloom.engine.plan import Plan
    from landloom.engine.units import Unit
    from landloom.model.scene import Scene

MOST: Final = 64
"""Files whose headers are read, of all products together."""
_STEP: Final = 0.6180339887498949
"""Multiples of the golden ratio, without their whole part, spread evenly however many there are."""
_GRID: Final = 10.0
"""Metres of the pixels of samples whose product has several resolutions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """What some headers say of all that a build reads."""

    files: int
    """Number of files whose headers were read."""
    unreadable: int
    """Number of files that could not be opened."""
    work: Work
    """Of reading all blocks that samples touch, clouds or not; nothing of what units compute and write."""
    products: tuple[str, ...]
    """Products of the recipe that it covers."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        work = {"requests": round(self.work.requests), "bytes_read": round(self.work.read)}
        return {"files": self.files, "unreadable": self.unreadable, "products": list(self.products)} | work


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """The scenes of a sensor that a unit reads, with their bands."""

    scenes: Sequence[Scene]
    bands: tuple[str, ...]
    mask: PixelMask


def headers_of(plan: Plan, context: BuildContext) -> Headers | None:
    """Read the headers of a sample of the files that a plan reads.

    Args:
        plan: of the build.
        context: of the build; the headers are kept in its state.

    Returns:
        None if the plan reads no scene.
    """
    units: dict[str, list[Unit]] = defaultdict(list)
    for unit in plan.units:
        if any(one.scenes for one in _reads(unit)):
            units[unit.product].append(unit)
    if not units:
        return None
    before = traffic()  # of something else that this process did
    files = unreadable = 0
    work = Work()
    covered = []
    with kept_headers(context.headers):
        for product, own in units.items():
            tally = _Tally()
            for number in range(MOST // len(units) or 1):
                tally.add(own, number, most=MOST // len(units) or 1)
            files, unreadable = files + tally.files, unreadable + tally.unreadable
            if tally.files:
                work += tally.scaled(own)
                covered.append(product)
    give_back(traffic())
    give_back(before)
    return Headers(files=files, unreadable=unreadable, work=work, products=tuple(covered))


class _Tally:
    """Bytes and requests of the files of one product, by the name of their band."""

    def __init__(self) -> None:
        self.files = self.unreadable = 0
        self._names: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def add(self, units: Sequence[Unit], number: int, *, most: int) -> None:
        """Look at one file, spread over units, scenes and bands."""
        unit = units[(2 * number + 1) * len(units) // (2 * most)]
        reads = [one for one in _reads(unit) if one.scenes]
        read = reads[number % len(reads)]
        scene = read.scenes[int(len(read.scenes) * (number * _STEP % 1))]
        try:
            with SceneReader(scene, bands=read.bands, mask=read.mask) as reader:
                names = (*reader.masks, *read.bands)
                name = names[number // len(reads) % len(names)]
                self._names[name].append(_touched(reader, name, unit))
        except LandloomError:
            self.unreadable += 1
        else:
            self.files += 1

    def scaled(self, units: Sequence[Unit]) -> Work:
        """What all scenes of all units cost; each file is opened once, each block asked for once a unit."""
        found = [size for sizes in self._names.values() for size in sizes]
        usual = _mean(found)
        read = requests = 0.0
        opened: set[tuple[str, str]] = set()
        for unit in units:
            for one in _reads(unit):
                names = _names(one)
                for name in names:
                    size, ranges = _mean(self._names[name]) if self._names.get(name) else usual
                    read += size * len(one.scenes)
                    requests += ranges * len(one.scenes)
                opened |= {(scene.id, name) for scene in one.scenes for name in names}
        return Work(read=read, requests=requests + len(opened))


def _reads(unit: Unit) -> Iterator[_Read]:
    """What a unit reads of scenes through masks; nothing of units that read none, or read delivered series."""
    task: Any = unit.task
    if isinstance(task, FusedTask):
        for source in (task.first, task.second):
            if source is not None:
                scenes = tuple(scene for group in source.passes for scene in group)
                yield _Read(scenes=scenes, bands=source.bands, mask=source.mask)
    elif isinstance(task, GranuleSeriesTask):
        yield _Read(scenes=task.scenes.chosen(), bands=task.bands, mask=task.mask)
    elif isinstance(task, TimestepTask | SeriesTask):
        yield _Read(scenes=task.scenes, bands=task.bands, mask=task.mask)


def _names(read: _Read) -> tuple[str, ...]:
    """Masks and bands of a scene."""
    if not read.scenes:
        return ()
    with SceneReader(read.scenes[0], bands=read.bands, mask=read.mask) as reader:
        return (*reader.masks, *read.bands)


def _touched(reader: SceneReader, name: str, unit: Unit) -> tuple[int, int]:
    """Bytes and ranges of the blocks of a file that the samples of a unit touch."""
    spans: set[tuple[int, int]] = set()
    for sample in unit.samples:
        grid = sample.grid(getattr(unit.task, "resolution", _GRID))
        for file, window, band in reader.masks_of(grid) if name in reader.masks else reader.bands_of(grid, [name]):
            planned = file.planned(window, band, 0)
            if planned.blocks is None:
                raise InvalidInputError(f"{file.href}: the sizes of its blocks are not in its header")
            spans |= {span for one in planned.numbers if (span := planned.blocks.span(one)) is not None}
    parts = joined(sorted(spans))
    return sum(stop - start for start, stop in parts), len(parts)


def _mean(sizes: Sequence[tuple[int, int]]) -> tuple[float, float]:
    return sum(size for size, _ in sizes) / len(sizes), sum(ranges for _, ranges in sizes) / len(sizes)
