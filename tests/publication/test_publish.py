"""Publishing to S3 and Azure servers and to a folder: what arrives is a corpus, and it is never overwritten."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from landloom.corpus.audit.validate import audit, digest
from landloom.corpus.manifest import read_manifest
from landloom.errors import CorpusInvalidError, ForeignCorpusError, InvalidInputError, TransientFaultError
from landloom.formats.geotiff import decode_geotiff
from landloom.publication.layouts import export
from landloom.publication.publish import publish
from landloom.publication.upload import MARKER, NOTE
from landloom.query.corpus import Corpus
from landloom.query.transfer.destination import plan_download, verify
from landloom.query.transfer.download import download
from landloom.query.transfer.parts import selection_files
from landloom.query.transfer.stores import open_transfer_store
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.publication.publish import PublishReport

BASE = "https://example.org/tiny"


class Killed:
    """A listener that stops a publish after so many files, as a signal would."""

    def __init__(self, after: int) -> None:
        self.left = after

    def started(self, stage: str, total: int) -> None:
        """Nothing."""

    def advanced(self, unit: str, reason: str | None) -> None:
        del unit, reason
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


@pytest.fixture
def corpus(tiny_corpus: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    shutil.copytree(tiny_corpus, tmp_path / "corpus")
    return tmp_path / "corpus"


def killed(corpus: Path, target: Path, after: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        publish(str(corpus), f"file://{target}", BASE, listener=Killed(after), workers=2)


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_published_in_an_object_store_it_validates_answers_and_is_downloaded(
    tiny_corpus: Path, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    target = f"{request.getfixturevalue(kind)}/tiny/1.0"
    done = publish(str(tiny_corpus), target, target)
    store = open_store(target)
    found = audit(store, digests=True)
    assert found.problems == ()
    assert (done.uploaded, done.unchanged, done.removed) == (found.files, 0, 0)
    assert done.digest == digest(store)
    assert not store.exists(MARKER)
    assert not store.exists(NOTE)

    reopened, local = Corpus.open(target, cache=tmp_path / "a"), Corpus.open(tiny_corpus, cache=tmp_path / "b")
    chosen, wanted = reopened.query(where="clc_111 < 1"), local.query(where="clc_111 < 1")
    assert list(chosen.ids) == list(wanted.ids)
    paths = chosen.assets.paths()
    assert paths == wanted.assets.paths()
    chips = [path for path in paths if path.endswith(".tif")]
    assert chips
    assert decode_geotiff(store.get(chips[0]))[0].any()
    assert store.get(chips[0]) == (tiny_corpus / chips[0]).read_bytes()

    files, out = selection_files(chosen, store), tmp_path / "out"
    assert all(item.sha256 for item in files)
    for come in (len(files), 0):
        came = download(plan_download(files, out), open_transfer_store(target), corpus="tiny 1.0", base=target)
        assert (came.fetched, came.present, came.failed) == (come, len(files) - come, ())
    assert verify(out) == []
    assert all((out / path).read_bytes() == (tiny_corpus / path).read_bytes() for path in paths)


def test_hrefs_are_absolute_there_and_relative_here(tiny_corpus: Path, tmp_path: Path, shared_schemas: Path) -> None:
    publish(str(tiny_corpus), f"file://{tmp_path}/p", f"{BASE}/")
    documents = sorted((tmp_path / "p").rglob("stac-v1.0/**/*.json"))
    assert len(documents) > 6 * 2
    for path in documents:
        document = json.loads(path.read_text(encoding="utf-8"))
        own = [link["href"] for link in document["links"] if link["rel"] == "self"]
        assert own == [f"{BASE}/{path.relative_to(tmp_path / 'p')}"]
        hrefs = [asset["href"] for asset in document.get("assets", {}).values()]
        assert all(href.startswith(f"{BASE}/") for href in hrefs)
        local = json.loads((tiny_corpus / path.relative_to(tmp_path / "p")).read_text(encoding="utf-8"))
        assert not any("://" in asset["href"] for asset in local.get("assets", {}).values())
    assert audit(open_store(str(tmp_path / "p")), schemas=shared_schemas, digests=True).problems == ()


def test_a_second_publish_sends_nothing(tiny_corpus: Path, tmp_path: Path) -> None:
    target = f"file://{tmp_path}/p"
    first = publish(str(tiny_corpus), target, BASE)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "p").rglob("*")}
    again = publish(str(tiny_corpus), target, BASE)
    assert (again.uploaded, again.unchanged, again.digest) == (0, first.uploaded, first.digest)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "p").rglob("*")} == before


def test_the_same_wherever_it_was_interrupted(tiny_corpus: Path, tmp_path: Path) -> None:
    """Whenever it is killed there is no catalog.json; then it goes on, and ends in the same bytes."""
    whole = publish(str(tiny_corpus), f"file://{tmp_path}/whole", BASE)
    for after in (0, 5, whole.uploaded // 2, whole.uploaded - 2, whole.uploaded - 1):
        target = tmp_path / f"killed{after}"
        killed(tiny_corpus, target, after)
        if after < whole.uploaded - 1:
            assert not (target / "stac-v1.0" / "catalog.json").exists()
        done = publish(str(tiny_corpus), f"file://{target}", BASE)
        assert done.digest == whole.digest
        found = audit(open_store(str(target)), digests=True)
        assert found.problems == ()
        assert not (target / MARKER).exists()


def test_what_is_there_is_not_sent_again(tiny_corpus: Path, tmp_path: Path) -> None:
    """Tiles whose manifest arrived stay as they are."""
    whole = publish(str(tiny_corpus), f"file://{tmp_path}/whole", BASE)
    manifests = [path for path in (tiny_corpus / "manifest").rglob("*.parquet") if path.stem != "corpus"]
    killed(tiny_corpus, tmp_path / "p", whole.uploaded - 3)
    done = publish(str(tiny_corpus), f"file://{tmp_path}/p", BASE)
    assert done.unchanged == sum(len(read_manifest(path.read_bytes())) for path in manifests)
    assert done.uploaded == whole.uploaded - done.unchanged


def test_another_corpus_after_an_interruption_leaves_nothing_behind(tiny_corpus: Path, tmp_path: Path) -> None:
    """Half a publish in chips, then the whole in cubes: stale files go."""
    export(str(tiny_corpus), tmp_path / "chips", ["chips"])
    export(str(tiny_corpus), tmp_path / "cubes", ["cubes"])
    whole = publish(str(tmp_path / "cubes"), f"file://{tmp_path}/whole", BASE)
    files = audit(open_store(str(tmp_path / "chips"))).files
    for after in (5, files // 2, files - 2):
        target = tmp_path / f"p{after}"
        killed(tmp_path / "chips", target, after)
        done = publish(str(tmp_path / "cubes"), f"file://{target}", BASE)
        assert done.digest == whole.digest
        assert done.removed > 0
        assert audit(open_store(str(target)), digests=True).problems == ()


def test_a_published_version_is_never_overwritten(tiny_corpus: Path, corpus: Path, tmp_path: Path) -> None:
    target = f"file://{tmp_path}/p"
    first = publish(str(tiny_corpus), target, BASE)
    export(str(tiny_corpus), tmp_path / "cubes", ["cubes"])
    with pytest.raises(ForeignCorpusError, match="with another digest; a published version is never overwritten"):
        publish(str(tmp_path / "cubes"), target, BASE)
    with pytest.raises(ForeignCorpusError, match=r"as https://example\.org/tiny, not as https://other\.org"):
        publish(str(tiny_corpus), target, "https://other.org")
    assert digest(open_store(target)) == first.digest
    with pytest.raises(ForeignCorpusError, match="never published"):
        publish(str(tiny_corpus), f"file://{corpus}", BASE)


def test_foreign_places_are_refused(tiny_corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x", encoding="utf-8")
    with pytest.raises(ForeignCorpusError, match=r"such as thesis\.tex"):
        publish(str(tiny_corpus), f"file://{tmp_path}", BASE)
    with pytest.raises(ForeignCorpusError, match="is the corpus itself"):
        publish(str(tiny_corpus), f"file://{tiny_corpus}", BASE)
    (tmp_path / "q" / ".landloom").mkdir(parents=True)
    (tmp_path / "q" / MARKER).write_text('{"name": "other", "version": "1.0"}', encoding="utf-8")
    with pytest.raises(ForeignCorpusError, match="corpus other is being published there"):
        publish(str(tiny_corpus), f"file://{tmp_path}/q", BASE)


@pytest.mark.parametrize("base", ["", "example.org/x", "/data/x", "https://", "https://example.org/x?sig=1"])
def test_base_urls_are_absolute(tiny_corpus: Path, tmp_path: Path, base: str) -> None:
    with pytest.raises(InvalidInputError, match=r"\w+ an absolute address"):
        publish(str(tiny_corpus), str(tmp_path / "p"), base)


def test_what_does_not_validate_is_refused(corpus: Path, tmp_path: Path) -> None:
    min(corpus.rglob("*.tif")).unlink()
    with pytest.raises(CorpusInvalidError, match="missing, but listed in a manifest"):
        publish(str(corpus), f"file://{tmp_path}/p", BASE)
    assert not (tmp_path / "p").exists()


def test_a_flipped_bit_is_found_on_the_way(corpus: Path, tmp_path: Path) -> None:
    chip = min(corpus.rglob("*.tif"))
    data = bytearray(chip.read_bytes())
    data[-1] ^= 1
    chip.write_bytes(data)
    with pytest.raises(CorpusInvalidError, match="do not match the manifest"):
        publish(str(corpus), f"file://{tmp_path}/p", BASE)
    assert not (tmp_path / "p" / "stac-v1.0" / "catalog.json").exists()


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_a_clear_error(tiny_corpus: Path) -> None:
    with pytest.raises(TransientFaultError, match="no-such-bucket"):
        publish(str(tiny_corpus), "s3://no-such-bucket/x", BASE)


def test_a_published_corpus_can_be_published_on(tiny_corpus: Path, tmp_path: Path) -> None:
    """From one store to another: the hrefs are the new place's, the digest that of a first publish."""
    publish(str(tiny_corpus), f"file://{tmp_path}/a", "https://a.org")
    done: PublishReport = publish(f"file://{tmp_path}/a", f"file://{tmp_path}/b", BASE)
    assert done.digest == publish(str(tiny_corpus), f"file://{tmp_path}/c", BASE).digest


def test_what_does_not_validate_never_reaches_the_target(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The target cannot even be asked: nothing listens there."""
    next(corpus.rglob("*.tif")).unlink()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(CorpusInvalidError, match="missing, but listed in a manifest"):
        publish(str(corpus), "s3://bucket/tiny", BASE)
