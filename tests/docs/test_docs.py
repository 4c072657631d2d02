"""What the documentation says is done: blocks run, commands parse, everything public is explained."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

import landloom
from landloom import errors
from landloom.cli.app import app
from landloom.model.taxonomy import TAXONOMIES
from landloom.pipelines.evaluate import evaluate_composites, evaluate_fractions

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
TUTORIAL = ROOT / "docs/tutorial/first-corpus.md"
FENCE = re.compile(
    r"(?:^ *<!-- (?P<mark>[^\n]*?) -->\n)?^(?P<pad> *)```(?P<language>[\w-]+)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
NOT_RUN = "not run: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str
    mark: str
    """What a comment right above it says: `run`, `file: NAME`, `not run: REASON`."""

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        pad = len(found["pad"])
        yield Block(
            page=page,
            line=text.count("\n", 0, found.start("language")) + 1,
            language=found["language"],
            text="".join(line[pad:] for line in found["text"].splitlines(keepends=True)),
            mark=found["mark"] or "",
        )


def typed(block: Block) -> Iterator[list[str]]:
    """What a reader types in a console block, command by command."""
    joined = re.sub(r"\\\n\s*", " ", block.text)
    for line in joined.splitlines():
        if line.startswith("$ "):
            words = shlex.split(line[2:], comments=True)
            while "&&" in words:
                cut = words.index("&&")
                yield words[:cut]
                words = words[cut + 1 :]
            yield words


ALL = [block for page in PAGES for block in blocks(page)]
CONSOLE = [block for block in ALL if block.language == "console"]
RUN_PAGES = sorted(
    {block.page for block in ALL if block.language == "python" and not block.mark.startswith(NOT_RUN)} - {TUTORIAL}
)


def run_page(page: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> int:
    """Run a page from top to bottom in one namespace; how many blocks there were."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    space: dict[str, Any] = {"__name__": page.stem}
    count = 0
    for block in blocks(page):
        if block.mark.startswith("file: "):
            Path(block.mark.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
        elif block.language == "console" and block.mark == "run":
            for words in typed(block):
                done = CliRunner().invoke(app, words[1:], catch_exceptions=False)
                assert done.exit_code == 0, f"{block.place}: {words}: {done.output}"
        elif block.language == "python" and not block.mark.startswith(NOT_RUN):
            lines = "\n" * block.line + block.text
            exec(compile(lines, str(page), "exec"), space)  # noqa: S102 - the documentation is what is tested
        else:
            continue
        count += 1
    return count


@pytest.fixture(scope="session")
def desk(tiny_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a reader of the tutorial ends with: the other pages start from it."""
    folder = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(tiny_archive, folder / "archive")  # `simulate` finds it there and has nothing left to do
    mpl.use("Agg")
    with pytest.MonkeyPatch.context() as patch:
        assert run_page(TUTORIAL, patch, folder) > 5
    return folder


@pytest.mark.slow
def test_the_tutorial_runs(desk: Path) -> None:
    assert (desk / "corpus" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_runs(page: Path, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "reader"
    shutil.copytree(desk, folder)
    (folder / "out").mkdir()
    (folder / "out" / "demo").symlink_to(folder)  # as `make demo` leaves it: archive, recipe and corpus
    assert run_page(page, monkeypatch, folder) > 0


def test_the_first_snippets_have_three_lines_each() -> None:
    page = ROOT / "docs/howto/first-lines.md"
    headings = re.findall(r"(?m)^## (.*)$", page.read_text(encoding="utf-8"))
    snippets = list(blocks(page))
    assert len(snippets) == len(headings) == 10
    for block in snippets:
        assert (block.language, block.mark) == ("python", "")
        assert len([line for line in block.text.splitlines() if line]) <= 3, block.place


def test_what_does_not_run_says_why() -> None:
    unrun = {block.place: block.mark for block in ALL if block.mark.startswith(NOT_RUN)}
    assert all(len(mark) > len(NOT_RUN) + 10 for mark in unrun.values())
    # A short list, so that a new exception is seen in review.
    pages = {
        "docs/howto/change.md",
        "docs/howto/cluster.md",
        "docs/howto/install.md",
        "docs/howto/pretrain.md",
        "docs/howto/query.md",
        "README.md",
    }
    assert {place.split(":")[0] for place in unrun} <= pages, unrun


def test_every_journey_of_the_readme_runs_or_says_why_not() -> None:
    """What README shows in the folder of `make demo` is run in order by `test_python_runs`."""
    shown = list(blocks(ROOT / "README.md"))
    assert all(block.mark == "run" or block.mark.startswith(NOT_RUN) for block in shown if block.language == "console")
    assert sum(block.mark == "run" for block in shown) >= 5
    run = [" ".join(words) for block in shown if block.mark == "run" for words in typed(block)]
    assert all(words.startswith("landloom ") for words in run)


def test_blocks_are_found() -> None:
    assert len(CONSOLE) > 5
    assert len(RUN_PAGES) > 3
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        opened = re.findall(r"^ *```[\w{-]", text, re.MULTILINE)
        assert text.count("```") == 2 * len(opened), f"{page}: a fence is not closed, or names no language"


# Commands -----------------------------------------------------------------------------------------------------


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from commands(below, (*path, name))
    if not isinstance(command, TyperGroup) or (path and command.invoke_without_command):
        yield path, command


COMMANDS = dict(commands(typer.main.get_command(app)))


def parse(words: list[str]) -> None:
    """Let the command's own parser read words; nothing is run."""
    if "--version" in words or "--help" in words:
        return
    path = next((tuple(words[:n]) for n in (3, 2, 1) if tuple(words[:n]) in COMMANDS), None)
    assert path is not None, f"no command {' '.join(words[:2])!r}"
    COMMANDS[path].make_context(" ".join(path), words[len(path) :])


@pytest.mark.parametrize("block", CONSOLE, ids=lambda block: block.place)
def test_console_lines_parse(block: Block) -> None:
    lines = list(typed(block))
    assert lines, "a console block shows what to type after `$ `"
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for words in lines:
        if words[0] == "landloom":
            parse(words[1:])
        elif words[0] == "make":
            assert words[1] in targets
        else:
            assert words[0] in {"cd", "pip", "python", "rclone", "azcopy", "export", "source"}, words


def test_commands_named_in_prose_exist() -> None:
    first = {path[0] for path in COMMANDS}
    for page in PAGES:
        for name in re.findall(r"`landloom ([a-z][\w-]*)", page.read_text(encoding="utf-8")):
            assert name in first, f"{page.name}: landloom {name}"


@pytest.mark.parametrize("path", sorted(COMMANDS), ids=" ".join)
def test_every_command_has_help_and_an_example_that_parses(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    assert command.epilog.startswith("Example: landloom ")
    for part in command.epilog.removeprefix("Example: ").split(" && "):
        parse(shlex.split(part)[1:])
    for parameter in command.params:
        assert parameter.name == "help" or parameter.help, f"{parameter.name} is not explained"


# Names, pages, links ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in landloom.__all__ if name != "PRODUCTS"])
def test_every_public_name_has_an_example(name: str) -> None:
    assert ">>> " in (getattr(landloom, name).__doc__ or "")


def test_reference_names_every_public_name() -> None:
    text = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"auto\w+:: landloom\.(\w+)", text)) == sorted(landloom.__all__)


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_of_the_front_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)|src=\"([^\"]+)\"", text)
    for target in (first or second for first, second in targets):
        assert (ROOT / target).exists(), target


