"""`landloom scenes`: a table, a calendar and a file that then decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from landloom.archive.choice import SceneChoice

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran

RECIPE = """
name: scenes-test
version: "1.0"
region: {file: archive/region.geojson}
period: {start: 2018-06-01, end: 2018-08-01}
samples: {draw: windows}
archive: {kind: static, href: archive/catalog.json}
products:
  s2_native: {kind: series, terms: {licence: CC0-1.0, attribution: nobody}}
scenes: {policy: least-cloudy 3}
publication: {title: t, description: d}
"""


def test_scenes_are_chosen_and_the_file_decides(tiny_archive: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    (tmp_path / "archive").symlink_to(tiny_archive)
    (tmp_path / "landloom.yaml").write_text(RECIPE)
    out = tmp_path / "scenes.csv"
    done = run("scenes", tmp_path, "--out", out, "--json")
    assert done.code == 0, done.err
    report = json.loads(done.out)
    choice = SceneChoice.from_csv(out.read_text())
    assert len(choice.ids) == report["scenes"] == sum(row["taken"] for row in report["granules"])
    assert {row["granule"] for row in report["granules"]} == {"32UPA", "32UQA", "33UUR"}
    assert max(row["taken"] for row in report["granules"]) == 3
    assert (tmp_path / "scenes.png").read_bytes()[:4] == b"\x89PNG"
    out.write_text(out.read_text().replace("\nyes,32UPA", "\nno,32UPA"))
    (tmp_path / "landloom.yaml").write_text(RECIPE.replace("policy: least-cloudy 3", "file: scenes.csv"))
    table = run("scenes", tmp_path, "--out", tmp_path / "again.csv")
    assert table.code == 0, table.err
    assert "as scenes.csv says" in table.out
    for path in (out, tmp_path / "again.csv"):
        again = SceneChoice.from_csv(path.read_text())
        assert not any(one.granule == "32UPA" and one.use for one in again.candidates)


def test_a_figure_of_an_unknown_kind_is_refused(tmp_path: Path, run: Callable[..., Ran]) -> None:
    done = run("scenes", tmp_path, "--figure", tmp_path / "f.xyz")
    assert done.code == 2
    assert "f.xyz" in done.err


def test_of_several_archives_one_is_named(tiny_archive: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    (tmp_path / "archive").symlink_to(tiny_archive)
    one = "{kind: static, href: archive/catalog.json}"
    text = RECIPE.replace(f"archive: {one}", f"archives: {{a: {one}, b: {one}}}")
    native = "s2_native: {kind: series,"
    more = "s2: {kind: composite, archive: b, terms: {licence: CC0-1.0, attribution: nobody}}"
    text = text.replace(native, f"{more}\n  s2_native: {{kind: series, archive: a,")
    (tmp_path / "landloom.yaml").write_text(text)
    refused = run("scenes", tmp_path, "--out", tmp_path / "scenes.csv")
    assert refused.code == 2
    assert "expected one of a, b" in refused.err
    done = run("scenes", tmp_path, "--archive", "b", "--out", tmp_path / "scenes.csv")
    assert done.code == 0, done.err


def test_an_archive_that_the_recipe_does_not_have_is_said_in_a_line(
    tiny_archive: Path, tmp_path: Path, run: Callable[..., Ran]
) -> None:
    (tmp_path / "archive").symlink_to(tiny_archive)
    (tmp_path / "landloom.yaml").write_text(RECIPE)
    done = run("scenes", tmp_path, "--archive", "attic", "--out", tmp_path / "scenes.csv")
    assert done.code in (1, 2)
    assert "attic" in done.err
