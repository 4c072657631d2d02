"""Who may call a route: one rule per route, by the roles of a person in the campaign."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection


class Access(StrEnum):
    """A rule; `ROLES` says which roles satisfy it."""

    PUBLIC = "public"
    """Everybody, signed in or not."""
    SIGNED_IN = "signed in"
    """Everybody with a session, whatever the roles."""
    MEMBER = "member"
    """Everybody with a role in this campaign."""
    LABELLER = "labeller"
    """Annotators, and experts, who label reference tasks."""
    REVIEWER = "reviewer"
    """Reviewers, managers and admins: adjudication."""
    MANAGER = "manager"
    """Managers and admins."""


ROLES: Final[dict[Access, frozenset[str]]] = {
    Access.MEMBER: frozenset({"annotator", "reviewer", "expert", "manager", "admin"}),
    Access.LABELLER: frozenset({"annotator", "expert"}),
    Access.REVIEWER: frozenset({"reviewer", "manager", "admin"}),
    Access.MANAGER: frozenset({"manager", "admin"}),
}
"""Rule → roles, one of which is needed; rules that are not here need none."""


def allowed(access: Access, roles: Collection[str]) -> bool:
    """Whether somebody who is signed in may call a route.

    Args:
        access: the rule of the route.
        roles: those of the person in this campaign.

    Example:
        >>> allowed(Access.MANAGER, ["annotator"]), allowed(Access.SIGNED_IN, [])
        (False, True)
    """
    return access not in ROLES or not ROLES[access].isdisjoint(roles)
