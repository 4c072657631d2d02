"""600 m cells of 24 km tiles: drawn by country and class, all of a region, or listed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.engine.kinds import Sampler, StatedSamples
from landloom.engine.placement import Placement
from landloom.engine.recipe_region import region_of, strata_of
from landloom.errors import InvalidInputError, InvalidValueError, Problem, bullets, counted
from landloom.model.grid import WGS84, transformer
from landloom.model.ids import CELL_SIZE, SampleId
from landloom.model.recipe import LabelSource, find_sources
from landloom.model.sample import Sample
from landloom.model.shapes import reproject
from landloom.model.taxonomy import taxonomy
from landloom.samplers.cells.candidate_fractions import candidate_fractions
from landloom.samplers.cells.section import AllCells, AreaClassDraw, ListedCells
from landloom.sampling.allocate import areas, quotas
from landloom.sampling.candidates import Candidates
from landloom.sampling.draw import draw
from landloom.sampling.simple import draw_all, draw_list
from landloom.sampling.zone_cells import candidate_cells
from landloom.store.vector.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

    from landloom.corpus.info import CorpusInfo
    from landloom.engine.context import BuildContext
    from landloom.engine.project import Project
    from landloom.engine.scenes.archives import Archives
    from landloom.model.recipe import Sections
    from landloom.sampling.achieved import Draw

MOST_CELLS: Final = 50_000_000
"""Largest number of cells of a region: three times Europe's."""
EQUAL_AREA: Final = 6933
"""EPSG code of an equal-area CRS."""
LISTED: Final = 20
"""Largest number of bad sample ids in a message."""


class AreaClassSampler(Sampler[AreaClassDraw]):
    """Quotas by country area, with the region's class distribution kept within each country."""

    section = AreaClassDraw

    def misfits(self, section: AreaClassDraw, read: Sections) -> Iterator[Problem]:
        """Check that the labels of the draw exist."""
        labels = _label_sources(read)
        if section.labels not in labels and not read.unread_products:
            yield Problem(where="samples.labels", what=f"got {section.labels!r}, expected one of {sorted(labels)}")

    def files(self, section: AreaClassDraw) -> Iterable[str]:
        """The file of the strata."""
        return (section.strata.file,)

    def place(self, project: Project, section: AreaClassDraw, context: BuildContext, archives: Archives) -> Placement:
        """Compute the fractions of every cell, then draw."""
        region = region_of(project)
        _require_room(region)
        named = strata_of(project, section.strata, region)
        candidates = candidate_cells(region, named) if named else Candidates.of_ids([])
        if not len(candidates):
            west, south, east, north = (round(value, 4) for value in region.bounds)
            raise InvalidInputError(
                f"no cell of the region (west {west}, south {south}, east {east}, north {north}) lies in any stratum "
                f"of {section.strata.file}: are the region's axes longitude, latitude?"
            )
        source = _label_sources(dict(project.recipe))[section.labels]
        path = project.path(source.file)
        fractions = candidate_fractions(section.labels, path, source, candidates, region.bounds, context)
        candidates = candidates.with_fractions(fractions)
        allocated = quotas(areas(region, named), section.count)
        drawn = draw(candidates, section.count, allocated, project.recipe.seed, tiles=section.tiles)
        names = [candidates.countries[index] for index in candidates.country[drawn.indices]]
        samples = tuple(
            Sample.of_utm24(cell, stratum=name) for cell, name in zip(drawn.ids(candidates), names, strict=True)
        )
        return Placement(samples=samples, draw=_achieved(drawn, taxonomy(source.taxonomy).codes()))

    def stated(self, project: Project, section: AreaClassDraw) -> StatedSamples:
        """The requested number of samples."""
        return StatedSamples(count=section.count, tiles=section.tiles, side=float(CELL_SIZE))

    def report(self, draw: Mapping[str, Any], info: CorpusInfo) -> list[str]:
        """Class shares, and samples by country against quotas."""
        from landloom.samplers.cells.report import draw_parts

        return draw_parts(draw, info)


