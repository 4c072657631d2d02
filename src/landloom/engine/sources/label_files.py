"""The published class fractions of samples: a GeoJSON Feature each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.corpus.documents import label_geojson
from landloom.corpus.footprints import DECIMALS, json_geometry, rings
from landloom.corpus.manifest import FileEntry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.layout import Layout
    from landloom.model.product import Product
    from landloom.model.sample import Sample
    from landloom.store.protocol import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFiles:
    """The published label of each sample: a GeoJSON Feature."""

    layout: Layout
    """Keys of the corpus."""
    product: Product
    """Its prefix begins the file names: `labels`."""
    columns: tuple[str, ...]
    """Names of the properties, in the order of the taxonomy's codes."""
    samples: tuple[Sample, ...]
    """In the order of the cells."""

    def write(self, store: Store, millionths: NDArray[np.int64]) -> list[FileEntry]:
        """Write a file for every sample."""
        epsg = np.array([sample.epsg for sample in self.samples], np.int32)
        outlines = rings(epsg, np.array([sample.bounds for sample in self.samples], np.float64))
        files = []
        for sample, ring, row in zip(self.samples, np.round(outlines, DECIMALS), millionths, strict=True):
            key = self.layout.label(sample.id, self.product.prefix)
            data = label_geojson(sample.id, json_geometry(ring), self.columns, row.tolist())
            store.put(key, data)
            files.append(FileEntry.of(key, data))
        return files
