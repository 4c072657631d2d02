"""Numbers of a rehearsal as words and rows, for the terminal and for its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.pipelines.rehearsal.extrapolate import MANY
from landloom.pipelines.rehearsal.settings import PRICES
from landloom.reports.terminal import size

if TYPE_CHECKING:
    from landloom.pipelines.rehearsal.extrapolate import Extrapolated
    from landloom.pipelines.rehearsal.measured import Measured
    from landloom.pipelines.rehearsal.result import Rehearsal

UNKNOWN: Final = "unknown"
_UNITS: Final = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


def duration(seconds: float) -> str:
    """Seconds in the unit that suits.

    Example:
        >>> duration(12), duration(5_400), duration(400_000)
        ('12 s', '1.5 hours', '4.6 days')
    """
    for length, name in _UNITS:
        if seconds >= 1.5 * length or (length == 3_600 and seconds >= length):
            return f"{seconds / length:.1f} {name}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def bytes_of(count: int | None) -> str:
    """Bytes, or that they are not known."""
    return UNKNOWN if count is None else size(count)


def number(count: float) -> str:
    """A whole number with thousands separators."""
    return f"{count:,.0f}"


def main_rows(done: Rehearsal) -> list[tuple[str, str, str]]:
    """What, measured, and extrapolated."""
    measured, whole = done.measured, done.whole
    part, extent = measured.extent, whole.extent
    return [
        ("samples", number(part.samples), number(extent.samples)),
        ("tiles", number(part.tiles), number(extent.tiles)),
        (
            f"time, {measured.workers} workers on this machine",
            duration(measured.build.seconds),
            duration(whole.seconds(measured.workers)),
        ),
        *((f"time, {count} such workers", "", duration(whole.seconds(count))) for count in MANY),
        ("worker time", duration(measured.unit_seconds), duration(whole.worker)),
        ("CPU time", UNKNOWN if measured.build.cpu is None else duration(measured.build.cpu), ""),
        ("memory, coordinator", bytes_of(measured.build.coordinator), bytes_of(whole.coordinator)),
        ("memory, a worker", bytes_of(measured.build.worker), bytes_of(measured.build.worker)),
        ("files written", number(measured.files), number(whole.files)),
        ("bytes written", size(measured.size), size(whole.size)),
        ("requests", number(sum(measured.tally.requests.values())), number(sum(whole.requests.values()))),
        ("bytes read", size(sum(measured.tally.sizes.values())), size(whole.read)),
        ("journal", size(measured.journal), bytes_of(whole.journal)),
        (
            "a build with nothing to do",
            duration(measured.again.seconds),
            UNKNOWN if whole.again is None else duration(whole.again),
        ),
        ("validate, sizes alone", duration(measured.validate.seconds), duration(whole.validate)),
    ]


def per_thousand(measured: Measured) -> str:
    """Time of a thousand samples."""
    return duration(1000 * measured.build.seconds / measured.extent.samples)


def product_rows(done: Rehearsal) -> list[tuple[str, str, str, str, str, str]]:
    """Product, units, worker time of a unit, and of the whole: timesteps, files, bytes; then what no unit makes."""
    measured, whole = done.measured, done.whole
    rows = []
    for name, made in measured.products.items():
        files, written = whole.products[name]
        steps = f"{measured.extent.steps[name]:g} of {whole.extent.steps[name]:g}"
        rows.append(
            (name, steps, number(made.units), duration(made.seconds / made.units), number(files), size(written))
        )
    return rows + [(part, "", "", "", number(files), size(written)) for part, (files, written) in whole.others.items()]


def request_rows(done: Rehearsal) -> list[tuple[str, str, str, str]]:
    """Kind, requests and bytes measured, requests extrapolated."""
    tally, whole = done.measured.tally, done.whole
    return [
        (kind, number(count), size(tally.sizes[kind]), number(whole.requests[kind]))
        for kind, count in sorted(tally.requests.items())
    ]


def cost_rows(whole: Extrapolated, prices: dict[str, float]) -> list[tuple[str, str, str]]:
    """What is paid for, its price and the amount; with the sum of what is paid once."""
    rows = [(PRICES[name], f"{prices[name]:g}", f"{amount:,.2f}") for name, amount in whole.cost.items()]
    once = [amount for name, amount in whole.cost.items() if name != "storage"]
    return [*rows, ("together, without storage", "", f"{sum(once):,.2f}")] if len(once) > 1 else rows


def fault_words(done: Rehearsal) -> list[str]:
    """What the faults were, and what they changed."""
    server, tally = done.settings.behaviour, done.measured.tally
    shares = (
        f"{server.unavailable:.2%} refused (503), {server.cut:.2%} cut, {server.absent:.2%} said to be absent (404)"
    )
    met = ", ".join(f"{count:,} × {fault}" for fault, count in sorted(tally.faults.items())) or "none"
    lines = [
        f"Faults asked for: {shares}. Met while building: {met}; {done.measured.retries:,} requests were repeated."
    ]
    for check in done.checks:
        faults = ", ".join(f"{count:,} × {fault}" for fault, count in sorted(check.faults.items())) or "none"
        verdict = "the same bytes" if check.equal else "OTHER BYTES"
        lines.append(f"{check.samples:,} samples built with faults ({faults}) and without: {verdict}.")
    return lines
