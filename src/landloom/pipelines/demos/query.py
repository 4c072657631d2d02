"""The demo of queries: boxes, labels, both; a verified download; a server that answers one request and is stopped."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import LandloomError, counted
from landloom.pipelines.demos.cells import run_demo
from landloom.pipelines.demos.served import served
from landloom.query.corpus import Corpus
from landloom.query.transfer.destination import plan_download, verify
from landloom.query.transfer.download import download
from landloom.query.transfer.parts import selection_files, write_licences
from landloom.query.transfer.stores import open_transfer_store
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landloom.engine.run import Listener
    from landloom.query.selection import Selection

MONTH: Final = ("2018-06-01", "2018-07-01")
SUBSET: Final = "subset"
"""Folder of the download."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoStep:
    """One step of the demo."""

    name: str
    """`box`, `labels`, …"""
    asked: str
    """The query, in words or as typed."""
    answer: str
    """Its result."""
    seconds: float
    """Its duration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryDemo:
    """Result of the demo."""

    corpus: Path
    subset: Path
    """Folder of the download."""
    steps: tuple[DemoStep, ...]

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        steps = [{"name": s.name, "asked": s.asked, "answer": s.answer, "seconds": s.seconds} for s in self.steps]
        return {"corpus": str(self.corpus), "subset": str(self.subset), "steps": steps}


class _Steps:
    """Records the steps with their duration."""

    def __init__(self) -> None:
        self.done: list[DemoStep] = []

    def do(self, name: str, asked: str, work: Callable[[], tuple[Any, str]]) -> Any:
        begin = time.perf_counter()
        result, answer = work()
        self.done.append(DemoStep(name=name, asked=asked, answer=answer, seconds=time.perf_counter() - begin))
        return result


def run_demo_query(folder: Path, *, listener: Listener | None = None, workers: int = 1) -> QueryDemo:
    """Query the demo corpus, which is built first if it is missing.

    Args:
        folder: folder of the demo; `subset/` is written there.
        listener: receives the progress of the build.
        workers: threads of the simulation.

    Raises:
        LandloomError: an answer is wrong.
    """
    built = run_demo(folder, listener=listener, workers=workers)
    return ask_everything(built.build.corpus, folder / SUBSET)


def ask_everything(folder: Path, subset: Path) -> QueryDemo:
    """Run every type of query on a corpus.

    Args:
        folder: the corpus, with labels of CORINE and Sentinel-2 composites.
        subset: folder for the files of the combined query.

    Raises:
        LandloomError: a download fails verification, or the server's answer differs from the query.
    """
    steps = _Steps()
    corpus = steps.do("open", folder.name, lambda: _opened(folder))
    box, (first, second) = _western_half(corpus), _commonest(corpus)
    steps.do("box", ",".join(f"{edge:g}" for edge in box), lambda: _counted(corpus.query(region=box)))
    labels = f"{first} >= 0.5"
    halves = steps.do("labels", labels, lambda: _counted(corpus.query(where=labels)))
    both = f"most >= 0.9 AND {first} > 0.2"

    def combined() -> tuple[Selection, str]:
        own = corpus.define(most=f"{first} + {second}")
        found = own.query(region=box, relation="within", where=both, period=MONTH, products=["s2", "labels"])
        return _counted(found)

    wanted = steps.do("combined", f"{both}, within the box, in June", combined)
    steps.do("download", f"those files, to {subset.name}/", lambda: _downloaded(corpus, wanted, subset))
    steps.do("again", "again, and check every digest", lambda: _verified(corpus, wanted, subset))
    steps.do("serve", f"STAC API: {labels}", lambda: _served(folder, halves, labels))
    return QueryDemo(corpus=folder, subset=subset, steps=tuple(steps.done))


def _western_half(corpus: Corpus) -> tuple[float, ...]:
    """A box around the western half of the samples; west, south, east, north in degrees."""
    bounds = corpus.query().to_geodataframe().bounds
    edges = (
        bounds.minx.min() - 0.001,
        bounds.miny.min() - 0.001,
        bounds.maxx.median() + 0.001,
        bounds.maxy.max() + 0.001,
    )
    return tuple(round(float(edge), 4) for edge in edges)


def _commonest(corpus: Corpus) -> tuple[str, str]:
    """Label columns of the two most frequent classes of the coarsest level."""
    area = corpus.query().histogram(level=1)
    first, second, *_ = sorted(area, key=lambda name: -area[name])
    return first, second


def _opened(folder: Path) -> tuple[Corpus, str]:
    corpus = Corpus.open(folder)
    return corpus, f"{corpus.name} {corpus.version}, {counted(len(corpus), 'sample')}"


def _counted(found: Selection) -> tuple[Selection, str]:
    return found, f"{counted(len(found.ids), 'sample')}, {counted(len(found.assets), 'file')}"


def _fetched(corpus: Corpus, wanted: Selection, subset: Path) -> Any:
    files = selection_files(wanted, open_store(corpus.base.rstrip("/")))
    plan = plan_download(files, subset)
    store = open_transfer_store(corpus.base)
    done = download(plan, store, corpus=f"{corpus.name} {corpus.version}", base=corpus.base)
    if done.failed:
        raise LandloomError(f"the download is incomplete: {done.failed[0]}")
    write_licences(corpus, subset)
    return done


def _downloaded(corpus: Corpus, wanted: Selection, subset: Path) -> tuple[None, str]:
    done = _fetched(corpus, wanted, subset)
    return None, f"{counted(done.fetched, 'file')} downloaded, {done.present:,} already present"


def _verified(corpus: Corpus, wanted: Selection, subset: Path) -> tuple[None, str]:
    done, problems = _fetched(corpus, wanted, subset), verify(subset)
    if problems or done.fetched:
        raise LandloomError(f"the download fails verification: {[str(item) for item in problems] or done}")
    return None, f"0 files downloaded, {done.present:,} already present, all digests match"


def _served(folder: Path, expected: Selection, labels: str) -> tuple[None, str]:
    """Compare the result of an independent STAC client on our server with the query."""
    from pystac_client import Client

    key = next(item.key for item in expected.sidecar.info.products if item.key != "labels")
    with served("serve", folder) as address:
        client = Client.open(address)
        names = [item.id for item in client.get_collections()]
        collection = next(name for name in names if name.endswith(f"_source_{key}"))
        search = client.search(collections=[collection], filter=labels, filter_lang="cql2-text", limit=100)
        items = sorted(item.id for item in search.items())
    if items != sorted(f"{collection}_{identity}" for identity in expected.ids):
        raise LandloomError(f"the server found {len(items)} items, the query {len(expected)} samples")
    return None, f"{counted(len(items), 'item')} of {collection}, same as the query; server stopped"
