"""Errors at withheld observations in the build report: measured in the work of a tile, kept in the journal, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.engine.units import Outcome
from landloom.imagery.fusion.fuse import fuse
from landloom.imagery.fusion.sightings import Sightings
from landloom.model.ids import SampleId
from landloom.model.sample import Sample
from landloom.products.fused.judge import FUSED
from landloom.products.fused.report import withheld_part
from landloom.products.fused.withheld import WITHHELD, WithheldErrors
from landloom.products.fused.withholding import LEAST, withheld_within

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE = Sample.of_utm24(SampleId.parse("33N_16E-243N_29_01"))


def test_the_report_of_a_build_has_the_figure(fused: Path) -> None:
    page = (fused / "corpus" / "report.html").read_text(encoding="utf-8")
    assert "Error of the fused series" in page
    assert "withheld at random in one sample of each tile (2 in all)" in page


def test_units_keep_what_they_measured(fused: Path) -> None:
    with Journal(fused / "corpus" / JOURNAL) as journal:
        outcomes = [entry.outcome for entry in journal.entries() if entry.product == "pfsr"]
    assert len(outcomes) == 2
    for outcome in outcomes:
        errors = WithheldErrors.of_state(outcome.measures[WITHHELD])
        assert (errors.windows, errors.methods) == (1, (FUSED,))
        assert Outcome.parse((), outcome.document()).measures == outcome.measures
        assert errors.state() == outcome.measures[WITHHELD]


def test_nothing_of_it_is_published(fused: Path) -> None:
    for path in (fused / "corpus" / "lineage").rglob("*.json"):
        assert WITHHELD not in path.read_text(encoding="utf-8")


def test_an_estimate_needs_some_overpasses() -> None:
    days = np.arange(0.0, 5.0 * (LEAST + 4), 5.0)
    stack = np.full((days.size, 1, 24, 24), 1_000, np.uint16)
    first = Sightings(days=days, stack=stack, valid=np.ones((days.size, 24, 24), bool))
    used, window = fuse(first, days).used, (slice(4, 20), slice(2, 22))
    found = withheld_within(first, None, used, window, bands=("red",), sample=SAMPLE)
    assert found is not None
    assert found.count == found.scenes * 16 * 20
    assert found.rmse(FUSED).max() <= 1
    few = Sightings(days=days[:3], stack=stack[:3], valid=first.valid[:3])
    assert withheld_within(few, None, used[:3], window, bands=("red",), sample=SAMPLE) is None


def test_without_measures_there_is_no_figure() -> None:
    assert withheld_part([{}, {}]) == []
    assert withheld_part([{WITHHELD: WithheldErrors.none(["red"], [FUSED]).state()}]) == []
