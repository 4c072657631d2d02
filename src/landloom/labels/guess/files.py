"""Models as files: skops, which reads data where pickle would run code."""

from __future__ import annotations

from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from landloom.errors import InvalidInputError, MissingExtraError
from landloom.labels.guess.model import GuessModel, packed

TRUSTED: Final = frozenset(
    {
        "imblearn.ensemble._forest.BalancedRandomForestClassifier",
        "imblearn.pipeline.Pipeline",
        "imblearn.under_sampling._prototype_selection._random_under_sampler.RandomUnderSampler",
        "sklearn.tree._tree.Tree",
    }
)
"""Types that a model may hold beside those that skops knows to be harmless."""


def encode_model(model: GuessModel) -> bytes:
    """A model as the bytes of a skops file.

    Raises:
        MissingExtraError: the extra `guess` is not installed.
    """
    data: bytes = _skops().dumps(
        {"classifier": model.classifier, "classes": list(model.classes), "weights": model.weights}
    )
    return data


def decode_model(data: bytes) -> GuessModel:
    """Read a model.

    Raises:
        InvalidInputError: no such file, or one that holds types that no guess needs; they are named.
        MissingExtraError: the extra `guess` is not installed.

    Example:
        >>> decode_model(b"no model")
        Traceback (most recent call last):
            ...
        landloom.errors.InvalidInputError: 8 bytes are no model: File is not a zip file
    """
    skops = _skops()
    try:
        unknown = sorted(set(skops.get_untrusted_types(data=data)) - TRUSTED)
        if unknown:
            raise InvalidInputError(f"the model holds types that no guess needs: {', '.join(unknown)}")
        document: dict[str, Any] = skops.loads(data, trusted=sorted(TRUSTED))
        classes, weights = tuple(document["classes"]), np.asarray(document["weights"], dtype=np.float64)
        classifier = document["classifier"]
    except (BadZipFile, KeyError, TypeError) as error:
        raise InvalidInputError(f"{len(data)} bytes are no model: {error}") from error
    return GuessModel(classifier=classifier, classes=classes, weights=weights, forest=packed(classifier))


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise MissingExtraError.of("guess", "a file of a guess model") from error
    return skops.io
