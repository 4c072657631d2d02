"""Class fractions of all candidates, tile by tile: in their order, kept, and computed again only where they must be."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from tests.projects import project_of

from landloom.engine.context import build_context
from landloom.engine.recipe_region import region_of
from landloom.engine.sources.cell_fractions import SampleCells, cell_fractions
from landloom.errors import BuildError, InvalidInputError
from landloom.model.ids import TileId
from landloom.model.sample import Sample
from landloom.samplers.cells.candidate_fractions import candidate_fractions, tile_cells
from landloom.sampling.candidates import Candidates
from landloom.sampling.zone_cells import candidate_cells

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.context import BuildContext
    from landloom.model.recipe import LabelSource

TILES = [TileId.parse(name) for name in ("32N_30E-231N", "33N_12E-231N", "33N_13E-231N")]


@given(st.integers(0, 2**16))
def test_tiles_hold_their_candidates_in_id_order(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - cells, not secrets
    cells = [cell for tile in TILES for cell in rng.sample(tile.samples(), rng.randint(0, 5))]
    candidates = Candidates.of_ids(cells)
    found = tile_cells(candidates)
    assert list(found) == sorted({str(cell.tile) for cell in cells})
    grids = [grid for own in found.values() for grid in own.grids()]
    assert grids == [Sample.of_utm24(cell).grid(600) for cell in candidates.ids()]


@pytest.fixture
def world(tiny: Path, tmp_path: Path) -> tuple[Candidates, LabelSource, str]:
    """The cells of both places of the tiny world, and its land cover."""
    (tmp_path / "archive").symlink_to((tiny / "archive").resolve())
    project = project_of(tmp_path)
    cells = candidate_cells(region_of(project))
    labels: LabelSource = project.recipe.labels["clc"]  # type: ignore[attr-defined]
    return cells, labels, project.path(labels.file)


def computed(context: BuildContext, world: tuple[Candidates, LabelSource, str]) -> np.ndarray:
    candidates, source, path = world
    found = candidate_fractions("clc", path, source, candidates, (11.0, 50.0, 13.0, 51.0), context)
    return np.asarray(found.toarray())


def test_rows_are_those_of_the_cells_one_by_one(world: tuple[Candidates, LabelSource, str], tmp_path: Path) -> None:
    candidates, source, path = world
    with build_context(tmp_path / "corpus") as context:
        found = computed(context, world)
    assert (found.sum(axis=1) == 1_000_000).all()
    for row, cell in zip(found, candidates.ids(), strict=True):
        own = cell_fractions(path, source, SampleCells(samples=(Sample.of_utm24(cell),)).grids())
        np.testing.assert_array_equal(row, own.millionths[0])


def test_what_is_kept_is_not_computed_again(world: tuple[Candidates, LabelSource, str], tmp_path: Path) -> None:
    """A lost table costs its tile; other settings cost all."""
    candidates, source, path = world
    with build_context(tmp_path / "corpus") as context:
        first = computed(context, world)

        def attempts() -> list[int]:
            return [entry.attempts for entry in context.journal.entries()]

        np.testing.assert_array_equal(computed(context, world), first)
        assert attempts() == [1, 1]
        tile = next(iter(tile_cells(candidates)))
        context.store.delete(f".landloom/candidates/clc/{tile}.npy")
        np.testing.assert_array_equal(computed(context, world), first)
        assert sorted(attempts()) == [1, 2]
        computed(context, (candidates, source.model_copy(update={"allow_empty": True}), path))
        assert sorted(attempts()) == [1, 2]
        computed(context, (candidates, source.model_copy(update={"invalid": "repair"}), path))
        assert sorted(attempts()) == [2, 3]


def test_labels_elsewhere_and_labels_that_are_wrong_end_it(
    world: tuple[Candidates, LabelSource, str], tmp_path: Path
) -> None:
    candidates, source, _ = world
    box = geopandas.GeoDataFrame({"CODE_18": ["311"]}, geometry=[shapely.box(8, 45, 9, 46)], crs=4326)
    box.to_file(tmp_path / "far.gpkg")
    west, south, east, north = Sample.of_utm24(next(candidates.ids())).footprint.bounds
    here = replace_geometry(box, shapely.box(west, south, east, north)).assign(CODE_18=["wood"])
    here.to_file(tmp_path / "wood.gpkg")
    with build_context(tmp_path / "corpus") as context:
        with pytest.raises(InvalidInputError, match=r"far\.gpkg: no label lies in any of the"):
            computed(context, (candidates, source, str(tmp_path / "far.gpkg")))
        with pytest.raises(BuildError, match="no class of clc 'wood'"):
            computed(context, (candidates, source, str(tmp_path / "wood.gpkg")))


def replace_geometry(frame: geopandas.GeoDataFrame, shape: shapely.Geometry) -> geopandas.GeoDataFrame:
    return frame.set_geometry([shape], crs=4326)


def test_a_draw_is_of_candidates_with_their_fractions(
    world: tuple[Candidates, LabelSource, str], tmp_path: Path
) -> None:
    from scipy.sparse import csr_array

    with build_context(tmp_path / "corpus") as context:
        found = computed(context, world)
    labelled = replace(world[0], fractions=csr_array(found))
    np.testing.assert_array_equal(labelled.labelled().toarray(), found)
