"""Doubts about a question that has an answer, but was hardly meant so; each says what is there instead."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.query.cql2.filter import COMPARISONS, Call, Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landloom.corpus.info import CorpusInfo
    from landloom.model.time import Period
    from landloom.query.cql2.filter import Node
    from landloom.query.index.sidecar import Sidecar

_COMPARED: Final = COMPARISONS | {"between", "in"}


def share_doubts(root: Node, sidecar: Sidecar, aggregates: Mapping[str, Node]) -> Iterator[str]:
    """Comparisons of shares, which lie between 0 and 1, with other numbers.

    Args:
        root: a condition on columns.
        sidecar: the index.
        aggregates: names of sums.

    Example:
        >>> from landloom.query.cql2.filter import parse
        >>> from landloom.query.example import example_corpus
        >>> list(share_doubts(parse("clc_31 >= 50").root, example_corpus().sidecar, {}))
        ['filter: clc_31 is compared with 50, but shares are 0 to 1; 50 % is 0.5']
    """
    if not isinstance(root, Call):
        return
    if root.op in _COMPARED:
        parts = [*root.args, *(root.args[1] if root.op == "in" and isinstance(root.args[1], tuple) else ())]
        shares = [part for part in parts if _is_share(part, sidecar, aggregates)]
        beyond = [float(part) for part in parts if isinstance(part, Fraction) and not 0 <= part <= 1]
        if shares and beyond:
            percent = f"; {beyond[0]:g} % is {beyond[0] / 100:g}" if 1 < beyond[0] <= 100 else ""
            yield f"filter: {_text(shares[0])} is compared with {beyond[0]:g}, but shares are 0 to 1{percent}"
    for part in root.args:
        if not isinstance(part, tuple):
            yield from share_doubts(part, sidecar, aggregates)


def _is_share(node: object, sidecar: Sidecar, aggregates: Mapping[str, Node]) -> bool:
    """Whether a value is a label column, or a plain sum of some."""
    if isinstance(node, Name):
        given = aggregates.get(node.name)
        return node.name in {*sidecar.columns, *sidecar.groups} if given is None else _is_share(given, sidecar, {})
    return isinstance(node, Call) and node.op == "+" and all(_is_share(part, sidecar, aggregates) for part in node.args)


def _text(node: object) -> str:
    if isinstance(node, Name):
        return node.name
    return " + ".join(_text(part) for part in node.args) if isinstance(node, Call) else str(node)


def extent(sidecar: Sidecar) -> tuple[float, float, float, float] | None:
    """West, south, east, north of all samples in degrees; None without samples."""
    if not len(sidecar):
        return None
    bounds = sidecar.run_bounds
    west, south = bounds[:, :2].min(axis=0).tolist()
    east, north = bounds[:, 2:].max(axis=0).tolist()
    return west, south, east, north


def region_doubt(sidecar: Sidecar) -> str:
    """Nothing of the corpus lies in a region."""
    there = extent(sidecar)
    where = "has no samples" if there is None else f"lies within {','.join(f'{np.round(edge, 3):g}' for edge in there)}"
    return f"region: nothing of {sidecar.meta.name} is there; it {where} (west,south,east,north)"


def period_doubts(info: CorpusInfo, keys: Sequence[str], period: Period | None) -> Iterator[str]:
    """Products that have timesteps, but none in a period.

    Args:
        info: the corpus.
        keys: of the products that are asked for.
        period: that is asked for; None for all time.
    """
    if period is None:
        return
    timed = [item for item in map(info.product, keys) if item.timesteps]
    if timed and not any(step.stamp in period for item in timed for step in item.timesteps):
        whole = info.period_of(tuple(timed))
        names = ", ".join(item.key for item in timed)
        yield f"period: got {period}, where {info.name} has no timestep of {names}; it covers {whole}"
