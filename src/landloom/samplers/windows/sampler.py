"""Samples of scheme `window`: side by side over the region, optionally only with labels, or one around each parcel."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
import shapely

from landloom.engine.context import run_stage
from landloom.engine.kinds import Sampler, StatedSamples
from landloom.engine.placement import Placement
from landloom.engine.recipe_region import region_of
from landloom.engine.sources.prepared import Prepared, folder_of, load_parcels, prepare_unit, read_mapping, read_nobody
from landloom.errors import BuildError, InvalidInputError, Problem
from landloom.formats.csv_table import csv_bytes
from landloom.model.recipe import ParcelSource, find_sources
from landloom.samplers.windows.frame import Centred, WindowFrame, around_parcels, resampled, striding
from landloom.samplers.windows.section import ParcelWindows, WindowGrid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shapely.geometry.base import BaseGeometry

    from landloom.engine.context import BuildContext
    from landloom.engine.project import Project
    from landloom.engine.scenes.archives import Archives
    from landloom.labels.parcels import Parcels
    from landloom.model.grid import Grid
    from landloom.model.recipe import Sections
    from landloom.model.sample import Sample

Windows = TypeVar("Windows", WindowGrid, ParcelWindows)


OUTLINES: Final = ("sample", "parcel", "name", "ground_truth", "whole", "outline", "vertices")
"""Columns of the table of the windows' parcels."""


def outlines(found: Centred, parcels: Parcels, vertices: int) -> list[tuple[object, ...]]:
    """The parcels of windows: ids, class, outline and resampled vertices as WKT in the windows' CRS.

    Args:
        found: the windows.
        parcels: in the windows' CRS.
        vertices: points of the resampled outline.
    """
    places = {int(own): place for place, own in enumerate(parcels.ids.tolist())}
    rows: list[tuple[object, ...]] = []
    for sample in found.samples:
        own = found.parcel_of[str(sample.id)]
        place = places[own]
        shape = parcels.geometries[place]
        points = shapely.MultiPoint(resampled(shape, vertices).round(3))
        whole = "yes" if found.whole[str(sample.id)] else "no"
        value = parcels.values[place].item()
        text = (shapely.to_wkt(one, rounding_precision=3, trim=True) for one in (shape, points))
        rows.append((sample.id, own, parcels.name_of(place), value, whole, *text))
    return rows


class _WindowSampler(Sampler[Windows]):
    """The common part of both ways to place windows."""

    def misfits(self, section: Windows, read: Sections) -> Iterator[Problem]:
        """Check that seasons lie in the period, and that the parcels do not name a year as well."""
        for path, source in find_sources(read, ParcelSource).items():
            if source.year is not None and section.seasons:
                yield Problem(where=f"{path}.year", what="expected none with samples.seasons, which name the years")
        period = read.get("period")
        for year, season in section.seasons.items():
            own = season.value
            outside = period is not None and not (period.value.start <= own.start and own.end <= period.value.end)
            if outside and period is not None:
                where = f"samples.seasons.{year}"
                yield Problem(where=where, what=f"got {own}, expected it within {period.value}")

    def stated(self, project: Project, section: Windows) -> StatedSamples:
        """Rows × columns, if both are given."""
        rows, columns = getattr(section, "rows", None), getattr(section, "columns", None)
        side = section.size * section.resolution
        if not rows or not columns:
            return StatedSamples(side=side)
        return StatedSamples(count=rows * columns, tiles=1, zones=1, side=side)


