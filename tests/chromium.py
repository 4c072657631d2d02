"""Pages in a real Chromium; without one, or without npm to build them, their tests are skipped, but not in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from landloom.server.annotate import page as annotation
from landloom.server.explore import page as explorer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Playwright

ROOT: Final = Path(__file__).parents[1]
SHOTS: Final = ROOT / "out" / "shots"
"""Where tests leave pictures of each page, to be looked at."""
AXE: Final = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
SIZES: Final = ((1280, 720), (1920, 1080), (400, 800))
"""Windows that every page is whole in."""
OVERLAPS: Final = """() => {
  const seen = [...document.querySelectorAll('button, select, input, textarea, summary, a, .ol-scale-line, .tip')]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.picker'))
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([one, box]) => {
      const x = box.x + box.width / 2, y = box.y + box.height / 2;
      return box.width && x > 0 && y > 0 && x < innerWidth && y < innerHeight;
    });
  return seen.filter(([one, box]) => {
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const hidden = top && !one.contains(top) && !top.contains(one);
    return hidden && top.closest('button, select, input, textarea, summary, a, .legend, .tip, .ol-control');
  }).map(([one]) => one.outerHTML.slice(0, 120));
}"""
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def missing(what: str) -> None:
    """Skip, or fail where everything is expected to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"the pages are not tested: {what}")
    pytest.skip(f"the pages are not tested: {what}")


def build() -> None:
    """Build the pages where they are not, as `make web` does; a registry may fail once."""
    if explorer.built() and annotation.built():
        return
    paths = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    npm = shutil.which("npm", path=paths)
    if npm is None:
        missing("no npm to build them; run `make web`")
        return
    for arguments in (["ci", "--no-fund", "--no-audit"], ["run", "build"]):
        said = [call([npm, *arguments], paths)]
        if said[0]:
            said.append(call([npm, *arguments], paths))
        if said[-1]:
            missing("\n--- once more ---\n".join(said))


def call(command: list[str], paths: str) -> str:
    """Run a command in `web/`.

    Returns:
        Nothing where it succeeded, else all that it said.
    """
    try:
        done = subprocess.run(
            command,
            cwd=ROOT / "web",
            env={**os.environ, "PATH": paths},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=200,
        )
    except subprocess.TimeoutExpired as slow:
        return f"{' '.join(command)}: {slow}\n{slow.output!r}"
    return f"{' '.join(command)}: status {done.returncode}\n{done.stdout}" if done.returncode else ""


def launch(driver: Playwright, executable: str) -> Browser:
    """Start Chromium; a machine under load may need a second start."""
    from playwright.sync_api import Error

    failures = []
    for _ in range(2):
        try:
            return driver.chromium.launch(executable_path=executable, headless=True, args=FLAGS, timeout=120_000)
        except Error as failure:
            failures.append(str(failure))
    pytest.fail(f"{executable} does not start:\n" + "\n--- once more ---\n".join(failures))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium, with the pages built."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        missing("no chromium on this machine")
        return
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as absent:
        missing(f"no playwright to drive Chromium with: {absent}")
        return
    build()
    with sync_playwright() as driver:
        browser = launch(driver, executable)
        try:
            yield browser
        finally:
            browser.close()


def shoot(page: Page, name: str) -> None:
    """Leave a picture of what is on the screen."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size or {"width": 0, "height": 0}
    page.screenshot(path=SHOTS / f"{name}-{size['width']}x{size['height']}.png")


def violations(page: Page) -> list[str]:
    """What axe-core finds."""
    if not AXE.exists():
        missing("axe-core is not installed; run `make web`")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def is_whole(page: Page, name: str, *, axe: bool = True) -> None:
    """Nothing overlaps, nothing scrolls sideways, axe-core finds nothing; a picture is left."""
    shoot(page, name)
    width = (page.viewport_size or {"width": 0})["width"]
    needed = page.evaluate("document.documentElement.scrollWidth")
    wrong = [f"hidden: {one}" for one in page.evaluate(OVERLAPS)] + (violations(page) if axe else [])
    wrong += [f"{needed} pixels wide"] if needed > width else []
    assert not wrong, "\n".join([f"{name}, {width} pixels:", *wrong])


@dataclass(kw_only=True)
class Watched:
    """A page whose troubles are collected."""

    page: Page
    troubles: list[str] = field(default_factory=list)
    """Errors in the console, requests that failed, answers that are errors."""

    @classmethod
    def of(cls, page: Page) -> Watched:
        """Watch a page from now on."""
        made = cls(page=page)
        page.on("console", lambda said: made.troubles.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: made.troubles.append(str(error)))
        page.on("requestfailed", lambda request: made._failed(request.url, request.failure or ""))
        page.on("response", lambda got: made.troubles.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        return made

    def _failed(self, url: str, why: str) -> None:
        # A page that is left, or asks anew, aborts what it waits for.
        if "ERR_ABORTED" not in why:
            self.troubles.append(f"{url}: {why}")


@contextmanager
def watched() -> Iterator[Watched]:
    """A page in a Chromium of its own, on which nothing may go wrong."""
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        context.set_default_timeout(120_000)  # the first answer of a fresh clone compiles kernels
        made = Watched.of(context.new_page())
        yield made
        assert made.troubles == []


def look_at_file(found: Watched, path: Path, name: str) -> None:
    """A page that is a file, in every window."""
    for width, height in SIZES:
        found.page.set_viewport_size({"width": width, "height": height})
        found.page.goto(path.resolve().as_uri())
        is_whole(found.page, name, axe=width != 1920)
        found.page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
        shoot(found.page, f"{name}-middle")
