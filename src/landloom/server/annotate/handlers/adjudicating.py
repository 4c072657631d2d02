"""Routes of adjudication: reviewers look at disputed tasks, and decide them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from landloom.annotate.ledger import reviews
from landloom.annotate.ledger.values import LONGEST_COMMENT, LONGEST_SECONDS, Submission
from landloom.errors import NotFoundError
from landloom.pipelines.annotation.answers import task_answers
from landloom.server.annotate.access import Access
from landloom.server.annotate.calls import identity
from landloom.server.annotate.handlers import imagery
from landloom.server.annotate.labels import decode_labels, encode_labels
from landloom.server.annotate.routes import Body, Lane, Route, json_response
from landloom.server.annotate.summaries import disputed_pixels

if TYPE_CHECKING:
    from starlette.responses import Response

    from landloom.annotate.ledger.values import AnsweredTask
    from landloom.server.annotate.calls import Call
    from landloom.server.annotate.state import AppState

_DISPUTED: Final = 100
"""Tasks in the adjudication queue at once."""


def queue(state: AppState, call: Call) -> Response:
    """Tasks on which annotators disagree, the most disputed first, and their number: only so many are sent at once.

    Who gave which answer is not said.
    """
    del call
    tasks = reviews.disputed(state.ledger, state.campaign.name, most=_DISPUTED)
    count = reviews.count_disputed(state.ledger, state.campaign.name)
    return json_response({"tasks": [_disputed(task) for task in tasks], "count": count})


def _disputed(task: AnsweredTask) -> dict[str, Any]:
    return {
        "task": task.id,
        "chip": task.window.chip,
        "place": imagery.place_document(task.window),
        "share": float(disputed_pixels(task_answers(task)).mean()),
        "answers": [
            {"labels": encode_labels(one.labels), "comment": one.comment, "flagged": one.flagged}
            for one in task.answers
        ],
    }


def task(state: AppState, call: Call) -> Response:
    """One disputed task, with what its imagery holds and the guess that annotators saw."""
    found = _task(state, call)
    size = found.window.height * found.window.width
    href = f"/annotate/api/manage/adjudication/{found.id}/window"
    shown = {
        "guess": encode_labels(found.guess or bytes(size)),
        "window": imagery.window_document(state, found.window, href),
    }
    return json_response(_disputed(found) | shown)


def _task(state: AppState, call: Call) -> AnsweredTask:
    """A task that has all its answers: a reviewer who also annotates sees none that could still be the own work.

    Raises:
        NotFoundError: no such task, or answers are missing.
    """
    found = reviews.answered_task(state.ledger, state.campaign.name, identity(call, "task"))
    if len(found.answers) < state.campaign.settings.annotators:
        raise NotFoundError("the task has not all its answers yet")
    return found


def window(state: AppState, call: Call) -> Response:
    """The series of a task and its surroundings; see `imagery.series`."""
    return imagery.series(state, call, _task(state, call).window)


def superpixels(state: AppState, call: Call) -> Response:
    """Segments of a task; see `imagery.segments`."""
    size = imagery.size_of(call)
    return imagery.segments(state, _task(state, call).window, size)


def decide(state: AppState, call: Call) -> Response:
    """A reviewer's decision."""
    fields = call.fields().only("labels", "comment", "submission", "seconds")
    decision = Submission(
        id=fields.text("submission", least=36, most=36),
        labels=decode_labels(fields.values.get("labels"), most=state.campaign.settings.task_size**2),
        seconds=fields.number("seconds", least=0, most=LONGEST_SECONDS) if "seconds" in fields.values else 0.0,
        dates_viewed=(),
        comment=fields.text("comment", most=LONGEST_COMMENT, default=""),
    )
    sequence = reviews.decide(state.ledger, state.campaign.name, call.user, identity(call, "task"), decision)
    return json_response({"sequence": sequence})


def _route(method: str, path: str, handler: Any, body: Body = Body.NONE) -> Route:
    lane = Lane.QUICK if method == "POST" else Lane.READING
    where = f"/api/manage/adjudication{path}"
    return Route(method=method, path=where, access=Access.REVIEWER, handler=handler, body=body, lane=lane)


ROUTES: Final = (
    _route("GET", "", queue),
    _route("GET", "/{task}", task),
    _route("POST", "/{task}", decide, Body.SUBMISSION),
    _route("GET", "/{task}/window", window),
    _route("GET", "/{task}/superpixels", superpixels),
)
