"""Embeddings by the authors' own programs, frozen: names and shapes of the tensors, inputs by seed, and results.

Recorded from the single-file programs of Presto and Galileo as the wheel of rslearn 0.1.19 has them, with PyTorch 2.13
on a processor. Weights and inputs are drawn here; nothing of the programs is in the file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = Path(__file__).with_name("oracle.json")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inputs:
    """What an encoder is told of a few series."""

    groups: dict[str, tuple[torch.Tensor, torch.Tensor]]
    months: torch.Tensor
    place: torch.Tensor


def documents() -> dict[str, Any]:
    """Name of the encoder → `shapes` of its file, and `cases`."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="ascii"))
    return found


def weights(shapes: dict[str, list[int]], seed: int = 0) -> dict[str, torch.Tensor]:
    """Random tensors under the published names."""
    draw = np.random.default_rng(seed)
    return {name: torch.from_numpy(_normal(draw, shape) * 0.1) for name, shape in sorted(shapes.items())}


def write_weights(folder: Path, name: str) -> Path:
    """A file of random weights as the authors publish theirs."""
    path = folder / f"{name}.pt"
    torch.save(weights(documents()[name]["shapes"]), path)
    return path


def inputs(case: dict[str, Any]) -> Inputs:
    """Random inputs of a case; in each row, a third of the months of every group is missing."""
    draw = np.random.default_rng(case["seed"])
    rows, time, groups = case["rows"], case["time"], {}
    for name, channels in case["groups"].items():
        there = np.ones((rows, time), np.bool_)
        for row in there:
            row[draw.permutation(time)[: time // 3]] = False
        numbers = _normal(draw, [rows, time, channels])
        groups[name] = (torch.from_numpy(numbers), torch.from_numpy(there))
    months = torch.from_numpy((draw.integers(0, 12, (rows, 1)) + np.arange(time)) % 12)
    place = np.stack([draw.uniform(-80, 80, rows), draw.uniform(-180, 180, rows)], axis=1).astype(np.float32)
    return Inputs(groups=groups, months=months, place=torch.from_numpy(place))


def _normal(draw: np.random.Generator, shape: list[int]) -> NDArray[np.float32]:
    return draw.standard_normal(shape).astype(np.float32)
