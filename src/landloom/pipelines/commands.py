"""Groups of commands that belong to one product kind or sampler: the command line mounts what is listed here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import ModuleType

GROUPS: Final = (
    "landloom.products.parcels.commands",
    "landloom.samplers.granules.commands",
    "landloom.products.guess.commands",
)
"""Modules with a function `register(app)`; they import nothing heavy."""


def command_groups() -> list[ModuleType]:
    """Those modules. Entry points are not looked for: it would slow every start of the command line."""
    return [import_module(name) for name in GROUPS]
