"""Repeating work without the scenes that turn out to be broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from landloom.engine.pixels.reading import SceneFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Result = TypeVar("Result")


def without_broken(
    work: Callable[[Mapping[str, str]], Result], known: Mapping[str, str] | None = None
) -> tuple[Result, dict[str, str]]:
    """Do some work with the usable scenes.

    Args:
        work: takes scene → reason of the scenes to leave out; raises `SceneFaultError` for a broken one, without
            leaving partial results.
        known: scenes known to be broken.

    Returns:
        Its result, and every scene that was left out, with the reason.

    Example:
        >>> without_broken(lambda left_out: sorted(left_out), {"a": "truncated"})
        (['a'], {'a': 'truncated'})
    """
    left_out = dict(known or {})
    while True:
        try:
            return work(left_out), left_out
        except SceneFaultError as fault:
            left_out[fault.scene.id] = str(fault)
