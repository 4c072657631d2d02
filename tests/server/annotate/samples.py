"""A request for every route of the table, as somebody who may make it would."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from tests.annotation import GUESS, PASSWORD, submission

from landloom.server.annotate.access import Access, allowed
from landloom.server.annotate.routes import Body
from landloom.server.annotate.table import ROUTES

if TYPE_CHECKING:
    import httpx
    from tests.annotation import Person

    from landloom.server.annotate.routes import Route

ROLES: Final[dict[str, frozenset[str]]] = {
    "nobody": frozenset(),
    "new": frozenset(),
    "far": frozenset(),
    "ann": frozenset({"annotator"}),
    "rev": frozenset({"reviewer"}),
    "exp": frozenset({"expert"}),
    "man": frozenset({"manager"}),
    "adm": frozenset({"admin"}),
}
"""Person → roles in the campaign that is served."""
_OCTETS: Final = {"headers": {"Content-Type": "application/octet-stream", "If-Match": '"0"'}}
REQUESTS: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("POST", "/api/login"): {"json": {"name": "ann", "password": PASSWORD}},
    ("POST", "/api/logout"): {},
    ("POST", "/api/password"): {"json": {"old": "wrong password", "new": "another password"}},
    ("GET", "/api/me"): {},
    ("POST", "/api/invitations"): {"json": {"name": "guest", "role": "annotator"}},
    ("POST", "/api/invitations/accept"): {"json": {"token": "x" * 43, "password": PASSWORD}},
    ("GET", "/api/campaign"): {},
    ("GET", "/api/profiles"): {},
    ("POST", "/api/assignments"): {"json": {"count": 1}},
    ("GET", "/api/assignments/{id}/window"): {},
    ("GET", "/api/assignments/{id}/superpixels"): {"params": {"size": "6"}},
    ("PUT", "/api/assignments/{id}/draft"): {"content": GUESS, **_OCTETS},
    ("POST", "/api/assignments/{id}/heartbeat"): {},
    ("POST", "/api/assignments/{id}/skip"): {"json": {"reason": "clouds"}},
    ("POST", "/api/assignments/{id}/submit"): {"json": submission()},
    ("GET", "/api/manage/progress"): {},
    ("GET", "/api/manage/annotators"): {},
    ("GET", "/api/manage/confusions"): {},
    ("GET", "/api/manage/agreement"): {},
    ("GET", "/api/manage/disagreement"): {},
    ("GET", "/api/manage/adjudication"): {},
    ("GET", "/api/manage/adjudication/{task}"): {},
    ("GET", "/api/manage/adjudication/{task}/window"): {},
    ("GET", "/api/manage/adjudication/{task}/superpixels"): {"params": {"size": "6"}},
    ("POST", "/api/manage/adjudication/{task}"): {
        "json": {name: submission()[name] for name in ("submission", "labels")}
    },
    ("GET", "/api/manage/people"): {},
    ("POST", "/api/manage/roles"): {"json": {"name": "new", "role": "annotator", "granted": False}},
    ("POST", "/api/manage/chance"): {"json": {"name": "ann"}},
    ("GET", "/api/manage/audit"): {},
    ("GET", "/api/manage/figures/{name}"): {},
}


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A request for a route."""

    route: Route
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Its path below `/annotate/`, with ids of nothing."""
        named = {"id": "n0thing-n0thing-n0thing", "task": "n0thing-n0thing-n0thing", "name": "progress.csv"}
        return self.route.path.format(**named).lstrip("/")

    def by(self, person: Person, path: str | None = None, **changes: Any) -> httpx.Response:
        """Ask as a person."""
        options = {**self.options, **changes}
        headers = {**self.options.get("headers", {}), **changes.get("headers", {})}
        if "submission" in (options.get("json") or {}):
            options["json"] = {**options["json"], "submission": str(uuid4())}
        return person.call(self.route.method, path or self.path, **{**options, "headers": headers})

    @property
    def doer(self) -> str:
        """Somebody who may."""
        return next(name for name in ("ann", "rev", "man") if allowed(self.route.access, ROLES[name]))


SAMPLES: Final = tuple(Sample(route=route, options=REQUESTS[route.method, route.path]) for route in ROUTES)
"""One for each route; a route without one does not pass."""
CHANGES: Final = tuple(one for one in SAMPLES if one.route.changes)
"""Those that change something."""
PRIVATE_CHANGES: Final = tuple(one for one in CHANGES if one.route.access is not Access.PUBLIC)
"""Those of them that need a session."""
ROLE_CHECKED: Final = tuple(
    one for one in SAMPLES if one.route.access is not Access.PUBLIC and one.route.path != "/api/logout"
)
"""Those that somebody may not; to log out ends the session that later tests use."""
WITH_BODY: Final = tuple(one for one in SAMPLES if one.route.body is not Body.NONE)
WITH_JSON: Final = tuple(one for one in WITH_BODY if one.route.body is not Body.LABELS)
WITH_ID: Final = tuple(one for one in SAMPLES if "{" in one.route.path)


def name_of(sample: object) -> str:
    """For the names of tests."""
    return f"{sample.route.method} {sample.route.path}" if isinstance(sample, Sample) else str(sample)
