"""Servers of demos."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import LandloomError
from landloom.pipelines.demos.served import served

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("words", [("serve",), ("annotate", "serve")], ids=" ".join)
def test_a_server_that_does_not_start_says_why(tmp_path: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(LandloomError, match=r"did not start: (opening .*\n)?landloom: "), served(*words, tmp_path):
        pass
