"""The table of models: what each eats, and how it is made from its settings."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.models.trees import BOOSTING, FOREST

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

Eats = Literal["series", "images"]
Learner = Literal["network", "trees", "probe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelKind:
    """A model that can be trained."""

    name: str
    title: str
    eats: Eats
    """`series`: of pixels, parcels or sample means; `images`: whole image series."""
    paper: str
    learner: Learner = "network"
    """`network` is trained by epochs; `probe` is a published encoder that stays as it is, with a linear classifier."""
    file: str = ""
    """Where the weights of a published encoder can be had, by hand."""
    licence: str = ""
    """SPDX id of those weights' licence."""
    is_regular: bool = False
    """Whether it counts timesteps, and so needs the same time axis for all series."""
    dated: bool = False
    """Whether it says something of every timestep, not of the series: when it changes."""

    @property
    def is_network(self) -> bool:
        """Whether it is trained by epochs."""
        return self.learner == "network"


MODELS: Final[dict[str, ModelKind]] = {
    one.name: one
    for one in (
        ModelKind(
            name=FOREST,
            title="Random forest",
            eats="series",
            paper="Breiman 2001, Random Forests",
            learner="trees",
            is_regular=True,
        ),
        ModelKind(
            name=BOOSTING,
            title="Gradient boosting",
            eats="series",
            paper="Ke et al. 2017, LightGBM; scikit-learn's HistGradientBoosting",
            learner="trees",
            is_regular=True,
        ),
        ModelKind(
            name="tempcnn", title="TempCNN", eats="series", paper="Pelletier et al. 2019, 1811.10166", is_regular=True
        ),
        ModelKind(name="ltae", title="L-TAE", eats="series", paper="Garnot and Landrieu 2020, 2007.00586"),
        ModelKind(
            name="tcn",
            title="Temporal convolutional network",
            eats="series",
            paper="Bai et al. 2018, 1803.01271",
            dated=True,
        ),
        ModelKind(name="utae", title="U-TAE", eats="images", paper="Garnot and Landrieu 2021, 2107.07933"),
        ModelKind(
            name="presto",
            title="Linear probe on Presto",
            eats="series",
            paper="Tseng et al. 2023, 2304.14065",
            learner="probe",
            file="data/default_model.pt of github.com/nasaharvest/presto",
            licence="MIT",
        ),
        ModelKind(
            name="galileo-nano",
            title="Linear probe on Galileo-nano",
            eats="series",
            paper="Tseng et al. 2025, 2502.09356",
            learner="probe",
            file="data/models/nano/encoder.pt of github.com/nasaharvest/galileo",
            licence="MIT",
        ),
    )
}
"""Name → model."""


def model_kind(name: str) -> ModelKind:
    """A model of the table.

    Raises:
        NotFoundError: there is none by that name.
    """
    if name not in MODELS:
        raise NotFoundError.of("model", name, MODELS)
    return MODELS[name]


def make_network(name: str, *, bands: int, outputs: int, timesteps: int, options: Mapping[str, Any]) -> torch.nn.Module:
    """An untrained network; its first weights are drawn from PyTorch's generator.

    Args:
        name: of the model.
        bands: of an image.
        outputs: classes; 1 for a value.
        timesteps: of the longest series, for models that count them.
        options: keyword arguments of the network.

    Raises:
        InvalidInputError: an unknown option, or options that do not fit each other.
        NotFoundError: no such network.

    Example:
        >>> network = make_network("ltae", bands=4, outputs=3, timesteps=12, options={"heads": 4, "width": 32})
        >>> type(network).__name__
        'LTAE'
    """
    from landloom.training.models.ltae import LTAE  # noqa: PLC0415 - the table is read without PyTorch
    from landloom.training.models.tcn import TCN  # noqa: PLC0415 - the same
    from landloom.training.models.tempcnn import TempCNN  # noqa: PLC0415 - the same
    from landloom.training.models.utae import UTAE  # noqa: PLC0415 - the same

    kinds: dict[str, type[torch.nn.Module]] = {"ltae": LTAE, "tcn": TCN, "tempcnn": TempCNN, "utae": UTAE}
    if name not in kinds:
        raise NotFoundError.of("network", name, kinds)
    kind = kinds[name]
    known = [one.name for one in inspect.signature(kind).parameters.values() if one.kind is one.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise InvalidInputError(f"{name}: got the option {unknown[0]!r}, expected some of {', '.join(known)}")
    fixed = {"timesteps": timesteps} if model_kind(name).is_regular else {}
    return kind(bands=bands, classes=outputs, **fixed, **options)
