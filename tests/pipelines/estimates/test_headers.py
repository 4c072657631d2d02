"""What headers say of what a build reads, against what a build then reads over the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from landloom.engine.journal import Journal
from landloom.engine.place import JOURNAL
from landloom.pipelines.build import build
from landloom.pipelines.estimate import estimate_recipe
from landloom.pipelines.estimates.headers import MOST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web import FaultyServer

TERMS = {"licence": "CC0-1.0", "attribution": "nobody"}


def _write(tiny: Path, folder: Path, products: dict[str, Any], address: str = "") -> Path:
    """A folder with a recipe of two samples of the tiny archive."""
    folder.mkdir(exist_ok=True)
    (folder / "archive").symlink_to((tiny / "archive").resolve())
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    document["archive"]["href"] = f"{address}{document['archive']['href']}"
    document["products"] = products
    document["samples"]["count"] = 2
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def _spent(folder: Path) -> tuple[int, int]:
    """Requests and bytes of units."""
    with Journal(folder / "corpus" / JOURNAL) as journal:
        counts = [one for entry in journal.entries() for one in entry.outcome.traffic.values()]
    return sum(one.requests for one in counts), sum(one.size for one in counts)


def test_a_plan_reads_headers_of_few_files_once(tiny: Path, faulty: FaultyServer, tmp_path: Path) -> None:
    faulty.stamps = {"ETag": '"1"'}
    products = {"s2": {"kind": "composite", "bands": ["B02", "B04", "B8A"], "terms": TERMS}}
    address = f"{faulty.address}/planned/"
    alone, planned = (_write(tiny, tmp_path / name, products, address) for name in ("alone", "planned"))
    build(alone)
    faulty.requests.clear()
    plan = estimate_recipe(planned)
    opened = {path for path in faulty.requests if path.endswith(".tif")}
    build(planned)
    requests, size = _spent(alone)
    assert plan.headers is not None
    assert (plan.headers.products, plan.headers.unreadable) == (("s2",), 0)
    assert MOST // 4 < len(opened) <= 2 * MOST
    assert _spent(planned)[0] < requests, "the build has the headers"
    assert plan.headers.work.read == pytest.approx(size, rel=0.5)


def test_a_month_of_a_fused_series_is_made(tiny: Path, tmp_path: Path) -> None:
    plan = estimate_recipe(_write(tiny, tmp_path / "fused", {"pfsr": {"kind": "fused", "terms": TERMS}}))
    assert plan.unmeasured == ("labels.clc",)
    assert plan.work is not None
    assert plan.work.written > 0
    assert {product.source.partition(" of ")[2][-19:] for product in plan.products} == {", made for this plan"[-19:]}
