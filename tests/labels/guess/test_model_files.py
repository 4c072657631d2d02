"""Models as files: what is written is read back, and foreign types are refused."""

from __future__ import annotations

import numpy as np
import pytest
from tests.labels.guess.made import two_classes

from landloom.errors import InvalidInputError
from landloom.labels.guess.model import PUBLISHED, GuessSettings, train
from landloom.labels.guess.model_files import decode_model, encode_model


@pytest.mark.parametrize("chosen", [GuessSettings(trees=6), PUBLISHED])
def test_a_model_comes_back_from_its_file(chosen: GuessSettings) -> None:
    pixels, labels = two_classes(11, pixels=600)
    model = train(pixels, labels, chosen, seed=1)
    again = decode_model(encode_model(model))
    asked = np.ascontiguousarray(pixels.T)
    np.testing.assert_array_equal(again.probabilities(asked), model.probabilities(asked))
    assert again.classes == model.classes
    assert again.importances is not None
    assert again.importances.sum() == pytest.approx(1)


def test_a_file_with_other_types_in_it_is_refused() -> None:
    import skops.io

    data = skops.io.dumps({"classifier": print, "classes": [1], "weights": np.ones(1), "x": np.random.default_rng})
    with pytest.raises(InvalidInputError, match="types that it does not need"):
        decode_model(data)
