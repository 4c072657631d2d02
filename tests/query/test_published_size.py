"""The published corpus by name, in its published size: 500,000 places on a server of the loopback, files on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from tests.query.faulty import Faulty, content, serving

from landloom.model.taxonomy import taxonomy
from landloom.query.catalog.corpora import RegisteredCorpus, add_corpus
from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples, write_resources
from landloom.query.published import get_asset_hrefs
from landloom.query.transfer.destination import plan_download, verify
from landloom.query.transfer.download import download
from landloom.query.transfer.download_journal import DownloadJournal
from landloom.query.transfer.parts import selection_files
from landloom.query.transfer.stores import open_transfer_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.query.index.synthetic import SyntheticSamples
    from landloom.query.selection import Selection

BERLIN = (13.05, 52.35, 13.72, 52.69)
MEGABYTE = 1_000_000


def check_answers(made: SyntheticSamples, corpus: Corpus, berlin: Selection) -> None:
    """Three queries against brute force over the outlines and shares that the corpus was made of."""
    ids, shapes, index = np.array(made.ids), shapely.polygons(made.outlines), taxonomy("clc").index
    country = shapely.Point(10.4, 51.1).buffer(4, quad_segs=250)
    shapely.prepare(country)
    forest = made.shares[:, [index[code] for code in ("311", "312", "313")]].sum(axis=1) == 1_000_000
    inside = shapely.contains(country, shapes) & forest
    for found, expected in (
        (berlin, shapely.intersects(shapes, shapely.box(*BERLIN))),
        (corpus.query(where="clc_412 > 0.8"), made.shares[:, index["412"]] > 800_000),
        (corpus.query(region=country, relation="within", where="forest = 1"), inside),
    ):
        assert set(found.ids) == set(ids[expected].tolist())
        assert len(found) > 100


@pytest.mark.slow
def test_half_a_million_places_answer_as_brute_force_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = synthetic_samples()
    write_resources(made, tmp_path / "resources")
    monkeypatch.setenv("LANDLOOM_CORPORA", str(tmp_path / "corpora.json"))

    def files(path: str) -> bytes:
        return (tmp_path / path).read_bytes() if path.startswith("resources/") else content(path, 2_000)

    with serving(Faulty(files=files)) as server:
        add_corpus(RegisteredCorpus(name="rapidai4eo", bases=(f"{server.address}/",), kind="resources"))
        Corpus.open("rapidai4eo", cache=tmp_path / "cache")
        kinds = ("geometries.geojson.gz", "label_mappings.csv", "labels.csv.gz")
        assert sorted(server.gets()) == [f"resources/rapidai4eo_{kind}" for kind in kinds]  # each once
        server.requests.clear()
        corpus = Corpus.open("rapidai4eo", cache=tmp_path / "cache").define(forest="clc_311 + clc_312 + clc_313")
        berlin = corpus.query(region=BERLIN, products="s2", period=("2018-01-01", "2018-04-01"))
        berlin.assets.write_list(tmp_path / "list.txt")
        assert server.requests == []  # opened again, asked and listed without a request
        plan = plan_download(selection_files(berlin), tmp_path / "out")
        done = download(plan, open_transfer_store(corpus.base), corpus="rapidai4eo 1.0", base=corpus.base)
    assert (done.fetched, done.failed, verify(tmp_path / "out")) == (3 * len(berlin), (), [])
    listed = (tmp_path / "list.txt").read_text(encoding="ascii").splitlines()
    assert sorted(listed) == sorted(server.gets()) == sorted(DownloadJournal(tmp_path / "out").read())
    assert (tmp_path / "out" / listed[0]).read_bytes() == content(listed[0], 2_000)
    assert berlin.assets.hrefs()[:3] == get_asset_hrefs(berlin.ids[0], "s2", base_url=server.address)[:3]
    sidecar, *others = (tmp_path / "cache" / "sidecars").iterdir()
    assert sidecar.stat().st_size <= 8 * MEGABYTE
    assert not others
    check_answers(made, corpus, berlin)
    assert len(corpus.query().assets) == 500_000 * (2 * 146 + 12 + 1)
