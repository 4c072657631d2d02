"""Queries by name in real layers of countries, with their quirks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples, write_resources
from landloom.query.region import resolve_region

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("layer", "names"),
    [
        ("countries/ne_50m_europe.geojson", ("Germany", "DE", "DEU")),
        ("countries/NUTS_RG_20M_2016_4326_LEVL_0.geojson", ("DE", "Deutschland")),
    ],
)
def test_germany_has_the_same_samples_by_every_name(
    shared_data: Path, tmp_path: Path, layer: str, names: tuple[str, ...]
) -> None:
    made = synthetic_samples(6_000, 300, seed=4)
    write_resources(made, tmp_path / "resources")
    corpus = Corpus.open(tmp_path, cache=tmp_path / "cache", countries=shared_data / layer)
    answers = [corpus.query(region=name, relation="within").ids for name in names]
    assert len(set(answers)) == 1
    country = resolve_region(names[0], shared_data / layer).shape
    shapes = shapely.polygons(made.outlines)
    inside = np.asarray(shapely.within(shapes, country))
    assert set(answers[0]) == {identity for identity, hit in zip(made.ids, inside, strict=True) if hit}
    assert len(answers[0]) > 50
