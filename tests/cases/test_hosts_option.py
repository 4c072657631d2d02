"""`--hosts` of the command line: every command that reads what may be remote has it, and it holds for all it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
import typer
from tests.cases.archives import write_recipe

from landloom.cli.app import app
from landloom.model.address import HOSTS_VARIABLE
from landloom.store.hosts import hosts_are_limited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Ran
    from tests.web import FaultyServer

LOCAL: Final = {
    *("init", "simulate", "rehearse", "status", "report", "verify", "index"),
    *(f"demo {name}" for name in ("query", "parcels", "landcovernet", "fused", "annotate", "train")),
    *("leaderboard", "predict", "labels change"),
    *("corpora list", "corpora add", "corpora remove"),
    *("guess predict", "guess report"),
    *("annotate backup", "annotate rebuild", "annotate redraw"),
    *(f"annotate users {verb}" for verb in ("add", "invite", "grant", "revoke", "list", "password", "disable")),
}
"""Commands that read files of this machine, or none."""
TERMS: Final = "--taxonomy clc --name x --licence CC0-1.0 --attribution me"
PARCELS: Final = "{web}/p.gpkg --columns ground_truth=c"
READS: Final = {
    "build": "{recipe} --workers 1",
    "plan": "{recipe}",
    "scenes": "{recipe} --out {tmp}/scenes.csv",
    "validate": "{web}/corpus",
    "export": "{web}/corpus {tmp}/out --layout cubes",
    "evaluate": "fused {recipe}",
    "publish": "{web}/corpus {tmp}/out --base-url https://example.org/c",
    "labels add": "{tmp} --source {web}/labels.gpkg --column c " + TERMS,
    "cite": "{web}/corpus",
    "query": "{web}/corpus",
    "split": "{web}/corpus",
    "statistics": "{web}/corpus",
    "train": "{web}/corpus --split-set s --out {tmp}/model",
    "noise": "{web}/corpus --target label --out {tmp}/noise.csv",
    "embed": "{tmp}/model {web}/corpus",
    "similar": "{web}/corpus 33N_16E-243N_29_01",
    "change": "{web}/corpus --product pfsr --per sample --out {tmp}/changes.csv",
    "series": "{web}/corpus 33N_16E-243N_29_01 --pixel 0,0 --out {tmp}/series.png",
    "crawl": "{web}/catalog.json",
    "download": "{web}/corpus {tmp}/out",
    "repair": "{web}/corpus {tmp}",
    "diff": "{web}/corpus {tmp}",
    "serve": "{web}/corpus --port 0",
    "guess train": "{recipe}",
    "guess granules": "{recipe}",
    "parcels rasterise": PARCELS + " --like {web}/like.tif",
    "parcels describe": PARCELS,
    "granules features": "{web}/map.tif --out {tmp}/granules",
    "granules draw": "{tmp}/granules.csv --count 1 --continents {web}/continents.gpkg --out {tmp}/granules.txt",
    "annotate init": "{web}/corpus --campaign {tmp}/campaign",
    **{f"annotate {verb}": "{tmp}" for verb in ("serve", "import", "consensus", "report", "export")},
}
"""Command → arguments that lead to a server."""
NEEDS_MORE: Final = {
    *("labels add", "repair", "guess train", "guess granules", "evaluate"),
    *(f"annotate {verb}" for verb in ("serve", "import", "consensus", "report", "export")),
}
"""Those that ask for more than an address before they read one."""

GRANULES: Final = ",".join(("id", "longitude", "latitude", "land", *(f"igbp_{code}" for code in range(1, 18))))


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


def test_every_command_has_the_option_or_reads_this_machine_alone() -> None:
    have = {
        path: any("--hosts" in parameter.opts for parameter in command.params)
        for path, command in commands(typer.main.get_command(app))
    }
    assert have == dict.fromkeys(LOCAL, False) | dict.fromkeys(READS, True)


@pytest.mark.parametrize("path", sorted(set(READS) - NEEDS_MORE))
def test_only_the_hosts_of_the_option_are_contacted(
    path: str, run: Callable[..., Ran], faulty: FaultyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOSTS_VARIABLE, "")  # what the option sets is undone with it
    (tmp_path / "granules.csv").write_text(f"{GRANULES}\n33UUP{',0.05' * GRANULES.count(',')}\n", encoding="utf-8")
    recipe = write_recipe(tmp_path, f"{faulty.address}/catalog.json")
    given = READS[path].format(web=faulty.address, tmp=tmp_path, recipe=recipe).split()
    done = run(*path.split(), *given, "--hosts", "example.org")
    assert done.code == 1
    assert "127.0.0.1 is not among the hosts allowed by" in done.err + done.out
    assert faulty.requests == []


@pytest.mark.parametrize("address", ["s3://bucket/corpus", "az://bucket/corpus", "gs://bucket/corpus"])
@pytest.mark.parametrize("path", ["validate", "cite", "query"])
def test_a_bucket_counts_as_a_host(
    path: str, address: str, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(HOSTS_VARIABLE, "")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    done = run(path, address, "--hosts", "example.org")
    assert done.code == 1
    assert "bucket is not among the hosts allowed by" in done.err + done.out


def test_the_option_holds_in_processes_that_follow(run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOSTS_VARIABLE, "")
    run("cite", "/no/corpus", "--hosts", "example.org")
    assert hosts_are_limited()
