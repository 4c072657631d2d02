"""Terminal output: progress on standard error, tables and JSON on standard output."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final, Self

from landloom.model.address import public, without_secrets
from landloom.reports.heartbeat import EVERY, Heartbeat
from landloom.reports.talk import LOG, TALK
from landloom.reports.text import plain, plain_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from rich.progress import Progress, TaskID


_LONGEST: Final = 500
"""Characters of a warning."""


class ProgressBars:
    """Shows stages of long work on standard error: as bars on a terminal, else as lines, or as the command is told.

    Args:
        every: seconds without an advance after which a line says that the stage goes on.
    """

    def __init__(self, every: float = EVERY) -> None:
        talk = TALK.get()
        auto = "bars" if sys.stderr.isatty() else "lines"
        self._form = auto if talk.progress == "auto" else talk.progress
        self._is_quiet = talk.is_quiet
        self._bars: Progress | None = None
        self._task: TaskID | None = None
        self._stage, self._done, self._total = "", 0, 0
        self._told: set[str] = set()
        self._beat = Heartbeat(self._goes_on, every)

    def __enter__(self) -> Self:
        if self._form == "bars":
            # Only a terminal needs rich, which takes longer to load than most commands to run.
            from rich.console import Console  # noqa: PLC0415
            from rich.progress import (  # noqa: PLC0415
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            columns = (TextColumn("{task.description:<26}"), BarColumn(), MofNCompleteColumn())
            times = (TimeElapsedColumn(), TimeRemainingColumn())
            self._bars = Progress(*columns, *times, console=Console(stderr=True))
            self._bars.start()
        elif self._form != "none":
            self._beat.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._beat.stop()
        if self._bars is not None:
            self._bars.stop()

    def started(self, stage: str, total: int) -> None:
        """A stage begins."""
        self._stage, self._done, self._total = stage, 0, total
        self._told.clear()
        self._beat.step()
        LOG.info("%s: %d", stage, total)
        if self._bars is not None:
            self._task = self._bars.add_task(stage, total=total)
        elif self._form == "lines":
            sys.stderr.write(f"{stage}: {total}\n")
        else:
            self._event("started")

    def advanced(self, unit: str, reason: str | None) -> None:
        """A unit is done, or failed."""
        self._done += 1
        self._beat.step()
        LOG.info("%s: %s %s (%d of %d)", self._stage, unit, reason or "done", self._done, self._total)
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task)
        if self._form == "json":
            self._event("advanced", unit=unit, reason=reason)
        elif (
            reason is not None and reason not in self._told and not self._is_quiet
        ):  # many tiles may fail for the same reason
            self._told.add(reason)
            sys.stderr.write(plain(without_secrets(f"{self._stage}: {unit} failed: {reason}\n")))

    def _goes_on(self, seconds: float) -> None:
        """Nothing was done for some seconds, though the stage is not at its end."""
        if self._form == "json":
            self._event("working")
        elif self._stage:
            sys.stderr.write(f"{self._stage}: {self._done} of {self._total}, {seconds:.0f} s since the last step\n")
            sys.stderr.flush()

    def _event(self, event: str, **more: str | None) -> None:
        if self._form != "json":
            return
        import json  # noqa: PLC0415 - `--help` loads this module, not that one

        values = {"event": event, "stage": self._stage, "done": self._done, "total": self._total, **more}
        sys.stderr.write(plain_line(without_secrets(json.dumps(values))) + "\n")
        sys.stderr.flush()


def say(text: str = "") -> None:
    """A line on the output, without secrets of addresses; what others wrote in it cannot steer the terminal.

    Beside a table in CSV such lines go to the error stream.
    """
    talk = TALK.get()
    if talk.form != "csv":
        _write(text)
    elif not talk.is_quiet:
        sys.stderr.write(plain(without_secrets(text)) + "\n")


def note(text: str) -> None:
    """A line of the result about something that is to be known, such as a scene that was left out."""
    LOG.info("note: %s", text)
    if not TALK.get().is_quiet:
        say(f"  note: {text}")


def _write(text: str) -> None:
    sys.stdout.write(plain(without_secrets(text)) + "\n")


def say_lines(lines: Iterable[str]) -> None:
    """Names or addresses for other programs, each on one line whatever it holds."""
    sys.stdout.writelines(f"{plain_line(public(line))}\n" for line in lines)


def warn(text: str) -> None:
    """One line on the error stream, bounded, about something that was left out."""
    LOG.warning("%s", text)
    if TALK.get().is_quiet:
        return
    shown = plain_line(without_secrets(text))
    sys.stderr.write(f"  {shown if len(shown) <= _LONGEST else shown[:_LONGEST] + '…'}\n")


def say_json(value: Any) -> None:
    """Print a value as indented JSON to standard output, for scripts."""
    import json  # noqa: PLC0415 - `--help` loads this module, not that one

    _write(json.dumps(value, indent=2, sort_keys=True, default=str))


def say_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: columns of numbers right-aligned, with thousands separators; as CSV with numbers as they are."""
    if TALK.get().form == "csv":
        _say_csv(header, rows)
        return
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(len(line[i]) for line in [list(header), *cells]) for i in range(len(header))]
    say(title)
    say("  " + "  ".join(name.ljust(width) for name, width in zip(header, widths, strict=True)).rstrip())
    right = [all(line[i][:1].isdigit() or not line[i] for line in cells) for i in range(len(header))]
    for line in cells:
        padded = (
            text.rjust(width) if numeric and not text.startswith("20") else text.ljust(width)
            for text, width, numeric in zip(line, widths, right, strict=True)
        )
        say("  " + "  ".join(padded).rstrip())


def _say_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    import csv  # noqa: PLC0415
    import io  # noqa: PLC0415

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([list(header), *([plain(without_secrets(str(value))) for value in row] for row in rows)])
    sys.stdout.write(buffer.getvalue())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def size(count: float) -> str:
    """Format a number of bytes; in CSV it is the number itself.

    Example:
        >>> size(1_234_567)
        '1.2 MB'
    """
    if TALK.get().form == "csv":
        return f"{count:.0f}"
    units = ("B", "kB", "MB", "GB", "TB", "PB")
    power = 0
    while count >= 1000 and power < len(units) - 1:
        count /= 1000
        power += 1
    return f"{count:.0f} B" if power == 0 else f"{count:.1f} {units[power]}"


def cores(workers: int) -> int:
    """Number of workers for the option's value: 0 means one per core that this process may use."""
    if workers > 0:
        return workers
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
