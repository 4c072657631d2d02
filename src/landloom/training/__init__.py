"""What models are trained with; the only package that may import torch.

The public names are loaded on first use. Those that need PyTorch name the extra `training` where it is missing.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from landloom.errors import MissingExtraError

if TYPE_CHECKING:
    from landloom.training.datasets.collate import collate
    from landloom.training.datasets.dataset import CorpusDataset
    from landloom.training.datasets.dynamicearthnet import DynamicEarthNet
    from landloom.training.datasets.module import CorpusDataModule
    from landloom.training.datasets.tables import SeriesTable, series_table
    from landloom.training.datasets.targets import Target
    from landloom.training.datasets.torchgeo import torchgeo_collate
    from landloom.training.evaluation.leaderboard import Leaderboard
    from landloom.training.evaluation.predictions import Predictions
    from landloom.training.evaluation.scores import ModelScores
    from landloom.training.fit.folder import ModelFolder
    from landloom.training.fit.trained import Trained
    from landloom.training.losses import LossSettings, class_loss, value_loss
    from landloom.training.models.ltae import LTAE
    from landloom.training.models.tempcnn import TempCNN
    from landloom.training.models.utae import UTAE
    from landloom.training.noise.confident import LabelNoise

_HOMES = {
    "CorpusDataModule": "datasets.module",
    "CorpusDataset": "datasets.dataset",
    "DynamicEarthNet": "datasets.dynamicearthnet",
    "LTAE": "models.ltae",
    "LabelNoise": "noise.confident",
    "Leaderboard": "evaluation.leaderboard",
    "LossSettings": "losses",
    "ModelFolder": "fit.folder",
    "ModelScores": "evaluation.scores",
    "Predictions": "evaluation.predictions",
    "SeriesTable": "datasets.tables",
    "Target": "datasets.targets",
    "TempCNN": "models.tempcnn",
    "Trained": "fit.trained",
    "UTAE": "models.utae",
    "class_loss": "losses",
    "collate": "datasets.collate",
    "series_table": "datasets.tables",
    "torchgeo_collate": "datasets.torchgeo",
    "value_loss": "losses",
}
"""Public name → its module."""
_EXTRA = ("torch", "lightning", "torchmetrics")

__all__ = [
    "LTAE",
    "UTAE",
    "CorpusDataModule",
    "CorpusDataset",
    "DynamicEarthNet",
    "LabelNoise",
    "Leaderboard",
    "LossSettings",
    "ModelFolder",
    "ModelScores",
    "Predictions",
    "SeriesTable",
    "Target",
    "TempCNN",
    "Trained",
    "class_loss",
    "collate",
    "series_table",
    "torchgeo_collate",
    "value_loss",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'landloom.training' has no attribute {name!r}")
    try:
        value = getattr(import_module(f"landloom.training.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if str(error.name).split(".", maxsplit=1)[0] not in _EXTRA:
            raise
        raise MissingExtraError.of("training", name) from error
    globals()[name] = value
    return value


def require_training(purpose: str) -> None:
    """See that the extra is installed, before anything is read.

    Raises:
        MissingExtraError: it is not.
    """
    if find_spec("torch") is None:
        raise MissingExtraError.of("training", purpose)


def __dir__() -> list[str]:
    return sorted(__all__)
