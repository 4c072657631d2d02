"""Several ASGI applications behind one address, each below its prefix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Mount:
    """An application and what it serves."""

    prefix: str
    """`/annotate` serves itself and what lies below; the empty prefix serves everything."""
    app: ASGIApp
    """It gets the whole path."""

    def serves(self, path: str) -> bool:
        """Whether a path belongs to it.

        Example:
            >>> mount = Mount("/annotate", None)
            >>> mount.serves("/annotate/api/me"), mount.serves("/annotated")
            (True, False)
        """
        return not self.prefix or path == self.prefix or path.startswith(f"{self.prefix}/")


class Mounts:
    """The first mount that serves a path answers; middleware of one never sees the requests of another.

    Args:
        mounts: the last one has the empty prefix.
    """

    def __init__(self, mounts: Sequence[Mount]) -> None:
        self.mounts = tuple(mounts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand one request on."""
        mount = next(one for one in self.mounts if scope["type"] != "http" or one.serves(scope["path"]))
        await mount.app(scope, receive, send)
