"""Peak memory of a process, as Linux keeps it."""

from __future__ import annotations

from pathlib import Path


def peak_gib() -> float:
    """Most memory that this program has held, in GiB.

    Not `getrusage`: what that says, a child inherits from its parent.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20


def resident_gib() -> float:
    """Memory that this program holds now, in GiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 2**20
