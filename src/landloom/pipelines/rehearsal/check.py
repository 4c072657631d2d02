"""Whether faults change a corpus: it is built with them and without, one command each; the digests are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.audit.validate import digest
from landloom.errors import BuildError, Problem
from landloom.pipelines.rehearsal.watching import run_command
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from landloom.engine.run import Listener
    from landloom.pipelines.rehearsal.ran import Ran
    from landloom.simulate.remote.behaviour import Behaviour
    from landloom.simulate.remote.serving import Served

FEW: Final = 24
"""Samples of the small build."""
OFTEN: Final = 0.05
"""Share of 503 in the small build, where rarer faults would hardly occur; cut and absent ones are a fifth each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Two builds of the same samples."""

    samples: int
    faults: dict[str, int]
    """Fault → requests that met it, of the build with faults."""
    digests: tuple[str, str]
    """With faults, and without."""
    ran: Ran
    """The build with faults."""

    @property
    def equal(self) -> bool:
        """Whether both corpora have the same bytes."""
        return self.digests[0] == self.digests[1]

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {"samples": self.samples, "faults": self.faults, "digests": list(self.digests), "equal": self.equal}


def often(behaviour: Behaviour) -> Behaviour:
    """The same server, with faults that a small build meets."""
    return replace(behaviour, unavailable=OFTEN, cut=OFTEN / 5, absent=OFTEN / 5)


def checked(
    recipe: Path, server: Served, behaviour: Behaviour, samples: int, options: Sequence[str], listener: Listener
) -> Check:
    """Build a small recipe with faults and without, and compare.

    Args:
        recipe: folder with the recipe.
        server: of its archive.
        behaviour: of the server, with faults.
        samples: of the recipe.
        options: of the builds.
        listener: receives progress.

    Raises:
        BuildError: a build failed, or left something out.
    """
    server.behave(behaviour)
    ran = run_command("check with faults", ["build", str(recipe), "--out", str(recipe / "faults"), *options], listener)
    require_complete(ran)
    begun = Check(samples=samples, faults=dict(server.tally().faults), digests=("", ""), ran=ran)
    return compared(recipe, recipe / "faults", server, behaviour, begun, options, listener)


def compared(
    recipe: Path,
    built: Path,
    server: Served,
    behaviour: Behaviour,
    check: Check,
    options: Sequence[str],
    listener: Listener,
) -> Check:
    """Build without faults what was built with them, and compare the digests.

    Raises:
        BuildError: the build failed.
    """
    server.behave(replace(behaviour, unavailable=0.0, cut=0.0, absent=0.0))
    plain = recipe / "plain"
    run_command("check without faults", ["build", str(recipe), "--out", str(plain), *options], listener)
    return replace(check, digests=(digest(open_store(str(built))), digest(open_store(str(plain)))))


def require_complete(ran: Ran) -> None:
    """Refuse a build that has left something out.

    Raises:
        BuildError: with its notes.
    """
    lacking = [note for note in ran.document["notes"] if "left out" in note or "missing" in note]
    if lacking:
        raise BuildError([Problem(where="rehearsal", what=note) for note in lacking])
