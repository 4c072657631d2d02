"""A whole rehearsal: faults are met, nothing is left out, the corpus has the bytes of one built without faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from landloom.errors import InvalidInputError
from landloom.pipelines.rehearsal.rehearse import clear, rehearse, write_pages
from landloom.pipelines.rehearsal.settings import Settings
from landloom.pipelines.starters import write_starter
from landloom.simulate.remote.behaviour import Behaviour

if TYPE_CHECKING:
    from pathlib import Path

OFTEN = Behaviour(unavailable=0.1, cut=0.1, absent=0.2)


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """RapidAI4EO with few bands at a coarse resolution."""
    file = tmp_path / "landloom.yaml"
    write_starter("rapidai4eo", file)
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["products"]["s2"] |= {"bands": ["B01", "B09"], "resolution": 60}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


@pytest.mark.slow
def test_faults_change_no_byte(recipe: Path, tmp_path: Path) -> None:
    settings = Settings(
        samples=4, months=1, products=("s2",), behaviour=OFTEN, side=512, check="all", prices={"read": 0.5}
    )
    done = rehearse(recipe, tmp_path / "rehearsal", settings)
    assert [check.equal for check in done.checks] == [True, True]
    part, all_ = done.checks
    assert part.faults
    assert all_.faults.keys() == {"503", "cut", "404"}
    measured, whole = done.measured, done.whole
    assert measured.retries >= measured.tally.faults.total()
    assert measured.products["s2"].requests + measured.tally.requests["catalogue"] == measured.tally.requests.total()
    assert measured.products["s2"].files == 4
    assert whole.products["s2"][0] == 500_000 * 12
    assert measured.build.stages.keys() >= {"building", "finishing"}
    page = write_pages(done, tmp_path / "rehearsal").read_text(encoding="utf-8")
    document = json.loads((tmp_path / "rehearsal" / "rehearsal.json").read_text(encoding="utf-8"))
    assert document["extrapolated"]["extent"]["samples"] == 500_000
    assert "the same bytes" in page
    assert f"{sum(whole.requests.values()):,}" in page
    clear(tmp_path / "rehearsal")
    assert not (tmp_path / "rehearsal" / "corpus").exists()


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="got the price 'gold', expected one of read"):
        Settings(prices={"gold": 1.0})
    with pytest.raises(InvalidInputError, match="expected at least one"):
        Settings(samples=0)


def test_a_folder_of_something_else_is_left_alone(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InvalidInputError, match="choose another folder with --out"):
        rehearse(recipe, tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
