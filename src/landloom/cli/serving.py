"""`landloom serve`: a corpus for browsers and STAC clients."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Annotated

import typer

from landloom.cli.interrupts import StoppedError
from landloom.reports.heartbeat import Heartbeat
from landloom.reports.options import ReadingCommand
from landloom.reports.talk import TALK
from landloom.reports.terminal import say
from landloom.reports.text import plain_line


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(cls=ReadingCommand, epilog="Example: landloom serve corpus --port 8000")(serve)


def serve(
    corpus: Annotated[str, typer.Argument(help="Folder, address or name of the corpus.")] = "corpus",
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; use 0.0.0.0 to accept other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for any free port.")] = 8000,
    tiles: Annotated[
        str | None,
        typer.Option(help="Address of map tiles with {z}, {x} and {y}, drawn below the samples; without, coasts only."),
    ] = None,
    tiles_credit: Annotated[str, typer.Option(help="Whom the map names as the source of the tiles.")] = "",
) -> None:
    """Serve a read-only STAC API and an explorer page for a corpus."""
    from landloom.server.app import serve as run
    from landloom.server.explore.basemap import Basemap
    from landloom.server.explore.page import built

    basemap = None if tiles is None else Basemap(tiles, tiles_credit)
    opening = Heartbeat(lambda seconds: _tell(f"opening {corpus}: {seconds:.0f} s"), every=3.0)

    def announce(address: str) -> None:
        opening.stop()
        for line in announcement(corpus, address, host, page=built()):
            say(line)
        sys.stdout.flush()

    _tell(f"opening {corpus} …")
    try:
        with opening if not TALK.get().is_quiet else nullcontext():
            run(corpus, host=host, port=port, announce=announce, basemap=basemap)
    except StoppedError as stopped:  # a signal is the regular way to stop a server
        raise SystemExit(stopped.code) from None


def _tell(text: str) -> None:
    if not TALK.get().is_quiet:
        sys.stderr.write(plain_line(text) + "\n")
        sys.stderr.flush()


def announcement(corpus: str, address: str, host: str, *, page: bool) -> list[str]:
    """The message printed when the server is ready.

    Args:
        corpus: as given by the user.
        address: URL of the server.
        host: address that it listens on.
        page: whether the explorer page is built.

    Returns:
        Lines; the explorer page is mentioned only if it is built.
    """
    what = "the explorer page and the STAC API" if page else "the STAC API"
    lines = [f"{corpus}: {address} is {what} (read-only); stop with Ctrl-C"]
    if not page:
        lines.append("  note: the explorer page is not built in this installation; in a checkout, `make web` builds it")
    if host not in {"127.0.0.1", "::1", "localhost"}:
        lines.append("  note: other machines can reach it, and there is no password")
    return lines
