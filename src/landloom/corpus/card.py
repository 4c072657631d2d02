"""The dataset card for people: contents of a corpus, its terms, and how to cite it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import pyarrow.compute as pc

from landloom.corpus.citation import bibtex, citation
from landloom.corpus.index import availability, available

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.model.grid import Bounds

COMMON: Final = 10
"""Maximum number of classes on the card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Contents of a corpus, counted from its index."""

    samples: int
    """Number of samples."""
    zones: int
    """Number of their UTM zones."""
    tiles: int
    """Number of their tiles."""
    files: Mapping[str, int]
    """Product → number of existing chips, or labels."""
    splits: Mapping[str, int]
    """Split → number of samples; empty without splits."""
    classes: Mapping[str, Mapping[str, float]]
    """Label product → class name → share of the total labelled area; largest first."""
    box: Bounds | None
    """West, south, east, north in degrees; None without samples."""

    @classmethod
    def of(cls, info: CorpusInfo, index: pa.Table) -> Self:
        """Count the contents of an index."""
        splits = {
            row["values"]: row["counts"] for row in pc.value_counts(index.column("split").drop_null()).to_pylist()
        }
        return cls(
            samples=len(index),
            zones=pc.count_distinct(index.column("zone")).as_py(),
            tiles=pc.count_distinct(index.column("tile")).as_py(),
            files={item.key: _count(index, item) for item in info.products},
            splits=dict(sorted(splits.items())),
            classes={item.key: _shares(info, item, index) for item in info.labels},
            box=_box(index),
        )


def card(info: CorpusInfo, numbers: Numbers) -> bytes:
    """The dataset card, `README.md`.

    Args:
        info: the corpus.
        numbers: contents counted from its index.
    """
    publication = info.publication
    parts = [
        f"# {publication.title}",
        publication.description,
        _facts(info, numbers),
        "## Products",
        _products(info, numbers),
        *_classes(info, numbers),
        "## Licences",
        "Each product has terms of its own; there is no licence for the corpus as a whole.",
        "\n".join(_terms(item) for item in info.products),
        "## Files",
        _files(info),
        "## Citation",
        citation(info),
        f"```bibtex\n{bibtex(info)}\n```",
    ]
    links = (("Documentation", publication.documentation), ("Tutorial", publication.tutorial))
    if any(address for _, address in links):
        parts += ["## Read more", "\n".join(f"- [{name}]({address})" for name, address in links if address)]
    if publication.funding:
        parts += ["## Funding", publication.funding]
    if publication.contact:
        parts += ["## Contact", publication.contact]
    parts.append(f"Written by {info.software}.")
    return ("\n\n".join(parts) + "\n").encode()


def _count(index: pa.Table, item: ProductInfo) -> int:
    column = index.column(available(item.key))
    step = 65_536
    parts = (availability(column.slice(start, step), item.slots) for start in range(0, len(column), step))
    return sum(int(np.count_nonzero(part)) for part in parts)


def _shares(info: CorpusInfo, item: ProductInfo, index: pa.Table) -> dict[str, float]:
    if item.taxonomy is None:
        return {}
    names = [entry.name for entry in item.taxonomy.classes]
    sums = [pc.sum(index.column(name)).as_py() or 0 for name in info.label_columns[item.key]]
    total = max(sum(sums), 1)
    order = sorted(range(len(sums)), key=lambda position: (-sums[position], position))
    return {names[position]: sums[position] / total for position in order if sums[position]}


def _box(index: pa.Table) -> Bounds | None:
    if not len(index):
        return None
    box = index.column("bbox").combine_chunks()
    low = (pc.min(box.field(name)).as_py() for name in ("xmin", "ymin"))
    high = (pc.max(box.field(name)).as_py() for name in ("xmax", "ymax"))
    west, south, east, north = *low, *high
    return west, south, east, north


def _facts(info: CorpusInfo, numbers: Numbers) -> str:
    period = info.period
    rows = [
        f"- name and version: `{info.name}` {info.version}",
        f"- samples: {numbers.samples:,} in {numbers.tiles:,} tiles of {numbers.zones} UTM zones",
        f"- period: {period.start:%Y-%m-%d} to {period.end:%Y-%m-%d} (end excluded)",
    ]
    if numbers.box is not None:
        west, south, east, north = numbers.box
        rows.append(f"- extent: {west:.3f} {south:.3f} to {east:.3f} {north:.3f} (longitude latitude, WGS84)")
    if numbers.splits:
        rows.append("- splits: " + ", ".join(f"{name} {count:,}" for name, count in numbers.splits.items()))
    return "\n".join(rows)


def _products(info: CorpusInfo, numbers: Numbers) -> str:
    rows = ["| key | product | resolution | bands | timesteps | files |", "|---|---|---|---|---|---|"]
    for item in info.products:
        product = item.product
        size = "" if product.resolution is None else f"{product.resolution:g} m"
        bands = " ".join(band.name for band in product.bands)
        steps = f"{len(item.timesteps)}, {product.cadence}" if item.timesteps else ""
        rows.append(f"| `{item.key}` | {product.title} | {size} | {bands} | {steps} | {numbers.files[item.key]:,} |")
    return "\n".join(rows)


def _classes(info: CorpusInfo, numbers: Numbers) -> list[str]:
    parts = []
    for item in info.labels:
        shares = numbers.classes[item.key]
        if shares and item.taxonomy is not None:
            rows = ["| class | share |", "|---|---|"]
            rows += [f"| {name} | {share:.2%} |" for name, share in list(shares.items())[:COMMON]]
            parts += [f"## Classes of `{item.key}` ({item.taxonomy.name})", "\n".join(rows)]
    return parts


def _terms(item: ProductInfo) -> str:
    terms = item.terms
    licence = terms.licence if terms.licence_url is None else f"[{terms.licence}]({terms.licence_url})"
    text = f"- **{item.product.title}** (`{item.key}`): {licence}. Attribution: {terms.attribution}."
    if terms.non_commercial:
        text += " No commercial use."
    if terms.source is not None:
        text += f" Source: <{terms.source}>."
    return text


def _files(info: CorpusInfo) -> str:
    layout = info.layout
    rows = [
        f"- `{layout.index}`: GeoParquet, one row per sample",
        f"- `{layout.stac_root}`: STAC catalogue",
        f"- `{layout.resource('geometries')}`, `{layout.resource('labels')}`, `{layout.resource('mappings')}`",
        "- `manifest/`: every file with its size and SHA-256",
    ]
    return "\n".join(rows)