class WindowGridSampler(_WindowSampler[WindowGrid]):
    """Windows side by side."""

    section = WindowGrid

    def misfits(self, section: WindowGrid, read: Sections) -> Iterator[Problem]:
        """Check that windows chosen by labels have parcels."""
        yield from super().misfits(section, read)
        if section.labelled is not None and read.lacks(ParcelSource):
            yield Problem(where="samples.labelled", what="expected a section of parcels, which label the windows")

    def place(self, project: Project, section: WindowGrid, context: BuildContext, archives: Archives) -> Placement:
        """Place the windows, and prepare the parcels if there are any."""
        region, years = region_of(project), tuple(project.seasons) or (None,)
        frame = WindowFrame.of(section, region)
        source = _parcels(project)
        if source is None:
            return Placement(samples=_in_order(striding(frame, region, year=year) for year in years))
        windows = None
        if section.labelled is not None:
            windows = frame.exact_grid(section.resolution), frame.rows, frame.columns
        prepared = _prepared(project, source, context, frame.grid(source.resolution), windows)
        if windows is None:
            samples = _in_order(striding(frame, region, year=year) for year in years)
            return Placement(samples=samples, prepared=prepared)
        parts = []
        for year in years:
            data = context.store.get(f"{folder_of(year)}/labelled.npy")
            shares = np.load(io.BytesIO(data), allow_pickle=False)
            parts.append(striding(frame, region, shares, section.labelled or 0.0, year))
        return Placement(samples=_in_order(parts), prepared=prepared)


class ParcelWindowsSampler(_WindowSampler[ParcelWindows]):
    """A window around each parcel."""

    section = ParcelWindows

    def misfits(self, section: ParcelWindows, read: Sections) -> Iterator[Problem]:
        """Check that there are parcels."""
        yield from super().misfits(section, read)
        if read.lacks(ParcelSource):
            yield Problem(where="samples.draw", what="expected a section of parcels to place windows around")

    def place(self, project: Project, section: ParcelWindows, context: BuildContext, archives: Archives) -> Placement:
        """Prepare the parcels, and centre windows on them."""
        region = region_of(project)
        frame = WindowFrame.of(section, region)
        source = _parcels(project)
        if source is None:
            raise InvalidInputError("samples: got no parcels, expected some to place windows around")
        prepared = _prepared(project, source, context, frame.grid(source.resolution, frame.side), None)
        return _centred(section, frame, region, prepared, context)


def _parcels(project: Project) -> ParcelSource | None:
    return next(iter(find_sources(dict(project.recipe), ParcelSource).values()), None)


def _prepared(
    project: Project,
    source: ParcelSource,
    context: BuildContext,
    grid: Grid,
    windows: tuple[Grid, int, int] | None,
) -> Prepared:
    """The parcels of a recipe, read and checked once.

    Raises:
        BuildError: they cannot be used; the message says why.
    """
    unit = prepare_unit(project, source, context, grid, windows)
    problems = run_stage("preparing parcels", [unit], context)
    if problems:
        raise BuildError(problems)
    years = tuple(project.seasons) or (None,)
    return Prepared(
        key=unit.key,
        grid=grid,
        mapping=read_mapping(context.store),
        parcels={},
        nobody=read_nobody(context.store, years[0]),
        years=years,
    )


def _in_order(parts: Iterable[tuple[Sample, ...]]) -> tuple[Sample, ...]:
    return tuple(sorted((sample for part in parts for sample in part), key=lambda sample: str(sample.id)))


def _centred(
    section: ParcelWindows, frame: WindowFrame, region: BaseGeometry, prepared: Prepared, context: BuildContext
) -> Placement:
    found: list[Centred] = []
    rows: list[tuple[object, ...]] = []
    for year in prepared.years:
        parcels = load_parcels(context.store, prepared.grid, year=year).parcels
        found.append(around_parcels(frame, region, parcels, whole=section.whole, year=year))
        rows += outlines(found[-1], parcels, section.vertices)
    known = replace(
        prepared,
        parcels={name: own for one in found for name, own in one.parcel_of.items()},
        alone=section.others == "background",
        outlines=csv_bytes(OUTLINES, sorted(rows, key=lambda row: str(row[0]))),
        left_out=tuple(row for one in found for row in one.left_out),
    )
    return Placement(samples=_in_order(one.samples for one in found), prepared=known)
