"""Arguments and options shared by several commands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from typer.core import TyperCommand, TyperGroup

from landloom.model.address import BUDGETS_VARIABLE, HOSTS_VARIABLE, PRICES_VARIABLE, REQUESTS_VARIABLE
from landloom.reports.help import WholeGroup
from landloom.reports.talk import Talk, talking

RecipeOption = Annotated[Path, typer.Argument(help="Recipe file, or folder with a landloom.yaml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts; the same as --format json.")]
OutOption = Annotated[
    str | None,
    typer.Option(
        "--out", help="Corpus folder, or `s3://…`, `az://…`, `gs://…`; by default `corpus` next to the recipe."
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(min=0, envvar="LANDLOOM_WORKERS", help="Worker processes on this machine; 0 for one per core."),
]


def _limit_requests(requests: int | None) -> int | None:
    if requests is not None:
        os.environ[REQUESTS_VARIABLE] = str(requests)  # workers are told
    return requests


RequestsOption = Annotated[
    int | None,
    typer.Option(
        "--requests",
        min=1,
        max=256,
        envvar=REQUESTS_VARIABLE,
        callback=_limit_requests,
        help="Ranges of remote files that a worker requests at a time; 64 by default.",
    ),
]


def _told(variable: str) -> Callable[[str | None], str | None]:
    def tell(text: str | None) -> str | None:
        if text is not None:
            os.environ[variable] = text
        return text

    return tell


BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        envvar=BUDGETS_VARIABLE,
        callback=_told(BUDGETS_VARIABLE),
        help="Read no more of hosts or buckets, in all builds together: example.org=200GiB, separated by commas.",
    ),
]
PriceOption = Annotated[
    str | None,
    typer.Option(
        "--price",
        envvar=PRICES_VARIABLE,
        callback=_told(PRICES_VARIABLE),
        help="What hosts or buckets cost: example.org=0.09/GiB+0.4/1000 (per 1,000 requests), separated by commas.",
    ),
]


def _limit_hosts(hosts: str | None) -> str | None:
    if hosts is not None:
        os.environ[HOSTS_VARIABLE] = hosts  # workers inherit it
    return hosts


def _of_readers(
    _hosts: Annotated[
        str | None,
        typer.Option(
            "--hosts",
            envvar=HOSTS_VARIABLE,
            callback=_limit_hosts,
            expose_value=False,
            help="Contact only these hosts, separated by commas; .example.org includes its subdomains.",
        ),
    ] = None,
) -> None:
    """The options of every command that reads what may be remote."""


def _kept(context: typer.Context, parameter: typer.CallbackParam, value: Any) -> Any:
    key = f"landloom.{parameter.name}"
    if key not in context.meta or value not in (None, False, 0, "auto"):  # what a group was told holds for its commands
        context.meta[key] = value
    return value


def _of_all(
    *,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", callback=_kept, expose_value=False, help="No progress, notes or warnings.")
    ] = False,
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            callback=_kept,
            expose_value=False,
            help="Log stages and units; -vv also where an error comes from.",
        ),
    ] = 0,
    log_file: Annotated[
        Path | None,
        typer.Option(
            envvar="LANDLOOM_LOG_FILE",
            callback=_kept,
            expose_value=False,
            help="Add all of it, with times, to this file.",
        ),
    ] = None,
    progress: Annotated[
        Literal["auto", "lines", "json", "none"],
        typer.Option(
            envvar="LANDLOOM_PROGRESS",
            callback=_kept,
            expose_value=False,
            help="Progress on the error stream: bars on a terminal, lines, or one JSON document a line.",
        ),
    ] = "auto",
) -> None:
    """The options of every command."""


def _of_results(
    form: Annotated[
        Literal["table", "csv", "json"] | None,
        typer.Option(
            "--format",
            envvar="LANDLOOM_FORMAT",
            callback=_kept,
            expose_value=False,
            help="Form of the result; csv writes tables alone.",
        ),
    ] = None,
) -> None:
    """The option of every command with a result for scripts."""


def _parsed(function: Callable[..., None]) -> list[Any]:
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return typer.main.get_command(app).params


_OF_READERS: Final = _parsed(_of_readers)
_OF_ALL: Final = _parsed(_of_all)
_OF_RESULTS: Final = _parsed(_of_results)
ALL_OPTIONS: Final = (*_OF_RESULTS, *_OF_ALL)
"""The options that every command has, or every one with a result for scripts."""
COMMON: Final = frozenset(str(one.name) for one in ALL_OPTIONS)
"""Their names."""


class _Talking:
    """What commands and groups share that talk as their options say."""

    params: list[Any]

    def invoke(self, ctx: Any) -> Any:
        """Run the command; nested ones of a group talk as their own options say."""
        given = {name: ctx.meta.get(f"landloom.{name}") for name in COMMON}
        form: Any = given["form"] or "table"
        if "as_json" in ctx.params:
            ctx.params["as_json"] = ctx.params["as_json"] or form == "json"
        talk = Talk(
            progress="none" if given["quiet"] else given["progress"] or "auto",
            form="json" if ctx.params.get("as_json") else form,
            is_quiet=bool(given["quiet"]),
        )
        with talking(talk, int(given["verbose"] or 0), given["log_file"], ctx.command_path.split()):
            return super().invoke(ctx)  # type: ignore[misc]


class TalkingCommand(_Talking, TyperCommand):
    """A command with the options that all have: how much it says, in which form, and its log file."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **settings: Any) -> None:
        own = list(params or ())
        results = _OF_RESULTS if any(one.name == "as_json" for one in own) else ()
        super().__init__(*args, params=[*own, *results, *_OF_ALL], **settings)


