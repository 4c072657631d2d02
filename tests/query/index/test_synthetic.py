"""The made-up corpus is one: ids are ids, outlines are theirs, shares sum to one, and a seed repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from landloom.model.ids import SampleId
from landloom.query.index.synthetic import synthetic_samples, write_resources

if TYPE_CHECKING:
    from pathlib import Path


def test_samples_are_distinct_cells_with_their_own_outlines() -> None:
    made = synthetic_samples(samples=200, tiles=6, seed=3)
    samples = [SampleId.parse(text) for text in made.ids]
    assert len(set(samples)) == 200
    assert len({str(sample.tile) for sample in samples}) == 6
    for sample, outline in list(zip(samples, made.outlines, strict=True))[:20]:
        wanted = shapely.get_coordinates(sample.footprint)[:4]
        assert np.abs(outline - wanted).max() <= 0.5e-5 + 1e-9
    assert (made.shares.sum(axis=1) == 1_000_000).all()
    assert (made.shares >= 0).all()


def test_a_seed_repeats_to_the_byte(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_resources(synthetic_samples(samples=50, tiles=3, seed=4), tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 3
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)
    assert synthetic_samples(samples=50, tiles=3, seed=5).ids != synthetic_samples(samples=50, tiles=3, seed=4).ids
