"""Commands that live with what they run: the command line mounts those listed here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import ModuleType

GROUPS: Final = (
    "landloom.products.parcels.commands",
    "landloom.samplers.granules.commands",
    "landloom.products.guess.commands",
    "landloom.pipelines.rehearsal.commands",
)
"""Modules with a function `register(app)`; they import nothing heavy."""


def command_groups() -> list[ModuleType]:
    """The modules of the command groups. Entry points are not searched, because that would slow every start."""
    return [import_module(name) for name in GROUPS]
