"""Buckets of an archive with keys and an endpoint of their own, apart from those of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.conftest import BUCKET, KEYS

from landloom.errors import InvalidInputError, NotFoundError, TransientFaultError
from landloom.store.network.backends import bucket_profile, endpoint_of, object_backend
from landloom.store.open import open_store
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from pathlib import Path

ELSEWHERE = "http://127.0.0.1:1"


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, s3_server: str) -> Path:
    """The environment leads nowhere, and the bucket has a profile that leads to the server; returns its file."""
    file = tmp_path / "credentials"
    keys = "".join(f"{name} = {value}\n" for name, value in KEYS.items())
    file.write_text(f"[cdse]\n{keys}region = us-east-1\nendpoint_url = {s3_server}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_ENDPOINT_URL", ELSEWHERE)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("LANDLOOM_S3_PROFILES", f"{BUCKET}=cdse, usgs-landsat=usgs")
    return file


@pytest.mark.usefixtures("apart")
def test_a_bucket_has_keys_and_an_endpoint_of_its_own(tiny_archive: Path, s3_server: str) -> None:
    raster = next(tiny_archive.rglob("B04.tif"))
    store = open_store(f"s3://{BUCKET}")
    store.put("own/B04.tif", raster.read_bytes())
    with open_raster(str(raster)) as here, open_raster(f"s3://{BUCKET}/own/B04.tif") as there:
        assert (here.read(here.grid) == there.read(there.grid)).all()
    assert endpoint_of(f"s3://{BUCKET}/own") == s3_server
    assert endpoint_of("s3://published/corpus") == ELSEWHERE
    with pytest.raises(TransientFaultError):
        open_store("s3://published").get("a")


def test_requester_pays(apart: Path) -> None:
    apart.write_text("[usgs]\naws_access_key_id = a\naws_secret_access_key = b\nrequest_payer = requester\n")
    assert object_backend("s3://usgs-landsat").config["request_payer"] == "requester"
    assert "request_payer" not in object_backend("s3://published").config


def test_mistakes_are_named(apart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match="usgs"):
        open_store("s3://usgs-landsat")
    apart.write_text("[usgs]\nendpoint_url = nowhere\n")
    with pytest.raises(InvalidInputError, match="endpoint_url of profile usgs"):
        open_store("s3://usgs-landsat")
    monkeypatch.setenv("LANDLOOM_S3_PROFILES", "usgs")
    with pytest.raises(InvalidInputError, match="expected BUCKET=PROFILE"):
        bucket_profile("eodata")
