"""The table of routes; security tests are generated from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.server.annotate.handlers import accounts, adjudicating, figures, managing, working

if TYPE_CHECKING:
    from landloom.server.annotate.routes import Route

PREFIX: Final = "/annotate"
"""Where the app is mounted."""
ROUTES: Final[tuple[Route, ...]] = (
    *accounts.ROUTES,
    *working.ROUTES,
    *managing.ROUTES,
    *adjudicating.ROUTES,
    *figures.ROUTES,
)
"""Every route of the API. Whatever is not here does not exist."""
