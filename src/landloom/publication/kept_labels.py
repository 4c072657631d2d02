"""What `labels add` has brought into a corpus, so that later builds keep it: notes in the journal."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from landloom.model.address import is_remote, public
from landloom.model.recipe import Terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.engine.context import BuildContext
    from landloom.engine.journal import Journal

_KIND: Final = "labels added"
"""Of the journal's notes."""


def source_identity(context: BuildContext, file: str) -> str:
    """What tells a source of labels from another: digest of its bytes, or of its address where that is remote."""
    return hashlib.sha256(file.encode()).hexdigest() if is_remote(file) else context.identity(file)


def keep_labels(journal: Journal, fields: Mapping[str, Any], identity: str) -> None:
    """Note labels that a corpus has got; no note holds what signs an address.

    Args:
        journal: of the corpus.
        fields: of `AddedLabels`, by name.
        identity: of the source.
    """
    file = str(fields["file"])
    stated = public(file) if is_remote(file) else str(Path(file).absolute())
    document = {**fields, "file": stated, "terms": fields["terms"].model_dump(mode="json"), "identity": identity}
    notes = journal.notes(_KIND)
    if not any(_same(orjson.loads(note), document) for note in notes.values()):
        journal.keep(_KIND, f"{len(notes):06d}", orjson.dumps(document).decode())


def kept_labels(journal: Journal) -> list[dict[str, Any]]:
    """Fields of every `AddedLabels` in the order in which they were added, and the identity of its source."""
    found = [orjson.loads(note) for note in journal.notes(_KIND).values()]
    return [document | {"terms": Terms.model_validate(document["terms"])} for document in found]


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return {**one, "file": ""} == {**other, "file": ""}
