"""The notebooks of the documentation run as they stand, on small corpora, and hold no output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.notebooks import NOTEBOOKS, execute

if TYPE_CHECKING:
    from landloom.pipelines.build import BuildReport


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_hold_no_output(notebook: Path) -> None:
    document = json.loads(notebook.read_text(encoding="utf-8"))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in document["cells"]}) == len(document["cells"])
    for cell in document["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == ([], None)


def test_from_a_corpus_to_arrays(tiny_corpus: Path, tmp_path: Path) -> None:
    out = execute("1-", tiny_corpus, tmp_path)
    assert "samples are farmed" in out
    assert "(4, 2, " in out or "(4, 12, " in out
    assert "figures: 3" in out


def test_from_parcels_to_crops(series: Path, tmp_path: Path) -> None:
    out = execute("2-", series / "corpus", tmp_path)
    assert "that were held out are right" in out
    assert "figures: 2" in out


def test_from_guesses_to_a_weighted_model(granules: BuildReport, tmp_path: Path) -> None:
    out = execute("3-", Path(granules.corpus), tmp_path)
    assert "guess, weighted" in out
    assert "skipped: nobody has labelled this corpus yet" in out
    assert "figures: 1" in out


def test_from_a_series_to_dated_change(fused: Path, tmp_path: Path) -> None:
    out = execute("4-", fused / "corpus", tmp_path)
    assert "changed abruptly" in out
    assert "figures: 2" in out
