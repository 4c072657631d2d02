"""Wrong labels of a corpus are found, and are what annotators see first."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("torch")
from tests.corpora import write_corpus
from tests.training.evaluation.cases import drawn

from landloom.errors import InvalidInputError, NotFoundError
from landloom.pipelines.noise import NoiseSettings, _out_of_fold, find_noise, noise_of_predictions
from landloom.training.fit.rows import Rows
from landloom.training.noise.suspects import out_of_fold_noise, suspects_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran
    from tests.corpora import Made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return write_corpus(tmp_path_factory.mktemp("noise") / "corpus", layouts=("chips",), count=13)


def test_swapped_labels_are_found() -> None:
    """Of 400 rows whose class their features tell, 30 have another label; folds do not share rows."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 400)
    features = np.eye(3)[truth] + random.normal(0, 0.25, (400, 3))
    wrong = random.choice(400, 30, replace=False)
    given = truth.copy()
    given[wrong] = (truth[wrong] + 1) % 3
    rows = Rows(
        id=tuple(f"s{row:03d}" for row in range(400)),
        features=features.astype(np.float32),
        truth=given,
        classes=("a", "b", "c"),
        left_out={},
    )
    made = _out_of_fold(rows, np.arange(400) % 4, [f"fold-{number}" for number in range(4)], 0, None)
    noise = out_of_fold_noise(made)
    found = suspects_of(made, noise)
    known = {f"s{row:03d}" for row in wrong.tolist()}
    assert len(known & {one.chip for one in found}) >= 27
    assert len({one.chip for one in found} - known) <= 6
    assert noise.share == pytest.approx(30 / 400, abs=0.02)
    pairs = {(one.label, one.suggested) for one in found if one.chip in known}
    assert pairs <= {("b", "a"), ("c", "b"), ("a", "c")}


def test_pixels_of_a_corpus(made: Made, tmp_path: Path) -> None:
    """Its labels are right: next to nothing is suspected."""
    settings = NoiseSettings(target="mask:landcover", block_size=4_000, pixels=60)
    found = find_noise(str(made.folder), tmp_path / "noise.csv", settings)
    assert len(set(found.predictions.id)) == 26
    assert found.noise.share < 0.05
    assert (found.predictions.predicted == found.predictions.truth).mean() > 0.9
    rows = list(csv.DictReader((tmp_path / "noise.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["chip"] for row in rows] == [one.chip for one in found.suspects]


def test_from_the_command_line(made: Made, tmp_path: Path, run: Callable[..., Ran]) -> None:
    out = tmp_path / "noise.csv"
    asked = ("noise", str(made.folder), "--target", "label:labels", "--block-size", "4000", "--out", str(out))
    done = run(*asked)
    assert done.code == 0, done.err
    assert "wrong labels:" in done.out
    assert f"wrote {out}" in done.out
    wide = run(*asked[:4], "--out", str(out))
    assert wide.code == 1
    assert "smaller blocks (--block-size) or fewer splits are possible" in wide.err


def test_predictions_of_other_models(tmp_path: Path, run: Callable[..., Ran]) -> None:
    whole = drawn(200)
    paths = []
    for number in range(2):
        paths.append(tmp_path / f"fold-{number}.parquet")
        paths[-1].write_bytes(whole.rows(np.arange(200) % 2 == number).encoded())
    found = noise_of_predictions(paths, tmp_path / "noise.csv")
    assert len(found.predictions) == 200
    asked = run("noise", "absent", "--predictions", str(paths[0]), "--out", str(tmp_path / "noise.csv"), "--json")
    document = json.loads(asked.out)
    assert document["samples"] == 100
    assert np.array(document["joint"]).sum() == pytest.approx(1)
    shown = run("noise", "absent", "--predictions", str(paths[0]), "--out", str(tmp_path / "noise.csv"))
    assert "most frequent errors" in shown.out
    assert f"annotate init absent --suspects {tmp_path / 'noise.csv'}" in shown.out
    with pytest.raises(InvalidInputError, match="a second time"):
        noise_of_predictions([paths[0], paths[0]], tmp_path / "noise.csv")
    both = run("noise", "absent", "--predictions", str(paths[0]), "--split-set", "x")
    assert "got --predictions beside options" in both.err


def test_what_is_not_there_is_named(made: Made, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="split set"):
        find_noise(str(made.folder), tmp_path / "x.csv", NoiseSettings(split_set="absent"))
    with pytest.raises(NotFoundError):
        find_noise(str(made.folder), tmp_path / "x.csv", NoiseSettings(target="label:absent", block_size=4_000))
