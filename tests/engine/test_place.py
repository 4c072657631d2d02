"""A corpus in an object store: built by workers that share no disk, to the same bytes as in a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from tests.projects import digest_of
from tests.web import serving

from landloom.corpus.audit.validate import audit, digest
from landloom.engine.place import JOURNAL, Place
from landloom.engine.shards import Shard
from landloom.errors import ForeignCorpusError, InvalidInputError
from landloom.pipelines.build import build
from landloom.pipelines.shards.build import prepare
from landloom.pipelines.status import read_status
from landloom.store.cache import cache_folder
from landloom.store.network.traffic import host_of, traffic
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Ran

CLUSTER = "from distributed.cli import dask_{0}; dask_{0}.main()"


@pytest.fixture(scope="module")
def recipe(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The tiny recipe with all inputs on a web server, and its corpus, built in a folder by this process."""
    folder = tmp_path_factory.mktemp("remote")
    with serving((tiny / "archive").resolve()) as server:
        text = (tiny / "landloom.yaml").read_text(encoding="utf-8").replace(" archive/", f" {server.address}/")
        text = text.replace("layouts:\n- chips\n", "layouts:\n")  # fewer files
        text = text.replace("2018-08-01", "2018-07-01")
        (folder / "landloom.yaml").write_text(text, encoding="utf-8")
        build(folder)
        yield folder


@pytest.fixture
def machine() -> Iterator[Callable[[str], dict[str, str]]]:
    """The environment of a machine with folders of its own; their paths are short, as sockets lie in them."""
    with TemporaryDirectory(prefix="m-", ignore_cleanup_errors=True) as folder:

        def env(name: str) -> dict[str, str]:
            variables = ("HOME", "TMPDIR", "LANDLOOM_STATE")
            own = {variable: str(Path(folder) / name / variable) for variable in variables}
            for one in own.values():
                Path(one).mkdir(parents=True)
            return os.environ | own | {"LANDLOOM_CACHE": str(cache_folder())}  # of compiled code

        yield env


def landloom(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "landloom.cli", *arguments]


def digest_at(uri: str) -> str:
    return digest(open_store(uri))


def test_a_build_in_an_object_store_goes_on_from_any_machine(
    recipe: Path,
    s3: str,
    machine: Callable[[str], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[..., Ran],
) -> None:
    """A pool of processes builds; then another machine finds nothing to do; each file was one PUT."""
    out = f"{s3}/place/pool"
    command = landloom("build", str(recipe), "--out", out, "--workers", "2")
    first = subprocess.run(command, env=machine("first"), check=False, capture_output=True, text=True)
    assert first.returncode == 0, first.stderr
    assert digest_at(out) == digest_of(recipe / "corpus")
    assert audit(open_store(out)).problems == ()
    found = read_status(out)
    assert [(row.done, row.failed, row.missing) for row in found.rows] == [(2, 0, 0)] * 3
    said = run("status", out).out
    assert "s2" in said
    assert all(host in said for host in ("127.0.0.1:", s3))
    assert all(counts.requests and counts.size and not counts.failures for counts in found.hosts.values())
    assert found.pace > 0
    assert found.rates[s3] > 0
    monkeypatch.setenv("LANDLOOM_STATE", machine("second")["LANDLOOM_STATE"])
    done = build(recipe, out=out)
    assert done.units_run == 0
    assert done.address == done.document()["corpus"] == out
    assert Path(done.report).is_relative_to(os.environ["LANDLOOM_STATE"])
    assert str(done.report) in run("report", out).out.replace("\n", "")
    assert "<h2>Requests</h2>" in Path(done.report).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["s3", "azure", "gs"])
