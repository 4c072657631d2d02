"""`report.html`: one self-contained page about a build. It is build state: it knows times, and is in no manifest."""

from __future__ import annotations

import html
import io
import json
from base64 import b64encode
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.layout import CORPUS, INDEX
from landloom.engine.context import JOURNAL
from landloom.engine.journal import Entry, Journal
from landloom.errors import CorpusError
from landloom.formats.geotiff import decode_geotiff
from landloom.reports import figures
from landloom.samplers.cells.sampler import DRAW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from landloom.corpus.info import CorpusInfo

SHOWN: Final = 4
"""Samples whose chips are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What a page is made from."""

    folder: Path
    info: CorpusInfo
    table: pa.Table
    entries: tuple[Entry, ...]
    """Units, without their files."""
    size: int
    """Bytes of those files."""
    draw: dict[str, Any] | None


def write_report(folder: Path) -> Path:
    """Write the page about a corpus folder.

    Returns:
        Its path.

    Raises:
        CorpusError: no corpus has been built there.
    """
    facts = _read(folder)
    info = facts.info
    parts = [_head(facts), _map(facts), *_distributions(facts), _observations(facts), _chips(facts), _failures(facts)]
    if info.class_mappings or "classes" in {item.key for item in info.products}:
        from landloom.products.parcels.report import parcel_parts

        parts += parcel_parts(folder, _figure, _table)
    parts.append(_timings(facts))
    body = "\n".join(part for part in parts if part)
    title = html.escape(f"{info.publication.title} {info.version}")
    style = (files("landloom.reports") / "report.css").read_text(encoding="utf-8")
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{style}</style><main>{body}</main></html>\n"
    )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _read(folder: Path) -> _Facts:
    import pyarrow.parquet as pq

    if not (folder / CORPUS).exists() or not (folder / JOURNAL).exists():
        raise CorpusError(f"{folder}: no finished build has been here; start one with: landloom build")
    draw = json.loads((folder / DRAW).read_text(encoding="utf-8")) if (folder / DRAW).exists() else None
    entries, size = [], 0
    with Journal(folder / JOURNAL) as journal:
        for entry in journal.entries():
            size += sum(file.size for file in entry.outcome.files)
            entries.append(replace(entry, outcome=replace(entry.outcome, files=())))
    info = parse_corpus_json((folder / CORPUS).read_bytes())
    table = pq.read_table(io.BytesIO((folder / INDEX).read_bytes()))
    return _Facts(folder=folder, info=info, table=table, entries=tuple(entries), size=size, draw=draw)


def _figure(png: bytes, caption: str) -> str:
    data = b64encode(png).decode()
    text = html.escape(caption)
    return f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'


def _table(header: Sequence[str], rows: Iterable[Sequence[object]], numbers: frozenset[int] = frozenset()) -> str:
    def cell(tag: str, place: int, value: object) -> str:
        mark = ' class="n"' if place in numbers else ""
        return f"<{tag}{mark}>{html.escape(str(value))}</{tag}>"

    lines = ["".join(cell("th", place, name) for place, name in enumerate(header))]
    lines += ["".join(cell("td", place, value) for place, value in enumerate(row)) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _head(facts: _Facts) -> str:
    info, table = facts.info, facts.table
    scenes = {scene["id"] for entry in facts.entries for step in _steps(entry) for scene in step["scenes"]}
    numbers = (
        (f"{table.num_rows:,}", "samples"), (f"{len(set(table['tile'].to_pylist())):,}", "tiles"),
        (f"{len(set(table['zone'].to_pylist())):,}", "UTM zones"), (f"{len(scenes):,}", "scenes used"),
        (f"{sum(item.slots for item in info.products if item.timesteps) * table.num_rows:,}", "chips"),
        (f"{facts.size / 1e6:,.1f} MB", "made by units"),
    )  # fmt: skip
    tiles = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in numbers)
    description = html.escape(info.publication.description)
    title = html.escape(f"{info.publication.title}, version {info.version}")
    return f'<h1>{title}</h1><p class="lead">{description}</p><div class="tiles">{tiles}</div>'


def _steps(entry: Entry) -> list[dict[str, Any]]:
    return list(entry.outcome.facts.get("timesteps", ()))


