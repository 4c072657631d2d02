"""An archive whose root is signed, or needs a password, is read to the last pixel; the secret stays in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cases.archives import only_chip, write_catalog, write_recipe, write_scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Ran
    from tests.web import FaultyServer

PLANTED = "S3CR3T"


@pytest.mark.parametrize("form", ["signature", "password"])
def test_a_signed_root_signs_what_lies_below_it(
    faulty: FaultyServer, tmp_path: Path, run: Callable[..., Ran], form: str
) -> None:
    write_scene(tmp_path / "archive", "x", "2018-06-05", {"B04": 2000, "B08": 3000})
    write_catalog(tmp_path / "archive", "x")
    root = f"{faulty.address}/archive/catalog.json"
    signed = f"{root}?sv=1&sig={PLANTED}" if form == "signature" else root.replace("//", f"//me:{PLANTED}@")
    faulty.secret = f"sig={PLANTED}" if form == "signature" else PLANTED
    recipe = write_recipe(tmp_path, signed)
    done = run("build", recipe, "--workers", "1")
    assert done.code == 0, done.err
    assert only_chip(tmp_path / "corpus")[0].min() == 2000
    assert PLANTED not in done.out + done.err
    kept = [
        path for path in (tmp_path / "corpus").rglob("*") if path.is_file() and PLANTED.encode() in path.read_bytes()
    ]
    assert kept == []


def test_a_root_without_its_signature_is_an_error_that_says_so(
    faulty: FaultyServer, tmp_path: Path, run: Callable[..., Ran]
) -> None:
    write_scene(tmp_path / "archive", "x", "2018-06-05", {"B04": 2000, "B08": 3000})
    write_catalog(tmp_path / "archive", "x")
    faulty.secret = PLANTED
    done = run("build", write_recipe(tmp_path, f"{faulty.address}/archive/catalog.json"), "--workers", "1")
    assert done.code == 1
    assert "HTTP 403" in done.err
    assert "sign the address" in done.err
