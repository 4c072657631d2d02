"""`landloom granules features` and `draw`, as people type them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.csv
import pyarrow.parquet as pq
from tests.samplers.granules.maps import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


def test_the_commands_measure_and_draw(
    world_map: str, continents: str, run: Callable[..., Ran], tmp_path: Path
) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(NAMES), encoding="utf-8")
    folder = tmp_path / "granules"
    arguments = (world_map, "--only", ids, "--continents", continents, "--out", folder, "--workers", 1)
    assert run("granules", "features", *arguments).code == 0
    table = folder / "granules.parquet"
    draw = ("granules", "draw", table, "--quota", "Europe=2", "--out", tmp_path / "out.txt")
    assert run(*draw, "--figure", tmp_path / "map.png").code == 0
    assert len((tmp_path / "out.txt").read_text(encoding="utf-8").split()) == 2
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"
    told = json.loads(run(*draw, "--method", "stratified", "--json").out)
    assert len(told["granules"]) == 2
    assert told["left_out"] == []
    pyarrow.csv.write_csv(pq.read_table(table), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open("a", encoding="utf-8") as file:
        file.write("33TWL,Europe\n")
    odd = run("granules", "draw", tmp_path / "t.csv", *draw[3:])
    assert f"left out: {tmp_path / 't.csv'}, line {len(NAMES) + 2}: got longitude ''" in odd.out.replace("\n", "")
    assert run(*draw, "--method", "best").code == 2
    assert run("granules", "draw", table, "--quota", "Europe").code == 2


def test_granules_are_those_of_a_file_of_bounds_or_of_both(
    world_map: str, run: Callable[..., Ran], tmp_path: Path
) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("33TWL 33UUU", encoding="utf-8")
    told = {}
    asked = {"both": ("--only", ids, "--bounds", 14, 45, 16, 46.5), "bounds": ("--bounds", 15.5, 45.5, 15.6, 45.6)}
    for name, options in asked.items():
        out = tmp_path / name
        assert run("granules", "features", world_map, *options, "--out", out, "--workers", 1).code == 0
        told[name] = pq.read_table(out / "granules.parquet")["id"].to_pylist()
    assert told["both"] == ["33TWL"]
    assert {"33TWL"} <= set(told["bounds"])
    refused = run("granules", "features", world_map, "--only", tmp_path / "none.txt", "--out", tmp_path / "x")
    assert refused.code == 1
    assert "none.txt: cannot be read" in refused.err
