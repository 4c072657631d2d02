"""The command line: help with examples, one clear line for a mistake, codes that mean something, JSON for scripts."""

from __future__ import annotations

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer

from landloom import open as open_corpus
from landloom.cli.app import SECTIONS, app
from landloom.corpus.layout import BEGUN
from landloom.engine.journal import Journal
from landloom.errors import LandloomWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Ran


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*path, name)
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


ROOT: Any = typer.main.get_command(app)
COMMANDS = list(commands(ROOT))


def lookup(path: tuple[str, ...]) -> Any:
    command = ROOT
    for name in path:
        command = command.commands[name]
    return command


LEAVES = [path for path in COMMANDS if getattr(lookup(path), "invoke_without_command", True)]


def test_every_command_of_the_plan_is_there() -> None:
    wanted = {"init", "simulate", "plan", "build", "status", "validate", "report"}
    wanted |= {"export", "publish", "labels", "cite", "demo"}
    assert {(name,) for name in wanted} | {("labels", "add")} <= set(COMMANDS)


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_help_shows_an_example_that_parses(path: tuple[str, ...], run: Callable[..., Ran]) -> None:
    """The example is of this command, and each of its options is one that the command has."""
    done = run(*path, "--help")
    assert done.code == 0
    assert "Example: landloom " in re.sub(r"\s+", " ", done.out)
    example = shlex.split(str(lookup(path).epilog).removeprefix("Example: "))
    if "&&" in example:
        example = example[: example.index("&&")]
    assert tuple(example[1 : 1 + len(path)]) == path
    lookup(path).make_context(path[-1], example[1 + len(path) :]).close()


@pytest.mark.parametrize("path", [path for path in COMMANDS if hasattr(lookup(path), "commands")], ids=" ".join)
def test_groups_list_their_commands(path: tuple[str, ...], run: Callable[..., Ran]) -> None:
    done = run(*path, "--help")
    assert done.code == 0
    assert all(f"  {name} " in done.out for name in lookup(path).commands)


def test_the_first_page_says_where_to_start(run: Callable[..., Ran]) -> None:
    done = run("--help")
    assert "Start with: landloom demo" in done.out


MISTAKES = [
    (["validate", "{tmp}/none"], 1, "missing: this is not a corpus"),
    (["status", "{tmp}/none"], 1, "no journal"),
    (["report", "{tmp}/none"], 1, "no finished build"),
    (["cite", "{tmp}/none"], 1, "nothing under 'corpus.json'"),
    (["init", "rapidai4eu", "{tmp}/x.yaml"], 1, "no recipe 'rapidai4eu'; nearest: rapidai4eo"),
    (["plan", "{tmp}/none.yaml"], 1, "cannot be read: No such file"),
    (["build", "{tmp}/none.yaml"], 1, "cannot be read: No such file"),
    (["build", "{project}/landloom.yaml", "--out", "{full}"], 1, "contains files of something else"),
    (["simulate", "{tmp}/x", "--preset", "mars"], 1, "mars"),
    (["export", "{tmp}/none", "{tmp}/x", "--layout", "cubes"], 1, "is not a finished corpus"),
    (["export", "{corpus}", "{tmp}/x", "--layout", "tiles"], 1, "expected chips, cubes or both"),
    (["export", "{corpus}", "{full}", "--layout", "cubes"], 1, "contains files of something else"),
    (["publish", "{tmp}/none", "{tmp}/x", "--base-url", "https://example.org"], 1, "is not a finished corpus"),
    (["publish", "{corpus}", "{tmp}/x", "--base-url", "x"], 1, "expected an absolute address"),
    (["publish", "{corpus}", "az://x/y", "--base-url", "https://example.org"], 1, "come from the environment"),
    (["build", "{project}/landloom.yaml", "--out", "{project}/landloom.yaml"], 1, "is a file; choose a folder"),
    (["publish", "{corpus}", "ftp://x/y", "--base-url", "https://example.org"], 1, "expected a path or s3://"),
    (["publish", "{corpus}", "{full}", "--base-url", "https://example.org"], 1, "files of something else"),
    (["labels", "add", "{corpus}", "--source", "{tmp}/x.gpkg", "--column", "c", "{terms}"], 1, "no file"),
    (["labels", "add", "{corpus}", "--source", "{tmp}/x.tif", "--name", "-x", "{terms}"], 1, "expected lower-case"),
    (["export", "{corpus}"], 2, "Missing argument 'out'"),
    (["export", "{corpus}", "{tmp}/x"], 2, "expected either --layout or --to"),
    (["publish", "{corpus}", "{tmp}/x"], 2, "Missing option '--base-url'"),
    (["labels", "add", "{corpus}"], 2, "Missing option '--source'"),
    (["nonsense"], 2, "No such command 'nonsense'"),
    (["validate", "--nonsense"], 2, "No such option: --nonsense"),
    (["build", "--workers", "many"], 2, "Invalid value for '--workers'"),
]
TERMS = ["--taxonomy", "clc", "--licence", "CC0-1.0", "--attribution", "me"]


