"""Simulated people who work on a campaign through its web API, as browsers do."""

from __future__ import annotations

import uuid
from base64 import b64decode, b64encode
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

import numpy as np

from landloom.annotate.tasks.order import Pace
from landloom.errors import LandloomError
from landloom.store.http import new_session
from landloom.store.patience import Patience

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.simulate.annotators import Labeller

_CLIENT: Final = "landloom demo"
_AT_ONCE: Final = 3
"""Assignments that a page asks for."""


class Labels(Protocol):
    """How a person labels a task."""

    def __call__(self, chip: str, row: int, column: int, guess: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(y, x) class codes for a task, given what the page shows; zeros where it shows no guess."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a person did."""

    name: str
    submissions: int
    seconds: float
    """Active time that was reported."""


class Worker:
    """One person with a browser.

    Args:
        address: of the server.
        name: login name.
        password: of the account.
    """

    def __init__(self, address: str, name: str, password: str) -> None:
        parts = urlsplit(address)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.name = name
        self.session = new_session(Patience(attempts=3, timeout=60))
        self.csrf = ""
        self.csrf = str(self.post("login", {"name": name, "password": password})["csrf"])

    def get(self, path: str) -> bytes:
        """The body of an answer.

        Raises:
            LandloomError: another status than 200.
        """
        return self._send("GET", path, None)

    def post(self, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Send fields; the document of the answer.

        Raises:
            LandloomError: another status than 200.
        """
        import json  # noqa: PLC0415 - requests decodes answers by itself, but not through one function for both

        answer: dict[str, Any] = json.loads(self._send("POST", path, fields))
        return answer

    def _send(self, method: str, path: str, fields: dict[str, Any] | None) -> bytes:
        headers = {"Origin": self.origin, "X-CSRF": self.csrf}
        href = f"{self.origin}/annotate/api/{path}"
        with self.session.request(method, href, json=fields, headers=headers, timeout=60) as response:
            if response.status_code != HTTPStatus.OK:
                raise LandloomError(f"{method} {path}: got status {response.status_code}: {response.text[:300]}")
            self.session.cookies.update(response.cookies)
            content: bytes = response.content
            return content

    def work(self, label: Labels, pace: Pace | None = None) -> Done:
        """Label until the queue has nothing left for this person; the imagery of the first task is fetched, too."""
        own, count, seconds, seen = pace or Pace(), 0, 0.0, False
        while found := self.post("assignments", {"count": _AT_ONCE})["assignments"]:
            for assignment in found:
                if not seen:
                    seen = bool(self.get(assignment["window"]["href"].removeprefix("/annotate/api/")))
                labels, guess = _labelled(assignment, label)
                spent = float(own.seconds(np.count_nonzero(labels != guess)))
                self.post(f"assignments/{assignment['id']}/submit", _submission(assignment, labels, spent))
                count, seconds = count + 1, seconds + spent
        return Done(name=self.name, submissions=count, seconds=seconds)


def _labelled(assignment: dict[str, Any], label: Labels) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(y, x) labels of an assignment, and the guess that was shown."""
    task = assignment["task"]
    shape = (task["height"], task["width"])
    guess = np.frombuffer(b64decode(assignment["guess"]), np.uint8).reshape(shape)
    return label(assignment["chip"], task["row"], task["column"], guess), guess


def _submission(assignment: dict[str, Any], labels: NDArray[np.uint8], seconds: float) -> dict[str, Any]:
    return {
        "submission": str(uuid.uuid4()),
        "labels": b64encode(np.ascontiguousarray(labels).tobytes()).decode(),
        "seconds": round(seconds, 2),
        "dates_viewed": list(range(len(assignment["window"]["times"]))),
        "flagged": False,
        "comment": "",
        "client": _CLIENT,
    }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedPerson:
    """Labels as a simulated annotator does; an expert without one labels the truth."""

    truth: dict[str, NDArray[np.uint8]]
    """Chip → (y, x) true class codes."""
    codes: tuple[int, ...]
    """Codes of the classes, in the order of the annotator's classes."""
    labeller: Labeller | None
    """None for an expert, who is always right."""

    def __call__(self, chip: str, row: int, column: int, guess: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `Labels`."""
        height, width = guess.shape
        truth = self.truth[chip][row : row + height, column : column + width]
        if self.labeller is None:
            return truth
        place = np.zeros(256, np.int64)
        place[list(self.codes)] = np.arange(len(self.codes))
        number = sorted(self.truth).index(chip)
        shown = place[guess] if guess.all() else None
        found = self.labeller.label(place[truth], shown, chip=number, row=row, column=column)
        return np.asarray(self.codes, np.uint8)[found]
