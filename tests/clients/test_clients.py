"""Real programs of others open a corpus, and find equal pixels or nothing: docs/reference/clients.md has the table.

`LANDLOOM_CLIENTS=write` writes the table anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from tests.foreign import call
from tests.server.conftest import running

from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reference" / "clients.md"
PROGRAMS: Final = Path(__file__).with_name("programs.txt")
"""Python; under another ending, for it only runs in the environment of the readers."""
HEAD: Final = "| Client | Version | Opened | Equal |\n| --- | --- | --- | --- |\n"


def table(rows: Sequence[Sequence[str]]) -> str:
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def test_clients_find_equal_pixels_or_nothing(tiny_corpus: Path, tmp_path: Path) -> None:
    corpus = Corpus.open(tiny_corpus, cache=tmp_path)
    chosen = corpus.query()
    cube = chosen.cube(0, "s2")
    wanted = tmp_path / "wanted.npz"
    np.savez(wanted, cube=cube.values, bands=cube["band"].values.astype(str), name=corpus.info.layout.stac_id)
    with running(corpus) as url:
        out = call("odc", PROGRAMS.read_text("utf-8"), url, tiny_corpus, chosen.ids[0], wanted)
    rows = [json.loads(line) for line in out.splitlines()]
    assert not [row for row in rows if row[3] == "no"]
    text = PAGE.read_text("utf-8")
    if os.environ.get("LANDLOOM_CLIENTS") == "write":
        text = text[: text.index(HEAD)] + table(rows)
        PAGE.write_text(text, encoding="utf-8")
    stated = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text[text.index(HEAD) :].splitlines()[2:]
    ]
    assert [[row[0], *row[2:]] for row in stated] == [[row[0], *row[2:]] for row in rows]