def test_each_file_is_one_put_and_the_manifest_is_last(
    kind: str, recipe: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bucket: str = request.getfixturevalue(kind)
    monkeypatch.setenv("LANDLOOM_STATE", str(tmp_path))
    out = f"{bucket}/place/inline"
    traffic()
    build(recipe, out=out)
    sent = traffic()[host_of(bucket).name]
    files = [entry for entry in open_store(out).list() if not entry.key.startswith(".landloom")]
    assert sent.retries == 0
    assert sent.size < 8 * sum(entry.size for entry in files) + 2**20
    assert digest_at(out) == digest_of(recipe / "corpus")


@pytest.mark.filterwarnings("ignore")
def test_workers_of_a_cluster_need_no_common_disk(
    recipe: Path, s3: str, machine: Callable[[str], dict[str, str]], tmp_path: Path
) -> None:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    number = count()
    address, out = tmp_path / "scheduler.json", f"{s3}/place/cluster"
    with ExitStack() as stack:

        def begin(kind: str, *arguments: str) -> None:
            command = [sys.executable, "-c", CLUSTER.format(kind), *arguments, "--scheduler-file", str(address)]
            env = machine(f"{kind}{next(number)}")
            process = subprocess.Popen(command, env=env, cwd=env["HOME"], start_new_session=True, **quiet)  # type: ignore[call-overload]
            stack.callback(process.wait)
            stack.callback(os.killpg, process.pid, signal.SIGKILL)

        begin("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        for _ in range(2):
            begin("worker", "--nthreads", "1", "--no-dashboard", "--no-nanny")
        while not address.exists() or not address.read_text():
            time.sleep(0.05)
        import json

        at = json.loads(address.read_text())["address"]
        command = landloom("build", str(recipe), "--out", out, "--scheduler", at)
        subprocess.run(command, env=machine("coordinator"), check=True, capture_output=True)
    assert digest_at(out) == digest_of(recipe / "corpus")


def test_shards_need_no_common_disk(
    recipe: Path, s3: str, machine: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is killed and begins anew on another machine; the last build runs nothing."""
    out = f"{s3}/place/shards"

    def part(name: str, *options: str) -> subprocess.Popen[bytes]:
        command = landloom("build", str(recipe), "--out", out, "--workers", "1", *options)
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=machine(name), stdout=pipe, stderr=pipe, start_new_session=True)

    monkeypatch.setenv("LANDLOOM_STATE", machine("prepare")["LANDLOOM_STATE"])
    prepare(recipe, out=out)
    store = open_store(out)
    killed = part("killed", "--shard", "1/2")
    while not store.exists(Shard(2, 1).key):
        assert killed.poll() is None
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert read_status(out).shards
    running = [part(name, "--shard", f"{number}/2") for number, name in enumerate(("a", "b"), 1)]
    told = [one.communicate() for one in running]
    assert [one.returncode for one in running] == [0, 0], told
    monkeypatch.setenv("LANDLOOM_STATE", machine("finish")["LANDLOOM_STATE"])
    assert build(recipe, out=out, finish=True).units_run == 0
    assert digest_at(out) == digest_of(recipe / "corpus")
    assert [entry.key for entry in store.list(".landloom/shards")] == []


def test_nothing_of_others_is_built_over(
    recipe: Path, tiny_corpus: Path, s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANDLOOM_STATE", str(tmp_path))
    open_store(f"{s3}/place/other").put("a.txt", b"1")
    with pytest.raises(ForeignCorpusError, match="files of something else"):
        build(recipe, out=f"{s3}/place/other")
    document = (tiny_corpus / "corpus.json").read_bytes()
    open_store(f"{s3}/place/named").put("corpus.json", document.replace(b'"tiny"', b'"else"'))
    with pytest.raises(ForeignCorpusError, match="got the corpus else"):
        build(recipe, out=f"{s3}/place/named")


def test_the_state_of_a_folder_lies_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Place.of(tmp_path) == Place.of(str(tmp_path)) == Place.of(tmp_path.as_uri())
    assert Place.of(tmp_path) == Place(uri=str(tmp_path), folder=tmp_path)
    monkeypatch.setenv("LANDLOOM_STATE", str(tmp_path))
    one, other = Place.of("s3://bucket/a/"), Place.of("s3://bucket/b/a")
    assert one.uri == "s3://bucket/a"
    assert one.folder.parent == other.folder.parent == tmp_path / "builds"
    assert one.folder != other.folder
    assert JOURNAL.startswith(".landloom/")
    for address in ("https://example.org/a", "memory://a"):
        with pytest.raises(InvalidInputError, match="expected a folder, or an address that starts s3://"):
            Place.of(address)
