"""The real QGIS opens the project of a corpus; docs/reference/clients.md has the table.

Where it is not installed, the test is skipped, but fails in CI; documents are parsed and mosaics read by GDAL
everywhere (tests/corpus/qgis). `LANDLOOM_CLIENTS=write` writes the table anew.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest
from tests.clients.test_clients import PAGE

from landloom.query.corpus import Corpus
from landloom.reports.figures import true_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON: Final = Path("/usr/bin/python3")
PROGRAM: Final = Path(__file__).with_name("qgis.txt")
HEAD: Final = "| Client | Version | Opened by hand | Equal |\n| --- | --- | --- | --- |\n"
END: Final = "\n\n"


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [PYTHON, *arguments], capture_output=True, text=True, check=False, timeout=300, env=environment
    )


def _needed() -> None:
    if not PYTHON.exists() or _run("-c", "import qgis.core").returncode:
        what = "QGIS does not open the project: apt-get install --no-install-recommends qgis python3-qgis"
        if os.environ.get("CI") == "true":
            pytest.fail(what)
        pytest.skip(what)


def _stated(text: str) -> Sequence[Sequence[str]]:
    start = text.index(HEAD) + len(HEAD)
    lines = text[start : text.index(END, start)].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_qgis_opens_the_project_with_equal_pixels(tiny_corpus: Path, tmp_path: Path) -> None:
    _needed()
    corpus = Corpus.open(tiny_corpus, cache=tmp_path)
    chosen = corpus.query()
    sample = chosen.ids[0]
    cube = chosen.cube(sample, "s2")
    bands = cube["band"].values.tolist()
    step = next(iter((tiny_corpus / "qgis").rglob("s2_*.vrt"))).stem.removeprefix("s2_")
    place = [one.name for one in corpus.info.product("s2").timesteps].index(step)
    stack = cube.values[place]
    order = [bands.index(name) for name in ("B04", "B03", "B02")]
    across, down = cube["x"].values, cube["y"].values
    bounds = [across[0] - 5, down[-1] - 5, across[-1] + 5, down[0] + 5]
    tile = next(one for one in chosen.to_geodataframe()["tile"])
    np.savez(
        tmp_path / "wanted.npz",
        layer=f"mosaic_s2_{step}_{tile}",
        bounds=bounds,
        red=stack[order[0]],
        number=order[0] + 1,
        natural=true_colour(stack, *order),
        samples=len(chosen),
    )
    done = _run(PROGRAM, tiny_corpus, tmp_path / "wanted.npz", tmp_path / "project.png")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row[3] for row in rows] == ["yes"] * 3
    text = PAGE.read_text("utf-8")
    if os.environ.get("LANDLOOM_CLIENTS") == "write":
        start = text.index(HEAD) + len(HEAD)
        new = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        text = text[:start] + new + text[text.index(END, start) :]
        PAGE.write_text(text, encoding="utf-8")
    assert [[row[0], *row[2:]] for row in _stated(text)] == [[row[0], *row[2:]] for row in rows]