def test_every_error_is_in_the_tree() -> None:
    tree = errors.__doc__ or ""
    own = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.LandloomError)]
    assert [kind.__name__ for kind in own if f" {kind.__name__}" not in tree.replace("\n", " ")] == []


def test_the_layout_page_names_every_product_and_the_words_every_taxonomy() -> None:
    layout = (ROOT / "docs/reference/layout.md").read_text(encoding="utf-8")
    assert [key for key in landloom.PRODUCTS if f"`{key}`" not in layout] == []
    words = (ROOT / "docs/reference/words.md").read_text(encoding="utf-8")
    assert [name for name in TAXONOMIES if f"| `{name}` | `{TAXONOMIES[name][0]}_" not in words] == []


def test_contributing_names_what_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(
        r"`((?:model|archive|formats|engine|samplers|products|publication|pipelines|docs|tests)/[\w/.]+)`", text
    )
    assert len(paths) > 8
    assert [path for path in paths if not ((ROOT / "src/landloom" / path).exists() or (ROOT / path).exists())] == []
    columns = "level,code,name,parents,grid_code"
    assert f"`{columns}`" in text
    for name in TAXONOMIES:
        table = ROOT / f"src/landloom/model/taxonomies/{name}.csv"
        assert table.read_text(encoding="utf-8").startswith(f"{columns}\n")
    for name in re.findall(r"`([A-Z][A-Z_]+)` of|of `([A-Z][A-Z_]+)`", text):
        wanted = next(word for word in name if word)
        assert any(f"{wanted}: Final" in file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py"))


def test_every_page_is_in_a_toctree() -> None:
    listed = {"index"}
    for page in (ROOT / "docs").rglob("index.md"):
        listed |= set(re.findall(r"^([a-z]+/[\w-]+)$", page.read_text(encoding="utf-8"), re.MULTILINE))
    named = {str(page.relative_to(ROOT / "docs").with_suffix("")) for page in (ROOT / "docs").rglob("*.md")}
    assert {name for name in named if not name.startswith("decisions/")} <= listed


@pytest.mark.slow
def test_the_site_builds_without_warnings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").is_file()


@pytest.mark.slow
def test_the_judge_still_gives_what_is_printed() -> None:
    text = (ROOT / "docs/explanation/truth.md").read_text(encoding="utf-8")
    cells = re.findall(r"\|\s([\d.]+)(?:\s×\s10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+))? +\| ≤", text)
    digits = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
    printed = [float(number) * 10.0 ** -int(power.translate(digits) or 0) for number, power in cells]
    measured = [figure.value for figure in (*evaluate_composites(), *evaluate_fractions())]
    assert printed[:2] == pytest.approx(measured[:2], rel=0.01)
    assert printed[2:] == pytest.approx(measured[2:], rel=0.5)  # rounding errors: their size is what is printed
