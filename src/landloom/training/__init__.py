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
    from landloom.training.datasets.module import CorpusDataModule
    from landloom.training.datasets.tables import SeriesTable, series_table
    from landloom.training.datasets.targets import Target

_HOMES = {
    "CorpusDataModule": "datasets.module",
    "CorpusDataset": "datasets.dataset",
    "SeriesTable": "datasets.tables",
    "Target": "datasets.targets",
    "collate": "datasets.collate",
    "series_table": "datasets.tables",
}
"""Public name → its module."""
_EXTRA = ("torch", "lightning", "torchmetrics")

__all__ = ["CorpusDataModule", "CorpusDataset", "SeriesTable", "Target", "collate", "series_table"]


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
