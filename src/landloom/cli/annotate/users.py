"""`landloom annotate users`: accounts, roles and invitations of a campaign."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from landloom.cli.annotate.campaigns import CAMPAIGN, CampaignArgument
from landloom.reports.terminal import say, say_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import Role

NameArgument = Annotated[str, typer.Argument(help="Login name.")]
RoleArgument = Annotated[str, typer.Argument(help="annotator, reviewer, expert, manager or admin.")]
CampaignOption = Annotated[str, typer.Option(help="Folder of the campaign.")]
DatabaseOption = Annotated[
    str | None,
    typer.Option(help="Address of the ledger; by default that of the campaign (on a server: LANDLOOM_DATABASE)."),
]
_DEFAULT = str(CAMPAIGN)


def register(group: typer.Typer) -> None:
    """Add these commands."""
    users = typer.Typer(help="Accounts, roles and invitations.", no_args_is_help=True)
    users.command("add", epilog="Example: landloom annotate users add ann annotator")(add)
    users.command("invite", epilog="Example: landloom annotate users invite ann annotator")(invite)
    users.command("grant", epilog="Example: landloom annotate users grant ann reviewer")(grant)
    users.command("revoke", epilog="Example: landloom annotate users revoke ann reviewer")(revoke)
    users.command("list", epilog="Example: landloom annotate users list annotation")(list_users)
    users.command("password", epilog="Example: landloom annotate users password ann")(password)
    users.command("disable", epilog="Example: landloom annotate users disable ann")(disable)
    group.add_typer(users, name="users")


def add(
    name: NameArgument, role: RoleArgument, *, campaign: CampaignOption = _DEFAULT, database: DatabaseOption = None
) -> None:
    """Create an account with a role; the password is asked for, or read from a pipe."""
    from landloom.annotate.ledger.accounts import users

    wanted = _role(role)
    with _opened(campaign, database) as (ledger, own):
        user = users.create_user(ledger, name, _password())
        users.grant(ledger, user, wanted, own, by=None)
    say(f"{user.name}: {wanted} of {own}")


def invite(
    name: NameArgument,
    role: RoleArgument,
    *,
    days: Annotated[float, typer.Option(help="Days for which it is valid.")] = 7.0,
    address: Annotated[
        str | None, typer.Option(help="Address of the server: print a link, not the token alone.")
    ] = None,
    campaign: CampaignOption = _DEFAULT,
    database: DatabaseOption = None,
) -> None:
    """Print a one-time invitation, with which somebody makes an account of this name."""
    from landloom.annotate.ledger.accounts import invitations

    wanted = _role(role)
    with _opened(campaign, database) as (ledger, own):
        token = invitations.invite(ledger, name, wanted, own, by=None, days=days)
    say(token if address is None else f"{address.rstrip('/')}/annotate/#/invite/{token}")


def grant(
    name: NameArgument, role: RoleArgument, *, campaign: CampaignOption = _DEFAULT, database: DatabaseOption = None
) -> None:
    """Give an existing account a role."""
    from landloom.annotate.ledger.accounts import users

    wanted = _role(role)
    with _opened(campaign, database) as (ledger, own):
        users.grant(ledger, users.user(ledger, name), wanted, own, by=None)
    say(f"{name}: {wanted} of {own}")


def revoke(
    name: NameArgument, role: RoleArgument, *, campaign: CampaignOption = _DEFAULT, database: DatabaseOption = None
) -> None:
    """Take a role away; the work stays."""
    from landloom.annotate.ledger.accounts import users

    wanted = _role(role)
    with _opened(campaign, database) as (ledger, own):
        users.revoke(ledger, users.user(ledger, name), wanted, own, by=None)
    say(f"{name}: no longer {wanted} of {own}")


def list_users(campaign: CampaignArgument = CAMPAIGN, *, database: DatabaseOption = None) -> None:
    """List accounts with their roles in the campaign."""
    from landloom.annotate.ledger.accounts import users

    with _opened(str(campaign), database) as (ledger, own):
        rows = [
            (user.name, ", ".join(sorted({str(role) for role, name in granted if name in (None, own)})) or "none")
            for user, granted in users.users(ledger)
        ]
    say_table(f"{len(rows)} accounts", ("name", "roles"), rows)


def password(name: NameArgument, *, campaign: CampaignOption = _DEFAULT, database: DatabaseOption = None) -> None:
    """Set another password; all sessions of the account end."""
    from landloom.annotate.ledger.accounts import sessions, users

    with _opened(campaign, database) as (ledger, _):
        sessions.set_password(ledger, users.user(ledger, name), _password())
    say(f"{name}: password set")


def disable(name: NameArgument, *, campaign: CampaignOption = _DEFAULT, database: DatabaseOption = None) -> None:
    """Close an account: no login any more; the work stays."""
    from landloom.annotate.ledger.accounts import users

    with _opened(campaign, database) as (ledger, _):
        users.disable(ledger, users.user(ledger, name), by=None)
    say(f"{name}: closed")


@contextmanager
def _opened(campaign: str, database: str | None) -> Iterator[tuple[Ledger, str]]:
    """The ledger of a campaign, and its name there."""
    from landloom.annotate.ledger.campaigns import campaign as known
    from landloom.annotate.ledger.database import open_ledger
    from landloom.pipelines.annotation.folder import open_folder

    folder = open_folder(campaign)
    with open_ledger(database or folder.database) as ledger:
        known(ledger, folder.name)
        yield ledger, folder.name


def _role(text: str) -> Role:
    from landloom.annotate.ledger.values import Role

    return Role.parse(text)


def _password() -> str:
    """A password that is typed twice, or the first line of a pipe; never an argument, which others could see."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
