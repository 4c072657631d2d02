"""A scene that turns out to be broken is left out, and the work starts again without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from landloom.engine.pixels.reading import SceneFaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Result = TypeVar("Result")


def without_broken(
    work: Callable[[Mapping[str, str]], Result], known: Mapping[str, str] | None = None
) -> tuple[Result, dict[str, str]]:
    """Do some work with the scenes that can be used.

    Args:
        work: takes scene → reason of those that are left out; raises `SceneFaultError` for a broken one, and leaves
            nothing behind then.
        known: scenes that are broken already.

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
