"""Label rasters of requests: any that is right comes back, any other is refused with a reason."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import InvalidInputError
from landloom.server.annotate.labels import decode_labels


@given(st.binary(min_size=4, max_size=1_100))
def test_rasters_come_back(labels: bytes) -> None:
    text = b64encode(labels).decode()
    assert decode_labels(text, most=len(labels)) == labels
    with pytest.raises(InvalidInputError, match="labels: got"):
        decode_labels(text, most=len(labels) - 3)


@pytest.mark.parametrize("text", [None, 5, ["AQIB"], "", "AQIBAQIB", "AQI*", "AQ I", "A===", "AQI\u00e9", "\nAQI"])
def test_what_is_not_base64(text: object) -> None:
    with pytest.raises(InvalidInputError, match="labels: got"):
        decode_labels(text, most=3)