class ReadingCommand(TalkingCommand):
    """A command that reads what may be remote: `app.command(cls=ReadingCommand)` gives it `--hosts`."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(*args, params=[*(params or ()), *_OF_READERS], **settings)


class TalkingGroup(_Talking, WholeGroup):
    """A group that is a command, too."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(*args, params=[*(params or ()), *_OF_ALL], **settings)

    def invoke(self, ctx: Any) -> Any:
        """Run the command itself, or the one that is named."""
        named = ctx._protected_args  # noqa: SLF001 - click keeps there whether a command of the group is named
        return TyperGroup.invoke(self, ctx) if named else super().invoke(ctx)


def with_options_of_all(app: typer.Typer) -> None:
    """Give every command of an application the options that all have."""
    for info in app.registered_commands:
        info.cls = TalkingCommand if info.cls is TyperCommand else info.cls
    for group in app.registered_groups:
        if group.typer_instance is not None:
            if group.typer_instance.info.cls is not TalkingGroup:
                group.typer_instance.info.cls = WholeGroup
            with_options_of_all(group.typer_instance)


HERE = Path("landloom.yaml")
"""Default path of the recipe."""


def registry_of(context: typer.Context) -> Any:
    """The registry of the command line; it is loaded on this call.

    Args:
        context: context of the command; its object loads the registry.
    """
    load: Callable[[], Any] = context.obj
    return load()


def named_values(option: str, texts: Iterable[str] | None, example: str, *, last: bool = False) -> dict[str, str]:
    """Values of an option that is repeated as `NAME=VALUE`.

    Args:
        option: its name on the command line.
        texts: as given; None for none.
        example: of one, for the error.
        last: whether the last `=` divides, because names may contain one; by default the first, values may.

    Raises:
        typer.BadParameter: not of this form, or a name twice with different values.

    Example:
        >>> named_values("--accept", ["Water=0.95", "Forest=0.8"], "Water=0.95")
        {'Water': '0.95', 'Forest': '0.8'}
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, _, value = (part.strip() for part in (text.rpartition("=") if last else text.partition("=")))
        if not (name and value):
            raise typer.BadParameter(f"{option}: got {text!r}, expected {example}")
        if found.setdefault(name, value) != value:
            raise typer.BadParameter(f"{option}: got {name} = {found[name]} and {name} = {value}, expected one of them")
    return found
