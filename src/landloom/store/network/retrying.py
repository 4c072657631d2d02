"""Trying again: the one loop around every request, by whatever library it is sent."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tenacity import RetryCallState, Retrying

from landloom.store.network.allowances import promised
from landloom.store.network.waiting import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from landloom.store.network.traffic import Host
    from landloom.store.patience import Patience

Answer = TypeVar("Answer")


class Again(NamedTuple):
    """What makes another try worthwhile."""

    asked: float | None = None
    """Seconds that the server asks to wait; None if it does not ask."""


class Tries:
    """The tries of one request.

    Args:
        host: that it goes to.
        patience: the policy.
        verdict: whether an answer, or an error, may be better on another try.
        counted: whether each try is a request; requests within it are counted by themselves otherwise.
        size: bytes that an answer brings, as far as is known.

    Example:
        >>> from landloom.store.network.traffic import Host
        >>> from landloom.store.patience import Patience
        >>> answers = iter([503, 503, 200])
        >>> waits = []
        >>> tries = Tries(Host(name="a"), Patience(sleep=waits.append), lambda got: Again() if got == 503 else None)
        >>> tries.run(lambda: next(answers)), tries.count, len(waits)
        (200, 3, 2)
    """

    def __init__(
        self,
        host: Host,
        patience: Patience,
        verdict: Callable[[object], Again | None],
        *,
        counted: bool = True,
        size: int = 0,
    ) -> None:
        self._host, self._patience, self._verdict = host, patience, verdict
        self._counted, self._size = counted, size
        self._answers = host.answers
        self._found: Again | None = None
        self.count = 0
        """Tries so far."""

    def run(self, work: Callable[[], Answer]) -> Answer:
        """The last answer, whatever it is; the last error is raised, with a note of the tries.

        Raises:
            BudgetError: the budget of the host does not allow it.
        """
        self._host.admit(self._patience)

        def once() -> Answer:
            self.count += 1
            with promised(self._host.name, self._size) if self._counted else nullcontext():
                self._host.count(requests=self._counted, retries=self.count > 1)
                return work()

        retrying = Retrying(
            stop=self._stop, wait=self._wait, retry=self._again, retry_error_callback=_last, sleep=self._patience.sleep
        )
        try:
            answer: Answer = retrying(once)
        except Exception as error:
            if self._found is not None:
                error.add_note(self.words)
            raise
        return answer

    @property
    def words(self) -> str:
        """What to add to the reason of the failure, if the last try has failed."""
        return self._host.words(self.count) if self._found is not None else ""

    def _again(self, state: RetryCallState) -> bool:
        outcome = state.outcome
        if outcome is None:
            return False
        self._found = self._verdict(outcome.exception() if outcome.failed else outcome.result())
        if self._found is None:
            if not outcome.failed:
                self._host.answered()
            return False
        asked = self._found.asked or 0.0
        if asked > self._patience.longest_asked:
            self._host.count(failures=1)
            return False
        if asked:
            self._host.asked_to_wait(asked)
        return True

    def _stop(self, state: RetryCallState) -> bool:
        goes_on = self._host.may_try_again(
            self._patience, tries=state.attempt_number, waited=state.idle_for, answers=self._answers
        )
        if not goes_on:
            self._host.count(failures=1)
        return not goes_on

    def _wait(self, state: RetryCallState) -> float:
        wait = self._patience.pause(state.attempt_number, None if self._found is None else self._found.asked)
        self._host.count(waited=wait)
        if state.outcome is not None:
            why = state.outcome.exception() if state.outcome.failed else state.outcome.result()
            tell(self._host.name, why, waited=state.idle_for, wait=wait)
        return wait


def _last(state: RetryCallState) -> object:
    return None if state.outcome is None else state.outcome.result()
