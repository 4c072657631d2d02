"""The folder of a model: what it is, its weights, how it was trained, what it predicted; read without PyTorch.

| file | what it holds |
|---|---|
| `model.json` | task, model, settings, product, bands, classes, normalisation; digests of data, splits and statistics |
| `weights.pt` or `forest.skops` | tensors alone; or trees, in types of a list |
| `history.csv` | losses of every epoch of a network |
| `checkpoint.pt` | state of a network after its last epoch |
| `predictions-SPLIT.parquet` | what it says of samples that it was not trained on; of numbers `values-SPLIT.parquet` |
| `card.md` | the same for people, with scores; written last: a model without a card is not finished |
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from landloom.errors import CorpusError, InvalidDocumentError, InvalidInputError, Problem
from landloom.store.local import LocalStore
from landloom.training.evaluation.predictions import Predictions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.training.models.table import Learner

MODEL: Final = "model.json"
WEIGHTS: Final = "weights.pt"
TREES: Final = "forest.skops"
HISTORY: Final = "history.csv"
CARD: Final = "card.md"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelClass:
    """A class that a model knows."""

    key: str
    """As in predictions: a column such as `clc_311`, or a value of a class mapping."""
    code: int
    """In rasters."""
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """Everything that decides a model, and where it comes from."""

    task: str
    """What is learnt: `lulc`, `parcels`, `dense`."""
    model: str
    """Its name in the table of models."""
    options: Mapping[str, Any]
    """Of the network or the trees."""
    settings: Mapping[str, Any]
    """How it was trained."""
    product: str
    """Key of the images."""
    bands: tuple[str, ...]
    timesteps: int
    """Of the longest series in training."""
    axis: Mapping[str, Any] | None
    """Time axis of models that count timesteps."""
    target: Mapping[str, Any]
    """Kind, label product, level, crosswalk; of numbers also unit and scale."""
    taxonomy: Mapping[str, Any]
    """Name, prefix and nodata code of the classes."""
    classes: tuple[ModelClass, ...]
    """In the order of probabilities; none for a value."""
    mean: tuple[float, ...]
    """(band,) that images were normalised by."""
    deviation: tuple[float, ...]
    corpus: Mapping[str, str]
    """Name, version, `digest` (root digest), `samples` (digest of name, version and samples), `data` (digest of those
    and of the images and labels used, which labels added later do not change)."""
    split_set: Mapping[str, Any]
    """Name, digest and proof of the split set; the splits trained and validated on."""
    statistics: str
    """Digest of the statistics of the training part."""
    seed: int
    software: str
    encoder: Mapping[str, Any] | None = None
    """Of a published encoder: name and SHA-256 of its file of weights, and which bands it sees by which."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the classes."""
        return tuple(one.key for one in self.classes)

    @property
    def scale(self) -> tuple[float, float] | None:
        """Mean and standard deviation that numbers are learnt in, of networks; None of classes and of trees."""
        found = self.target.get("scale")
        return None if found is None else (float(found[0]), float(found[1]))

    @property
    def learner(self) -> Learner:
        """How it was learnt."""
        from landloom.training.models.table import model_kind  # noqa: PLC0415 - scikit-learn is not needed to read

        return model_kind(self.model).learner

    @property
    def file(self) -> str:
        """Name of the file of its weights or trees."""
        return TREES if self.learner == "trees" else WEIGHTS

    def encoded(self) -> bytes:
        """As a JSON document."""
        return (json.dumps({"format": _FORMAT, **asdict(self)}, indent=2, sort_keys=True) + "\n").encode()

    @classmethod
    def decoded(cls, content: bytes, name: str) -> Self:
        """Read the document.

        Raises:
            InvalidDocumentError: it is none.
        """
        try:
            document = json.loads(content)
            known = document.pop("format") == _FORMAT
            rows: dict[str, Any] = {key: tuple(document.pop(key)) for key in ("bands", "mean", "deviation")}
            rows["classes"] = tuple(ModelClass(**row) for row in document.pop("classes"))
            found = cls(**rows, **document)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidDocumentError(name, [Problem(where="", what=f"is no model of landloom: {error}")]) from error
        if not known:
            raise InvalidDocumentError(name, [Problem(where="format", what=f"expected {_FORMAT}")])
        return found


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder with a model, or for one."""

    path: Path

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """An existing model.

        Raises:
            CorpusError: there is none.
        """
        found = cls(Path(path))
        if not (found.path / MODEL).is_file():
            raise CorpusError(f"{path}: is no model: there is no {MODEL}; landloom train makes one")
        return found

    def description(self) -> ModelDescription:
        """What it is.

        Raises:
            InvalidDocumentError: it cannot be read.
        """
        return ModelDescription.decoded((self.path / MODEL).read_bytes(), str(self.path / MODEL))

    @property
    def is_finished(self) -> bool:
        """Whether it was trained to the end."""
        return (self.path / CARD).is_file()

    def begin(self, wanted: ModelDescription) -> None:
        """Start a model, or go on with the same one.

        Raises:
            CorpusError: another model is there; what differs is named.
        """
        if (self.path / MODEL).is_file():
            there = self.description()
            differ = [one.name for one in fields(there) if one.name != "software"]
            differ = [name for name in differ if _plain(getattr(there, name)) != _plain(getattr(wanted, name))]
            if differ:
                raise CorpusError(
                    f"{self.path}: has a model with another {_told(differ[0], there, wanted)}; "
                    "train into another folder, or remove this one"
                )
            return
        if self.path.exists() and any(self.path.iterdir()):
            raise CorpusError(f"{self.path}: has files of something else; train into another folder")
        self.path.mkdir(parents=True, exist_ok=True)
        self.put(MODEL, wanted.encoded())

    def put(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all."""
        LocalStore(self.path).put(name, content)

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises:
            CorpusError: it is missing: the model was not trained to the end.
        """
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError as error:
            raise CorpusError(f"{self.path}: has no {name}: the model was not trained to the end") from error

    def splits(self) -> tuple[str, ...]:
        """Splits with predictions."""
        names = (one.stem.removeprefix("predictions-") for one in self.path.glob("predictions-*.parquet"))
        return tuple(sorted(names))

    def predictions(self, split: str) -> Predictions:
        """What it predicted for a split.

        Raises:
            InvalidInputError: nothing.
        """
        if split not in self.splits():
            told = ", ".join(self.splits()) or "none"
            raise InvalidInputError(f"{self.path}: got split {split!r}, expected one with predictions: {told}")
        name = f"predictions-{split}.parquet"
        return Predictions.decoded(self.read(name), str(self.path / name))


def encode_history(rows: Sequence[Mapping[str, float]]) -> bytes:
    r"""Losses of every epoch as CSV.

    Example:
        >>> encode_history([{"epoch": 0.0, "train_loss": 0.5, "val_loss": 0.75, "rate": 0.001}])
        b'epoch,train_loss,val_loss,rate\n0,0.5,0.75,0.001\n'
    """
    names = ("train_loss", "val_loss", "rate")
    lines = [",".join(("epoch", *names))]
    lines += [",".join([str(int(row["epoch"])), *(repr(row[name]) for name in names)]) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def _plain(value: Any) -> Any:
    """A value as JSON has it; without what changes when labels are added to a corpus, or a file gets another name."""
    if isinstance(value, tuple) and value and isinstance(value[0], ModelClass):
        value = [asdict(one) for one in value]
    found = json.loads(json.dumps(value))
    if isinstance(found, dict) and "data" in found:
        del found["digest"]
    if isinstance(found, dict) and "sha256" in found:
        del found["file"]
    return found


def _told(name: str, there: ModelDescription, wanted: ModelDescription) -> str:
    """Name of what differs, with both values where they are short."""
    got, expected = _plain(getattr(there, name)), _plain(getattr(wanted, name))
    if isinstance(got, dict) and isinstance(expected, dict):
        key = next(key for key in sorted({*got, *expected}) if got.get(key) != expected.get(key))
        name, got, expected = f"{name}: {key}", got.get(key), expected.get(key)
    texts = (str(got), str(expected))
    return name if max(map(len, texts)) > 70 else f"{name} ({texts[0]}, not {texts[1]})"
