"""A command of landloom that has ended, with what it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

STARTING: Final = "starting"
"""The stage before the first that a command tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A command that has ended."""

    seconds: float
    cpu: float | None
    """CPU seconds of all its processes; None where the system does not tell."""
    stages: Mapping[str, float]
    """Stage → seconds, in order."""
    coordinator: int | None
    """Peak bytes of its own process."""
    worker: int | None
    """Peak bytes of the largest of its workers; None without any."""
    document: Any
    """Its result."""

    def measured(self) -> dict[str, Any]:
        """As JSON values, without the result."""
        names = ("seconds", "cpu", "coordinator", "worker")
        return {name: getattr(self, name) for name in names} | {"stages": dict(self.stages)}
