"""Values of a parcel file as codes of a class map."""

from __future__ import annotations

import numpy as np

from landloom.labels.classes import class_mapping


def test_the_class_map_has_the_smallest_type_and_a_record() -> None:
    assert class_mapping([252]).dtype == np.uint8
    assert class_mapping([253]).dtype == np.uint16
    assert class_mapping([65533]).dtype == np.uint32
    text = class_mapping(["b", "a"])
    assert text.codes == {"a": 1, "b": 2}
    assert text.rows() == [
        {"value": "a", "code": 1, "role": "class"},
        {"value": "b", "code": 2, "role": "class"},
        {"value": "", "code": 0, "role": "background"},
        {"value": "", "code": 254, "role": "unknown"},
        {"value": "", "code": 255, "role": "ignore"},
    ]
