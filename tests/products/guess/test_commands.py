"""`landloom guess train`, `predict` and `report`, as people type them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.projects import write_granules

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

    from landloom.pipelines.build import BuildReport


def test_chips_are_predicted_and_the_page_is_written(
    granules: BuildReport, run: Callable[..., Ran], tmp_path: Path
) -> None:
    model = granules.corpus / ".landloom/guess/33UUR.skops"
    told = run("guess", "predict", model, granules.corpus, "--sample", "33UUR_01", "--out", tmp_path / "g", "--json")
    assert [name.rpartition("/")[2] for name in json.loads(told.out)] == ["33UUR_01.tif", "33UUR_01_probabilities.tif"]
    assert (
        run("guess", "predict", model, granules.corpus, "--out", tmp_path / "g").out
        == f"wrote 6 files to {tmp_path}/g\n"
    )
    page = run("guess", "report", granules.corpus, "--out", tmp_path / "page.html").out
    assert page == f"{tmp_path}/page.html\n"
    rows = json.loads(run("guess", "report", granules.corpus, "--json").out)
    assert [row["granule"] for row in rows] == ["32UPA", "33UUR"]
    assert all(row["test"] for row in rows)


def test_models_are_trained_and_a_granule_without_one_is_an_exit_code(
    granule_archive: Path, run: Callable[..., Ran], tmp_path: Path
) -> None:
    write_granules(tmp_path / "a", granule_archive, samples={"chips": 1}, guess={"trees": 2})
    done = run("guess", "train", tmp_path / "a", "--out", tmp_path / "models", "--granule", "33UUR")
    assert done.code == 0, done.err
    assert "on held-out pixels" in done.out
    assert (tmp_path / "models" / "33UUR.skops").is_file()
    write_granules(tmp_path / "b", granule_archive, samples={"chips": 1}, guess={"least": 10**9})
    told = run("guess", "train", tmp_path / "b", "--out", tmp_path / "none", "--granule", "33UUR", "--json")
    assert told.code == 1
    (row,) = json.loads(told.out)
    assert "agree on no class" in row["reason"]
