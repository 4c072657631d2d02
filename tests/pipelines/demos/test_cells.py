"""The first demo: a world, a corpus built from it, validated and asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from landloom.pipelines.demos.cells import QUERY, run_demo, write_world
from landloom.query.corpus import Corpus
from landloom.simulate.spec import world_spec

if TYPE_CHECKING:
    from pathlib import Path


class Heard:
    """A listener that counts."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.done = 0

    def started(self, stage: str, total: int) -> None:
        self.stages.append((stage, total))

    def advanced(self, unit: str, reason: str | None) -> None:
        del unit, reason
        self.done += 1


def test_a_world_is_written_with_progress_the_same_however_many_work(tmp_path: Path) -> None:
    whole = world_spec("tiny")
    spec = replace(whole, views=tuple(replace(view, last=view.first + 20) for view in whole.views))
    found = []
    for workers in (1, 2):
        heard = Heard()
        report = write_world(spec, tmp_path / f"{workers}", heard, workers)
        assert heard.stages == [("simulating scenes", heard.done)]
        assert report.scenes == heard.done
        files = (path for path in (tmp_path / f"{workers}").rglob("*") if path.is_file())
        found.append({path.relative_to(tmp_path / f"{workers}"): path.read_bytes() for path in files})
    assert found[0] == found[1]


@pytest.mark.slow
def test_the_demo_runs_and_a_second_run_does_nothing_twice(tmp_path: Path) -> None:
    first = run_demo(tmp_path, workers=2)
    assert (first.build.samples, first.query) == (60, QUERY)
    assert first.checked > 60
    assert first.found == len(Corpus.open(str(tmp_path / "corpus")).query(where=QUERY)) > 0
    again = run_demo(tmp_path)
    assert again.build.units_run == 0
    assert (again.found, again.assets, again.checked) == (first.found, first.assets, first.checked)
