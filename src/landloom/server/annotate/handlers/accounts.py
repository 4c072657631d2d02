"""Routes of accounts: logging in and out, passwords, invitations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from landloom.annotate.ledger.accounts import invitations, sessions
from landloom.annotate.ledger.accounts.passwords import LONGEST
from landloom.annotate.ledger.values import Role
from landloom.server.annotate.access import Access
from landloom.server.annotate.routes import Body, Lane, Route, json_response

if TYPE_CHECKING:
    from starlette.responses import Response

    from landloom.server.annotate.calls import Call
    from landloom.server.annotate.state import AppState


def login(state: AppState, call: Call) -> Response:
    """A new session; the one that the browser had ends."""
    fields = call.fields().only("name", "password")
    name = fields.text("name", most=LONGEST)
    password = fields.text("password", most=LONGEST)
    token, session = sessions.login(state.ledger, name, password, address=call.client, old_token=call.token)
    content = {"user": {"name": session.user.name}, "csrf": session.csrf}
    return json_response(content, {"set-cookie": state.cookie.header(token)})


def logout(state: AppState, call: Call) -> Response:
    """The session ends on the server, and the cookie goes."""
    if call.token is not None:
        sessions.logout(state.ledger, call.token)
    return json_response({}, {"set-cookie": state.cookie.removed()})


def password(state: AppState, call: Call) -> Response:
    """Another password; every other session ends."""
    fields = call.fields().only("old", "new")
    old, new = fields.text("old", most=LONGEST), fields.text("new", most=LONGEST)
    sessions.change_password(state.ledger, call.user, old, new, address=call.client, token=call.token)
    return json_response({})


def me(state: AppState, call: Call) -> Response:
    """Who is signed in."""
    del state
    roles = sorted(call.caller.roles) if call.caller is not None else []
    csrf = call.caller.csrf if call.caller is not None else ""
    return json_response({"name": call.user.name, "roles": roles, "csrf": csrf})


def invite(state: AppState, call: Call) -> Response:
    """An invitation to this campaign; its token is told this once."""
    fields = call.fields().only("name", "role")
    token = invitations.invite(
        state.ledger, fields.name(), Role.parse(fields.text("role", most=40)), state.campaign.name, by=call.user
    )
    return json_response({"token": token})


def accept(state: AppState, call: Call) -> Response:
    """An account, made with an invitation."""
    fields = call.fields().only("token", "password")
    token = fields.text("token", most=LONGEST)
    user = invitations.accept(state.ledger, token, fields.text("password", most=LONGEST))
    return json_response({"user": {"name": user.name}})


def _hashing(path: str, access: Access, handler: Any) -> Route:
    """A route that gets a password."""
    return Route(method="POST", path=path, access=access, handler=handler, body=Body.FIELDS, lane=Lane.PASSWORD)


ROUTES: Final = (
    _hashing("/api/login", Access.PUBLIC, login),
    Route(method="POST", path="/api/logout", access=Access.SIGNED_IN, handler=logout),
    _hashing("/api/password", Access.SIGNED_IN, password),
    Route(method="GET", path="/api/me", access=Access.SIGNED_IN, handler=me),
    Route(method="POST", path="/api/invitations", access=Access.MANAGER, handler=invite, body=Body.FIELDS),
    _hashing("/api/invitations/accept", Access.PUBLIC, accept),
)
