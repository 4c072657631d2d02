"""Routes of annotators: the campaign, assignments, imagery, drafts, submissions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from landloom.annotate.ledger import drafts, queue, submissions
from landloom.annotate.ledger.values import (
    LONGEST_CLIENT,
    LONGEST_COMMENT,
    LONGEST_SECONDS,
    MOST_SCENES,
    Submission,
)
from landloom.errors import InvalidInputError
from landloom.server.annotate.access import Access
from landloom.server.annotate.calls import identity
from landloom.server.annotate.handlers import imagery
from landloom.server.annotate.handlers.profiles import profiles_of
from landloom.server.annotate.handlers.renderings import renderings
from landloom.server.annotate.labels import decode_labels, encode_labels
from landloom.server.annotate.routes import Body, Lane, Route, Then, json_response, utc

if TYPE_CHECKING:
    from starlette.responses import Response

    from landloom.annotate.ledger.values import Assignment, Feedback
    from landloom.server.annotate.calls import Call, Fields
    from landloom.server.annotate.state import AppState

_MOST_ASSIGNMENTS: Final = 3


def campaign(state: AppState, call: Call) -> Response:
    """What the page needs to know once."""
    del call
    own, settings = state.campaign, state.campaign.settings
    bands = [
        {"name": band.name, "common": band.common_name, "wavelength": band.wavelength} for band in state.windows.bands
    ]
    return json_response(
        {
            "name": own.name,
            "classes": [one.document() for one in own.classes],
            "taxonomy": own.taxonomy,
            "taxonomy_version": own.taxonomy_version,
            "task": {"size": settings.task_size, "context": settings.context},
            "bands": bands,
            "require_all_scenes": settings.require_all_scenes,
            "lease_seconds": settings.lease_seconds,
            "heartbeat_seconds": settings.heartbeat_seconds,
            "instructions": settings.instructions,
            "renderings": renderings(state.windows.bands),
        }
    )


def assignments(state: AppState, call: Call) -> Then:
    """The person's tasks on loan, and new ones up to a count; then their chips are read."""
    count = call.fields().only("count").whole("count", least=1, most=_MOST_ASSIGNMENTS, default=1)
    found = queue.take(state.ledger, state.campaign.name, call.user, count)

    def respond() -> Response:
        documents = [_assignment(state, one) for one in found]
        return json_response({"assignments": documents, "left": len(found) >= count})

    return Then(Lane.READING, respond)


def _assignment(state: AppState, one: Assignment) -> dict[str, Any]:
    """An assignment as the page gets it: the same keys and sizes for every kind of task."""
    draft = None if one.draft is None else {"labels": encode_labels(one.draft.labels), "version": one.draft.version}
    return {
        "id": one.id,
        "chip": one.window.chip,
        "task": imagery.place_document(one.window),
        "expires_at": utc(one.expires_at),
        "guess": encode_labels(one.guess),
        "draft": draft,
        "qualification": one.qualification,
        "window": imagery.window_document(state, one.window, f"/annotate/api/assignments/{one.id}/window"),
    }


def window(state: AppState, call: Call) -> Response:
    """The series of a task and its surroundings; see `imagery.series`."""
    one = queue.assignment(state.ledger, state.campaign.name, call.user, identity(call, "id"))
    return imagery.series(state, call, one.window)


def superpixels(state: AppState, call: Call) -> Response:
    """Segments of a task; see `imagery.segments`."""
    size = imagery.size_of(call)
    one = queue.assignment(state.ledger, state.campaign.name, call.user, identity(call, "id"))
    return imagery.segments(state, one.window, size)


def profiles(state: AppState, call: Call) -> Response:
    """Mean series of classes over some chips; the same for everybody."""
    del call
    return json_response(profiles_of(state).document(), {"cache-control": "private, max-age=3600"})


def draft(state: AppState, call: Call) -> Response:
    """Save unsubmitted work over the version that the page has seen."""
    known = call.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
    if not (known.isascii() and known.isdecimal() and len(known) <= 9):
        raise InvalidInputError('got no If-Match header with the version of the draft, expected "0" for the first one')
    assignment = identity(call, "id")
    version = drafts.save_draft(state.ledger, state.campaign.name, call.user, assignment, call.body, int(known))
    return json_response({"version": version}, {"etag": f'"{version}"'})


def heartbeat(state: AppState, call: Call) -> Response:
    """Prolong a lease."""
    expires = queue.heartbeat(state.ledger, state.campaign.name, call.user, identity(call, "id"))
    return json_response({"expires_at": utc(expires)})


def skip(state: AppState, call: Call) -> Response:
    """Give a task back."""
    reason = call.fields().only("reason").text("reason", most=LONGEST_COMMENT, default="")
    queue.skip(state.ledger, state.campaign.name, call.user, identity(call, "id"), reason)
    return json_response({})


def submit(state: AppState, call: Call) -> Response:
    """Submit work; the answer comes after the commit."""
    submission = submission_of(state, call.fields())
    receipt = submissions.submit(state.ledger, state.campaign.name, call.user, identity(call, "id"), submission)
    state.renewal.submitted()
    feedback = None if receipt.feedback is None else _feedback(receipt.feedback)
    return json_response(
        {"sequence": receipt.sequence, "state": receipt.state, "changed": receipt.changed, "feedback": feedback}
    )


def submission_of(state: AppState, fields: Fields) -> Submission:
    """The submission in a body.

    Raises:
        InvalidInputError: the first field that is not right.
    """
    fields.only("submission", "labels", "seconds", "dates_viewed", "flagged", "comment", "client")
    return Submission(
        id=fields.text("submission", least=36, most=36),
        labels=decode_labels(fields.values.get("labels"), most=state.campaign.settings.task_size**2),
        seconds=fields.number("seconds", least=0, most=LONGEST_SECONDS),
        dates_viewed=fields.whole_numbers("dates_viewed", most=MOST_SCENES - 1, longest=MOST_SCENES),
        flagged=fields.flag("flagged"),
        comment=fields.text("comment", most=LONGEST_COMMENT, default=""),
        client=fields.text("client", most=LONGEST_CLIENT, default=""),
    )


def _feedback(feedback: Feedback) -> dict[str, Any]:
    return {
        "accuracy": feedback.right / feedback.pixels if feedback.pixels else None,
        "right": feedback.right,
        "pixels": feedback.pixels,
        "reference": encode_labels(feedback.labels),
        "left": feedback.left,
        "passed": feedback.passed,
    }


def _route(method: str, path: str, handler: Any, body: Body = Body.NONE, lane: Lane = Lane.QUICK) -> Route:
    return Route(method=method, path=path, access=Access.LABELLER, handler=handler, body=body, lane=lane)


ROUTES: Final = (
    Route(method="GET", path="/api/campaign", access=Access.MEMBER, handler=campaign),
    Route(method="GET", path="/api/profiles", access=Access.MEMBER, handler=profiles, lane=Lane.READING),
    _route("POST", "/api/assignments", assignments, Body.FIELDS, Lane.TAKING),
    _route("GET", "/api/assignments/{id}/window", window, lane=Lane.READING),
    _route("GET", "/api/assignments/{id}/superpixels", superpixels, lane=Lane.READING),
    _route("PUT", "/api/assignments/{id}/draft", draft, Body.LABELS),
    _route("POST", "/api/assignments/{id}/heartbeat", heartbeat),
    _route("POST", "/api/assignments/{id}/skip", skip, Body.FIELDS),
    _route("POST", "/api/assignments/{id}/submit", submit, Body.SUBMISSION),
)
