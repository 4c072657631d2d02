"""The table of a split set."""

from __future__ import annotations

import numpy as np
import pytest

from landloom.corpus.split_set import SplitSet, split_set_key
from landloom.errors import InvalidInputError
from landloom.training.splits.make import SplitSettings

HALVES = SplitSettings(by="random", shares={"train": 0.5, "test": 0.5}, gap=0)


def test_its_table_survives_any_codes() -> None:
    codes = np.array([0, -1, 1, 0], np.int8)
    made = SplitSet(names=("a", "b"), codes=codes, samples="x", settings={"gap": 1}, proof={"violations": 0})
    read = SplitSet.decoded(made.encoded(list("wxyz")), "n")
    assert read.codes.tolist() == codes.tolist()
    assert read.digest == made.digest
    with pytest.raises(InvalidInputError, match="as the name of a split set"):
        split_set_key("../up")
