"""A build with nothing to do writes nothing, and still makes good whatever is missing or decided otherwise."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.projects import digest_of

from landloom.pipelines.build import build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def project(tiny: Path, tiny_corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny project with a built corpus of its own."""
    folder = tmp_path_factory.mktemp("unchanged")
    (folder / "archive").symlink_to(tiny / "archive")
    shutil.copyfile(tiny / "landloom.yaml", folder / "landloom.yaml")
    shutil.copytree(tiny_corpus, folder / "corpus")
    build(folder)
    return folder


def written(corpus: Path) -> dict[Path, int]:
    """File → when it was written, of all that is published."""
    found = (path for path in corpus.rglob("*") if path.is_file() and ".landloom" not in path.parts)
    return {path: path.stat().st_mtime_ns for path in found}


def test_a_build_with_nothing_to_do_writes_nothing_and_reports_the_same(project: Path) -> None:
    before, last = written(project / "corpus"), build(project)
    again = build(project)
    assert written(project / "corpus") == before
    assert again.document() | {"seconds": 0} == last.document() | {"seconds": 0}
    assert again.units_run == 0


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("stac-v1.0/*/*/*/*.json", "gone"),
        ("stac-v1.0/*/*/*/*.json", "shorter"),
        ("stac-v1.0/catalog.json", "shorter"),
        ("lineage/*/*/*.json", "gone"),
        ("manifest/*/*", "gone"),
        ("manifest/*/*", "shorter"),
        ("manifest/corpus.parquet", "shorter"),
    ],
)
def test_a_document_that_is_missing_or_cut_is_written_again(
    project: Path, tiny_corpus: Path, pattern: str, damage: str
) -> None:
    path = max((project / "corpus").glob(pattern))
    content = path.read_bytes()
    path.unlink() if damage == "gone" else path.write_bytes(content[:-1])
    done = build(project)
    assert done.units_run == 0
    assert path.read_bytes() == content
    told = [note for note in done.notes if "was damaged" in note]
    assert len(told) == ("manifest" in pattern and damage == "shorter")
    assert digest_of(project / "corpus") == digest_of(tiny_corpus)


def test_what_decides_documents_alone_writes_them_anew(project: Path) -> None:
    recipe = project / "landloom.yaml"
    text = recipe.read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    document["publication"]["title"] = "Another title"
    recipe.write_text(yaml.safe_dump(document), encoding="utf-8")
    assert build(project).units_run == 0
    assert "Another title" in (project / "corpus" / "README.md").read_text(encoding="utf-8")
    recipe.write_text(text, encoding="utf-8")
    build(project)
    assert "Another title" not in (project / "corpus" / "README.md").read_text(encoding="utf-8")
