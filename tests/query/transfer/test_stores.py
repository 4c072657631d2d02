"""Addresses are signed where the store signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.transfer.stores import open_transfer_store, signed_urls

if TYPE_CHECKING:
    from pathlib import Path


def test_addresses_are_signed_where_the_store_signs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    signed = signed_urls("s3://bucket/corpus", ["imagery/a.tif"])
    assert "/corpus/imagery/a.tif?" in signed[0]
    assert "X-Amz-Signature=" in signed[0]
    with pytest.raises(InvalidInputError, match="signs"):
        signed_urls("https://example.org/", ["a"])
    with pytest.raises(InvalidInputError, match="ftp"):
        open_transfer_store("ftp://example.org/")
    credentials = tmp_path / "credentials"
    credentials.write_text("[lab]\naws_access_key_id = labkey\naws_secret_access_key = x\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    assert "labkey" in signed_urls("s3://bucket/corpus", ["a.tif"], profile="lab")[0]
    with pytest.raises(NotFoundError, match="lab"):
        open_transfer_store("s3://bucket/corpus", profile="lob")
