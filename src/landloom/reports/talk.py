"""How a command talks: how much, in which form, and into which log file; each command sets it for its own run."""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from landloom.errors import StoreError
from landloom.model.address import WAITING, WAITS_VARIABLE, without_secrets
from landloom.reports.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LOG: Final = logging.getLogger("landloom")
"""Everything that happens: stages, units, warnings, errors with their origin."""
LOG.addHandler(logging.NullHandler())
_LEVELS: Final = (logging.WARNING, logging.INFO, logging.DEBUG)


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What a command says beside its result."""

    progress: Literal["auto", "lines", "json", "none"] = "auto"
    """Progress on the error stream: bars on a terminal and lines elsewhere, lines, a JSON document a line, or none."""
    form: Literal["table", "csv", "json"] = "table"
    """Form of the result."""
    is_quiet: bool = False
    """Whether warnings and notes are left out, too."""


TALK: Final = ContextVar("TALK", default=Talk())  # noqa: B039 - it is frozen
"""How the running command talks."""


class _Plain(logging.Formatter):
    """One record a line, without secrets of addresses; what others wrote in it cannot steer a terminal."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        return time.strftime(datefmt or "%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created))

    def format(self, record: logging.LogRecord) -> str:
        return plain(without_secrets(super().format(record)))


@contextmanager
def talking(talk: Talk, verbose: int = 0, log_file: Path | None = None, words: Sequence[str] = ()) -> Iterator[None]:
    """Run a command that talks in this way.

    Args:
        talk: how.
        verbose: 1 logs stages and units to the error stream, 2 also where errors come from.
        log_file: gets all of it, with times; lines are added to what is there.
        words: the command, for the log.

    Raises:
        StoreError: the log file cannot be written.
    """
    before, level, token = LOG.level, LOG.propagate, TALK.set(talk)
    with ExitStack() as stack:
        stack.callback(TALK.reset, token)
        stack.callback(LOG.setLevel, before)
        stack.callback(setattr, LOG, "propagate", level)
        LOG.propagate = False
        if verbose:
            stream = logging.StreamHandler(sys.stderr)
            _add(stack, stream, _LEVELS[min(verbose, 2)], "%(levelname)s %(message)s")
        if not talk.is_quiet:
            _tell_waits(stack, alone=not verbose)
        if log_file is not None:
            try:
                log_file.parent.mkdir(parents=True, exist_ok=True)
                file = logging.FileHandler(log_file, encoding="utf-8")
            except OSError as error:
                raise StoreError(f"{log_file}: cannot be written: {error.strerror or error}") from error
            _add(stack, file, logging.DEBUG, "%(asctime)sZ %(levelname)s %(message)s")
        LOG.info("%s", " ".join(words))
        began = time.monotonic()
        try:
            yield
        except BaseException as error:
            LOG.info("ended after %.1f s by %s: %s", time.monotonic() - began, type(error).__name__, error)
            LOG.debug("it came from", exc_info=True)
            raise
        LOG.info("ended after %.1f s", time.monotonic() - began)


def _tell_waits(stack: ExitStack, *, alone: bool) -> None:
    """Show what is waited for, here and in workers; here alone if no other handler does."""
    stack.callback(os.environ.pop, WAITS_VARIABLE, None)
    os.environ[WAITS_VARIABLE] = "1"
    if alone:
        logger, stream = logging.getLogger(WAITING), logging.StreamHandler(sys.stderr)
        stream.setFormatter(_Plain("  %(message)s"))
        logger.addHandler(stream)
        stack.callback(logger.removeHandler, stream)


def _add(stack: ExitStack, handler: logging.Handler, level: int, form: str) -> None:
    handler.setLevel(level)
    handler.setFormatter(_Plain(form, "%Y-%m-%dT%H:%M:%S"))
    LOG.addHandler(handler)
    LOG.setLevel(min(level, LOG.getEffectiveLevel() if LOG.level else level))
    stack.callback(handler.close)
    stack.callback(LOG.removeHandler, handler)
