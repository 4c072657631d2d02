"""How GDAL is told to reach files, and whole copies fetched once from a real server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landloom.errors import PermanentFaultError, TransientFaultError
from landloom.store.remote import fetched, gdal_path, gdal_settings, suspect

if TYPE_CHECKING:
    from tests.store.conftest import FaultyServer


@pytest.mark.parametrize(
    ("href", "path"),
    [
        ("https://example.org/a/B04.tif?sig=1", "/vsicurl/https://example.org/a/B04.tif?sig=1"),
        ("s3://bucket/B04.tif", "/vsis3/bucket/B04.tif"),
        ("gs://bucket/B04.tif", "/vsigs/bucket/B04.tif"),
        ("az://container/B04.tif", "/vsiaz/container/B04.tif"),
        ("file:///data/B04.tif", "/data/B04.tif"),
        ("/data/B04.tif", "/data/B04.tif"),
    ],
)
def test_every_address_has_its_name_in_gdal(href: str, path: str) -> None:
    assert gdal_path(href) == path


def test_the_environment_goes_before_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gdal_settings("/a.tif")["GDAL_HTTP_MAX_RETRY"] == 0
    assert "VSI_CACHE" not in gdal_settings("/a.tif")
    assert gdal_settings("https://example.org/a.tif")["VSI_CACHE"]
    monkeypatch.setenv("GDAL_HTTP_TIMEOUT", "5")
    assert "GDAL_HTTP_TIMEOUT" not in gdal_settings("/a.tif")


def test_endpoints_are_told_in_gdals_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/s3/")
    settings = gdal_settings("s3://bucket/a.tif")
    assert settings["AWS_S3_ENDPOINT"] == "127.0.0.1:9000/s3"
    assert settings["AWS_HTTPS"] == "NO"
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "me")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "a2V5")
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:10000/me")
    words = gdal_settings("az://container/a.tif")["AZURE_STORAGE_CONNECTION_STRING"]
    assert "AccountName=me;AccountKey=a2V5;" in words
    assert "BlobEndpoint=http://127.0.0.1:10000/me;" in words


def test_only_what_failed_is_asked_anew() -> None:
    suspect("https://example.org/failed.tif")
    suspect("/local.tif")
    assert "CPL_VSIL_CURL_NON_CACHED" in gdal_settings("https://example.org/failed.tif")
    assert "CPL_VSIL_CURL_NON_CACHED" not in gdal_settings("https://example.org/other.tif")
    assert "CPL_VSIL_CURL_NON_CACHED" not in gdal_settings("/local.tif")


def test_a_copy_is_whole_and_goes_with_its_context(faulty: FaultyServer) -> None:
    (faulty.root / "a.tif").write_bytes(bytes(range(256)) * 100)
    with fetched(f"{faulty.address}/a.tif") as copy:
        path = Path(copy)
        assert path.read_bytes() == (faulty.root / "a.tif").read_bytes()
    assert not path.exists()
    assert len(faulty.requests) == 1


def test_what_is_gone_is_permanent_and_what_fails_is_not(faulty: FaultyServer) -> None:
    with pytest.raises(PermanentFaultError), fetched(f"{faulty.address}/absent.tif"):
        pass
    (faulty.root / "a.tif").write_bytes(b"1")
    for status in (503, 403):
        faulty.fail(status=status)
        with pytest.raises(TransientFaultError), fetched(f"{faulty.address}/a.tif"):
            pass
    faulty.heal()
    with fetched(f"{faulty.address}/a.tif") as copy:
        assert Path(copy).read_bytes() == b"1"
