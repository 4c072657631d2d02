"""`rehearsal.html`: the page for whoever pays: what was measured, what follows, and what is not known."""

from __future__ import annotations

from html import escape
from math import ceil
from typing import TYPE_CHECKING

from landloom.pipelines.rehearsal.extrapolate import BUILDING
from landloom.pipelines.rehearsal.figures import hours_by_workers
from landloom.pipelines.rehearsal.words import (
    cost_rows,
    duration,
    fault_words,
    main_rows,
    number,
    per_thousand,
    product_rows,
    request_rows,
)
from landloom.reports.charts import stacked_bars
from landloom.reports.page import figure, head, page, table
from landloom.reports.terminal import size

if TYPE_CHECKING:
    from landloom.pipelines.rehearsal.result import Rehearsal


def rehearsal_page(done: Rehearsal) -> str:
    """The page of a rehearsal, one self-contained HTML file."""
    title = f"Rehearsal of {done.name}"
    parts = [_head(done, title), _main(done), _time(done), _products(done), _requests(done), _faults(done)]
    return page(title, [*parts, _cost(done), _unknown(done), _how(done)])


def _head(done: Rehearsal, title: str) -> str:
    measured, whole = done.measured, done.whole
    lead = (
        f"{measured.extent.samples:,} samples of {measured.extent.tiles:,} tiles were built from a synthetic archive "
        f"with the layout, sizes and faults of a real one. The whole recipe has {whole.extent.samples:,} samples."
    )
    months = done.settings.months
    if months is not None:
        lead += f" Of each period the first {'month was' if months == 1 else f'{months} months were'} built."
    if absent := sorted(set(whole.extent.steps) - set(measured.extent.steps)):
        lead += f" Without {', '.join(absent)}: no number is of it."
    numbers = (
        (duration(whole.seconds(measured.workers)), f"the whole, {measured.workers} workers on this machine"),
        (duration(whole.seconds(32)), "the whole, 32 such workers"),
        (size(whole.size), "written"),
        (size(whole.read), "read"),
        (number(sum(whole.requests.values())), "requests"),
        (per_thousand(measured), "for 1,000 samples, measured"),
    )
    return head(title, lead, numbers)


def _main(done: Rehearsal) -> str:
    header = ("", "measured", "whole recipe")
    return "<h2>Measured and extrapolated</h2>" + table(header, main_rows(done), (1, 2))


def _time(done: Rehearsal) -> str:
    stages = done.measured.build.stages
    bars = stacked_bars(
        [f"{name} (shared by workers)" if name == BUILDING else name for name in stages],
        {"seconds": list(stages.values())},
        "seconds, measured",
    )
    curve = hours_by_workers(done.whole, done.measured.workers)
    return (
        "<h2>Time</h2>"
        + figure(curve, "Hours of the whole build by number of workers: extrapolated.")
        + _text(_limit(done))
        + figure(bars, "Where the time of the rehearsed build went.")
    )


def _limit(done: Rehearsal) -> str:
    """From how many workers on more of them do not help."""
    whole, server = done.whole, done.settings.behaviour
    least = max(whole.limit, whole.longest, 1e-9)
    what = "its longest unit" if whole.longest > whole.limit else f"reading {size(whole.read)}"
    rate = "" if whole.longest > whole.limit else f" at {size(server.bandwidth)} a second"
    return (
        f"The workers need {duration(whole.worker)} together. From {max(ceil(whole.worker / least), 1):,} workers on, "
        f"more of them do not help: {what}{rate} takes {duration(least)}."
    )


def _products(done: Rehearsal) -> str:
    header = ("product", "timesteps built", "units", "worker time of a unit", "files of the whole", "bytes")
    return "<h2>Products</h2>" + table(header, product_rows(done), (1, 2, 3, 4, 5))


def _requests(done: Rehearsal) -> str:
    header = ("kind", "requests, measured", "bytes", "requests of the whole")
    again = f"A build with nothing to do asked for the version of {done.measured.checks:,} files."
    return "<h2>Requests to the archive</h2>" + table(header, request_rows(done), (1, 2, 3)) + _text(again)


def _faults(done: Rehearsal) -> str:
    mark = ' class="ok"' if all(check.equal for check in done.checks) else ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in fault_words(done))
    return f"<h2>Faults</h2><ul{mark}>{lines}</ul>"


def _cost(done: Rehearsal) -> str:
    prices = dict(done.settings.prices)
    if not prices:
        return "<h2>Cost</h2>" + _text("No price was stated: state some with --price.")
    header = ("for", "price", "the whole recipe")
    return "<h2>Cost, in the currency of the prices</h2>" + table(header, cost_rows(done.whole, prices), (1, 2))


def _unknown(done: Rehearsal) -> str:
    return "<h2>What this cannot know</h2><ul>" + "".join(f"<li>{escape(line)}</li>" for line in done.unknown) + "</ul>"


def _how(done: Rehearsal) -> str:
    server = done.settings.behaviour
    archive = (
        f"The archive answered after {1000 * server.latency:.0f} ms, and sent {size(server.bandwidth)} a second to all "
        f"connections together; its files have blocks of {done.settings.side:,} pixels. It ran on the same machine, "
        f"and took {duration(done.measured.tally.seconds)} of CPU time, which is in no number here."
    )
    growth = (
        "Worker time grows with tiles and timesteps, as tiles are as full as the recipe fills them; the coordinator's "
        "time and memory, files and bytes grow with samples. With N workers a build takes the coordinator's time, and "
        "the longest of: worker time divided by N, the longest unit, bytes at the stated bandwidth."
    )
    return "<h2>How these numbers were made</h2>" + _text(archive) + _text(growth)


def _text(text: str) -> str:
    return f"<p>{escape(text)}</p>"
