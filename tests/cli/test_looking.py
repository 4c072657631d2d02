"""`landloom series`: a picture and numbers of one pixel, with observations read again from the recipe's archive."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


@pytest.fixture(scope="module")
def sample(fused: Path) -> str:
    return Corpus.open(fused / "corpus").query().ids[0]


def test_a_picture_and_numbers_are_written(fused: Path, sample: str, run: Callable[..., Ran], tmp_path: Path) -> None:
    out, table = tmp_path / "new" / "pixel.svg", tmp_path / "pixel.csv"
    arguments = ("series", str(fused / "corpus"), sample, "--pixel", "12,40", "--out", str(out), "--csv", str(table))
    done = run(*arguments, "--recipe", str(fused))
    assert (done.code, done.err) == (0, "")
    assert "13 timesteps of pfsr" in done.out
    assert "observations read again" in done.out
    assert out.read_bytes().startswith(b"<?xml")
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert {row["kind"] for row in rows} == {"series", "observation"}
    document = json.loads(run(*arguments, "--json").out)
    assert (document["sample"], document["row"], document["column"]) == (sample, 12, 40)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--pixel", "12"), "expected a row and a column"),
        (("--pixel", "60,0"), "expected 0,0 to 59,59"),
        (("--pixel", "0,0", "--out", "a.jpg"), "ends in .png, .svg, .pdf"),
        (("--pixel", "0,0", "--product", "labels"), "expected one of pfsr"),
        (("--pixel", "0,0", "--band", "B04"), "B04"),
    ],
)
def test_refusals(
    fused: Path, sample: str, run: Callable[..., Ran], tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    given = arguments if "--out" in arguments else (*arguments, "--out", str(tmp_path / "a.png"))
    done = run("series", str(fused / "corpus"), sample, *given)
    assert done.code != 0
    assert words in " ".join((done.err + done.out).replace("│", " ").split())
    assert not list(tmp_path.iterdir())
