"""Models on their own: trained without a corpus, and predicting what a build has published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.projects import write_granules

from landloom.errors import CorpusError, InvalidInputError, NotFoundError
from landloom.formats.geotiff import decode_geotiff
from landloom.labels.guess.model_files import decode_model
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.starters import write_starter
from landloom.products.guess.models import predict_chips, predict_granules, train_models

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.build import BuildReport

BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")


def test_a_model_predicts_what_the_build_published(granules: BuildReport, tmp_path: Path) -> None:
    model = granules.corpus / ".landloom/guess/33UUR.skops"
    files = predict_chips(model, str(granules.corpus), tmp_path, samples=["33UUR_01"])
    assert [file.name for file in files] == ["33UUR_01.tif", "33UUR_01_probabilities.tif"]
    for file, name in zip(files, ("labels-1.tif", "probabilities-1.tif"), strict=True):
        assert file.read_bytes() == (granules.corpus / "labels/33N/33UUR/33UUR_01" / name).read_bytes()
    assert len(predict_chips(model, str(granules.corpus), tmp_path)) == 6, "all of its granule"
    with pytest.raises(NotFoundError, match="33UUR_09"):
        predict_chips(model, str(granules.corpus), tmp_path, samples=["33UUR_09"])
    assert decode_model(model.read_bytes()).classes


def test_what_cannot_be_predicted_is_said(granules: BuildReport, tiny_corpus: Path, tmp_path: Path) -> None:
    model = granules.corpus / ".landloom/guess/33UUR.skops"
    with pytest.raises(CorpusError, match="no filled series"):
        predict_chips(model, str(tiny_corpus), tmp_path)
    with pytest.raises(InvalidInputError, match=r"none\.skops: cannot be read"):
        predict_chips(tmp_path / "none.skops", str(granules.corpus), tmp_path)
    (tmp_path / "37TDK.skops").write_bytes(model.read_bytes())
    with pytest.raises(NotFoundError, match="granule in the corpus '37TDK'"):
        predict_chips(tmp_path / "37TDK.skops", str(granules.corpus), tmp_path)
    with pytest.raises(CorpusError):
        predict_chips(model, str(tmp_path / "nowhere"), tmp_path)


def test_models_are_trained_without_a_corpus(granule_archive: Path, tmp_path: Path, granules: BuildReport) -> None:
    write_granules(tmp_path / "project", granule_archive)
    rows = train_models(REGISTRY, tmp_path / "project", tmp_path / "models", granules=["33UUR"])
    assert [row.granule for row in rows] == ["33UUR"]
    assert not (tmp_path / "project" / "corpus").exists()
    ours = decode_model((tmp_path / "models/33UUR.skops").read_bytes())
    theirs = decode_model((granules.corpus / ".landloom/guess/33UUR.skops").read_bytes())
    count = ours.classifier.n_features_in_
    assert count == theirs.classifier.n_features_in_
    assert count % len(BANDS) == 0
    pixels = np.random.default_rng(1).integers(1, 5_000, (count, 50), dtype=np.uint16)
    np.testing.assert_array_equal(ours.probabilities(pixels), theirs.probabilities(pixels))
    check_whole(tmp_path / "project", tmp_path / "models", granules.corpus)
    with pytest.raises(NotFoundError, match="32UQA"):
        train_models(REGISTRY, tmp_path / "project", tmp_path / "models", granules=["32UQA"])


def check_whole(project: Path, out: Path, corpus: Path) -> None:
    """A granule predicted whole has the published labels where there are chips, and a second run makes nothing."""
    (path,), problems, notes = predict_granules(REGISTRY, project, out, granules=["33UUR"])
    assert (path, problems, notes) == (out / "33UUR.tif", [], [])
    labels, grid, _ = decode_geotiff(path.read_bytes())
    assert (labels[1][labels[0] == 0] == 0).all()
    for number in range(3):
        chip, own, _ = decode_geotiff((corpus / f"labels/33N/33UUR/33UUR_0{number}/labels-1.tif").read_bytes())
        row, column = own.offset_in(grid)
        np.testing.assert_array_equal(labels[:, row : row + own.height, column : column + own.width], chip)
    before = path.stat().st_mtime_ns
    predict_granules(REGISTRY, project, out, granules=["33UUR"])
    assert path.stat().st_mtime_ns == before


def test_a_recipe_without_a_guess_has_no_models(tmp_path: Path) -> None:
    write_starter("demo", tmp_path / "landloom.yaml")
    with pytest.raises(InvalidInputError, match="guess: missing"):
        train_models(REGISTRY, tmp_path, tmp_path / "models")
