"""How predictions are made and published, and what comes of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from landloom.model.recipe import Terms
from landloom.training.models.table import model_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.model.grid import Grid
    from landloom.publication.raster_labels import RasterVersion
    from landloom.training.fit.folder import ModelDescription

NAME: Final = "prediction"
"""Start of the keys of all products of predictions, by default."""
LICENCE: Final = "CC-BY-4.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictOptions:
    """How predictions are made and published."""

    name: str | None = None
    """Of the label product; by default `prediction`, of dates of changes `change`."""
    split_set: str | None = None
    split: str | None = None
    """Only samples of this split."""
    accelerator: str = "cpu"
    """Where networks compute: `cpu`, `gpu`, or `auto` for a graphics card if there is one."""
    elsewhere: bool = False
    """Whether the model may be used on another corpus than the one that it was trained on."""
    licence: str = LICENCE
    attribution: str | None = None
    """By default the model and its corpus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictReport:
    """Result of predicting."""

    product: str
    """Key of the class shares, the numbers, or the dates."""
    rasters: tuple[str, ...]
    """Keys of the layers beside it; none of models of whole samples."""
    version: str
    samples: int
    """Samples with a prediction."""
    left_out: Mapping[str, str]
    """Samples without one, and why."""
    added: bool
    """False if the corpus has the same predictions already."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class Maps(Protocol):
    """Label products of one kind of prediction, and the files of samples."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Ends of the keys of the rasters beside the main product."""

    @property
    def products(self) -> tuple[ProductInfo, ...]:
        """The main product, and the rasters beside it."""

    def fractions(self, one: Any) -> Sequence[int] | None:
        """Millionths of the classes of a sample; None if the products are rasters alone."""

    def rasters(self, one: Any, grid: Grid) -> dict[str, bytes]:
        """Key of a raster → GeoTIFF of a sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version of predictions in a corpus, and the model that they are of."""

    own: ModelDescription
    info: CorpusInfo
    version: RasterVersion
    wanted: PredictOptions

    @property
    def title(self) -> str:
        """Of the model."""
        return f"{model_kind(self.own.model).title}, seed {self.own.seed}"

    @property
    def images(self) -> ProductInfo:
        """What the model sees."""
        return self.info.product(self.own.product)

    @property
    def resolution(self) -> float:
        """Of the images, in metres."""
        return float(self.images.product.resolution or 10)

    @property
    def terms(self) -> Terms:
        """Licence and attribution of the predictions."""
        trained = f"{self.title}, trained on {self.own.corpus['name']} {self.own.corpus['version']}"
        return Terms(licence=self.wanted.licence, attribution=self.wanted.attribution or trained)
