from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from tests.conftest import Ran


def test_a_query_counts_lists_and_names(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    everything = json.loads(run("query", corpus, "--json").out)
    assert everything["samples"] == 2
    listed = tmp_path / "files.txt"
    assert run("query", corpus, "--product", "s2", "--list", listed).code == 0
    assert [(corpus / line).is_file() for line in listed.read_text().splitlines()] == [True, True]
    assert run("query", corpus, "--ids").out.split() == everything["ids"]


def test_everything_that_a_query_takes_has_an_option(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    import geopandas as gpd

    from landloom import Corpus

    own = Corpus.open(corpus)
    first, second = own.query().ids
    frame = own.select(first).to_geodataframe()
    layer = tmp_path / "countries.geojson"
    gpd.GeoDataFrame({"name": ["Here"]}, geometry=[frame.geometry.iloc[0].buffer(1e-5)], crs=4326).to_file(layer)
    here = ("query", corpus, "--ids", "--countries", layer, "--region", "here")
    assert run(*here, "--relation", "within").out.split() == [first]
    edge = frame.total_bounds[2]
    assert run("query", corpus, "--ids", "--region", f"{edge - 1e-5},0,{edge},89", "--relation", "within").out == ""
    assert run("query", corpus, "--ids", "--limit", "1").out.split() == [first]
    drawn = {run("query", corpus, "--ids", "--limit", "1", "--seed", seed).out.strip() for seed in range(8)}
    assert drawn == {first, second}
    green = ("--sum", "green=clc_1 + clc_2 + clc_3 + clc_4 + clc_5 + clc_9", "--where", "green = 1")
    assert run("query", corpus, "--ids", *green).out.split() == [first, second]
    assert run("query", corpus, "--sum", "green", "--where", "green = 1").code == 2
    strata = own.query().counts("stratum")
    assert set(strata) != {None}
    for name, count in strata.items():
        assert len(run("query", corpus, "--ids", "--stratum", name).out.split()) == count
    assert "no split 'trian'" in run("query", corpus, "--split", "trian").err


def test_what_cannot_be_asked_is_said_in_a_line(corpus: Path, run: Callable[..., Ran]) -> None:
    for arguments, message in (
        (["--where", "clc_31x > 0"], "no column 'clc_31x'; nearest: clc_31"),
        (["--where", "clc_31 >"], "clc_31 >"),
        (["--product", "s3"], "'s3'; nearest:"),
        (["--period", "2019-01-01", "2018-01-01"], "before it begins"),
        (["--region", "50,12,51"], "50,12,51"),
    ):
        ran = run("query", corpus, *arguments)
        assert ran.code == 1
        assert message in ran.err
        assert "Traceback" not in ran.err


def test_a_download_is_whole_verified_and_repaired(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("download", corpus, out, "--product", "s2", "--dry-run").code == 0
    assert not out.exists()
    assert "downloaded 2 files" in run("download", corpus, out, "--product", "s2").out
    assert "downloaded 0 files" in run("download", corpus, out, "--product", "s2").out
    assert "Copernicus" in (out / "LICENSES.md").read_text(encoding="utf-8")
    assert run("verify", out).code == 0
    broken = next(out.rglob("*.tif"))
    whole = broken.read_bytes()
    broken.write_bytes(whole[:-1])
    assert run("verify", out).code == 1
    assert run("repair", corpus, out).code == 0
    assert broken.read_bytes() == whole
    assert len(run("diff", corpus, out, "--part", "labels").out.splitlines()) == 2 + 2
    assert run("download", corpus, out, "--labels").code == 0
    terms = (out / "LICENSES.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in terms if line.startswith("## ")] == ["## s2", "## labels"]


def test_azcopy_gets_a_whole_command(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    shown = run("download", corpus, tmp_path / "out", "--part", "labels", "--azcopy").out
    assert shown.startswith("azcopy copy --recursive '")
    assert "/labels/'" in shown


def test_a_crawl_finds_what_the_catalogue_links(corpus: Path, run: Callable[..., Ran]) -> None:
    root = corpus / "stac-v1.0" / "catalog.json"
    found = json.loads(run("crawl", root, "--role", "labels", "--json").out)
    hrefs = [href for item in found for href in item["hrefs"]]
    assert len(hrefs) == 2
    assert all(href.endswith(".geojson") for href in hrefs)


def test_a_corpus_gets_a_name(
    corpus: Path, run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANDLOOM_CORPORA", str(tmp_path / "corpora.json"))
    assert run("corpora", "add", "mine", corpus).code == 0
    assert "mine" in run("corpora", "list").out
    assert run("query", "mine", "--ids").out == run("query", corpus, "--ids").out
    assert "rapidai4eo" in {row["name"] for row in json.loads(run("corpora", "list", "--json").out)}
    assert run("crawl", "mine", "--json").out == run("crawl", corpus / "stac-v1.0" / "catalog.json", "--json").out != ""
    mirror = "http://127.0.0.1:9/mirror"
    assert run("corpora", "add", "rapidai4eo", mirror).code == 0
    (kept,) = [row for row in json.loads(run("corpora", "list", "--json").out) if row["name"] == "rapidai4eo"]
    assert kept == {"name": "rapidai4eo", "bases": [f"{mirror}/"], "kind": "resources"}
    assert "landloom crawl other" in run("corpora", "add", "other", mirror, "--kind", "stac").out
    assert run("corpora", "remove", "rapidai4eo").code == 0
    assert run("corpora", "remove", "mine").code == 0
    assert "mine" not in run("corpora", "list").out
    assert run("corpora", "remove", "rapidai4eo").code == 1


def test_an_index_is_built_from_resource_files(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    ran = run("index", corpus / "resources", "--out", tmp_path / "mine", "--product", "s2")
    assert (ran.code, ran.err) == (0, "")
    assert "2 samples, 45 label columns" in ran.out
    found = json.loads(run("query", tmp_path / "mine", "--where", "clc_2 + clc_3 > 0", "--json").out)
    expected = json.loads(run("query", corpus, "--where", "clc_2 + clc_3 > 0", "--json").out)
    assert found["ids"] == expected["ids"]
    again = json.loads(run("index", corpus / "resources", "--out", tmp_path / "mine", "--json").out)
    assert again["samples"] == 2
    assert run("index", tmp_path, "--out", tmp_path).code == 1
    alone = run("index", corpus / "resources" / "small_labels.csv.gz", "--out", tmp_path)
    assert alone.code == 1
    assert "got small_labels.csv.gz (labels)" in alone.err
    assert re.search(r"\w+ a folder", alone.err)


def test_whole_parts_have_options_of_their_own(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    long = run("download", corpus, tmp_path / "out", "--part", "labels", "--azcopy").out
    assert run("download", corpus, tmp_path / "out", "--labels", "--azcopy").out == long
    refused = run("download", corpus, tmp_path / "out", "--labels", "--stac")
    assert refused.code == 2
    assert not (tmp_path / "out").exists()


def test_azcopy_reads_the_list_of_a_query(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    out = tmp_path / "out"
    shown = run("download", corpus, out, "--product", "s2", "--azcopy").out
    assert f"--list-of-files={tmp_path / 'out.files.txt'}" in shown.replace("\n", "")
    listed = (tmp_path / "out.files.txt").read_text(encoding="utf-8").split()
    assert listed
    assert all("/S2-SR/" in path for path in listed)
