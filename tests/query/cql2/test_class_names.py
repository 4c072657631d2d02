"""Classes are asked for by name, in any label product and at any level; what is ambiguous or unknown is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.taxonomy import taxonomy
from landloom.query.cql2.class_names import class_names
from landloom.query.example import example_corpus

if TYPE_CHECKING:
    from tests.query.conftest import Truth


def test_every_class_of_every_level_is_found_by_its_name() -> None:
    corpus = example_corpus()
    clc = taxonomy("clc")
    names = class_names(corpus.sidecar)
    assert set(names) == {*corpus.sidecar.columns, *corpus.sidecar.groups}
    for item in (*clc.classes, *clc.groups):
        assert names.get(clc.column(item.code), item.name) == item.name
    for column, name in names.items():
        assert corpus.query(f'"{name}" > 0').ids == corpus.query(f"{column} > 0").ids


@pytest.mark.parametrize(
    "text", ["forest >= 0.5", '"FOREST" >= 0.5', "Forests >= 0.5", '{"op":">=","args":[{"property":"Forest"},0.5]}']
)
def test_case_and_plural_do_not_matter(text: str) -> None:
    corpus = example_corpus()
    assert corpus.query(text).ids == corpus.query("clc_31 >= 0.5").ids != ()


def test_a_sum_may_name_classes() -> None:
    corpus = example_corpus().define(trees='"Coniferous forest" + "Broad-leaved forest"')
    assert corpus.query("trees = 1").ids == corpus.query("clc_311 + clc_312 = 1").ids


def test_a_defined_sum_comes_before_a_class() -> None:
    corpus = example_corpus().define(Forest="clc_112 + clc_412")
    assert corpus.query("Forest = 1").ids == corpus.query("clc_112 + clc_412 = 1").ids


def test_near_names_are_those_of_classes_too() -> None:
    with pytest.raises(NotFoundError, match=r"no column 'Coniferus forest'; nearest: .*Coniferous forest"):
        example_corpus().query('"Coniferus forest" > 0')


def test_a_name_of_two_areas_is_refused_and_one_of_the_same_area_is_not(own: Truth) -> None:
    """CORINE has water bodies and pastures at two levels; all of level 2's pastures are those of level 3."""
    with pytest.raises(InvalidInputError, match="'water bodies', the name of clc_512 and clc_5"):
        own.corpus.query('"water bodies" > 0')
    assert own.corpus.query("Pastures > 0.1").ids == own.corpus.query("clc_231 > 0.1").ids != ()
