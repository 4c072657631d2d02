"""Commands of landloom run and watched: seconds by stage, CPU seconds, and the peak memory of each process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import BuildError, Problem
from landloom.model.address import HOSTS_VARIABLE
from landloom.pipelines.rehearsal.ran import STARTING, Ran

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from landloom.engine.run import Listener

_EVERY: Final = 0.5
"""Seconds between two looks at the processes."""
_PROC: Final = Path("/proc")
_LAST: Final = 20
"""Lines of an error that are shown."""


@dataclass(slots=True)
class _Watch:
    """The processes of a command, as the system shows them."""

    root: int
    cpu: dict[int, float] = field(default_factory=dict)
    peaks: dict[int, int] = field(default_factory=dict)

    def look(self) -> None:
        """Note CPU time and peak memory of all processes that are there now."""
        for process in _family(self.root):
            spent, peak = _spent(process), _peak(process)
            if spent is not None and peak is not None:
                self.cpu[process] = spent
                self.peaks[process] = max(peak, self.peaks.get(process, 0))

    def workers(self) -> int | None:
        """Peak of the largest other process."""
        return max((peak for process, peak in self.peaks.items() if process != self.root), default=None)


def _family(root: int) -> list[int]:
    """A process and its descendants."""
    parents: dict[int, list[int]] = {}
    for entry in _PROC.iterdir() if _PROC.is_dir() else ():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields is not None:
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += parents.get(process, [])
    return found


def _stat(process: int) -> list[str] | None:
    """Fields of a process after its name: state, parent, … (proc(5))."""
    try:
        return (_PROC / str(process) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (OSError, ValueError):
        return None


def _spent(process: int) -> float | None:
    fields = _stat(process)
    return None if fields is None else (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(process: int) -> int | None:
    try:
        lines = (_PROC / str(process) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), None)


class _Stages:
    """The stages that a command tells of on its error stream, passed on to a listener."""

    def __init__(self, listener: Listener, name: str) -> None:
        self.seconds: dict[str, float] = {}
        self.lines: list[str] = []
        self._listener, self._name = listener, name
        self._stage, self._since = STARTING, time.perf_counter()

    def read(self, lines: Iterable[str]) -> None:
        """Read until the stream ends."""
        for line in lines:
            try:
                event = json.loads(line)
                self._heard(event["event"], event)
            except (ValueError, TypeError, KeyError):
                self.lines = [*self.lines, line.rstrip()][-_LAST:]
        self.ended()

    def ended(self) -> None:
        """The stage that was last begun is over."""
        now = time.perf_counter()
        self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._since = now

    def _heard(self, event: str, told: Mapping[str, Any]) -> None:
        if event == "started":
            self.ended()
            self._stage = str(told["stage"])
            self._listener.started(f"{self._name}: {self._stage}", int(told["total"]))
        else:
            self._listener.advanced(str(told["unit"]), told["reason"])


def run_command(name: str, arguments: Sequence[str], listener: Listener) -> Ran:
    """Run a command of landloom in a process of its own.

    Args:
        name: of what it does, for progress and errors.
        arguments: of the command; its result is read as JSON.
        listener: receives its progress.

    Raises:
        BuildError: it failed; the message has its last words.
    """
    command = [sys.executable, "-m", "landloom.cli", *arguments, "--format", "json", "--progress", "json"]
    environment = os.environ | ({HOSTS_VARIABLE: "127.0.0.1"} if os.environ.get(HOSTS_VARIABLE) else {})
    stages, start = _Stages(listener, name), time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    ) as process:
        watch, said = _Watch(process.pid), list[str]()
        readers = [
            threading.Thread(target=stages.read, args=(process.stderr,)),
            threading.Thread(target=lambda: said.append(process.stdout.read() if process.stdout else "")),
        ]
        try:
            for reader in readers:
                reader.start()
            while process.poll() is None:
                watch.look()
                time.sleep(_EVERY)
        except BaseException:
            process.terminate()  # it ends its workers
            raise
        for reader in readers:
            reader.join()
    if process.returncode:
        raise BuildError([Problem(where=name, what="\n".join(stages.lines) or f"ended with {process.returncode}")])
    return Ran(
        seconds=time.perf_counter() - start,
        cpu=sum(watch.cpu.values()) if watch.cpu else None,
        stages=stages.seconds,
        coordinator=watch.peaks.get(watch.root),
        worker=watch.workers(),
        document=json.loads("".join(said)),
    )
