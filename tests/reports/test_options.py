"""Options that several commands share."""

from __future__ import annotations

import pytest
import typer

from landloom.reports.options import named_values


def test_a_name_is_given_once() -> None:
    assert named_values("--sum", ["forest = clc_311 + clc_312", "forest=clc_311 + clc_312"], "a sum") == {
        "forest": "clc_311 + clc_312"
    }
    with pytest.raises(typer.BadParameter, match="--sum: got forest = a and forest = b, expected one of them"):
        named_values("--sum", ["forest=a", "forest=b"], "a sum")


@pytest.mark.parametrize("text", ["forest", "forest=", "=a", " = "])
def test_half_a_pair_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="expected a sum"):
        named_values("--sum", [text], "a sum")


def test_either_part_may_contain_the_sign() -> None:
    assert named_values("--column", ["lon=X=1"], "") == {"lon": "X=1"}
    assert named_values("--accept", ["a=b=0.9"], "", last=True) == {"a=b": "0.9"}
