"""Every model learns every task that it can, and is the same after it was read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from landloom.errors import CorpusError, InvalidInputError, NotFoundError
from landloom.training.datasets.targets import Target
from landloom.training.evaluation.values import Values
from landloom.training.fit.folder import ModelFolder
from landloom.training.fit.held_out import held_out
from landloom.training.fit.learn import Lesson, Splits, learn, material_of
from landloom.training.fit.settings import FitSettings
from landloom.training.fit.tasks import TASKS, task_of
from landloom.training.fit.trained import Trained
from landloom.training.models.table import MODELS
from landloom.training.statistics.measure import split_statistics

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.query.corpus import Corpus
    from landloom.training.fit.learn import Learnt, Material

QUICK = FitSettings(epochs=2, batch=4, rate=5e-3)
SMALL: dict[str, dict[str, Any]] = {
    "forest": {"trees": 8},
    "boosting": {"trees": 8, "leaves": 2},
    "tempcnn": {"filters": 8, "dense": 8},
    "ltae": {"heads": 2, "width": 16, "out": 16},
    "utae": {"encoder": [8, 8], "decoder": [8, 8], "heads": 4, "width": 16},
}


def lesson(task: str, model: str, **changes: Any) -> Lesson:
    made: dict[str, Any] = {"split_set": "halves", "settings": QUICK, "pixels": 40, "options": SMALL.get(model, {})}
    return Lesson(task=task, model=model, **made | changes)


def learnt(corpus: Corpus, wanted: Lesson, folder: Path) -> tuple[Material, Learnt]:
    statistics = split_statistics(corpus, wanted.split_set, splits=wanted.train, products=("s2",))
    material = material_of(corpus, wanted, statistics)
    return material, learn(material, statistics.digest, ModelFolder(folder))


@pytest.mark.parametrize(
    ("task", "model"),
    [(task, model) for task in ("lulc", "dense") for model in TASKS[task].models if MODELS[model].learner != "probe"],
)
def test_models_learn_tasks(halves: Corpus, task: str, model: str, tmp_path: Path) -> None:
    material, done = learnt(halves, lesson(task, model), tmp_path / "model")
    trained = Trained.open(ModelFolder(tmp_path / "model"))
    assert trained.description == done.description
    found = held_out(material, trained, "test")
    assert not isinstance(found, Values)
    assert found.classes == done.description.keys
    assert len(set(found.id)) == 6
    assert found.split_set == done.description.split_set["digest"]
    assert done.description.mean == pytest.approx(material.moments.mean)
    if task == "dense" and model in ("forest", "boosting"):
        assert (found.predicted == found.truth)[found.truth >= 0].mean() > 0.5
    if task == "lulc":
        assert found.shares is not None
        assert np.array_equal(found.shares.argmax(axis=1), found.truth)


def test_a_resumed_lesson_is_done_already(halves: Corpus, tmp_path: Path) -> None:
    _, first = learnt(halves, lesson("lulc", "ltae"), tmp_path / "model")
    weights = (tmp_path / "model" / "weights.pt").read_bytes()
    _, again = learnt(halves, lesson("lulc", "ltae"), tmp_path / "model")
    assert repr(again.history) == repr(first.history)
    assert again.resumed == 2
    assert (tmp_path / "model" / "weights.pt").read_bytes() == weights
    with pytest.raises(CorpusError, match="another settings: rate"):
        learnt(halves, lesson("lulc", "ltae", settings=FitSettings(epochs=2, batch=4)), tmp_path / "model")


def test_crosswalks_of_shares_and_classes_are_learnt(halves: Corpus, tmp_path: Path) -> None:
    target = Target(kind="fractions", crosswalk="landcovernet")
    _, done = learnt(halves, lesson("lulc", "boosting", target=target), tmp_path / "walked")
    assert done.description.keys[0] == "lcn_1"
    _, done = learnt(halves, lesson("lulc", "forest", target=Target(kind="label", level=1)), tmp_path / "level")
    assert done.description.keys == ("clc_1", "clc_2", "clc_3", "clc_4", "clc_5")


NUMBER = Target(kind="value", product="landcover", band="confidence")


@pytest.mark.parametrize(
    ("task", "model"), [("lulc", "forest"), ("lulc", "ltae"), ("dense", "boosting"), ("dense", "utae")]
)
def test_numbers_are_learnt(halves: Corpus, task: str, model: str, tmp_path: Path) -> None:
    wanted = lesson(task, model, target=NUMBER, unit="%", settings=FitSettings(epochs=12, batch=2, rate=1e-2))
    material, done = learnt(halves, wanted, tmp_path / "model")
    assert done.description.classes == ()
    assert done.description.target["unit"] == "%"
    assert (done.description.scale is None) == (model in ("forest", "boosting"))
    found = held_out(material, Trained.open(ModelFolder(tmp_path / "model")), "test")
    assert isinstance(found, Values)
    assert found.unit == "%"
    # 60 or 90, as the class says: a number on another scale would be far off
    assert found.scores()["mae"].value < 20
    assert (found.count > 1).all() == (task == "dense")
    if model == "boosting":
        assert found.scores()["r2"].value > 0.3


def test_what_does_not_fit_is_refused(halves: Corpus, tmp_path: Path) -> None:
    for wanted, error, told in (
        (lesson("lulc", "utae"), InvalidInputError, "task lulc: got model 'utae', expected one of forest"),
        (lesson("lulc", "forest", target=Target(kind="mask")), InvalidInputError, "got the target 'mask'"),
        (lesson("lulc", "forest", train=("trian",)), NotFoundError, "no split 'trian'|trian"),
        (lesson("lulc", "forest", split_set="absent"), NotFoundError, "no split set 'absent'"),
        (lesson("lulc", "forest", bands=("B99",)), NotFoundError, "B99"),
        (lesson("parcels", "forest"), NotFoundError, "ids"),
        (lesson("lulc", "forest", unit="%"), InvalidInputError, "got the unit '%' of fractions"),
        (lesson("lulc", "forest", target=Target(kind="value", level=1)), InvalidInputError, "a level of numbers"),
    ):
        with pytest.raises(error, match=told):
            learnt(halves, wanted, tmp_path / "model")
    with pytest.raises(NotFoundError, match="no task 'lucl'; nearest: lulc"):
        task_of("lucl")
    with pytest.raises(InvalidInputError, match="expected one to be held out"):
        Splits.of(lesson("lulc", "forest", train=("train", "test")), ("train", "test"))
    assert Splits.of(lesson("lulc", "forest"), ("train", "test")).val is None
