"""Routes of managers: progress, people, scores, agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from landloom.annotate.ledger import trust
from landloom.annotate.ledger.accounts import audit, users
from landloom.annotate.ledger.values import Role
from landloom.server.annotate.access import Access
from landloom.server.annotate.routes import Body, Lane, Route, json_response, utc

if TYPE_CHECKING:
    from starlette.responses import Response

    from landloom.annotate.ledger.values import User
    from landloom.server.annotate.calls import Call
    from landloom.server.annotate.state import AppState

_EVENTS: Final = 500


def progress(state: AppState, call: Call) -> Response:
    """Progress by chip, by class and by day."""
    del call
    chips, work = state.summaries.chips(), state.summaries.work()
    fields = ("tasks", "done", "started", "submissions", "needed", "surplus")
    rows = [{"chip": chip.chip} | {name: getattr(chip, name) for name in fields} for chip in chips]
    return json_response(
        {
            "campaign": state.campaign.name,
            "totals": {name: sum(row[name] for row in rows) for name in fields},
            "chips": rows,
            "classes": [
                {
                    "code": one.code,
                    "name": one.name,
                    **dict(zip(("pixels", "changed", "seconds"), work.classes.get(one.code, (0, 0, 0.0)), strict=True)),
                }
                for one in state.campaign.classes
            ],
            "days": [
                {"date": day, "submissions": count, "seconds": spent} for day, (count, spent) in work.days.items()
            ],
            "seconds": {"total": work.seconds, "median": work.median_seconds},
            "flagged": work.flagged,
        }
    )


def annotators(state: AppState, call: Call) -> Response:
    """Standing and scores of everybody who annotates."""
    del call
    scores, work = state.summaries.scores(), state.summaries.work()
    rows = []
    for person in state.summaries.people():
        count, pixels, changed, seconds, middle = work.people.get(person.name, (0, 0, 0, 0.0, None))
        score = scores.get(person.name)
        rows.append(
            {
                "name": person.name,
                "trust": str(person.trust),
                "qualified": person.qualified,
                "submissions": person.submissions,
                "counted": person.counted,
                "live": person.live,
                "seconds": {"total": seconds, "median": middle},
                "edit_rate": changed / pixels if count and pixels else None,
                "score": None if score is None else {**score.document(), "annotator": person.name},
            }
        )
    return json_response({"annotators": rows, "codes": sorted(state.campaign.codes)})


def confusions(state: AppState, call: Call) -> Response:
    """The confusion matrix of one annotator, or of all."""
    name = call.query.get("annotator")
    codes = sorted(state.campaign.codes)
    names = {one.code: one.name for one in state.campaign.classes}
    matrix = state.summaries.confusion(name).tolist()
    return json_response(
        {"annotator": name, "codes": codes, "names": [names[code] for code in codes], "matrix": matrix}
    )


def agreement(state: AppState, call: Call) -> Response:
    """Agreement between annotators."""
    del call
    found, names = state.summaries.agreement().document(), state.summaries.names()
    for pair in found["pairs"]:
        pair["annotators"] = [names.get(str(one), str(one)) for one in pair["annotators"]]
    return json_response(found | {"experts": state.summaries.experts().document()})


def disagreement(state: AppState, call: Call) -> Response:
    """Where answers differ, by chip and task."""
    del call
    chips = []
    for chip, tasks in state.summaries.disagreement().items():
        rows = [
            {"task": task, "row": at.row, "column": at.column, "height": at.height, "width": at.width, "share": share}
            for at, task, share in tasks
        ]
        mean = sum(share for _, _, share in tasks) / len(tasks)
        chips.append((mean, {"chip": chip, "share": mean, "tasks": rows}))
    chips.sort(key=lambda pair: -pair[0])
    return json_response({"chips": [chip for _, chip in chips]})


def people(state: AppState, call: Call) -> Response:
    """Everybody with a role in this campaign."""
    del call
    found = []
    for user, granted in users.users(state.ledger):
        own = sorted({str(role) for role, campaign in granted if campaign in (None, state.campaign.name)})
        if own:
            found.append({"name": user.name, "roles": own})
    return json_response({"people": found})


def roles(state: AppState, call: Call) -> Response:
    """Give or take a role in this campaign; the ledger says who may."""
    fields = call.fields().only("name", "role", "granted")
    person, role = (
        _person(state, fields.text("name", most=users.LONGEST_NAME)),
        Role.parse(fields.text("role", most=40)),
    )
    change = users.grant if fields.flag("granted", default=True) else users.revoke
    change(state.ledger, person, role, state.campaign.name, by=call.user)
    return json_response({"name": person.name, "roles": sorted(users.roles(state.ledger, person, state.campaign.name))})


def chance(state: AppState, call: Call) -> Response:
    """Make an untrusted annotator pending again."""
    person = _person(state, call.fields().only("name").text("name", most=users.LONGEST_NAME))
    trust.give_another_chance(state.ledger, state.campaign.name, person, by=call.user)
    return json_response({})


def events(state: AppState, call: Call) -> Response:
    """The latest events of the audit trail, newest first, and whether there are older ones."""
    del call
    rows = audit.events(state.ledger, campaign=state.campaign.name, most=_EVENTS + 1)
    names = {user.pseudonym: user.name for user, _ in users.users(state.ledger)}
    return json_response(
        {
            "events": [
                {
                    "at": utc(row.at),
                    "actor": names.get(row.actor, row.actor),
                    "action": row.action,
                    "subject": names.get(row.subject, row.subject),
                    "detail": row.detail,
                }
                for row in rows[:_EVENTS]
            ],
            "more": len(rows) > _EVENTS,
        }
    )


def _person(state: AppState, name: str) -> User:
    return users.user(state.ledger, name)


def _route(method: str, path: str, handler: Any, body: Body = Body.NONE, access: Access = Access.MANAGER) -> Route:
    lane = Lane.QUICK if method == "POST" else Lane.READING
    return Route(method=method, path=f"/api/manage/{path}", access=access, handler=handler, body=body, lane=lane)


ROUTES: Final = (
    _route("GET", "progress", progress),
    _route("GET", "annotators", annotators),
    _route("GET", "confusions", confusions),
    _route("GET", "agreement", agreement),
    _route("GET", "disagreement", disagreement, access=Access.REVIEWER),
    _route("GET", "people", people),
    _route("POST", "roles", roles, Body.FIELDS),
    _route("POST", "chance", chance, Body.FIELDS),
    _route("GET", "audit", events),
)
