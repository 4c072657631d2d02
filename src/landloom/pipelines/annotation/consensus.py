"""From the ledger of a campaign to one label for every pixel: consensus, its layers in the corpus, its report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.consensus.methods import METHODS
from landloom.corpus.info import software
from landloom.model.recipe import Terms
from landloom.model.taxonomy import taxonomies, taxonomy
from landloom.pipelines.annotation.campaign_answers import CampaignAnswers
from landloom.pipelines.annotation.report import write_report
from landloom.products.consensus.layers import NAME, LayerNames, chip_layers, layer_products
from landloom.publication.raster_labels import (
    AddedRasters,
    RasterVersion,
    add_rasters,
    next_version,
    require_local,
    same_lineage,
)
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.annotate.consensus.result import Consensus
    from landloom.annotate.tasks.values import Campaign
    from landloom.corpus.info import ProductInfo
    from landloom.model.taxonomy import Taxonomy

LICENCE: Final = "CC-BY-4.0"
"""Licence of the labels by default, as LandCoverNet's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusReport:
    """Result of a consensus."""

    campaign: str
    method: str
    tasks: int
    pixels: int
    """Pixels labelled."""
    annotators: int
    accuracy: float | None
    """On reference tasks, cross-fitted."""
    ece: float | None
    """Calibration error there."""
    product: str | None
    """Key of the product in the corpus; None if it was not written there."""
    version: str | None
    added: bool
    """False if the corpus has the same labels already, or they were written elsewhere."""
    files: tuple[str, ...]
    """Files written outside of the corpus."""
    page: str
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsensusOptions:
    """How a consensus is made and published."""

    method: str = METHODS[0]
    licence: str = LICENCE
    attribution: str | None = None
    """By default the annotators of the campaign."""
    out: Path | None = None
    """Folder for the rasters instead of the corpus."""


def run_consensus(folder: str | Path, options: ConsensusOptions | None = None) -> ConsensusReport:
    """Compute the consensus of a campaign and write it into its corpus as a new label version.

    The same answers by the same method are not written again. The report is `consensus.html` in the campaign's folder.

    Args:
        folder: of the campaign.
        options: method and terms.

    Raises:
        CorpusError: there is no campaign, or its corpus is not on a local disk and no other folder is given.
        InvalidInputError: nobody has answered yet.
        NotFoundError: no such method.
    """
    wanted = options or ConsensusOptions()
    own = CampaignAnswers.read(folder)
    corpus = own.folder.corpus
    if wanted.out is None:
        require_local(corpus)
    found = consensus(own.answers, own.campaign.codes, wanted.method)
    files: tuple[str, ...] = ()
    version, added = None, False
    if wanted.out is None:
        version, added = _into_corpus(corpus, own, found, wanted)
    else:
        files = _into_folder(wanted.out, own, found, wanted)
    page = write_report(Path(folder), own, found)
    if added or files:
        _record(own, found)
    return _report(own, found, version, added=added, files=files, page=page)


def lineage(own: CampaignAnswers, found: Consensus) -> bytes:
    """Where the labels come from, as JSON: answers (by digest), method, its parameters, quality and notes."""
    document = {
        "campaign": own.campaign.name,
        "taxonomy": own.campaign.taxonomy,
        "taxonomy_version": own.campaign.taxonomy_version,
        "answers": {"tasks": len(own.tasks), "sha256": own.digest},
        "chips": {chip: len(tasks) for chip, tasks in sorted(own.chips.items())},
        "consensus": found.document() | {"notes": list(own.notes(found))},
        "software": software(),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def own_taxonomy(campaign: Campaign) -> Taxonomy | None:
    """The taxonomy whose codes the labels are; None where codes were made up for the campaign."""
    if campaign.taxonomy not in taxonomies():
        return None
    found = taxonomy(campaign.taxonomy)
    codes = set(found.codes())
    return found if all(one.key == str(one.code) and one.key in codes for one in campaign.classes) else None


def _products(own: CampaignAnswers, names: LayerNames, wanted: ConsensusOptions) -> tuple[ProductInfo, ...]:
    item = own.source.item
    attribution = wanted.attribution or f"Annotators of the campaign {own.campaign.name}"
    return layer_products(
        names,
        own.classes,
        Terms(licence=wanted.licence, attribution=attribution),
        resolution=float(item.product.resolution or 10),
        period=item.period,
        taxonomy=own_taxonomy(own.campaign),
    )


def _rasters(own: CampaignAnswers, found: Consensus, products: Sequence[ProductInfo]) -> dict[str, dict[str, bytes]]:
    decided, made = own.decided, {}
    for chip, tasks in own.chips.items():
        grid = own.source.grid(chip)
        made[chip] = chip_layers(found, tasks, grid.shape, decided).encoded(grid, products)
    return made


def _into_corpus(
    corpus: str, own: CampaignAnswers, found: Consensus, wanted: ConsensusOptions
) -> tuple[RasterVersion, bool]:
    origin = lineage(own, found)
    same = same_lineage(corpus, NAME, origin)
    if same is not None:
        return same, False
    version = next_version(own.source.corpus.info, NAME)
    names = LayerNames(
        collection=version.collection, version=str(version.number), method=f"{found.method}, version {found.version}"
    )
    products = _products(own, names, wanted)
    mappings: dict[str, list[Mapping[str, str | int]]] = {}
    if products[0].taxonomy is None:
        rows: list[Mapping[str, str | int]] = [
            {"value": one.name, "code": one.code, "role": "class"} for one in own.classes
        ]
        mappings = {item.key: rows for item in products if item.product.bands[0].name == "class"}
    add_rasters(
        corpus,
        AddedRasters(
            version=version,
            products=products,
            rasters=_rasters(own, found, products),
            mappings=mappings,
            lineage=origin,
        ),
    )
    return version, True


def _into_folder(out: Path, own: CampaignAnswers, found: Consensus, wanted: ConsensusOptions) -> tuple[str, ...]:
    names = LayerNames(collection=NAME, version="1", method=f"{found.method}, version {found.version}")
    store, files = open_store(str(out)), []
    for chip, rasters in _rasters(own, found, _products(own, names, wanted)).items():
        for key, data in rasters.items():
            store.put(f"{chip}/{key}.tif", data)
            files.append(f"{chip}/{key}.tif")
    store.put(f"{NAME}_lineage.json", lineage(own, found))
    return (*files, f"{NAME}_lineage.json")


def _record(own: CampaignAnswers, found: Consensus) -> None:
    from landloom.annotate.ledger.answers import record_consensus  # noqa: PLC0415 - the extra `annotate`
    from landloom.annotate.ledger.database import open_ledger  # noqa: PLC0415 - the extra `annotate`

    with open_ledger(own.folder.database) as ledger:
        report = lineage(own, found).decode()
        record_consensus(ledger, own.campaign.name, method=found.method, version=found.version, report=report)


def _report(
    own: CampaignAnswers,
    found: Consensus,
    version: RasterVersion | None,
    *,
    added: bool,
    files: tuple[str, ...],
    page: Path,
) -> ConsensusReport:
    quality = found.quality
    return ConsensusReport(
        campaign=own.campaign.name,
        method=found.method,
        tasks=len(own.tasks),
        pixels=int(found.patterns.count[found.label > 0].sum()),
        annotators=len({one for task in own.answers for one in task.annotators}),
        accuracy=None if quality is None else quality.accuracy.value,
        ece=None if quality is None else quality.ece,
        product=None if version is None else version.key(),
        version=None if version is None else str(version.number),
        added=added,
        files=files,
        page=str(page),
        notes=own.notes(found),
    )
