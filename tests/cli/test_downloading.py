"""`landloom download` before the first byte comes: what it says, what it refuses, and what it never prints."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from landloom.corpus.manifest import manifest_bytes, read_manifest
from landloom.reports.terminal import size
from landloom.store.objects import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran


def test_a_dry_run_says_how_many_bytes(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    out = tmp_path / "out"
    every = sum(path.stat().st_size for path in (corpus / "labels").rglob("*.*"))
    said = run("download", corpus, out, "--labels", "--dry-run").out
    assert re.search(rf"^2 files to download, {re.escape(size(every))}; 0 already present$", said, re.MULTILINE)
    assert not out.exists()
    assert run("download", corpus, out, "--labels").code == 0
    assert "0 files to download, 0 B; 2 already present" in run("download", corpus, out, "--labels", "--dry-run").out


def test_what_does_not_fit_is_refused_before_it_begins(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "huge")
    for path in (tmp_path / "huge" / "manifest").rglob("*.parquet"):
        entries = read_manifest(path.read_bytes())
        path.write_bytes(manifest_bytes([replace(entry, size=2**60) for entry in entries]))
    (tmp_path / "huge" / "digest.json").unlink()
    ran = run("download", tmp_path / "huge", tmp_path / "out", "--labels")
    assert ran.code == 1
    assert f"{2 * 2**60:,} and a reserve" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("profile", ["lab", "lob"])
def test_credentials_are_never_printed(
    corpus: Path, run: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text("[lab]\naws_access_key_id = LABKEY\naws_secret_access_key = hush\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ENVKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "quiet")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LANDLOOM_CORPORA", str(tmp_path / "corpora.json"))
    ran = [
        run("download", "s3://bucket/corpus", tmp_path / "out", "--profile", profile),
        run("download", corpus, tmp_path / "own", "--labels", "--profile", profile),
        run("download", corpus, tmp_path / "own", "--labels", "--azcopy", "--profile", profile),
    ]
    assert ran[0].code == 1
    assert ("s3://bucket/corpus" if profile == "lab" else "'lob'") in ran[0].err
    said = "".join(one.out + one.err for one in ran)
    assert not re.search("LABKEY|hush|ENVKEY|quiet", said)


def test_a_profile_opens_index_manifests_and_files(
    corpus: Path, run: Callable[..., Ran], s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ObjectStore(f"{s3}/private")
    for path in sorted(corpus.rglob("*")):
        if path.is_file():
            store.put(path.relative_to(corpus).as_posix(), path.read_bytes())
    (tmp_path / "credentials").write_text("[lab]\naws_access_key_id = id\naws_secret_access_key = any\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("LANDLOOM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    ran = run("download", store.uri, tmp_path / "out", "--labels", "--profile", "lab")
    assert ran.code == 0, ran.err
    assert sum(path.is_file() for path in (tmp_path / "out" / "labels").rglob("*")) == 2
    assert "AWS_ACCESS_KEY_ID" not in os.environ