@pytest.mark.parametrize(("arguments", "code", "message"), MISTAKES, ids=[" ".join(row[0]) for row in MISTAKES])
def test_a_mistake_is_one_message(
    arguments: list[str], code: int, message: str, project: Path, tmp_path: Path, run: Callable[..., Ran]
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("x", encoding="utf-8")
    places = {"tmp": tmp_path, "project": project, "corpus": project / "corpus", "full": tmp_path / "full"}
    given = [part for text in arguments for part in (TERMS if text == "{terms}" else [text.format(**places)])]
    if "--name" not in given and "{terms}" in arguments:
        given += ["--name", "x"]
    done = run(*given)
    assert done.code == code
    said = done.err if given[0] != "validate" or code == 2 else done.out
    assert message in said.replace("expected ", "expected ")
    assert "Traceback" not in done.err + done.out
    if code == 1 and given[0] != "validate":
        assert done.err.startswith("landloom: ")
        assert done.out == ""


def test_no_traceback_from_the_console_script(tmp_path: Path) -> None:
    """The same in a process of its own, as a user has it."""
    command = [sys.executable, "-m", "landloom.cli", "status", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"landloom: {tmp_path}: no journal")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--help"], ["annotate", "--help"], ["annotate", "serve", "--help"]])
def test_help_loads_neither_database_nor_server(arguments: list[str]) -> None:
    code = (
        "import sys; from landloom.cli.app import app; app(sys.argv[1:], standalone_mode=False);"
        "heavy = {'sqlalchemy', 'alembic', 'argon2', 'fastapi', 'starlette', 'uvicorn', 'numpy', 'rasterio'};"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert "Usage: " in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_validate_fails_with_1_and_names_the_file(corpus: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    shutil.copytree(corpus, tmp_path / "c")
    lost = min((tmp_path / "c").rglob("*.tif"))
    lost.unlink()
    done = run("validate", tmp_path / "c")
    assert done.code == 1
    assert f"{lost.relative_to(tmp_path / 'c')}: missing" in done.out


def test_json_parses(project: Path, corpus: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    recipe = project / "landloom.yaml"

    def answer(*arguments: object) -> dict[str, Any]:
        done = run(*arguments, "--json")
        assert done.code == 0, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    assert answer("simulate", project / "archive", "--preset", "tiny")["scenes"] == 21
    assert answer("plan", recipe, "--no-search")["name"] == "small"
    assert answer("build", recipe, "--workers", 1)["units_run"] == 0
    assert {row["product"] for row in answer("status", corpus)["products"]} >= {"s2"}
    assert answer("validate", corpus)["problems"] == []
    cited = answer("cite", corpus)
    assert "small" in cited["bibtex"]
    assert set(cited) == {"text", "bibtex", "doi", "attribution", "funding", "contact"}
    assert set(cited["attribution"]) == {"s2", "count", "labels"}
    digest = run("validate", corpus, "--digest").out.strip()
    assert answer("validate", corpus, "--digest") == {"digest": digest}
    exported = answer("export", corpus, tmp_path / "e", "--layout", "chips", "--layout", "cubes", "--workers", 1)
    assert exported["layouts"] == ["chips", "cubes"]
    assert run("validate", tmp_path / "e", "--digest").out.strip() == digest
    published = answer("publish", corpus, f"file://{tmp_path}/p", "--base-url", "https://example.org/p")
    assert published["digest"] == run("validate", tmp_path / "p", "--digest").out.strip()
    raster = project / "archive" / "landcover_3035.tif"
    given = ["labels", "add", tmp_path / "e", "--source", raster, "--name", "again", *TERMS, "--workers", 1]
    assert answer(*given)["product"] == "labels_again"
    assert answer(*given)["added"] is False


def test_people_are_told_what_came_of_it(project: Path, corpus: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    done = run("export", corpus, tmp_path / "e", "--layout", "cubes", "--workers", 1)
    assert done.out.startswith("wrote ")
    assert "exporting: " in done.err
    given = ("publish", corpus, f"file://{tmp_path}/p", "--base-url", "https://example.org/p")
    done = run(*given)
    assert "catalogue: https://example.org/p/stac-v1.0/catalog.json" in done.out
    assert "publishing: " in done.err
    assert run(*given).out.startswith("published before, nothing to send")
    source = ["--source", project / "archive" / "landcover.gpkg", "--column", "CODE_18", "--name", "again"]
    done = run("labels", "add", tmp_path / "e", *source, *TERMS, "--workers", 1)
    assert "added labels_again, label version 1, to 2 samples" in done.out
    assert "has these labels already" in run("labels", "add", tmp_path / "e", *source, *TERMS, "--workers", 1).out
    whole = run("cite", corpus).out
    assert whole.startswith("The landloom developers")
    assert "@dataset{small," in whole
    assert "Attribution of labels: Simulated by landloom in the shape of CORINE Land Cover 2018" in whole
    assert run("cite", corpus, "--bibtex").out.startswith("@dataset{small,")


def test_a_plan_without_inputs_says_what_it_cannot_know(tmp_path: Path, run: Callable[..., Ran]) -> None:
    assert run("init", "demo", tmp_path / "r.yaml").code == 0
    text = (tmp_path / "r.yaml").read_text(encoding="utf-8")
    (tmp_path / "r.yaml").write_text(re.sub(r"samples:\n(  .*\n)+", "samples: {draw: all}\n", text), encoding="utf-8")
    done = run("plan", tmp_path / "r.yaml")
    assert done.code == 0
    assert re.search(r"s2 +data +12 +unknown +unknown +here", done.out)
    assert re.search(r"image chips +unknown, inputs are missing", done.out)
    assert "not there yet: archive/catalog.json, archive/landcover.gpkg" in done.out
    assert " 0 " not in done.out


def test_bad_rows_are_named_line_by_line(corpus: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    rows = [{"type": "Feature", "properties": {"c": code}, "geometry": None} for code in ("311", "wood")]
    text = json.dumps({"type": "FeatureCollection", "features": rows})
    (tmp_path / "bad.geojson").write_text(text, encoding="utf-8")
    source = ["--source", tmp_path / "bad.geojson", "--column", "c", "--name", "bad"]
    done = run("labels", "add", corpus, *source, *TERMS, "--workers", 1)
    assert done.code == 1
    assert "feature 0: no geometry" in done.err
    assert "feature 1: no class of clc 'wood'" in done.err


def test_the_commands_stand_under_headings_with_whole_sentences(run: Callable[..., Ran]) -> None:
    page = run("-h").out
    assert {name for names in SECTIONS.values() for name in names} == set(ROOT.commands)
    assert "…" not in re.sub(r"{file: …}", "", page)
    assert "..." not in page.partition("\n")[2]
    assert [heading for heading in SECTIONS if f"\n{heading}:\n" in page] == list(SECTIONS)
    assert run("--help").out == page == run("-h").out


def test_results_are_tables_csv_or_json(corpus: Path, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run("status", corpus)
    assert plain.out.splitlines()[0] == str(corpus)
    lines = run("status", corpus, "--format", "csv").out.splitlines()
    assert lines[0] == "product,done,failed,missing"
    assert run("status", corpus, "--format", "json").out == run("status", corpus, "--json").out
    monkeypatch.setenv("LANDLOOM_FORMAT", "json")
    assert json.loads(run("status", corpus).out)["failures"] == []
    monkeypatch.delenv("LANDLOOM_FORMAT")
    samples = list(csv.DictReader(run("query", corpus, "--format", "csv").out.splitlines()))
    assert len(samples) == 2
    for sample in samples:
        assert sum(float(value) for name, value in sample.items() if name.startswith("clc_")) == pytest.approx(1)
        assert float(sample["west"]) < float(sample["east"])
    assert run("status", corpus, "--format", "xml").code == 2


def test_progress_is_for_people_or_programs(project: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    log = tmp_path / "build.log"
    build = ("build", project, "--out", project / "corpus", "--workers", 1)
    events = [json.loads(line) for line in run(*build, "--progress", "json").err.splitlines()]
    assert {event["stage"] for event in events} >= {"finishing"}
    assert events[-1] | {"unit": ""} == {
        "event": "advanced",
        "stage": "finishing",
        "done": 3,
        "total": 3,
        "unit": "",
        "reason": None,
    }
    quiet = run(*build, "-q", "--log-file", log)
    assert quiet.err == ""
    assert "finishing: report done (3 of 3)" in log.read_text(encoding="utf-8")
    assert "INFO finishing: 3" in run(*build, "-v").err
    assert run("status", tmp_path, "--log-file", log).code == 1
    assert "no journal" in log.read_text(encoding="utf-8")


def test_a_dry_run_makes_nothing(project: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    done = run("build", project, "--out", tmp_path / "c", "--workers", 1, "--dry-run")
    assert re.search(r"s2 +0 +2", done.out)
    assert [path.name for path in (tmp_path / "c").iterdir()] == [".landloom"]
    Journal(tmp_path / "d" / ".landloom" / "journal.sqlite").close()
    assert "nothing is planned yet" in run("status", tmp_path / "d").out
    assert "its build has not finished" in run("query", tmp_path / "c").err
    there = json.loads(run("build", project, "--out", project / "corpus", "--dry-run", "--json", "--workers", 1).out)
    assert {row["to_make"] for row in there["products"]} == {0}
    given = ("publish", project / "corpus", f"file://{tmp_path}/p", "--base-url", "https://example.org/p")
    assert json.loads(run(*given, "--dry-run", "--json").out)["is_published"] is False
    assert not (tmp_path / "p").exists()
    sent = json.loads(run(*given, "--json").out)
    assert sent["uploaded"] > 0
    assert "nothing to send" in run(*given, "--dry-run").out
    other = ("publish", project / "corpus", f"file://{project}", "--base-url", "https://example.org/p", "--dry-run")
    assert "contains files of something else" in run(*other).err


def test_a_doubt_is_one_line_beside_the_result(corpus: Path, run: Callable[..., Ran]) -> None:
    done = run("query", corpus, "--where", "clc_2 > 50", "--ids")
    assert done.out == ""
    assert done.err == "  warning: filter: clc_2 is compared with 50, but shares are 0 to 1; 50 % is 0.5\n"
    assert run("query", corpus, "--where", "clc_2 > 50", "--ids", "-q").err == ""
    assert "it lies within 1" in run("query", corpus, "--region", "0,0,1,1").err
    assert run("query", corpus, "--period", "2018-06", "..").err == ""


def test_a_corpus_whose_build_has_not_finished_is_named(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path / "c")
    (tmp_path / "c" / BEGUN).touch()
    with pytest.warns(LandloomWarning, match="may be incomplete: a build of it is running, has failed or was killed"):
        open_corpus(tmp_path / "c")
