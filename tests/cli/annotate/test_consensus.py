from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.campaigns import answered_campaign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


def test_from_answers_to_labels(run: Callable[..., Ran], tmp_path: Path) -> None:
    made = answered_campaign(tmp_path, references=6, people=("ann", "bob"))
    first = run("annotate", "consensus", made.folder, "--method", "published", "--attribution", "The team")
    assert first.code == 0, first.err
    assert "added consensus, label version 1, to the corpus; later builds keep it" in first.out
    again = run("annotate", "consensus", made.folder, "--method", "published", "--attribution", "The team")
    assert "the corpus has these labels already: consensus, label version 1" in again.out
    terms = json.loads((made.corpus / "corpus.json").read_bytes())["products"][-1]["terms"]
    assert (terms["licence"], terms["attribution"]) == ("CC-BY-4.0", "The team")
    elsewhere = json.loads(run("annotate", "consensus", made.folder, "--out", tmp_path / "own", "--json").out)
    assert elsewhere["product"] is None
    assert len(elsewhere["files"]) == 21
    figures = json.loads(run("annotate", "report", made.folder, "--json").out)
    assert figures["consensus"]["parameters"]["model"] == "reference-confusion"
    page = run("annotate", "report", made.folder, "--out", tmp_path / "page.html")
    assert page.out.strip() == str(tmp_path / "page.html")
    assert "Reliability" in (tmp_path / "page.html").read_text()
    exported = run("annotate", "export", made.folder, "--out", tmp_path / "answers")
    assert "288 answers to 144 tasks" in exported.out


def test_mistakes_are_named(run: Callable[..., Ran], tmp_path: Path) -> None:
    assert "landloom annotate init" in run("annotate", "consensus", tmp_path).err
    made = answered_campaign(tmp_path, references=2, people=("ann",))
    wrong = run("annotate", "consensus", made.folder, "--method", "eq1")
    assert wrong.code == 1
    assert "guess-aware" in wrong.err
    empty = run("annotate", "export", made.folder, "--out", made.corpus)
    assert empty.code == 1
    assert "expected a new one" in empty.err
