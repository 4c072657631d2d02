"""The demo of annotation: a campaign, three simulated annotators over HTTP, consensus and report."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.annotate.ledger.accounts.sessions import set_password
from landloom.annotate.ledger.accounts.users import create_user, grant, users
from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.campaigns import campaign
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.values import Role
from landloom.annotate.tasks.order import Pace
from landloom.annotate.tasks.values import CampaignSettings, TaskKind
from landloom.engine.executors import inline
from landloom.pipelines.annotation.campaign import CampaignOptions, init_campaign
from landloom.pipelines.annotation.consensus import ConsensusReport, run_consensus
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
CHIPS: Final = 4
"""Chips of the campaign."""
REFERENCES: Final = 30
"""Reference tasks of the campaign."""
_PLACES: Final = 4
"""Annotators per task: three simulated ones, and one place for whoever opens the page."""


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
    consensus: ConsensusReport
    right: Mapping[str, float]
    """`guess`, `published` and `consensus` → share of all pixels that are as in the simulated world."""
    visitor: str
    """Name of the account for the page."""
    password: str
    """Its password, made anew each time."""

    def document(self) -> dict[str, Any]:
        """As JSON values, without the password."""
        done = {one.name: {"submissions": one.submissions, "seconds": one.seconds} for one in self.done}
        return {
            "folder": str(self.folder),
            "tasks": self.tasks,
            "references": self.references,
            "done": done,
            "consensus": self.consensus.document(),
            "right": dict(self.right),
        }


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
    return label_corpus(built.build.corpus, folder / CAMPAIGN, folder / "archive", listener=listener)


def label_corpus(
    corpus: Path,
    place: Path,
    archive: Path,
    *,
    chips: int = CHIPS,
    references: int = REFERENCES,
    listener: Listener | None = None,
) -> AnnotateDemo:
    """Let the simulated people label chips of a corpus, and derive the consensus.

    Args:
        corpus: folder of a corpus of a simulated archive.
        place: folder of the campaign, which is created if it is missing.
        archive: folder of the archive, which knows the truth.
        chips: number of chips.
        references: number of reference tasks.
        listener: receives progress.
    """
    if not (place / DOCUMENT).exists():
        settings = CampaignSettings(annotators=_PLACES, reference_count=references, seed=_SEED)
        init_campaign(str(corpus), place, settings, CampaignOptions(limit=chips), listener=listener)
    there = open_folder(place)
    opened = Corpus.open(there.corpus)
    with open_ledger(there.database) as ledger:
        known = campaign(ledger, there.name)
        kinds = [task.kind for task in answered_tasks(ledger, there.name, unanswered=True)]
        passwords = _accounts(ledger, known)
    truth = _truth(archive, opened, known)
    with served("annotate", "serve", place) as address:
        done = _work(address, passwords, truth, known)
    found = run_consensus(place)
    return AnnotateDemo(
        folder=place,
        tasks=len(kinds),
        references=kinds.count(TaskKind.REFERENCE),
        done=done,
        consensus=found,
        right=_right(Corpus.open(there.corpus), truth, found),
        visitor=VISITOR,
        password=passwords[VISITOR],
    )


def _accounts(ledger: Ledger, known: Campaign) -> dict[str, str]:
    """Accounts of everybody, with passwords made anew: name → password."""
    passwords = {}
    present = {user.name: user for user, _ in users(ledger)}
    roles: dict[str, tuple[Role, ...]] = {one.name: (Role.ANNOTATOR,) for one in PEOPLE}
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


def _truth(archive: Path, corpus: Corpus, known: Campaign) -> dict[str, NDArray[Any]]:
    """Chip → (y, x) true classes of the simulated world."""
    source = SeriesSource(corpus=corpus, key=known.settings.series)
    return {chip: simulated_truth(archive, source.grid(chip)) for chip in corpus.query().ids}


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


def _right(corpus: Corpus, truth: Mapping[str, NDArray[Any]], found: ConsensusReport) -> dict[str, float]:
    """Share of the labelled pixels that are as in the simulated world, of each product."""
    keys = {"guess": "guess", "published": f"{found.product}_published", "consensus": str(found.product)}
    hits, pixels = dict.fromkeys(keys, 0), 0
    for chip, classes in truth.items():
        own = corpus.select(chip)
        labels = {name: np.asarray(own.cube(chip, key, observed_only=True)) for name, key in keys.items()}
        if not all(len(layers) for layers in labels.values()):
            continue
        labelled = labels["consensus"][0, 0] > 0
        pixels += int(labelled.sum())
        for name, layers in labels.items():
            hits[name] += int(((layers[0, 0] == classes) & labelled).sum())
    return {name: count / max(pixels, 1) for name, count in hits.items()}
