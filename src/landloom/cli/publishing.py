"""`landloom export`, `publish`, `labels` and `cite`: what is done with a corpus that is built."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landloom.cli.console import say

CorpusArgument = Annotated[Path, typer.Argument(help="Folder of the corpus.")]
CORPUS = Path("corpus")


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(epilog="Example: landloom cite corpus --bibtex")(cite)


def cite(
    corpus: Annotated[str, typer.Argument(help="Folder or address of the corpus.")] = "corpus",
    *,
    bibtex: Annotated[bool, typer.Option(help="Print BibTeX.")] = False,
) -> None:
    """Say how to cite a corpus."""
    from landloom.corpus import citation
    from landloom.corpus.documents import parse_corpus_json
    from landloom.corpus.layout import CORPUS as DOCUMENT
    from landloom.store.open import open_store

    info = parse_corpus_json(open_store(corpus).get(DOCUMENT))
    say(citation.bibtex(info) if bibtex else citation.citation(info))
