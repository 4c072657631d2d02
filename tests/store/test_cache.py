"""Where the query engine keeps its cache, by environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from landloom.store.cache import cache_folder


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({"LANDLOOM_CACHE": "/a/own", "XDG_CACHE_HOME": "/b"}, Path("/a/own")),
        ({"XDG_CACHE_HOME": "/b"}, Path("/b/landloom")),
        ({"LANDLOOM_CACHE": "", "XDG_CACHE_HOME": "/b"}, Path("/b/landloom")),
    ],
)
def test_the_nearest_setting_wins(environment: dict[str, str], wanted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANDLOOM_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == wanted


def test_without_any_it_is_below_the_users_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LANDLOOM_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder().is_relative_to(tmp_path)
    assert cache_folder().name == "landloom"
