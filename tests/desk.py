"""A campaign with windows of the real size, its server, and people who sit down at the annotation page."""

from __future__ import annotations

import threading
import time
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import uvicorn
from scipy.ndimage import gaussian_filter
from tests.annotation import PASSWORD, add_person
from tests.chips import write_world

from landloom.annotate.ledger.accounts.users import grant
from landloom.annotate.ledger.campaigns import create_campaign
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.progress import submissions
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import Campaign, CampaignSettings, ClassChoice, NewTask, TaskKind, TaskWindow
from landloom.model.sensor import SENTINEL2, Band
from landloom.pipelines.annotation.series import ChipSeries
from landloom.pipelines.annotation.windows import WindowReader
from landloom.query.corpus import Corpus
from landloom.server.annotate.app import annotation_app
from landloom.server.annotate.origins import Site
from landloom.server.annotate.state import AppState
from landloom.server.app import server_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, BrowserContext, Page

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.progress import SubmissionRow

SIDE: Final = 32
CHIP: Final = 128
"""Side of a chip: sixteen tasks."""
SCENES: Final = 24
BANDS: Final = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
SPECTRA: Final = {
    1: (700, 600, 400, 300, 250, 220, 200, 180, 100, 60),
    2: (1200, 1400, 1600, 1700, 1800, 1900, 2000, 2100, 2400, 2200),
    3: (1000, 1400, 2000, 2300, 2500, 2600, 2700, 2800, 3400, 3000),
    5: (300, 500, 350, 900, 2200, 2600, 2900, 3000, 1500, 700),
    6: (500, 800, 700, 1200, 2600, 3100, 3500, 3600, 1900, 1000),
    7: (450, 750, 700, 1100, 2100, 2500, 2700, 2800, 2000, 1200),
}
"""Code → reflectance of each band in summer; vegetation is as bare ground in winter."""
GREEN: Final = {5: 0.15, 6: 0.9, 7: 0.5}
"""Code → share of its greenness that goes in winter."""
SCRIPT: Final = "<img src=x onerror=alert(1)>"
CLASSES: Final = (
    ClassChoice(code=1, key="water", name="Water", colour="#0000ff"),
    ClassChoice(code=2, key="artificial", name="Artificial bare ground", colour="#888888"),
    ClassChoice(code=3, key="natural", name="Natural bare ground", colour="#d1a46d"),
    ClassChoice(code=4, key="snow", name=SCRIPT, colour="#f5f5ff"),
    ClassChoice(code=5, key="woody", name="Woody vegetation", colour="#d64c2b"),
    ClassChoice(code=6, key="cultivated", name="Cultivated vegetation", colour="#186818"),
    ClassChoice(code=7, key="seminatural", name="(Semi) natural vegetation", colour="#00ff00"),
)
NAME: Final = "sites"


@cache
def drawn(seed: int) -> tuple[NDArray[np.uint8], ChipSeries]:
    """A chip: its land cover, and a year of scenes of it, some of them cloudy."""
    rng = np.random.default_rng(seed)
    fields = [gaussian_filter(rng.normal(size=(CHIP, CHIP)), 7) for _ in SPECTRA]
    cover = np.array(list(SPECTRA), np.uint8)[np.argmax(fields, axis=0)]
    days = np.arange(SCENES) * 15 + 5
    cube = np.zeros((SCENES, len(BANDS), CHIP, CHIP))
    for code, spectrum in SPECTRA.items():
        going = GREEN.get(code, 0.0)
        green = 1 - going * (1 - np.clip(np.sin((days - 60) / 365 * 2 * np.pi), 0, 1))
        curve = green[:, None] * np.array(spectrum) + (1 - green)[:, None] * np.array(SPECTRA[3])
        cube[:, :, cover == code] = curve[:, :, None]
    cube *= 1 + 0.06 * rng.normal(size=cube.shape)
    clouds = np.stack([gaussian_filter(rng.normal(size=(CHIP, CHIP)), 10) for _ in range(SCENES)])
    clouds /= clouds.std(axis=(1, 2), keepdims=True)
    valid = clouds < np.array([9, 9, 1.2, 9, 0.3, -9] * 4)[:, None, None]
    cube = np.where(valid[:, None], cube, 7_000 + 800 * clouds[:, None])
    start = datetime(2018, 1, 1, 10, 30, tzinfo=UTC)
    times = tuple(start + timedelta(days=int(day)) for day in days)
    return cover, ChipSeries(times=times, reflectance=np.clip(cube, 1, 20_000).astype(np.uint16), valid=valid)


class Drawn(WindowReader):
    """Windows of chips that are drawn here: as many scenes, bands and pixels as LandCoverNet has."""

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """Ten of Sentinel-2's."""
        return tuple(SENTINEL2[name] for name in BANDS)

    def chip(self, chip: str) -> ChipSeries:
        """Drawn from its number."""
        return drawn(int(chip[-2:]))[1]


def guess_of(chip: str, window: TaskWindow) -> bytes:
    """The land cover with a corner that is wrong."""
    cover = drawn(int(chip[-2:]))[0]
    found = cover[window.row : window.row + window.height, window.column : window.column + window.width].copy()
    found[:9, :9] = 7
    return found.tobytes()


