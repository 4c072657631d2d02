"""Classes of campaigns: codes that fit a byte, colours that everybody can tell apart."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.taxonomy import taxonomies, taxonomy
from landloom.pipelines.annotation.classes import classes_of_mapping, classes_of_taxonomy, colours_of

VISIONS = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""How linear RGB looks (Machado, Oliveira and Fernandes 2009, severity 1)."""
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def lab(colour: str, vision: str) -> np.ndarray:
    """CIE L*a*b* of a colour as seen."""
    part = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    tone = XYZ @ np.clip(np.asarray(VISIONS[vision]) @ linear, 0, 1) / WHITE
    curve = np.where(tone > 0.008856, np.cbrt(tone), 7.787 * tone + 16 / 116)
    return np.array([116 * curve[1] - 16, 500 * (curve[0] - curve[1]), 200 * (curve[1] - curve[2])])


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize(("name", "least"), [("landcovernet", 20), ("globeland30", 15)])
def test_colours_stay_apart_for_every_kind_of_vision(name: str, vision: str, least: float) -> None:
    """A difference of 2 is just noticeable side by side; the first seven colours differ by far more."""
    seen = [lab(colour, vision) for colour in colours_of(name, 7)]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) > least


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
