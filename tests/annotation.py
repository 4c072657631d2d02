"""A small corpus with a campaign on it, people with every role, and a real server over them on loopback."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import httpx
import numpy as np
import uvicorn
from sqlalchemy import update
from tests.chips import write_world
from tests.server.conftest import STEPS, described, write_corpus

from landloom.annotate.ledger.accounts.passwords import hash_password
from landloom.annotate.ledger.accounts.users import create_user, grant
from landloom.annotate.ledger.campaigns import create_campaign
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.schema.models import User as Account
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.values import Campaign, CampaignSettings, ClassChoice, NewTask, TaskKind, TaskWindow
from landloom.formats.geotiff import encode_geotiff
from landloom.model.ids import SampleId
from landloom.model.sample import Sample
from landloom.pipelines.annotation.folder import open_folder, write_folder
from landloom.query.corpus import Corpus
from landloom.query.index.synthetic import synthetic_samples
from landloom.server.annotate.origins import Site
from landloom.server.annotate.serving import create_app
from landloom.server.app import server_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.ledger.values import User

PASSWORD: Final = "correct horse battery"  # noqa: S105 - of people who do not exist
SIDE: Final = 20
"""Side of a task: chips are 60 × 60 pixels, nine tasks each."""
PIXELS: Final = SIDE * SIDE
NAME: Final = "sites"
OTHER: Final = "elsewhere"
"""A second campaign in the same ledger."""
SCRIPT: Final = "<script>alert('1')</script>"
CLASSES: Final = (
    ClassChoice(code=1, key="1", name="Water", colour="#1f5fbf"),
    ClassChoice(code=2, key="2", name=f"=1+1{SCRIPT}", colour="#d6336c"),
    ClassChoice(code=5, key="5", name="Cultivated", colour="#ffe14d"),
)
GUESS: Final = bytes([1] * (PIXELS // 2) + [2] * (PIXELS // 2))
PLANTED: Final = bytes([5] * 80 + [1] * (PIXELS // 2 - 80) + [2] * (PIXELS // 2))
PEOPLE: Final[dict[str, tuple[str, str] | None]] = {
    "ann": (NAME, "annotator"),
    "bob": (NAME, "annotator"),
    "rev": (NAME, "reviewer"),
    "exp": (NAME, "expert"),
    "man": (NAME, "manager"),
    "adm": (NAME, "admin"),
    "far": (OTHER, "manager"),
    "new": None,
}
"""Name → campaign and role."""
REAL_BANDS: Final = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
_HASHED: Final[list[str]] = []
KINDS: Final = (TaskKind.REGULAR, TaskKind.REFERENCE, TaskKind.BLIND, TaskKind.PLANTED)


def write_chips(folder: Path, count: int, seed: int = 3) -> list[str]:
    """A corpus of so many chips with all their scenes; their ids."""
    made = synthetic_samples(count, 1, seed=seed)
    samples = [Sample.of_utm24(SampleId.parse(name), stratum="DE", split="train") for name in made.ids]
    write_corpus(folder, samples, made.shares.astype(np.int64), "utm24", whole=True)
    info, rng = described("utm24"), np.random.default_rng(seed)
    s2 = info.product("s2")
    for name in made.ids:
        identity = SampleId.parse(name)
        for step in s2.timesteps:
            chip = rng.integers(100, 4_000, (len(s2.product.bands), 60, 60)).astype(np.uint16)
            chip[:, :10] = 0
            path = folder / info.layout.chip(identity, s2.product, step.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode_geotiff(chip, identity.grid(10), nodata=0))
    return list(made.ids)


def write_real_chips(folder: Path) -> list[str]:
    """A corpus of four chips of the size that LandCoverNet has: 24 scenes of 10 bands and 256 × 256 pixels."""
    return list(write_world(folder, side=256, scenes=24, chips=2, labels=None, bands=REAL_BANDS).truth)


def tasks_of(chips: Sequence[str], kinds: Sequence[TaskKind], copies: int, *, side: int, chip: int) -> list[NewTask]:
    """All tasks of chips of so many pixels a side; kinds by turns."""
    made: list[NewTask] = []
    known = GUESS if side == SIDE else bytes([1] * (side * side // 2) + [2] * (side * side // 2))
    for name in chips:
        for row in range(0, chip, side):
            for column in range(0, chip, side):
                kind = kinds[len(made) % len(kinds)]
                guess = {TaskKind.BLIND: None, TaskKind.PLANTED: PLANTED}.get(kind, known)
                made.append(
                    NewTask(
                        window=TaskWindow(chip=name, row=row, column=column, height=side, width=side),
                        kind=kind,
                        guess=guess,
                        original=known if kind in {TaskKind.BLIND, TaskKind.PLANTED} else None,
                        copies=copies,
                        priority=1.0,
                    )
                )
    return made


@dataclass(kw_only=True)
class World:
    """A campaign in its folder, and its ledger."""

    folder: Path
    corpus: Path
    database: str
    ledger: Ledger

    @property
    def campaign(self) -> Path:
        """The campaign's folder."""
        return self.folder / "annotation"


