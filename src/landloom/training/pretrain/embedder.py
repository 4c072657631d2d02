"""What makes embeddings of series: an encoder that was pretrained here, or a published one in the folder of a probe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from landloom.errors import CorpusError
from landloom.training.fit.batches import LabelledSeries
from landloom.training.fit.folder import MODEL, ModelFolder
from landloom.training.fit.probes import EncoderProbe
from landloom.training.models.table import MODELS, model_kind
from landloom.training.pretrain.folder import MASKED, is_pretrained, open_encoder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.training.fit.encoders import SeriesEncoder
    from landloom.training.pretrain.learn import Pretrained, UnlabelledSeries


class _Embeds(Protocol):
    def __call__(self, series: UnlabelledSeries, place: NDArray[np.float64]) -> NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embedder:
    """An encoder that is ready."""

    title: str
    """For people."""
    product: str
    """Key of the images."""
    bands: tuple[str, ...]
    embed: _Embeds
    """Series, and (row, 2) latitude and longitude in degrees → (row, number) embeddings; NaN for a series without any
    valid timestep."""
    lineage: Mapping[str, Any]
    """What the encoder is, as embeddings cite it."""


def open_embedder(folder: str | Path) -> Embedder:
    """Read an encoder, or that of a linear probe.

    Raises:
        CorpusError: there is none, or it was not trained to the end.
        InvalidDocumentError: its description cannot be read.
        InvalidInputError: weights that are no tensors alone, or of another network.
    """
    path = Path(folder)
    if not (path / MODEL).is_file() or is_pretrained(path):
        return _pretrained(path)
    found = ModelFolder(path)
    own = found.description()
    if own.learner != "probe":
        known = ", ".join(name for name, kind in MODELS.items() if kind.learner == "probe")
        raise CorpusError(f"{folder}: is a model {own.model}, which has no embeddings; expected {MASKED}, {known}")
    found.read(own.file)
    encoder = EncoderProbe.read(own, path / own.file).encoder
    kind, cited = model_kind(own.model), dict(own.encoder or {})
    return Embedder(
        title=kind.title.removeprefix("Linear probe on "),
        product=own.product,
        bands=own.bands,
        embed=_Published(encoder),
        lineage={
            "digest": cited["sha256"],
            "name": own.model,
            "paper": kind.paper,
            "licence": kind.licence,
            "bands": cited["bands"],
        },
    )


def _pretrained(path: Path) -> Embedder:
    found = open_encoder(path)
    own = found.description
    return Embedder(
        title="an encoder that was pretrained on masked series",
        product=own.product,
        bands=own.bands,
        embed=_Own(found.pretrained),
        lineage={
            "digest": found.digest,
            "task": own.task,
            "settings": dict(own.settings),
            "corpus": dict(own.corpus),
            "draw": dict(own.draw),
        },
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    pretrained: Pretrained

    def __call__(self, series: UnlabelledSeries, place: NDArray[np.float64]) -> NDArray[np.float32]:
        """Embeddings; this encoder does not ask where."""
        del place
        return self.pretrained.embed(series)


@dataclass(frozen=True, slots=True, eq=False)
class _Published:
    encoder: SeriesEncoder

    def __call__(self, series: UnlabelledSeries, place: NDArray[np.float64]) -> NDArray[np.float32]:
        """Embeddings."""
        count = len(series)
        table = LabelledSeries(
            id=np.array([f"series {number}" for number in range(count)]),
            sample=np.arange(count),
            image=series.image,
            dates=series.dates,
            valid=series.valid,
            target=np.full(count, -1),
            weight=np.zeros(count, np.float32),
            place=place,
        )
        found = self.encoder.embed(table)
        found[~series.valid.any(axis=1)] = np.nan
        return found
