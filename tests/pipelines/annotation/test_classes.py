"""Classes of campaigns: codes that fit a byte, each with a colour of its own."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.taxonomy import taxonomies, taxonomy
from landloom.pipelines.annotation.classes import classes_of_mapping, classes_of_taxonomy


@pytest.mark.parametrize("name", taxonomies())
def test_every_taxonomy_fits_label_rasters(name: str) -> None:
    own = taxonomy(name)
    for level in range(1, own.levels + 1):
        classes = classes_of_taxonomy(own, level)
        codes = [one.code for one in classes.choices]
        assert len({*codes}) == len(codes) <= 254
        assert len({one.colour for one in classes.choices}) == len(codes)
        assert set(classes.codes.values()) == set(codes)
        assert taxonomy(name).nodata not in {one.key for one in classes.choices} or level < own.levels
    with pytest.raises(NotFoundError, match="no level of"):
        classes_of_taxonomy(own, own.levels + 1)


def test_rasters_of_the_corpus_become_codes() -> None:
    clc = classes_of_taxonomy(taxonomy("clc"))
    signed, odd = clc.apply(np.array([[-9999, 1]], np.int16))
    assert (signed.tolist(), odd) == ([[0, 1]], 1)
    codes, unknown = clc.apply(np.array([[111, 1, 523], [999, 0, 700]]))
    assert codes.tolist() == [[1, 1, 44], [0, 0, 0]]
    assert unknown == 2  # nodata (999) and a value that no class has
    assert clc.choices[43].key == "523"
    coarse, _ = classes_of_taxonomy(taxonomy("clc"), 1).apply(np.array([[311, 523]]))
    assert coarse.tolist() == [[3, 5]]


def test_versions_follow_the_list() -> None:
    fine, coarse = (classes_of_taxonomy(taxonomy("clc"), level).version for level in (3, 1))
    assert fine != coarse
    assert classes_of_taxonomy(taxonomy("clc"), 3).version == fine


def test_class_mappings_of_parcels() -> None:
    rows: list[dict[str, str | int]] = [
        {"value": "maize", "code": 1, "role": "class"},
        {"value": "wheat", "code": 2, "role": "class"},
        {"value": "winter wheat", "code": 2, "role": "class"},
        {"value": "", "code": 0, "role": "background"},
        {"value": "fallow", "code": 255, "role": "ignore"},
    ]
    classes = classes_of_mapping("classes", rows)
    assert [(one.code, one.name) for one in classes.choices] == [(1, "maize"), (2, "wheat, winter wheat")]
    with pytest.raises(InvalidInputError, match=r"got class codes \[\]"):
        classes_of_mapping("classes", rows[3:])
