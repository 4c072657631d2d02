"""`landloom annotate serve`: a campaign for the browsers of its annotators."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from landloom.cli.annotate.campaigns import CAMPAIGN, CampaignArgument
from landloom.cli.interrupts import StoppedError
from landloom.reports.options import ReadingCommand
from landloom.reports.terminal import say


def register(group: typer.Typer) -> None:
    """Add these commands."""
    group.command("serve", cls=ReadingCommand, epilog="Example: landloom annotate serve annotation --port 8000")(serve)


def serve(
    campaign: CampaignArgument = CAMPAIGN,
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's demand TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for any free port.")] = 8000,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy in front ends TLS and sets X-Forwarded-For.")
    ] = False,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM, without a password.")] = None,
    database: Annotated[
        str | None,
        typer.Option(help="Address of the ledger; by default that of the campaign (on a server: LANDLOOM_DATABASE)."),
    ] = None,
    explorer: Annotated[
        bool,
        typer.Option(
            "--explorer",
            help="Publish the corpus at /, to everybody: with its guess labels, planted errors can be told apart.",
        ),
    ] = False,
) -> None:
    """Serve the annotation page and its API."""
    from landloom.server.annotate import serving
    from landloom.server.annotate.page import built

    def announce(address: str) -> None:
        for line in announcement(str(campaign), address, behind_proxy=behind_proxy, page=built()):
            say(line)
        sys.stdout.flush()

    serving.check_extra()
    listening = serving.Listening(host=host, port=port, behind_proxy=behind_proxy, certificate=tls_cert, key=tls_key)
    try:
        serving.serve(campaign, listening, database=database, explorer=explorer, announce=announce)
    except StoppedError as stopped:  # a signal is the regular way to stop a server
        raise SystemExit(stopped.code) from None


def announcement(campaign: str, address: str, *, behind_proxy: bool, page: bool) -> list[str]:
    """The message printed when the server is ready.

    Args:
        campaign: as given by the user.
        address: URL of the server.
        behind_proxy: whether a proxy in front ends TLS.
        page: whether the annotation page is built.
    """
    lines = [f"{campaign}: {address}annotate/ is the annotation page; stop with Ctrl-C"]
    if behind_proxy:
        lines.append("  note: it trusts the proxy's X-Forwarded-For; let nobody reach this port but the proxy")
    if not page:
        lines.append(
            "  note: the annotation page is not built in this installation; in a checkout, `make web` builds it"
        )
    return lines
