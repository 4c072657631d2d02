"""The folder of a pretrained encoder: `model.json`, `weights.pt`, `history.csv`, and `card.md`, which comes last."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from landloom.errors import CorpusError, InvalidDocumentError, Problem
from landloom.store.local import LocalStore
from landloom.training.fit.folder import CARD, HISTORY, MODEL, WEIGHTS, encode_history
from landloom.training.fit.weights import encode_weights, load_weights
from landloom.training.pretrain.encoder import SeriesAutoencoder
from landloom.training.pretrain.learn import Pretrained, Scale

if TYPE_CHECKING:
    from collections.abc import Mapping

TASK: Final = "pretrain"
MASKED: Final = "masked"
"""Name of the model."""
_FORMAT: Final = 1
_METHOD: Final = "masked-series autoencoding, after He et al. 2022 (MAE) and Tseng et al. 2023 (Presto)"


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderDescription:
    """Everything that decides an encoder, and where it comes from."""

    product: str
    """Key of the images."""
    bands: tuple[str, ...]
    unit: str
    """What a series is of: `pixel` or `sample`."""
    settings: Mapping[str, Any]
    """Of network, mask and training."""
    draw: Mapping[str, Any]
    """Split set with its digest, labelled splits, and the proof of the distance."""
    corpus: Mapping[str, str]
    """Name, version, root digest."""
    scale: Mapping[str, Any]
    """Mean, deviation and noise of each band."""
    software: str
    task: str = TASK
    model: str = MASKED

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
            known = document.pop("format") == _FORMAT and document["task"] == TASK
            found = cls(**document | {"bands": tuple(document["bands"])})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidDocumentError(name, [Problem(where="", what=f"is no encoder of landloom: {error}")]) from error
        if not known:
            raise InvalidDocumentError(name, [Problem(where="task", what=f"expected {TASK!r} in format {_FORMAT}")])
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedEncoder:
    """An encoder read from its folder."""

    description: EncoderDescription
    pretrained: Pretrained
    digest: str
    """SHA-256 of description and weights: what embeddings cite."""


def write_encoder(folder: Path, description: EncoderDescription, trained: Pretrained) -> None:
    """Write an encoder that was trained to the end; the card comes last."""
    store = LocalStore(folder)
    store.put(MODEL, description.encoded())
    store.put(WEIGHTS, encode_weights(trained.network.state_dict()))
    store.put(HISTORY, encode_history(trained.history))
    store.put(CARD, _card(description, trained).encode())


def open_encoder(folder: str | Path) -> OpenedEncoder:
    """Read an encoder.

    Raises:
        CorpusError: there is none, or it was not trained to the end.
        InvalidDocumentError: its description cannot be read.
        InvalidInputError: weights that are no tensors alone, or of another network.
    """
    path = Path(folder)
    if not (path / MODEL).is_file() or not (path / CARD).is_file():
        raise CorpusError(f"{folder}: is no encoder that was trained to the end: landloom train --task pretrain")
    content = (path / MODEL).read_bytes()
    description = EncoderDescription.decoded(content, str(path / MODEL))
    network = SeriesAutoencoder(len(description.bands), **description.settings["options"])
    load_weights(network, path / WEIGHTS)
    scale = Scale(**{name: tuple(values) for name, values in description.scale.items()})
    digest = hashlib.sha256(content + (path / WEIGHTS).read_bytes()).hexdigest()
    return OpenedEncoder(
        description=description, pretrained=Pretrained(network=network, scale=scale, history=()), digest=digest
    )


def is_pretrained(folder: Path) -> bool:
    """Whether the description there is one of an encoder, whole or not; not of another model."""
    try:
        document = json.loads((folder / MODEL).read_bytes())
    except ValueError:
        return True
    return not isinstance(document, dict) or document.get("task", TASK) == TASK


def is_finished(folder: Path) -> bool:
    """Whether there is an encoder that was trained to the end."""
    return (folder / CARD).is_file()


def settings_digest(description: EncoderDescription) -> str:
    """Digest of what decides an encoder, its scale and the program apart."""
    values = {name: one for name, one in asdict(description).items() if name not in ("scale", "software")}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _card(own: EncoderDescription, trained: Pretrained) -> str:
    proof = own.draw["proof"]
    best = min((row["val_loss"] for row in trained.history), default=float("nan"))
    rows = {
        "corpus": f"{own.corpus['name']} {own.corpus['version']}, digest `{own.corpus['digest'] or 'none'}`",
        "images": f"`{own.product}`, bands {', '.join(own.bands)}; a series of each {own.unit}",
        "samples drawn": f"{proof['drawn']:,}, {proof['distance']:,.0f} m or more from {proof['labelled']:,} labelled",
        "proof": f"{proof['pairs']:,} pairs measured, {proof['violations']} nearer; nearest {proof['nearest']:,.1f} m",
        "epochs": len(trained.history),
        "loss of hidden timesteps": f"{best:.3f} (Huber, in units of the noise)",
        "noise of each band": ", ".join(f"{value:.4g}" for value in trained.scale.noise),
        "embedding": f"{trained.network.out.out_features} numbers",
    }
    lines = [
        "# Encoder of series, pretrained without labels",
        "",
        f"Made by {own.software}. Method: {_METHOD}.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
    ]
    return "\n".join(lines) + "\n"
