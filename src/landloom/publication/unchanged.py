"""Whether a corpus is still what the last build has published of the same units: then nothing has to be written anew.

Derived documents are far more files than units write, and each is brought to the disk before it counts: writing those
of 500,000 samples again takes an hour, listing them a minute.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import orjson

from landloom.corpus.audit.validate import digest
from landloom.corpus.manifest import read_manifest
from landloom.corpus.root import MANIFESTS
from landloom.engine.context import Sizes
from landloom.engine.units import unit_digest
from landloom.errors import LandloomError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.engine.context import BuildContext
    from landloom.engine.plan import Plan
    from landloom.engine.project import Project
    from landloom.store.protocol import Store

_KIND: Final = "published"
"""Of the journal's note."""
_OF_UNITS: Final = ("imagery/", "labels/")
"""Folders of the files of units, which have been looked at when a build asks for what was published."""


def _made_of(project: Project, plan: Plan, context: BuildContext) -> str:
    """A digest of all that decides what a build publishes, and of when each unit was made last."""
    placement = plan.placement
    return unit_digest(
        version("landloom"),
        project.recipe.model_dump(mode="json"),
        project.stored,
        context.identities,
        [(unit.id, unit.key) for unit in plan.units],
        [(str(one.id), one.stratum, one.split) for one in placement.samples],
        [(tile, one.choice().ids, one.passed_over()) for tile, one in sorted(placement.granules.items())],
        placement.draw,
        [str(problem) for problem in plan.problems],
        context.journal.recorded(),
    )


def keep_published(project: Project, plan: Plan, context: BuildContext, report: Mapping[str, Any]) -> None:
    """Note what was published, and of what.

    Args:
        project: the recipe in its folder.
        plan: its plan; all units are done.
        context: of the build; its corpus is complete.
        report: JSON values for the next build to report.
    """
    document = {"made": _made_of(project, plan, context), "digest": digest(context.store), "report": report}
    context.journal.keep(_KIND, _KIND, orjson.dumps(document).decode())


def published_before(project: Project, plan: Plan, context: BuildContext) -> Mapping[str, Any] | None:
    """The report of the last build, if the corpus is what that has published, and complete; None otherwise.

    Manifests and what the root digest covers are held to their bytes, all other files to their sizes, as those of units
    are. What `labels add` has brought in since changes the root digest.

    Args:
        project: the recipe in its folder.
        plan: its plan; all units are done.
        context: of the build.
    """
    store = context.store
    note = orjson.loads(context.journal.notes(_KIND).get(_KIND, "{}"))
    if not note or note["made"] != _made_of(project, plan, context):
        return None
    try:
        same = digest(store) == note["digest"] and _derived_are_there(store)
    except LandloomError:
        return None
    report: Mapping[str, Any] = note["report"]
    return report if same else None


def _derived_are_there(store: Store) -> bool:
    """Whether all files of the manifests that no unit has written are complete."""
    sizes = Sizes(store)
    for manifest in store.list(MANIFESTS):
        of_tile = manifest.key.count("/") > 1  # folders of other files hold those of all tiles
        for entry in read_manifest(store.get(manifest.key), manifest.key):
            if entry.path.startswith(_OF_UNITS):
                continue
            found = sizes.of(entry.path) if of_tile else store.size(entry.path)
            if found != entry.size:
                return False
    return True
