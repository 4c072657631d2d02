"""What handlers work with: the ledger, one campaign in it, and the imagery of its corpus."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landloom.annotate.ledger.accounts import sessions
from landloom.server.annotate.cookies import SessionCookie
from landloom.server.annotate.renewal import Renewal
from landloom.server.annotate.summaries import Summaries

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User
    from landloom.annotate.tasks.values import Campaign
    from landloom.pipelines.annotation.profiles import Profiles
    from landloom.pipelines.annotation.windows import WindowReader
    from landloom.server.annotate.origins import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who is signed in."""

    user: User
    csrf: str
    """What requests that change something have to carry."""
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
    renewal: Renewal = field(init=False)

    def __post_init__(self) -> None:
        self.summaries = Summaries(self.ledger, self.campaign)
        self.renewal = Renewal(self.ledger, self.campaign)

    @property
    def cookie(self) -> SessionCookie:
        """How sessions are kept in browsers."""
        return SessionCookie(secure=self.site.secure)

    def who(self, token: str) -> Caller | None:
        """Who calls, by the token of a session; None if nobody is known."""
        found = sessions.session_in(self.ledger, token, self.campaign.name)
        if found is None:
            return None
        session, roles = found
        return Caller(user=session.user, csrf=session.csrf, roles=frozenset(map(str, roles)))
