"""Displacements of a tile's scenes: measured in some windows, recorded, and removed as they are read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import gcd
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.lineage import ShiftRecord
from landloom.engine.pixels.blocks import blocks
from landloom.engine.pixels.parallel import in_threads
from landloom.engine.pixels.reading import SceneFaultError, SceneReader
from landloom.engine.units import Note, NoteKind
from landloom.imagery.registration.between import BetweenMeter, Offset
from landloom.imagery.registration.shifts import MOST, Shift, ShiftMeter
from landloom.imagery.valid import data_valid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.engine.pixels.masks import PixelMask
    from landloom.model.grid import Grid
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene

WINDOWS: Final = 9
"""Windows of a tile that displacements are measured in."""
SIDE: Final = 128
"""Their side in pixels."""
DILATE: Final = 2
"""Pixels of the classification by which unusable areas grow at least: the edges of clouds move."""
NOTED: Final = 1.0
"""Pixels from which a displacement is told of, not only recorded."""
MOST_COMPARED: Final = 24
"""Overpasses of a second sensor that are compared with the first at most: they share one displacement."""
_NEAREST: Final = 2
"""Overpasses of the first sensor that each of these is compared with, if there are more."""
_MOST_PARTS: Final = 12
"""Pieces along a side of a pixel at most in which sensors are compared."""
_COLOURS: Final = ("nir", "red", "nir08", "green")


class Register(StrEnum):
    """What is done about the displacement of scenes."""

    OFF = "off"
    MEASURE = "measure"
    """It is measured and recorded."""
    CORRECT = "correct"
    """It is removed as well, where it is large enough and sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Displacements of a tile's scenes, and what is done about them.

    Example:
        >>> shift = Shift(right=0.3, down=-0.4, pixel=10.0, error=0.05, height=0.7, ratio=5.0, windows=4)
        >>> aligned = Registration(rule=Register.CORRECT, shifts={"S2A_1": shift})
        >>> aligned.displaced("S2A_1"), aligned.displaced("S2A_2")
        ((3.0, 4.0), None)
    """

    rule: Register = Register.OFF
    shifts: Mapping[str, Shift | None] = field(default_factory=dict)
    """Scene → displacement; None where it could not be measured."""
    told: tuple[str, ...] = ()
    """What else there is to tell."""

    def displaced(self, scene: str) -> tuple[float, float] | None:
        """Metres to the east and north to remove from a scene; None to read it as it is."""
        shift = self.shifts.get(scene)
        if self.rule is not Register.CORRECT or shift is None or not shift.is_worth_it:
            return None
        return round(shift.east, 2), round(shift.north, 2)

    def to_remove(self, scenes: Sequence[Scene]) -> dict[str, tuple[float, float]]:
        """Scene → metres as of `displaced`, for those of some scenes that are not read as they are."""
        places = ((scene.id, self.displaced(scene.id)) for scene in scenes)
        return {name: place for name, place in places if place is not None}

    @property
    def left_out(self) -> dict[str, str]:
        """Scene → reason, for those that are displaced too far to be corrected."""
        if self.rule is not Register.CORRECT:
            return {}
        return {
            scene: f"displaced by {shift.size:.1f} pixels, expected at most {MOST:g}"
            for scene, shift in sorted(self.shifts.items())
            if shift is not None and shift.is_too_far
        }

    def left_out_of(self, scenes: Sequence[Scene]) -> dict[str, str]:
        """Those of some scenes that are left out, with the reason."""
        far = self.left_out
        return {scene.id: far[scene.id] for scene in scenes if scene.id in far}

    def record(self, scene: str) -> ShiftRecord | None:
        """What lineage says of a scene; None if nothing was measured."""
        if self.rule is Register.OFF:
            return None
        shift = self.shifts.get(scene)
        if shift is None:
            return ShiftRecord(windows=0, corrected=False)
        return ShiftRecord(
            east=round(shift.east, 2),
            north=round(shift.north, 2),
            error=round(shift.error * shift.pixel, 2),
            ratio=round(min(shift.ratio, 100.0), 1),
            windows=shift.windows,
            corrected=self.displaced(scene) is not None,
        )

    def notes(self) -> tuple[Note, ...]:
        """Scenes that are displaced by a pixel or more."""
        far = {
            s: one for s, one in sorted(self.shifts.items()) if one is not None and one.is_sure and one.size >= NOTED
        }
        done = {
            scene: "corrected" if self.displaced(scene) is not None else "used as it is: see `register`"
            for scene in far
            if scene not in self.left_out
        }
        said = [f"{scene}: displaced by {far[scene].size:.1f} pixels, {what}" for scene, what in done.items()]
        return tuple(Note(kind=NoteKind.DISPLACED, what=what) for what in (*self.told, *said))


def survey_band(bands: Sequence[str], scene: Scene) -> str:
    """The band that displacements are measured in: of the finest ones, that with most contrast on land.

    Args:
        bands: of the product.
        scene: any scene of the sensor.
    """
    known = scene.made_by.bands
    finest = min(known[name].resolution for name in bands)
    sharp = {known[name].common_name or name: name for name in bands if known[name].resolution == finest}
    return next((sharp[colour] for colour in _COLOURS if colour in sharp), next(iter(sharp.values())))


def survey(
    rule: Register,
    passes: Sequence[Sequence[Scene]],
    *,
    bands: Sequence[str],
    mask: PixelMask,
    samples: Sequence[Sample],
    resolution: float,
) -> Registration:
    """Measure the displacements of all scenes of a tile in a few windows around its samples.

    A broken scene is not measured; whoever reads it names it.

    Args:
        rule: what to do about them.
        passes: overpasses in time order; the scenes of one are not compared with each other.
        bands: of the product.
        mask: rule for its usable pixels.
        samples: of the tile.
        resolution: metres of a pixel of the product.

    Raises:
        TransientFaultError: a file is temporarily unreadable.
    """
    scenes = [scene for group in passes for scene in group]
    if rule is Register.OFF or not scenes:
        return Registration(rule=rule)
    band = survey_band(bands, scenes[0])
    pixel = max(resolution, scenes[0].made_by.bands[band].resolution)
    grids = survey_windows(samples, pixel)
    stack = np.zeros((len(grids), len(scenes), SIDE, SIDE), np.uint16)
    valid = np.zeros(stack.shape, np.bool_)
    careful = replace(mask, dilate=max(mask.dilate, DILATE))
    for number, scene in enumerate(scenes):
        with SceneReader(scene, bands=(band,), mask=careful) as reader:
            _look(reader, grids, stack[:, number], valid[:, number])
    meter = ShiftMeter(days=_days(passes), pixel=pixel)
    for window, usable in zip(stack, valid, strict=True):
        meter.add(window, usable)
    ids = [scene.id for scene in scenes]
    return Registration(rule=rule, shifts=dict(zip(ids, meter.shifts(), strict=True)))


def _days(passes: Sequence[Sequence[Scene]]) -> NDArray[np.float64]:
    """(scene) days since 1970 of its overpass."""
    return np.array([min(one.time for one in group).timestamp() / 86_400 for group in passes for _ in group])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensed:
    """The overpasses of a sensor over a tile, for comparing sensors."""

    passes: Sequence[Sequence[Scene]]
    """In time order."""
    bands: Sequence[str]
    """Of the product, in its order."""
    mask: PixelMask


def survey_between(
    first: Sensed, second: Sensed, own: Registration, *, samples: Sequence[Sample], resolution: float
) -> Registration:
    """Displacements of a second sensor's scenes against the first sensor: both show the ground at one place then.

    Windows are read in the finest pixels that nest in those of both sensors, and averaged to the coarser ones, so that
    rasters that do not lie on each other are not taken for displacements.

    Args:
        first: the reference.
        second: the other sensor, whose bands are those of the first in the same order.
        own: displacements of the second sensor's scenes beside each other.
        samples: of the tile.
        resolution: metres of a pixel of the product.

    Returns:
        The displacements with that between the sensors added, or as they were if it cannot be trusted; both are told.

    Raises:
        TransientFaultError: a file is temporarily unreadable.
    """
    if own.rule is Register.OFF or not first.passes or not second.passes:
        return own
    first, second = _compared(first, second)
    theirs = [scene for group in second.passes for scene in group]
    colour = survey_band(first.bands, first.passes[0][0])
    names = colour, second.bands[list(first.bands).index(colour)]
    sizes = first.passes[0][0].made_by.bands[names[0]].resolution, theirs[0].made_by.bands[names[1]].resolution
    pixel = max(resolution, *sizes)
    part = min(round(2 * pixel / (gcd(*(round(100 * size) for size in sizes)) / 100)), _MOST_PARTS)
    meter = BetweenMeter(days=_days(first.passes), second=_days(second.passes))
    grids = survey_windows(samples, pixel)
    one, clear = _averaged(first, names[0], grids, part)
    other, other_clear = _averaged(second, names[1], grids, part)
    for number in range(len(grids)):
        meter.add(one[number], clear[number], other[number], other_clear[number])
    offset = meter.offset([own.shifts.get(scene.id) for scene in theirs])
    if offset is None:
        what = "the second sensor could not be compared with the first: its scenes are compared with each other only"
        return replace(own, told=(*own.told, what))
    east, north = offset.right * pixel, -offset.down * pixel
    what = f"the second sensor lies {east:.1f} m east and {north:.1f} m north of the first"
    moved = {name: None if shift is None else _moved(shift, offset, pixel) for name, shift in own.shifts.items()}
    return replace(own, shifts=moved, told=(*own.told, what))


def _compared(first: Sensed, second: Sensed) -> tuple[Sensed, Sensed]:
    """Some of many overpasses of a second sensor, and those of the first that are nearest in time to each."""
    step = -(-len(second.passes) // MOST_COMPARED)
    if step < 2:
        return first, second
    some = second.passes[step // 2 :: step]
    ours, theirs = (np.array([group[0].time.timestamp() for group in passes]) for passes in (first.passes, some))
    near = np.abs(theirs[:, None] - ours).argsort(axis=1, kind="stable")[:, :_NEAREST]
    return replace(first, passes=[first.passes[n] for n in np.unique(near)]), replace(second, passes=some)


def _moved(shift: Shift, offset: Offset, pixel: float) -> Shift:
    scale = pixel / shift.pixel
    return replace(
        shift,
        right=shift.right + scale * offset.right,
        down=shift.down + scale * offset.down,
        error=float(np.hypot(shift.error, scale * offset.error)),
    )


def _averaged(
    sensor: Sensed, band: str, grids: Sequence[Grid], part: int
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """(window, scene, y, x) means of a band and where all of a pixel is clear, read in `part`² pieces of each pixel."""
    scenes = [scene for group in sensor.passes for scene in group]
    careful = replace(sensor.mask, dilate=max(sensor.mask.dilate, DILATE))

    def average(scene: Scene) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        with SceneReader(scene, bands=(band,), mask=careful) as reader:
            count = _fewest(reader, grids, part)
            fine = [grid.at(grid.resolution / count) for grid in grids]
            seen = np.zeros((len(fine), *fine[0].shape), np.uint16)
            clear = np.zeros(seen.shape, np.bool_)
            _look(reader, fine, seen, clear)
        return np.rint(_sums(seen, count) / count**2).astype(np.uint16), _sums(clear, count) == count**2

    made = in_threads(average, scenes)
    return np.stack([means for means, _ in made], axis=1), np.stack([whole for _, whole in made], axis=1)


def _fewest(reader: SceneReader, grids: Sequence[Grid], part: int) -> int:
    """Pieces along a side of a pixel that tell no less than `part` pieces: each lies in one pixel of every file."""
    for count in (one for one in range(1, part) if part % one == 0):
        try:
            if all(reader.nests(grid.at(grid.resolution / count)) for grid in grids):
                return count
        except SceneFaultError:
            break
    return part


def _sums(values: NDArray[np.generic], part: int) -> NDArray[np.uint32]:
    """(window, y, x) sums of `part`² pieces, by strides: several times faster than a reduction over short axes."""
    rows = np.zeros((len(values), values.shape[1] // part, values.shape[2]), np.uint32)
    for n in range(part):
        rows += values[:, n::part]
    total = np.zeros((*rows.shape[:2], values.shape[2] // part), np.uint32)
    for n in range(part):
        total += rows[..., n::part]
    return total


def _look(reader: SceneReader, grids: Sequence[Grid], stack: NDArray[np.uint16], valid: NDArray[np.bool_]) -> None:
    try:
        for number, grid in enumerate(grids):
            seen = reader.observe(grid)
            if seen is not None:
                stack[number], valid[number] = seen.bands[0], seen.valid & data_valid(seen.bands[0])
    except SceneFaultError:
        valid[:] = False


def survey_windows(samples: Sequence[Sample], pixel: float) -> list[Grid]:
    """Up to `WINDOWS` windows of `SIDE` pixels about a tile's samples, spread over it.

    Args:
        samples: of one tile.
        pixel: metres.
    """
    parts = [block.grid for block in blocks(samples, pixel, SIDE)]
    chosen = [parts[n] for n in sorted({round(n) for n in np.linspace(0, len(parts) - 1, WINDOWS)})]
    return [part.window((part.height - SIDE) // 2, (part.width - SIDE) // 2, SIDE, SIDE) for part in chosen]