def _map(facts: _Facts) -> str:
    boxes = facts.table["bbox"].combine_chunks().flatten()
    array = np.stack([column.to_numpy() for column in boxes], axis=1)
    by = "split" if facts.info.recipe.get("splits") else "stratum"
    groups = [value or "no " + by for value in facts.table[by].to_pylist()]
    picture = figures.sample_map(array, groups)
    return "<h2>Samples</h2>" + _figure(picture, f"Footprints of all samples, coloured by {by}.")


def _distributions(facts: _Facts) -> list[str]:
    draw = facts.draw
    if draw is None:
        return []
    names = {item.code: item.name for info in facts.info.labels if info.taxonomy for item in info.taxonomy.classes}
    rows = [
        (code, 100 * region, 100 * corpus)
        for code, region, corpus in zip(draw["classes"], draw["region_shares"], draw["draw_shares"], strict=True)
        if region > 0 or corpus > 0
    ]
    labels = [f"{code} {names.get(code, '')}"[:46] for code, _, _ in rows]
    classes = figures.paired_bars(labels, [row[1] for row in rows], [row[2] for row in rows], "% of the area")
    caption = f"Class shares; Jensen–Shannon divergence of corpus and region: {draw['divergence']:.4f} bits."
    parts = ["<h2>Classes against the region's</h2>" + _figure(classes, caption)]
    countries = draw["countries"]
    bars = figures.paired_bars(
        [c["name"] for c in countries], [c["wanted"] for c in countries], [c["achieved"] for c in countries], "samples"
    )
    parts.append("<h2>Countries against their quotas</h2>" + _figure(bars, "Quota by area, and samples drawn."))
    return parts


def _observations(facts: _Facts) -> str:
    parts = []
    for item in facts.info.products:
        own = [entry for entry in facts.entries if entry.id.startswith(f"{item.key}/")]
        rows = [entry for entry in own if _steps(entry) and all("observations" in step for step in _steps(entry))]
        if rows:
            means = np.array([[step["observations"] for step in _steps(entry)] for entry in rows])
            steps = [step["timestep"] for step in _steps(rows[0])]
            grid = figures.observation_grid([entry.id.split("/")[1] for entry in rows], steps, means)
            parts.append(_figure(grid, f"{item.product.title}: mean valid observations a pixel."))
    return "<h2>Observations</h2>" + "".join(parts) if parts else ""


def _chips(facts: _Facts) -> str:
    from landloom.model.ids import parse_sample_id

    info = facts.info
    names = ("B04", "B03", "B02")
    item = next((i for i in info.products if {*names} <= {b.name for b in i.product.bands}), None)
    if item is None or "chips" not in info.layouts:
        return ""
    bands = [band.name for band in item.product.bands]
    ids = facts.table["id"].to_pylist()
    rows: dict[str, list[tuple[str, Any]]] = {}
    for text in ids[:: max(len(ids) // SHOWN, 1)][:SHOWN]:
        sample = parse_sample_id(info.scheme, text)
        for step in item.timesteps[:12]:
            file = facts.folder / info.layout.chip(sample, item.product, step.name)
            if file.exists():
                chip = decode_geotiff(file.read_bytes())[0]
                picture = figures.true_colour(chip, *(bands.index(name) for name in names))
                rows.setdefault(text, []).append((step.name, picture))
    if not rows:
        return ""
    return "<h2>Example chips</h2>" + _figure(figures.chip_rows(rows), f"{item.product.title}, true colour.")


def _failures(facts: _Facts) -> str:
    failed = [(e.id, e.attempts, e.reason or "") for e in facts.entries if e.state == "failed"]
    left = sorted(
        {(entry.id, step["timestep"], scene["id"], scene["reason"])
         for entry in facts.entries for step in _steps(entry) for scene in step["left_out"]}
    )  # fmt: skip
    parts = ["<h2>Failures</h2>"]
    parts.append(_table(("unit", "attempts", "reason"), failed) if failed else '<p class="ok">No unit failed.</p>')
    if left:
        parts.append("<h2>Scenes left out</h2>" + _table(("unit", "timestep", "scene", "reason"), left))
    return "".join(parts)


def _timings(facts: _Facts) -> str:
    groups: dict[str, list[float]] = {}
    for entry in facts.entries:
        groups.setdefault(entry.id.split("/")[0], []).append(entry.seconds)
    rows = [(name, len(times), f"{sum(times):.1f}", f"{max(times):.1f}") for name, times in sorted(groups.items())]
    header = ("units", "count", "seconds in all", "longest")
    return "<h2>Timings</h2>" + _table(header, rows, frozenset({1, 2, 3}))
