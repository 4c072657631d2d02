"""What every test may ask for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, settings
from tests import azurite, google, postgres
from tests.web import FaultyServer, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landloom.pipelines.build import BuildReport

# No test counts on wall time, by itself or through hypothesis: machines may be busy.
settings.register_profile("landloom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# A server that fails for good is not waited for, except where a test says so.
os.environ.setdefault("LANDLOOM_OUTAGE", "0")
settings.load_profile("landloom")

SHARED = Path(__file__).parents[2] / "shared"
BUCKET = "corpora"
KEYS = {"aws_access_key_id": "id", "aws_secret_access_key": "any"}


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that want it are skipped, loudly, where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("no ../shared/data beside the checkout: tests on real data are not run")
    return SHARED / "data"


@pytest.fixture(scope="session")
def shared_schemas() -> Path:
    """The folder of STAC schemas beside the checkout."""
    if not (SHARED / "schemas").is_dir():
        pytest.skip("no ../shared/schemas beside the checkout: offline schema validation is not run")
    return SHARED / "schemas"


@pytest.fixture(scope="session")
def tiny_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of the tiny world; not to be changed."""
    from landloom.simulate.archive import simulate_archive

    folder = tmp_path_factory.mktemp("world") / "archive"
    simulate_archive("tiny", folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the archive of the tiny world and a recipe of two summer months for it."""
    from landloom.pipelines.starters import write_starter

    folder = tmp_path_factory.mktemp("tiny")
    (folder / "archive").symlink_to(tiny_archive)
    write_starter("demo", folder / "landloom.yaml")
    document = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    document["name"] = "tiny"
    document["period"] = {"start": "2018-06-01", "end": "2018-08-01"}
    document["samples"]["count"] = 6
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny_corpus(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of that recipe, built in this process without interruption; not to be changed."""
    from landloom.pipelines.build import build

    out = tmp_path_factory.mktemp("corpus") / "corpus"
    build(tiny, out=out)
    return out


@pytest.fixture(scope="session")
def fused(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny recipe with a fused series, in both layouts, and of its `corpus`; not to be changed."""
    from landloom.pipelines.build import build

    folder = tmp_path_factory.mktemp("fused")
    (folder / "archive").symlink_to(tiny / "archive")
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    terms = {"licence": "CC0-1.0", "attribution": "nobody"}
    document |= {"products": {"pfsr": {"kind": "fused", "terms": terms}}, "layouts": ["chips", "cubes"]}
    document["samples"]["count"] = 4
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    build(folder)
    return folder


@pytest.fixture(scope="session")
def series(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a recipe of windows with native series and parcels, and of its `corpus`; not to be changed."""
    from tests.projects import write_series

    from landloom.pipelines.build import build

    folder = write_series(tmp_path_factory.mktemp("series"), tiny_archive)
    build(folder)
    return folder


@pytest.fixture(scope="session")
def granule_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive of a world of two granules; not to be changed."""
    from tests.projects import granule_world

    from landloom.simulate.archive import simulate_archive

    folder = tmp_path_factory.mktemp("granules") / "archive"
    simulate_archive(granule_world(), folder)
    return folder


@pytest.fixture(scope="session")
def granules(granule_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildReport:
    """The corpus of three chips in each of them, from scenes to guess labels; not to be changed."""
    from tests.projects import write_granules

    from landloom.pipelines.build import build

    folder = tmp_path_factory.mktemp("small")
    write_granules(folder, granule_archive)
    return build(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """The result of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs the console script's function with arguments."""
    from landloom.cli.__main__ import main

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["landloom", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        seen = capsys.readouterr()
        return Ran(code=code, out=seen.out, err=seen.err)

    return call


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts processes, each in a group of its own; whatever of a group still lives afterwards is killed."""
    started: list[subprocess.Popen[str]] = []

    def call(command: list[str], **options: Any) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, text=True, start_new_session=True, **pipes | options))
        return started[-1]

    yield call
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Address of an S3 server on the loopback, with one bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **KEYS)
    client.create_bucket(Bucket=BUCKET)
    client.close()
    yield address
    server.stop()


@pytest.fixture(scope="session")
def azure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an account on an Azure blob server on the loopback, with one container."""
    with azurite.running(tmp_path_factory.mktemp("azurite")) as address:
        azurite.make_container(address, BUCKET)
        yield address


@pytest.fixture
def azure(azure_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its container's URI, with an environment that leads there."""
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", azure_server)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", azurite.ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", azurite.KEY)
    return f"az://{BUCKET}"


@pytest.fixture
def gs(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket's URI of Google Cloud Storage on the loopback, with an environment that leads there."""
    with google.running() as address:
        monkeypatch.setenv("GOOGLE_BASE_URL", address)
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", google.account(address))
        yield f"gs://{BUCKET}"


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its bucket's URI, with an environment that leads there."""
    for name, value in ({"aws_endpoint_url": s3_server, "aws_region": "us-east-1"} | KEYS).items():
        monkeypatch.setenv(name.upper(), value)
    return f"s3://{BUCKET}"


@pytest.fixture
def faulty(tmp_path: Path) -> Iterator[FaultyServer]:
    """A web server over the test's folder that fails on demand."""
    with serving(tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL server of the tests' own; tests that want it are skipped, loudly, where none is installed."""
    with postgres.running(durable=False) as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database: every test that asks for it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.sqlite'}"
        return
    cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
    with cluster.lent() as url:
        yield url


@pytest.fixture
def ledger_url(empty_database: str) -> str:
    """Address for a new ledger."""
    return empty_database
