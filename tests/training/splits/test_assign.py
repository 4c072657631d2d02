"""Blocks to splits by their classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.training.splits.make import SplitSettings, make_split

if TYPE_CHECKING:
    from landloom.query.index.sidecar import Sidecar

GAP = 3000.0


def test_classes_are_balanced_where_asked(sidecar: Sidecar) -> None:
    def off(balance: str | None) -> float:
        _, proof = make_split(sidecar, SplitSettings(gap=0, block_size=12_000, balance=balance))
        sizes = np.array([part.samples for part in proof.parts])
        shares = np.array([list(part.classes.values()) for part in proof.parts])
        return float(np.abs(shares - sizes @ shares / sizes.sum()).max())

    assert off("labels") <= 0.01
    assert off("labels") < off(None)
