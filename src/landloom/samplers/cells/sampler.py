"""The first stage of every build: which samples the corpus has, and where."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from landloom.engine.context import run_stage
from landloom.engine.sources.cells import TileCells, cells_units, read_cells
from landloom.engine.sources.unlabelled import demand_reach, unlabelled
from landloom.errors import BuildError, InvalidInputError, InvalidValueError, Problem, bullets, counted
from landloom.model.grid import WGS84, reproject
from landloom.model.ids import CELL_SIZE, SampleId
from landloom.model.recipe import AllCells, AreaClassDraw, GranuleChips, ListedCells
from landloom.model.sample import Sample
from landloom.samplers.windows.sampler import place_windows

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from shapely.geometry.base import BaseGeometry

    from landloom.engine.context import Workshop
    from landloom.engine.project import Project
    from landloom.engine.sources.prepared import Prepared
    from landloom.sampling.achieved import Draw
    from landloom.sampling.candidates import Candidates

DRAW: Final = ".landloom/draw.json"
"""Where a build keeps what its draw achieved."""
MOST_CELLS: Final = 50_000_000
"""Cells of a region, at most: three times Europe's."""
EQUAL_AREA: Final = 6933
"""EPSG code of a CRS in which areas are those on the ground."""
LISTED: Final = 20
"""Bad sample ids that are named."""
CANDIDATES: Final = "candidates"
"""Purpose of the label tables that a draw is made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The chosen samples."""

    samples: tuple[Sample, ...]
    """In id order."""
    draw: Draw | None = None
    """What was achieved against what was wanted, where samples were drawn."""
    classes: tuple[str, ...] = ()
    """Codes that the draw's class shares are in the order of."""
    problems: tuple[Problem, ...] = ()
    """Granules that have no chips, survived."""
    prepared: Prepared | None = None
    """Parcels, ready to be laid on the samples."""


def region_of(project: Project) -> BaseGeometry:
    """The region of a recipe as one WGS84 geometry.

    Raises:
        InvalidInputError: a file without CRS, or without polygons.
    """
    import shapely

    section = project.recipe.region
    if section.bounds is not None:
        return shapely.box(*section.bounds)
    from landloom.store.vector import read_vector

    frame = read_vector(project.path(str(section.file)))
    region: BaseGeometry = shapely.union_all(frame.to_crs(WGS84).geometry.to_numpy())
    if region.is_empty:
        raise InvalidInputError(f"{section.file}: got no polygon, wanted the region")
    return region


def place(project: Project, workshop: Workshop) -> Placement:
    """Choose the samples of a recipe; the same recipe and inputs give the same samples.

    Raises:
        InvalidInputError: the region or the strata cannot be used, or quotas cannot be met.
        BuildError: the labels of some tiles could not be computed.
    """
    section = project.recipe.samples
    if isinstance(section, AreaClassDraw):
        placement = _drawn(project, section, workshop)
    elif isinstance(section, AllCells):
        from landloom.sampling.candidates import candidate_cells
        from landloom.sampling.simple import draw_all

        region = region_of(project)
        _demand_room(region)
        cells = candidate_cells(region)
        placement = Placement(samples=tuple(Sample.of_utm24(cell) for cell in cells.ids(draw_all(cells))))
    elif isinstance(section, ListedCells):
        placement = Placement(samples=_listed(project, section))
    elif isinstance(section, GranuleChips):
        from landloom.samplers.granules.sampler import place_granules

        chips, problems = place_granules(project, workshop)
        placement = Placement(samples=chips, problems=tuple(problems))
    else:
        samples, prepared = place_windows(project, region_of(project), workshop)
        placement = Placement(samples=samples, prepared=prepared)
    if not placement.samples:
        raise InvalidInputError("the region holds no sample: is it where the labels and scenes are?")
    return replace(placement, samples=_split(project, placement.samples))


def _demand_room(region: BaseGeometry) -> None:
    """Refuse a region of so many cells that memory would end before they are counted.

    Raises:
        InvalidInputError: it is.
    """
    area = reproject(region, WGS84, EQUAL_AREA).area
    if area / CELL_SIZE**2 > MOST_CELLS:
        raise InvalidInputError(
            f"the region holds about {area / CELL_SIZE**2:,.0f} cells of {CELL_SIZE} m, wanted at most "
            f"{MOST_CELLS:,}: cut it"
        )