def make_world(
    folder: Path,
    database: str,
    *,
    chips: int = 2,
    kinds: Sequence[TaskKind] = (TaskKind.REGULAR,),
    people: Mapping[str, tuple[str, str] | None] = PEOPLE,
    real: bool = False,
    **settings: Any,
) -> World:
    """Make a campaign and its people; everybody has the same password.

    Args:
        folder: of the campaign.
        database: of its ledger.
        chips: how many.
        kinds: of the tasks, by turns.
        people: their names and roles.
        real: whether chips, tasks and windows have their real sizes; then there are four chips.
        settings: of the campaign.
    """
    corpus = folder / "corpus"
    names = write_real_chips(corpus) if real else write_chips(corpus, chips)
    ledger = open_ledger(database)
    known: dict[str, Any] = {"require_all_scenes": False, "order": "random"}
    known |= {} if real else {"task_size": SIDE, "context": 40}
    chosen = CampaignSettings(**known | settings)
    for name in (NAME, OTHER):
        own = Campaign(
            name=name,
            corpus=str(corpus),
            taxonomy="own",
            taxonomy_version="1",
            classes=CLASSES,
            settings=chosen,
        )
        tasks = tasks_of(names, kinds, chosen.annotators, side=chosen.task_size, chip=256 if real else 60)
        create_campaign(ledger, own, tasks, scenes=dict.fromkeys(names, 24 if real else STEPS))
    for name, role in people.items():
        user = add_person(ledger, name)
        if role is not None:
            grant(ledger, user, Role(role[1]), role[0], by=None)
    world = World(folder=folder, corpus=corpus, database=database, ledger=ledger)
    write_folder(world.campaign, NAME, str(corpus), database, chosen.document())
    return world


def add_person(ledger: Ledger, name: str) -> User:
    """An account with the password of everybody, which is hashed once: that takes a fifth of a second."""
    if not _HASHED:
        _HASHED.append(hash_password(PASSWORD))
    user = create_user(ledger, name, None)
    with ledger.write() as connection:
        connection.execute(update(Account).where(Account.id == user.id).values(password=_HASHED[0]))
    return user


@contextmanager
def serving(world: World, site: Site | None = None, **options: Any) -> Iterator[str]:
    """The server in this process, on a free port of loopback; its address."""
    explorer = bool(options.pop("explorer", False))
    folder = open_folder(world.campaign, {"LANDLOOM_DATABASE": world.database})
    app = create_app(folder, world.ledger, site or Site(secure=False, loopback=True), explorer=explorer)
    server = uvicorn.Server(server_config(app, port=0, log_level="critical", **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    scheme = "https" if server.config.is_ssl else "http"
    try:
        yield f"{scheme}://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)


@dataclass
class Person:
    """Somebody with a browser."""

    http: httpx.Client
    name: str
    csrf: str = ""
    own: dict[str, str] = field(default_factory=dict)

    def login(self, password: str = PASSWORD) -> httpx.Response:
        """Sign in."""
        answer = self.http.post("api/login", json={"name": self.name, "password": password})
        if answer.status_code == 200:
            self.csrf = answer.json()["csrf"]
        return answer

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request as the page makes it."""
        headers = {"X-CSRF": self.csrf, **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Read."""
        return self.call("GET", path, **options)

    def post(self, path: str, document: Any = None, **options: Any) -> httpx.Response:
        """Change."""
        return self.call("POST", path, json={} if document is None else document, **options)

    def take(self, count: int = 1) -> list[dict[str, Any]]:
        """Tasks on loan."""
        answer = self.post("api/assignments", {"count": count})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["assignments"]
        return found

    def submit(self, identity: str, labels: bytes = GUESS, **fields: Any) -> httpx.Response:
        """Submit work."""
        return self.post(f"api/assignments/{identity}/submit", submission(labels, **fields))


def submission(labels: bytes = GUESS, **fields: Any) -> dict[str, Any]:
    """The body of a submission."""
    from base64 import b64encode

    return {
        "submission": str(uuid4()),
        "labels": b64encode(labels).decode(),
        "seconds": 12.5,
        "dates_viewed": [0, 1],
        "flagged": False,
        "comment": "",
        "client": "test",
        **fields,
    }


@contextmanager
def browser(url: str, name: str, *, signed_in: bool = True, **options: Any) -> Iterator[Person]:
    """Somebody at the page."""
    with httpx.Client(base_url=f"{url}/annotate/", timeout=60, **options) as http:
        person = Person(http, name)
        if signed_in:
            assert person.login().status_code == 200
        yield person


def open_corpus(world: World) -> Corpus:
    """The corpus of a campaign."""
    return Corpus.open(world.corpus, cache=world.folder / "cache")


def landloom(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """`landloom annotate …` in a process of its own, with a text on its standard input."""
    command = [sys.executable, "-m", "landloom.cli", "annotate", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)
