"""Shards: a build in parts that any scheduler runs as jobs of their own, each with its own journal.

A unit belongs to the shard that the digest of its tile gives, so that units of a tile that need each other stay
together; those that need a unit of another shard are left to the build that joins the shards.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from landloom.engine.place import SHARDS
from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landloom.engine.place import Place
    from landloom.engine.units import Unit

_NAME: Final = re.compile(r"(\d+)-of-(\d+)\.sqlite")


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """One of several equal parts of a build.

    Example:
        >>> Shard.parse("3/50")
        Shard(count=50, number=3)
        >>> sum(Shard(50, number).has("33N_16E-243N") for number in range(1, 51))
        1
    """

    count: int
    """How many there are."""
    number: int
    """Which it is, from 1."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The shard of an option such as `3/50`.

        Raises:
            InvalidInputError: the text says something else.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise InvalidInputError(f"got the shard {text!r}, expected one such as 3/50, counted from 1")
        return cls(int(found[2]), int(found[1]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def journal(self, folder: Path) -> Path:
        """Its journal in a corpus folder."""
        return folder / self.key

    @property
    def key(self) -> str:
        """Key of its journal."""
        return f"{SHARDS}/{self.number}-of-{self.count}.sqlite"

    def has(self, tile: str) -> bool:
        """Whether the units of a tile are its."""
        number = int.from_bytes(hashlib.sha256(tile.encode()).digest()[:8], "big")
        return number % self.count == self.number - 1

    def share(self, units: Sequence[Unit], finished: set[str]) -> list[Unit]:
        """The units that it can make: those of its tiles, without those that need what others still have to make.

        Args:
            units: of the build that are not finished.
            finished: ids of those that are.
        """
        own = {unit.id: unit for unit in units if self.has(unit.tile)}
        while stuck := [unit.id for unit in own.values() if not {*unit.needs} <= {*finished, *own}]:
            for name in stuck:
                del own[name]
        return list(own.values())


def forget_shards(place: Place) -> None:
    """Remove the journals of shards: that of the corpus has taken them over."""
    shutil.rmtree(place.folder / SHARDS, ignore_errors=True)
    place.forget(SHARDS)


def begun_shards(folder: Path) -> list[Shard]:
    """The shards that have a journal in a corpus folder, sorted."""
    found = (_NAME.fullmatch(path.name) for path in (folder / SHARDS).glob("*.sqlite"))
    return sorted(Shard(int(one[2]), int(one[1])) for one in found if one is not None)
