"""The result of a rehearsal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from landloom.pipelines.rehearsal.check import Check
    from landloom.pipelines.rehearsal.extrapolate import Extrapolated
    from landloom.pipelines.rehearsal.measured import Measured
    from landloom.pipelines.rehearsal.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """The result of a rehearsal."""

    name: str
    settings: Settings
    measured: Measured
    whole: Extrapolated
    checks: tuple[Check, ...]
    unknown: tuple[str, ...]
    """What it cannot know, in words."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        settings = {name: getattr(self.settings, name) for name in ("months", "workers", "prices")}
        return {
            "name": self.name,
            "settings": settings | {"server": self.settings.behaviour.document(), "block": self.settings.side},
            "measured": self.measured.document(),
            "extrapolated": self.whole.document(),
            "checks": [check.document() for check in self.checks],
            "unknown": list(self.unknown),
        }
