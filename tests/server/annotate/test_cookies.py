"""Cookies of sessions: what is set, and which tokens are taken from what a browser sends."""

from __future__ import annotations

import pytest

from landloom.server.annotate.cookies import SessionCookie

TOKEN = "0123456789abcdefABCDEF_-"  # noqa: S105 - of nobody


@pytest.mark.parametrize("secure", [True, False])
def test_a_session_is_out_of_reach_of_scripts_and_other_sites(*, secure: bool) -> None:
    cookie = SessionCookie(secure=secure)
    words = cookie.header(TOKEN).split("; ")
    assert words[0] == f"{'__Host-session' if secure else 'session'}={TOKEN}"
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(words)
    assert ("Secure" in words) == secure
    assert not any(word.startswith("Domain") for word in words)
    assert cookie.removed().endswith("Max-Age=0")
    assert cookie.token(words[0]) == TOKEN


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"other={TOKEN}",
        f"__Host-session={TOKEN}",
        f"session={TOKEN}; session={TOKEN}",
        f"session={TOKEN}; session=",
        "session=short",
        f"session={TOKEN}'",
        "session=" + "x" * 129,
        f"Session={TOKEN}",
    ],
)
def test_what_is_no_session(header: str) -> None:
    assert SessionCookie(secure=False).token(header) is None


def test_others_may_stand_beside() -> None:
    assert SessionCookie(secure=False).token(f"a=b;session={TOKEN} ; c") == TOKEN
