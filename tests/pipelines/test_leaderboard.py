"""Reading of predictions, and what a comparison writes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.training.evaluation.cases import drawn
from tests.training.fit.test_folder import MADE

from landloom.errors import InvalidInputError, NotFoundError
from landloom.pipelines.leaderboard import compare_models, read_predictions
from landloom.training.evaluation.predictions import Predictions
from landloom.training.fit.folder import MODEL, ModelFolder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Folders of two models, one of them with two seeds; a name that HTML would read."""
    for name, skill, model in (("forest", 2.0, 1), ("tempcnn-a", 1.0, 2), ("tempcnn-b", 1.0, 3)):
        folder = tmp_path / name
        folder.mkdir()
        for split, seed in (("test", 0), ("val", 5)):
            made = drawn(300, skill=skill, model=model, seed=seed, split=split)
            (folder / f"predictions-{split}.parquet").write_bytes(made.encoded())
    return tmp_path


def test_the_page_stands_alone_beside_its_tables(models: Path) -> None:
    out = models / "site" / "board.html"
    named = [f"t<b>cnn={models / 'tempcnn-a'}", f"t<b>cnn={models / 'tempcnn-b'}"]
    done = compare_models([str(models / "forest"), *named], out=out, inside="val")
    assert [path.name for path in done.files] == ["board.html", "board.md", "board.json"]
    page = out.read_text(encoding="utf-8")
    assert "t&lt;b&gt;cnn" in page
    assert "t<b>cnn" not in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)
    assert "Outside the training region" in page
    document = json.loads((models / "site" / "board.json").read_text(encoding="utf-8"))
    assert [(one["name"], one["seeds"]) for one in document["models"]] == [("forest", 1), ("t<b>cnn", 2)]
    assert "forest − t<b>cnn" in (models / "site" / "board.md").read_text(encoding="utf-8")


def test_one_model_may_have_areas(models: Path, tmp_path: Path) -> None:
    areas = tmp_path / "areas.csv"
    areas.write_text("class,area\nfield,10\nforest,20\nwater,5\n", encoding="utf-8")
    out = tmp_path / "one.html"
    compare_models([str(models / "forest")], out=out, areas=areas, outside="country=SI")
    assert "Area-adjusted" in out.read_text(encoding="utf-8")
    for text, message in (
        ("class,area\nfield,wide\n", "line 2: got the area 'wide'"),
        ("name,area\n", "expected class and area"),
        ("class,area\nfield,1\nfield,2\n", "line 3: got class field twice"),
        ("class,area\nice,1\n", "got a mapped area of ice"),
    ):
        areas.write_text(text, encoding="utf-8")
        with pytest.raises(InvalidInputError, match=message):
            compare_models([str(models / "forest")], out=out, areas=areas)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"outside": "planet=Mars"}, "got 'planet=Mars', expected country=NAME"),
        ({"outside": "country="}, "expected country=NAME"),
        ({"outside": "stratum=x"}, "got predictions without a stratum"),
        ({"outside": "country=DE"}, "country"),
        ({"outside": "country=SI", "inside": "val"}, "got both"),
        ({"by": "kappa"}, "got the measure 'kappa'"),
        ({"split": "tset"}, "no predictions in .* of the split 'tset'; nearest: test"),
    ],
    ids=["column", "empty", "unknown-column", "unknown-name", "both", "measure", "split"],
)
def test_what_cannot_be_asked_is_refused(models: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidInputError, NotFoundError), match=message):
        compare_models([str(models / "forest")], out=models / "x.html", **options)


def test_names_stand_for_one_model(models: Path) -> None:
    one = str(models / "forest")
    for twice in ([one, one], [f"a={one}", f"a={one}"], [one, str(models / "tempcnn-a" / ".." / "forest")]):
        with pytest.raises(InvalidInputError, match="twice"):
            compare_models(twice, out=models / "x.html")


def test_models_that_differ_in_their_seed_are_one(models: Path) -> None:
    folders = []
    for name, seed, model in (("forest", 0, "forest"), ("tempcnn-a", 1, "tempcnn"), ("tempcnn-b", 2, "tempcnn")):
        folder = ModelFolder(models / name)
        folder.put(MODEL, replace(MADE, model=model, seed=seed, settings={"epochs": 3, "seed": seed}).encoded())
        folders.append(str(folder.path))
    done = compare_models(folders, out=models / "x.html")
    assert [(one.name, one.seeds) for one in done.board.models] == [("forest", 1), ("tempcnn-a", 2)]
    with pytest.raises(InvalidInputError, match="twice"):
        compare_models([folders[1], folders[1]], out=models / "x.html")


def test_a_file_of_several_splits_is_read_by_split(tmp_path: Path) -> None:
    file = tmp_path / "all.parquet"
    file.write_bytes(Predictions.joined([drawn(20), drawn(30, seed=1, split="val")]).encoded())
    assert len(read_predictions(file, "val")) == 30
    with pytest.raises(NotFoundError, match="no rows of the split train, expected one of test, val"):
        read_predictions(file, "train")
    with pytest.raises(NotFoundError, match="no such model folder or file"):
        read_predictions(tmp_path / "absent", "test")
