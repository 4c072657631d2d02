"""Pretrain an encoder on the samples of a corpus that lie far from all labelled ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from landloom.corpus.info import software
from landloom.corpus.root import root_of
from landloom.engine.run import Silent
from landloom.errors import CorpusError, InvalidInputError
from landloom.query.corpus import Corpus
from landloom.query.split_sets import read_split_set
from landloom.store.open import open_store
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.pretrain.draw import draw_distant
from landloom.training.pretrain.folder import EncoderDescription, settings_digest, write_encoder
from landloom.training.pretrain.learn import PretrainSettings, pretrain
from landloom.training.pretrain.reading import read_series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.engine.run import Listener
    from landloom.query.selection import Selection
    from landloom.training.pretrain.draw import DrawProof
    from landloom.training.pretrain.reading import Unit

FREE: Final = "pretrain"
"""Split that is for pretraining, if a split set has it."""
_STARTED: Final = "pretraining.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainOptions:
    """What an encoder is pretrained on."""

    split_set: str
    """Split set that says which samples have labels that are used."""
    labelled: tuple[str, ...] = ()
    """Its splits whose labels are used; by default all but `pretrain`."""
    distance: float = 3_000.0
    """Least metres from every sample of those splits."""
    product: str | None = None
    """Key of the images; by default the only ones."""
    bands: tuple[str, ...] | None = None
    unit: Unit = "pixel"
    """What a series is of."""
    pixels: int = 64
    """Most pixels of a sample."""
    count: int | None = None
    """Most samples; by default all that are far enough."""
    settings: PretrainSettings = field(default_factory=PretrainSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainReport:
    """Result of pretraining."""

    folder: str
    series: int
    """Series that it learnt from."""
    epochs: int
    loss: float
    """Of hidden timesteps in noise units, on series that were held out."""
    proof: DrawProof
    left_out: Mapping[str, str]
    """Samples without images → why."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def pretrain_corpus(
    corpus: str, out: str | Path, options: PretrainOptions, *, listener: Listener | None = None
) -> PretrainReport:
    """Pretrain an encoder on samples of a corpus that are far from all labelled ones.

    The same call goes on where a killed one stopped, with the same result.

    Args:
        corpus: folder or address.
        out: folder of the encoder.
        options: what on.
        listener: receives progress.

    Raises:
        CorpusError: the folder has another encoder.
        InvalidInputError: no sample is far enough, or there is nothing to learn from.
        NotFoundError: no such corpus, split set, product or band.
    """
    shown, folder, opened = listener or Silent(), Path(out), Corpus.open(corpus)
    free, draw, proof = _drawn(opened, options)
    dataset = CorpusDataset(free, options.product, bands=options.bands, missing="drop", seed=options.settings.fit.seed)
    product = dataset.products[0]
    shown.started("reading", len(dataset))
    series = read_series(
        dataset,
        options.unit,
        pixels=options.pixels,
        seed=options.settings.fit.seed,
        done=lambda name: shown.advanced(name, None),
    )
    root = root_of(open_store(opened.base.rstrip("/")))
    wanted = EncoderDescription(
        product=product,
        bands=dataset.bands[product],
        unit=options.unit,
        settings=options.settings.document() | {"pixels": options.pixels},
        draw=draw | {"proof": proof.document()},
        corpus={"name": opened.name, "version": opened.version, "digest": "" if root is None else root.digest},
        scale={},
        software=software(),
    )
    _begin(folder, wanted)
    shown.started("pretraining", options.settings.fit.epochs)
    trained = pretrain(
        series, options.settings, folder, lambda row: shown.advanced(f"loss {row['val_loss']:.3f}", None)
    )
    write_encoder(folder, replace(wanted, scale=trained.scale.document()), trained)
    return PretrainReport(
        folder=str(folder),
        series=len(series),
        epochs=len(trained.history),
        loss=min(row["val_loss"] for row in trained.history),
        proof=proof,
        left_out=dict(dataset.left_out),
    )


def _drawn(opened: Corpus, options: PretrainOptions) -> tuple[Selection, dict[str, Any], DrawProof]:
    """Samples that are far from labelled ones, how they were drawn, and the proof."""
    found = read_split_set(opened.base, options.split_set)
    names = options.labelled or tuple(name for name in found.names if name != FREE)
    labelled = opened.query(split=names, split_set=options.split_set)
    try:
        rows, proof = draw_distant(
            opened.sidecar, labelled.rows, options.distance, count=options.count, seed=options.settings.fit.seed
        )
    except InvalidInputError as error:
        raise InvalidInputError(
            f"split set {options.split_set}: {error}; a split for pretraining keeps some free: "
            f"landloom split --shares {FREE}=.5,train=.3,test=.2"
        ) from error
    free = opened.select(opened.sidecar.texts(rows))
    draw = {"split_set": options.split_set, "digest": found.digest, "labelled": list(names)}
    return free, draw, proof


def _begin(folder: Path, wanted: EncoderDescription) -> None:
    """Start in an empty folder, or go on with the same encoder."""
    folder.mkdir(parents=True, exist_ok=True)
    there, digest = folder / _STARTED, settings_digest(wanted)
    if there.is_file():
        if orjson.loads(there.read_bytes()).get("digest") != digest:
            raise CorpusError(
                f"{folder}: has an encoder with other settings or of other samples; choose another folder"
            )
        return
    if any(folder.iterdir()):
        raise CorpusError(f"{folder}: has files of something else; choose another folder")
    there.write_bytes(orjson.dumps({"digest": digest}))