def _drawn(project: Project, section: AreaClassDraw, workshop: Workshop) -> Placement:
    from landloom.model.taxonomy import taxonomy
    from landloom.sampling.allocate import areas, quotas
    from landloom.sampling.candidates import candidate_cells
    from landloom.sampling.draw import draw
    from landloom.store.vector import read_vector

    region = region_of(project)
    _demand_room(region)
    strata = section.strata
    frame = read_vector(project.path(strata.file), layer=strata.layer, columns=[strata.column]).to_crs(WGS84)
    named = [(str(name), shape) for name, shape in zip(frame[strata.column], frame.geometry, strict=True)]
    candidates = candidate_cells(region, named)
    if not len(candidates):
        west, south, east, north = (round(value, 4) for value in region.bounds)
        raise InvalidInputError(
            f"no cell of the region (west {west}, south {south}, east {east}, north {north}) lies in any stratum of "
            f"{strata.file}: are the region's axes longitude, latitude?"
        )
    fractions = _candidate_fractions(project, section.labels, candidates, workshop)
    candidates = candidates.with_fractions(fractions)
    wanted = quotas(areas(region, named), section.count)
    drawn = draw(candidates, section.count, wanted, project.recipe.seed, tiles=section.tiles)
    names = [candidates.countries[index] for index in candidates.country[drawn.indices]]
    samples = tuple(
        Sample.of_utm24(cell, stratum=name) for cell, name in zip(drawn.ids(candidates), names, strict=True)
    )
    codes = taxonomy(project.recipe.labels[section.labels].taxonomy).codes()
    return Placement(samples=samples, draw=drawn, classes=tuple(codes))


def _candidate_fractions(project: Project, name: str, candidates: Candidates, workshop: Workshop) -> csr_array:
    from scipy.sparse import csr_array, vstack

    tiles = _tile_cells(candidates)
    units = cells_units(project, name, tiles, workshop.uri, CANDIDATES)
    problems = run_stage(f"labels of {counted(len(candidates), 'cell')}", units, workshop)
    if problems:
        raise BuildError(problems)
    section, bounds = project.recipe.labels[name], region_of(project).bounds
    demand_reach(project.path(section.file), section, unlabelled(units, workshop.journal), len(candidates), bounds)
    tables = (read_cells(workshop.store, name, tile, CANDIDATES) for tile in tiles)
    return csr_array(vstack([csr_array(table.astype(np.uint32)) for table in tables]))


def _tile_cells(candidates: Candidates) -> dict[str, TileCells]:
    """The candidates of each tile, in id order."""
    starts = np.flatnonzero(np.diff(candidates.tile_key(), prepend=-1))
    tiles = {}
    for first, end in pairwise([*starts.tolist(), len(candidates)]):
        tile = next(candidates.ids([first])).tile
        part = slice(first, end)
        rows, columns = candidates.row[part].astype(np.uint8), candidates.column[part].astype(np.uint8)
        tiles[str(tile)] = TileCells(tile=tile, rows=rows.tobytes(), columns=columns.tobytes())
    return tiles


def _listed(project: Project, section: ListedCells) -> tuple[Sample, ...]:
    from landloom.sampling.simple import draw_list

    named = [(f"samples.ids.{place}", text) for place, text in enumerate(section.ids)]
    if section.file is not None:
        try:
            text = Path(project.path(section.file)).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InvalidInputError(f"{section.file}: is no UTF-8 text") from error
        rows = ((f"{section.file}, line {line}", row.strip()) for line, row in enumerate(text.splitlines(), start=1))
        named = [(where, row) for where, row in rows if row and not row.startswith("#")]
    found, problems = [], []
    for where, text in named:
        try:
            found.append(SampleId.parse(text))
        except InvalidValueError as error:
            problems.append(Problem(where=where, what=f"got {text!r}: {error}"))
    if problems:
        more = f"\n  - … and {len(problems) - LISTED:,} more" if len(problems) > LISTED else ""
        count = counted(len(problems), "sample id")
        raise InvalidInputError(f"{count} cannot be read:\n{bullets(problems[:LISTED])}{more}")
    return tuple(Sample.of_utm24(cell) for cell in draw_list(found))


def _split(project: Project, samples: tuple[Sample, ...]) -> tuple[Sample, ...]:
    shares: dict[str, Any] = dict(project.recipe.splits)
    if not shares:
        return samples
    from landloom.sampling.splits import assign_splits

    groups = assign_splits(Counter(sample.tile for sample in samples), shares, project.recipe.seed)
    return tuple(replace(sample, split=groups[sample.tile]) for sample in samples)


def keep_draw(placement: Placement, workshop: Workshop) -> None:
    """Keep what a draw achieved for the report; where samples were not drawn there is nothing to keep."""
    drawn = placement.draw
    if drawn is None:
        return
    document = {
        "classes": placement.classes,
        "region_shares": drawn.region_shares.tolist(),
        "draw_shares": drawn.draw_shares.tolist(),
        "divergence": drawn.divergence,
        "missing": [placement.classes[index] for index in drawn.missing],
        "overlapping": drawn.overlapping,
        "countries": [asdict(country) for country in drawn.countries if country.wanted or country.candidates],
    }
    workshop.store.put(DRAW, orjson.dumps(document))
