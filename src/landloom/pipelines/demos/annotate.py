"""The demo of annotation: a campaign, three simulated annotators over HTTP, consensus and report."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from landloom.annotate.ledger.accounts.sessions import set_password
from landloom.annotate.ledger.accounts.users import create_user, grant, users
from landloom.annotate.ledger.campaigns import campaign
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.order import Pace
from landloom.annotate.tasks.values import CampaignSettings
from landloom.engine.executors import inline
from landloom.pipelines.annotation.campaign import CampaignOptions, init_campaign
from landloom.pipelines.annotation.folder import DOCUMENT, open_folder
from landloom.pipelines.annotation.series import SeriesSource
from landloom.pipelines.demos.landcovernet import run_demo_landcovernet
from landloom.pipelines.demos.served import served
from landloom.pipelines.demos.workers import Done, SimulatedPerson, Worker
from landloom.products.guess.report import simulated_truth
from landloom.query.corpus import Corpus
from landloom.simulate.annotators import Labeller

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.tasks.values import Campaign
    from landloom.engine.executors import Factory
    from landloom.engine.run import Listener

CAMPAIGN: Final = "annotation"
"""Folder of the campaign inside the demo's."""
EXPERT: Final = "eve"
"""The expert, who labels the reference tasks."""
VISITOR: Final = "you"
"""The account for whoever looks at the page afterwards."""
_SEED: Final = 2018
_CHIPS: Final = 4
_REFERENCES: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A simulated annotator as stated."""

    name: str
    skill: float
    """Accuracy where nothing is copied, on average over the classes."""
    copying: float
    """Share of the area on which the guess is kept unseen."""
    pace: Pace


PEOPLE: Final = (
    Person(name="ann", skill=0.97, copying=0.1, pace=Pace(task=8, pixel=0.03)),
    Person(name="bob", skill=0.93, copying=0.3, pace=Pace(task=5, pixel=0.02)),
    Person(name="cy", skill=0.95, copying=0.6, pace=Pace(task=3, pixel=0.02)),
)
"""The annotators of the demo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotateDemo:
    """Result of the demo."""

    folder: Path
    """The campaign."""
    tasks: int
    references: int
    done: tuple[Done, ...]
    """What each person did this time; nothing if the campaign was complete."""
    visitor: str
    """Name of the account for the page."""
    password: str
    """Its password, made anew each time."""

    def document(self) -> dict[str, Any]:
        """As JSON values, without the password."""
        done = {one.name: {"submissions": one.submissions, "seconds": one.seconds} for one in self.done}
        return {"folder": str(self.folder), "tasks": self.tasks, "references": self.references, "done": done}


def run_demo_annotate(
    folder: Path, *, factory: Factory = inline, listener: Listener | None = None, workers: int = 1
) -> AnnotateDemo:
    """Build the corpus of the demo of granules, create a campaign on it, let simulated people work through it.

    A second run repeats no finished step.

    Args:
        folder: for the archive, the corpus and the campaign.
        factory: makes executors for the build.
        listener: receives progress.
        workers: number of processes for the simulation.
    """
    built = run_demo_landcovernet(folder, factory=factory, listener=listener, workers=workers)
    place = folder / CAMPAIGN
    if not (place / DOCUMENT).exists():
        settings = CampaignSettings(reference_count=_REFERENCES, seed=_SEED)
        options = CampaignOptions(limit=_CHIPS, acceptance={"Water": 0.5})
        init_campaign(str(built.build.corpus), place, settings, options, listener=listener)
    there = open_folder(place)
    with open_ledger(there.database) as ledger:
        known = campaign(ledger, there.name)
        passwords = _accounts(ledger, known)
    truth = _truth(folder, Corpus.open(there.corpus), known)
    with served("annotate", "serve", place) as address:
        done = _work(address, passwords, truth, known)
    return AnnotateDemo(
        folder=place,
        tasks=_CHIPS * 64,
        references=_REFERENCES,
        done=done,
        visitor=VISITOR,
        password=passwords[VISITOR],
    )


def _accounts(ledger: Ledger, known: Campaign) -> dict[str, str]:
    """Accounts of everybody, with passwords made anew: name → password."""
    passwords = {}
    present = {user.name: user for user, _ in users(ledger)}
    roles = {one.name: (Role.ANNOTATOR,) for one in PEOPLE}
    roles |= {EXPERT: (Role.EXPERT,), VISITOR: (Role.ANNOTATOR, Role.MANAGER)}
    for name, own in roles.items():
        passwords[name] = secrets.token_urlsafe(12)
        if name in present:
            set_password(ledger, present[name], passwords[name])
            continue
        user = create_user(ledger, name, passwords[name])
        for role in own:
            grant(ledger, user, role, known.name, by=None)
    return passwords


def _truth(folder: Path, corpus: Corpus, known: Campaign) -> dict[str, NDArray[Any]]:
    """Chip → (y, x) true classes of the simulated world."""
    source = SeriesSource(corpus=corpus, key=known.settings.series)
    return {chip: simulated_truth(folder / "archive", source.grid(chip)) for chip in corpus.query().ids}


def _work(
    address: str, passwords: Mapping[str, str], truth: dict[str, NDArray[Any]], known: Campaign
) -> tuple[Done, ...]:
    """The expert answers the reference tasks; then the annotators work at the same time."""
    expert = Worker(address, EXPERT, passwords[EXPERT])
    done = [expert.work(SimulatedPerson(truth=truth, codes=known.codes, labeller=None))]

    def work(number: int) -> Done:
        one = PEOPLE[number]
        labeller = Labeller.drawn(_SEED + number, classes=len(known.codes), accuracy=one.skill, copying=one.copying)
        person = SimulatedPerson(truth=truth, codes=known.codes, labeller=labeller)
        return Worker(address, one.name, passwords[one.name]).work(person, one.pace)

    with ThreadPoolExecutor(len(PEOPLE)) as pool:
        done += pool.map(work, range(len(PEOPLE)))
    return tuple(done)
