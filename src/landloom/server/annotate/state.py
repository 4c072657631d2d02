"""What handlers work with: the ledger, one campaign in it, and the imagery of its corpus."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landloom.annotate.ledger.accounts import sessions, tokens, users
from landloom.server.annotate.cookies import SessionCookie
from landloom.server.annotate.summaries import Summaries

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import Role, User
    from landloom.annotate.tasks.values import Campaign
    from landloom.pipelines.annotation.profiles import Profiles
    from landloom.pipelines.annotation.windows import WindowReader
    from landloom.server.annotate.origins import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who is signed in."""

    user: User
    csrf: str | None
    """What requests that change something have to carry; None for programs, whose token no browser sends by itself."""
    roles: frozenset[str]
    """In this campaign."""


@dataclass(slots=True, kw_only=True)
class AppState:
    """Shared by all requests; every part of it may be used by many threads."""

    ledger: Ledger
    campaign: Campaign
    windows: WindowReader
    site: Site
    profiles: Profiles | None = None
    """Computed once, when somebody first asks for them."""
    profiling: threading.Lock = field(default_factory=threading.Lock)
    summaries: Summaries = field(init=False)

    def __post_init__(self) -> None:
        self.summaries = Summaries(self.ledger, self.campaign)

    @property
    def cookie(self) -> SessionCookie:
        """How sessions are kept in browsers."""
        return SessionCookie(secure=self.site.secure)

    def who(self, cookie: str | None, bearer: str | None) -> Caller | None:
        """Who calls, by the token of a session or by one for programs, which goes first; None if nobody is known."""
        if bearer is None:
            found = sessions.session_in(self.ledger, cookie, self.campaign.name) if cookie is not None else None
            return None if found is None else Caller(user=found[0].user, csrf=found[0].csrf, roles=_words(found[1]))
        user = tokens.token_user(self.ledger, bearer)
        if user is None:
            return None
        return Caller(user=user, csrf=None, roles=_words(users.roles(self.ledger, user, self.campaign.name)))


def _words(roles: frozenset[Role]) -> frozenset[str]:
    return frozenset(str(role) for role in roles)
