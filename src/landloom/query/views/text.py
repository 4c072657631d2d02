"""Summaries of corpora and selections in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from landloom.errors import counted
from landloom.query.cql2.class_names import class_names
from landloom.query.views.doubts import extent

if TYPE_CHECKING:
    from collections.abc import Sized

    from landloom.model.time import Period
    from landloom.query.index.sidecar import Sidecar

_LARGEST: Final = 5
"""Classes that a summary names."""


class Chosen(Protocol):
    """Selected samples: what a summary needs of a selection."""

    @property
    def sidecar(self) -> Sidecar:
        """The corpus's index."""
        ...

    @property
    def products(self) -> tuple[str, ...]:
        """Keys of the selected products."""
        ...

    @property
    def period(self) -> Period | None:
        """Period; None for all time."""
        ...

    @property
    def assets(self) -> Sized:
        """Its files."""
        ...

    @property
    def cubes(self) -> tuple[str, ...]:
        """Paths of its arrays."""
        ...

    def counts(self, by: str) -> dict[str | None, int]:
        """Number of samples by zone, tile, stratum or split."""
        ...

    def histogram(self, level: int | None = None, labels: str | None = None) -> dict[str, float]:
        """Area of each class in samples."""
        ...

    def __len__(self) -> int: ...


def numbers(counts: dict[str | None, int]) -> str:
    """Samples by name, in one line.

    Example:
        >>> numbers({"train": 1402, None: 3})
        'train 1,402, none 3'
    """
    return ", ".join(f"{'none' if name is None else name} {count:,}" for name, count in counts.items())


def days(period: Period) -> str:
    """A period without the time of midnight.

    Example:
        >>> from landloom.model.time import Period
        >>> days(Period.year(2018))
        '2018-01-01/2019-01-01'
    """
    return str(period).replace("T00:00:00Z", "")


def class_lines(chosen: Chosen) -> list[str]:
    """The largest classes of each label product, by name."""
    titles = class_names(chosen.sidecar)
    sets: list[str | None] = [item.key for item in chosen.sidecar.info.labels]
    lines = []
    for key in sets or [None]:
        area = sorted(chosen.histogram(labels=key).items(), key=lambda item: -item[1])[:_LARGEST]
        if area:
            named = [(f"{titles[name]} ({name})" if name in titles else name, share) for name, share in area]
            shares = ", ".join(f"{name} {100 * value / len(chosen):.1f} %" for name, value in named)
            lines.append(f"classes{'' if key in sets[:1] else f' of {key}'}: {shares}")
    return lines


def describe_selection(chosen: Chosen) -> str:
    """Number of samples, location, classes, number of files."""
    meta = chosen.sidecar.meta
    lines = [f"{meta.name} {meta.version}: {len(chosen):,} of {counted(len(chosen.sidecar), 'sample')}"]
    if len(chosen):
        lines.append(f"zones: {numbers(chosen.counts('zone'))}")
    lines += class_lines(chosen)
    when = "" if chosen.period is None else f" in {days(chosen.period)}"
    lines.append(f"files: {len(chosen.assets):,} of {', '.join(chosen.products) or 'no product'}{when}")
    if chosen.cubes:
        lines.append(f"cubes: {len(chosen.cubes):,}")
    return "\n".join(lines)


def describe_corpus(everything: Chosen) -> str:
    """What a corpus holds: samples and where they are, products with bands and period, classes, splits and strata.

    Args:
        everything: the selection of all its samples and products.
    """
    sidecar, info = everything.sidecar, everything.sidecar.info
    lines = [f"{info.name} {info.version}: {counted(len(everything), 'sample')}", info.publication.title]
    if (box := extent(sidecar)) is not None:
        west, south, east, north = box
        lines.append(f"where: {west:.2f} to {east:.2f}° E, {south:.2f} to {north:.2f}° N; zones {zones(everything)}")
    for item in info.products:
        size = f"{item.product.resolution:g} m, " if item.product.resolution else ""
        steps = (
            f"{counted(len(item.timesteps), 'timestep')} in {days(item.period)}"
            if item.timesteps and item.period
            else "without time"
        )
        bands = ", ".join(band.name for band in item.product.bands)
        lines.append(f"{item.key}: {size}{steps}{f'; {bands}' if bands else ''}")
    lines += class_lines(everything)
    for name in ("split", "stratum"):
        if name in sidecar.arrays and {*(found := everything.counts(name))} != {None}:
            lines.append(f"by {name}: {numbers(found)}")
    return "\n".join(lines)


def zones(chosen: Chosen) -> str:
    """The zones of a selection, in one line."""
    return ", ".join(str(name) for name in chosen.counts("zone"))
