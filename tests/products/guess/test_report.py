"""The page about guesses: maps, scores, and what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.engine.units import Unit
from landloom.errors import CorpusError
from landloom.products.guess.report import guess_rows, write_guess_report

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.build import BuildReport


def test_the_page_has_maps_and_says_what_failed(granules: BuildReport, granule_archive: Path, tmp_path: Path) -> None:
    page = write_guess_report(granules.corpus, granule_archive, tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("<img") >= 8
    assert "Compared with the truth of the simulated world" in page
    assert "2 of 2" in page
    with pytest.raises(CorpusError, match="no build has run here"):
        guess_rows(tmp_path)


def test_scores_are_those_of_the_units(granules: BuildReport) -> None:
    for row in guess_rows(granules.corpus):
        test = row.scores("test")
        assert test is not None
        assert row.document()["test"] == test.document()
        assert row.document() == {"granule": row.granule, "reason": None, **row.facts}
        assert row.scores("of nobody") is None


def test_a_granule_that_failed_at_any_stage_is_a_row(tmp_path: Path) -> None:
    """When its chips were placed, when its series was cut, or when it was trained."""
    (tmp_path / ".landloom").mkdir()
    with Journal(tmp_path / JOURNAL) as journal:
        for kind, tile, reason in (
            ("chips", "33TWL", "no usable scene"),
            ("granule-series", "33N_33UUR", "truncated"),
            ("guess", "32N_32UPA", "no class"),
        ):
            one = Unit(kind=kind, product=kind, tile=tile, key="k", memory=0, task=None)  # type: ignore[arg-type]
            journal.record_failure(one, reason, seconds=0)
    assert {row.granule: row.reason for row in guess_rows(tmp_path)} == {
        "32UPA": "no class",
        "33TWL": "no usable scene",
        "33UUR": "truncated",
    }
