"""Classes with their codes, and digests that tell data apart, but not labels added to it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from landloom.query.corpus import Corpus
from landloom.training.datasets.targets import Target
from landloom.training.fit.provenance import corpus_digests, model_classes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpora import Made


def test_classes_of_levels_and_crosswalks_have_codes(corpus: Corpus) -> None:
    classes, named = model_classes(corpus.info, Target(kind="fractions", product="labels"))
    assert len(classes) == 44
    assert (classes[0].key, classes[0].code, named) == (
        "clc_111",
        111,
        {"name": "clc", "prefix": "clc", "nodata": "999"},
    )
    coarse, named = model_classes(corpus.info, Target(kind="fractions", product="labels", level=1))
    assert [(one.key, one.code) for one in coarse][:2] == [("clc_1", 1), ("clc_2", 2)]
    assert named == {"name": "clc_level1", "prefix": "clc_l1", "nodata": "9"}
    walked, named = model_classes(corpus.info, Target(kind="label", product="labels", crosswalk="landcovernet"))
    assert [one.code for one in walked] == [1, 2, 3, 4, 5, 6, 7]
    assert named["nodata"] == "0"


def test_classes_of_parcels_come_from_their_mapping(series: Path) -> None:
    opened = Corpus.open(series / "corpus")
    classes, named = model_classes(opened.info, Target(kind="mask", product="classes"))
    rows = {int(row["code"]): row["value"] for row in opened.info.class_mappings["classes"] if row["role"] == "class"}
    assert {one.code: one.name for one in classes} == rows
    assert int(named["nodata"]) not in rows


def test_digests_are_of_the_samples_and_of_the_data_used(made: Made, tmp_path: Path, series: Path) -> None:
    opened = Corpus.open(made.folder, cache=tmp_path)
    labels, masks = opened.info.product("labels"), opened.info.product("landcover")
    first, second = corpus_digests(opened, "s2", labels), corpus_digests(opened, "s2", masks)
    assert first["samples"] == second["samples"]
    assert first["data"] != second["data"]
    copy = shutil.copytree(series / "corpus", tmp_path / "copy")
    whole = Corpus.open(copy)
    item = whole.info.product("classes")
    before = corpus_digests(whole, "s2_10m", item)
    assert before == corpus_digests(Corpus.open(series / "corpus"), "s2_10m", item)
    assert before["data"] != corpus_digests(whole, "s2_20m", item)["data"]
    assert len(before["digest"]) == 64