class AllCellsSampler(Sampler[AllCells]):
    """Every cell whose centre lies in the region."""

    section = AllCells

    def place(self, project: Project, section: AllCells, context: BuildContext, archives: Archives) -> Placement:
        """Find the cells."""
        region = region_of(project)
        _require_room(region)
        cells = candidate_cells(region)
        return Placement(samples=tuple(Sample.of_utm24(cell) for cell in cells.ids(draw_all(cells))))

    def stated(self, project: Project, section: AllCells) -> StatedSamples:
        """Unknown: it depends on the region."""
        return StatedSamples(side=float(CELL_SIZE))


class ListedCellsSampler(Sampler[ListedCells]):
    """Cells listed by id."""

    section = ListedCells

    def files(self, section: ListedCells) -> Iterable[str]:
        """The list, if it is a file."""
        return () if section.file is None else (section.file,)

    def place(self, project: Project, section: ListedCells, context: BuildContext, archives: Archives) -> Placement:
        """Read the ids; all cells must lie in the region."""
        found, problems = {}, []
        for where, text in _named(project, section):
            try:
                found[where] = SampleId.parse(text)
            except InvalidValueError as error:
                problems.append(Problem(where=where, what=f"got {text!r}: {error}"))
        problems += _outside(found, region_of(project))
        if problems:
            more = f"\n  - … and {len(problems) - LISTED:,} more" if len(problems) > LISTED else ""
            count = counted(len(problems), "sample id")
            raise InvalidInputError(f"{count} cannot be used:\n{bullets(problems[:LISTED])}{more}")
        return Placement(samples=tuple(Sample.of_utm24(cell) for cell in draw_list(found.values())))

    def stated(self, project: Project, section: ListedCells) -> StatedSamples:
        """The number of ids in the recipe itself."""
        return StatedSamples(count=len(section.ids) or None, side=float(CELL_SIZE))


def _label_sources(sections: Mapping[str, Any]) -> dict[str, LabelSource]:
    """Name → source of class fractions."""
    return {path.rpartition(".")[2]: source for path, source in find_sources(sections, LabelSource).items()}


def _named(project: Project, section: ListedCells) -> list[tuple[str, str]]:
    """The location of each id, and its text."""
    if section.file is None:
        return [(f"samples.ids.{position}", text) for position, text in enumerate(section.ids)]
    text = read_text(project.path(section.file), section.file)
    rows = ((f"{section.file}, line {line}", row.strip()) for line, row in enumerate(text.splitlines(), start=1))
    named = [(where, row) for where, row in rows if row and not row.startswith("#")]
    if not named:
        raise InvalidInputError(f"{section.file}: names no sample, expected an id a line")
    return named


def _outside(cells: Mapping[str, SampleId], region: BaseGeometry) -> list[Problem]:
    """A problem for each cell whose centre is outside the region."""
    zones: dict[int, list[tuple[str, SampleId]]] = {}
    for where, cell in cells.items():
        zones.setdefault(cell.zone.epsg, []).append((where, cell))
    problems = []
    for epsg, own in zones.items():
        bounds = np.array([cell.grid(CELL_SIZE).bounds for _, cell in own])
        centres = (bounds[:, :2] + bounds[:, 2:]) / 2
        inside = shapely.contains_xy(region, np.column_stack(transformer(epsg, WGS84).transform(*centres.T)))
        problems += [
            Problem(where=where, what=f"got '{cell}', a cell outside the region")
            for (where, cell), there in zip(own, inside.tolist(), strict=True)
            if not there
        ]
    return problems


def _require_room(region: BaseGeometry) -> None:
    """Refuse a region with more cells than memory can hold.

    Raises:
        InvalidInputError: it has more than `MOST_CELLS`.
    """
    area = reproject(region, WGS84, EQUAL_AREA).area
    if area / CELL_SIZE**2 > MOST_CELLS:
        raise InvalidInputError(
            f"the region holds about {area / CELL_SIZE**2:,.0f} cells of {CELL_SIZE} m, expected at most "
            f"{MOST_CELLS:,}: cut it"
        )


def _achieved(drawn: Draw, classes: Iterable[str]) -> dict[str, Any]:
    """The outcome of a draw, for the report."""
    codes = list(classes)
    return {
        "classes": codes,
        "region_shares": drawn.region_shares.tolist(),
        "draw_shares": drawn.draw_shares.tolist(),
        "divergence": drawn.divergence,
        "missing": [codes[index] for index in drawn.missing],
        "overlapping": drawn.overlapping,
        "countries": [asdict(country) for country in drawn.countries if country.wanted or country.candidates],
    }
