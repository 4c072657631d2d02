"""Pages in a real Chromium; without one, or without npm to build them, their tests are skipped, but not in CI."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
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
