"""What a sidecar says beside its arrays comes back from its file, and describes the corpus once."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from landloom.query.example import example_corpus
from landloom.query.index.sidecar_meta import SidecarMeta, SourceState

META = example_corpus().sidecar.meta
STATE = SourceState(key=("/a", "extra"), stamps=((1, 2, 3),), sha256=("00",))


@pytest.mark.parametrize("meta", [META, replace(META, source=STATE, decimals=5)])
def test_it_comes_back_from_its_file(meta: SidecarMeta) -> None:
    assert SidecarMeta.of(json.loads(json.dumps(asdict(meta)))) == meta


def test_name_version_and_products_are_those_of_its_corpus_json() -> None:
    info = example_corpus().info
    assert (META.name, META.version) == (info.name, info.version)
    assert META.products == tuple(item.key for item in info.products)
    other = replace(META, corpus=META.corpus.replace('"example"', '"other"', 1))
    assert (other.name, other.version) == ("other", META.version)


@pytest.mark.parametrize(("change", "error"), [({"unknown": 1}, TypeError), ({"columns": None}, TypeError)])
def test_other_values_are_refused(change: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        SidecarMeta.of(json.loads(json.dumps(asdict(META))) | change)
