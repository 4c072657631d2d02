"""A corpus of four samples for examples and tests; its index is built in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.query.index.draft import Draft, finish
from landloom.query.index.rapidai4eo import published_info

if TYPE_CHECKING:
    from landloom.query.corpus import Corpus


def example_corpus() -> Corpus:
    """Three samples west of Berlin and one in Finland, with CORINE labels.

    Example:
        >>> example_corpus().query().ids[-1]
        '35N_19E-292N_23_31'
    """
    from landloom.model.taxonomy import taxonomy
    from landloom.query.corpus import Corpus
    from landloom.query.index.geoparquet import label_groups

    columns = ["clc_112", "clc_311", "clc_312", "clc_412"]
    labels = [([2], [1_000_000]), ([0, 1], [1_000_000, 600_000]), ([1], [400_000]), ([3], [1_000_000])]
    ids = ["33N_16E-243N_29_01", "33N_16E-243N_29_02", "33N_16E-243N_30_02", "35N_19E-292N_23_31"]
    draft = Draft(
        info=published_info("example"),
        columns=columns,
        groups=label_groups(taxonomy("clc"), columns),
        tiles=["33N_16E-243N", "35N_19E-292N"],
        tile=np.array([0, 0, 0, 1], dtype=np.int32),
        epsg=np.array([32633, 32633, 32633, 32635], dtype=np.int32),
        ids=np.array(ids, dtype="S"),
        labels=[(np.array(rows), np.array(values)) for rows, values in labels],
        words={"stratum": (np.array([1, 1, 1, 2]), ["DE", "FI"]), "split": (np.array([1, 2, 0, 1]), ["train", "test"])},
        patterns={},
    )
    return Corpus(sidecar=finish(draft), base="https://example.org/corpus/")
