"""A corpus with two label products, for the explorer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.server.conftest import served

from landloom.corpus.documents import corpus_json
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.model.ids import SampleId
from landloom.model.product import product
from landloom.model.recipe import Publication, Terms
from landloom.model.sample import Sample
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Cadence, Period
from landloom.query.index.synthetic import synthetic_samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server.conftest import Served


@pytest.fixture(scope="session")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """40 samples that two label products of one taxonomy speak of: where one sees water, the other sees forest."""
    folder = tmp_path_factory.mktemp("twice") / "corpus"
    made = synthetic_samples(40, 2, seed=12)
    samples = [Sample.of_utm24(SampleId.parse(name)) for name in made.ids]
    terms, codes = Terms(licence="CC0-1.0", attribution="nobody"), taxonomy("clc")
    steps = Cadence.parse("month").timesteps(Period.parse("2018-01-01", "2018-03-01"))
    shares = {key: np.zeros((len(samples), len(codes.columns())), np.int64) for key in ("labels", "labels-2024")}
    for row in range(len(samples)):
        for key, name in (("labels", "clc_512"), ("labels-2024", "clc_311" if row % 4 else "clc_512")):
            shares[key][row, codes.columns().index(name)] = 1_000_000
    info = CorpusInfo(
        name="twice",
        version="1.0",
        scheme="utm24",
        publication=Publication(title="Twice", description="For tests.", authors=("Author, A.",)),
        products=(
            ProductInfo(product=product("s2"), terms=terms, timesteps=steps),
            *(
                ProductInfo(
                    product=replace(product("labels"), key=key, prefix=key, title=title), terms=terms, taxonomy=codes
                )
                for key, title in (("labels", "CORINE 2018"), ("labels-2024", "Forests 2024"))
            ),
        ),
    )
    exists = {key: np.ones((len(samples), 1), bool) for key in shares}
    exists["s2"] = np.zeros((len(samples), len(steps)), bool)
    table = index_table(info, SampleTable.of(samples), shares, exists)
    for key, content in {"index/samples.parquet": index_bytes(table), "corpus.json": corpus_json(info)}.items():
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)
    with served(folder, exists) as found:
        yield found