def tasks_of(chips: Sequence[str], kinds: Sequence[TaskKind], count: int, copies: int) -> list[NewTask]:
    """The first so many tasks of the chips; kinds by turns."""
    made: list[NewTask] = []
    for chip in chips:
        for place in range((CHIP // SIDE) ** 2):
            row, column = (SIDE * part for part in divmod(place, CHIP // SIDE))
            window = TaskWindow(chip=chip, row=row, column=column, height=SIDE, width=SIDE)
            kind, guess = kinds[len(made) % len(kinds)], guess_of(chip, window)
            blind = kind is TaskKind.BLIND
            shown, original = (None, guess) if blind else (guess, None)
            # The order of the queue is the order made.
            priority = 1.0 / (1 + len(made))
            made.append(
                NewTask(window=window, kind=kind, guess=shown, original=original, copies=copies, priority=priority)
            )
    return made[:count]


@dataclass(kw_only=True)
class Desk:
    """A served campaign."""

    ledger: Ledger
    url: str
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """What went wrong in any page: scripts that failed, what a policy refused, requests to others."""

    def person(self, name: str, role: Role = Role.ANNOTATOR) -> None:
        """Somebody with an account."""
        grant(self.ledger, add_person(self.ledger, name), role, NAME, by=None)

    def context(self, width: int = 1280, height: int = 720) -> BrowserContext:
        """A browser of its own."""
        context = self.browser.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(60_000)
        self.contexts.append(context)
        return context

    def open(self, context: BrowserContext) -> Page:
        """The page, as far as it comes by itself."""
        page = context.new_page()
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.on("dialog", lambda dialog: self.failures.append(f"dialog: {dialog.message}"))
        page.on("console", lambda said: self.note(said.text))
        page.on("request", lambda request: self.check(request.url))
        page.goto(f"{self.url}/annotate/")
        return page

    def note(self, said: str) -> None:
        """What the browser refuses is said in its console."""
        if "Content Security" in said:
            self.failures.append(said)

    def check(self, url: str) -> None:
        """Nobody but this server may be asked."""
        if not url.startswith((self.url, "data:", "blob:", "about:")):
            self.failures.append(f"asked {url}")

    def sit(self, name: str, context: BrowserContext | None = None, role: Role = Role.ANNOTATOR) -> Page:
        """Somebody new at a page, signed in."""
        self.person(name, role)
        page = self.open(context or self.context())
        sign_in(page, name)
        return page

    @property
    def rows(self) -> list[SubmissionRow]:
        """All submissions."""
        return list(submissions(self.ledger, NAME))


def sign_in(page: Page, name: str) -> None:
    """Fill in the form."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


@contextmanager
def desk(
    folder: Path,
    browser: Browser,
    *,
    kinds: Sequence[TaskKind] = (TaskKind.REGULAR,),
    count: int = 16,
    **settings: Any,
) -> Iterator[Desk]:
    """A campaign, served in this process on a free port of loopback."""
    write_world(folder / "corpus", side=30, scenes=2, chips=1, probabilities=False)
    corpus = Corpus.open(folder / "corpus", cache=folder / "cache")
    chips = list(corpus.query().ids)
    chosen = CampaignSettings(**{"order": "gain", "annotators": 9, **settings})
    own = Campaign(
        name=NAME, corpus=str(corpus.name), taxonomy="own", taxonomy_version="1", classes=CLASSES, settings=chosen
    )
    with open_ledger(f"sqlite:///{folder}/ledger.sqlite") as ledger:
        tasks = tasks_of(chips, kinds, count, chosen.annotators)
        create_campaign(ledger, own, tasks, scenes=dict.fromkeys(chips, SCENES))
        windows = Drawn(corpus, context=chosen.context)
        state = AppState(ledger=ledger, campaign=own, windows=windows, site=Site(secure=False, loopback=True))
        with running(state) as url:
            made = Desk(ledger=ledger, url=url, browser=browser)
            try:
                yield made
            finally:
                for context in made.contexts:
                    context.close()
    assert made.failures == []


@contextmanager
def running(state: AppState) -> Iterator[str]:
    """Serve until the end of the block."""
    server = uvicorn.Server(server_config(annotation_app(state), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def wait_for_task(page: Page, other_than: str = "") -> str:
    """Until a task is on the page; its assignment."""
    # A selector: the page's policy lets nobody evaluate text, not even Playwright's `wait_for_function`.
    page.wait_for_selector(f'main.work:not([hidden]):not([data-task=""]):not([data-task="{other_than}"])')
    found = page.locator("main.work").get_attribute("data-task")
    assert found
    return found


def at(page: Page, row: float, column: float) -> tuple[float, float]:
    """Where the middle of a pixel of the task lies on the page, while the task alone is shown."""
    box = page.locator("canvas.edit").bounding_box()
    assert box is not None
    scale = box["width"] / (SIDE + 2)
    return box["x"] + (column + 1.5) * scale, box["y"] + (row + 1.5) * scale


def labels(page: Page) -> NDArray[np.uint8]:
    """(y, x) labels of the task on the page, as the browser keeps them; of the first draft."""
    script = """async () => {
      const task = document.querySelector('main.work').dataset.task;
      const open = indexedDB.open('landloom-annotate', 1);
      const base = await new Promise((resolve) => { open.onsuccess = () => resolve(open.result); });
      const all = base.transaction('drafts').objectStore('drafts').getAll();
      const drafts = await new Promise((resolve) => { all.onsuccess = () => resolve(all.result); });
      base.close();
      const found = drafts.find((draft) => draft.key.endsWith('/' + task));
      return found ? btoa(String.fromCharCode(...found.labels)) : '';
    }"""
    page.wait_for_selector('[data-saved]:not([data-saved="nothing"])')
    return np.frombuffer(b64decode(page.evaluate(script)), np.uint8).reshape(SIDE, SIDE)


def see_all(page: Page) -> None:
    """Look at every scene."""
    page.keyboard.press("v")
    page.wait_for_selector('.missing[data-missing=""]', state="attached")


def measures(page: Page, name: str) -> list[float]:
    """Milliseconds until the frame was drawn, of each such event."""
    found: list[float] = page.evaluate(
        "name => performance.getEntriesByName(name, 'measure').map((entry) => entry.duration)", name
    )
    return found
