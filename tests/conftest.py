"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests import azurite

if TYPE_CHECKING:
    from collections.abc import Iterator

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
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Its bucket's URI, with an environment that leads there."""
    for name, value in ({"aws_endpoint_url": s3_server, "aws_region": "us-east-1"} | KEYS).items():
        monkeypatch.setenv(name.upper(), value)
    return f"s3://{BUCKET}"
