"""`landloom annotate init`: a new campaign on a corpus."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from landloom.annotate.tasks.values import Campaign
from landloom.errors import CorpusError, InvalidInputError, NotFoundError, StoreError
from landloom.model.address import shown
from landloom.model.taxonomy import taxonomy
from landloom.pipelines.annotation.carry import CarriedGuess, published_campaigns
from landloom.pipelines.annotation.classes import ClassCodes, classes_of_taxonomy
from landloom.pipelines.annotation.folder import DOCUMENT, database_address, public_database, write_folder
from landloom.pipelines.annotation.guesses import CorpusGuess, guess_classes, guess_product
from landloom.pipelines.annotation.planning import plan_tasks
from landloom.pipelines.annotation.series import SeriesSource
from landloom.pipelines.annotation.suspects import read_suspects
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from landloom.annotate.tasks.values import CampaignSettings
    from landloom.engine.run import Listener
    from landloom.pipelines.annotation.classes import Classes
    from landloom.pipelines.annotation.guesses import GuessReader
    from landloom.pipelines.annotation.planning import TaskPlan

NO_GUESS: Final = "none"
"""Instead of a product's key: a campaign without a guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOptions:
    """What a new campaign is about; how it is run are its settings."""

    name: str | None = None
    """Unique in the ledger; by default the names of corpus and folder, and a number where another campaign has them."""
    guess: str | None = None
    """Product that is the guess; `none` for a campaign without one; by default the corpus decides."""
    taxonomy: str | None = None
    """Name of the taxonomy; by default that of the guess, or else of the labels."""
    level: int | None = None
    """Level of the taxonomy; by default the finest."""
    where: str | None = None
    """Filter of the samples; by default all of them."""
    split: str | None = None
    """Only samples of this split."""
    limit: int | None = None
    """Maximum number of chips, drawn at random."""
    suspects: str | None = None
    """CSV of pixels whose guess is suspected to be wrong."""
    carry_from: str | None = None
    """Folder of the campaign whose consensus is the guess."""
    database: str | None = None
    """Address of the ledger; by default a file in the folder."""
    acceptance: Mapping[str, float] = field(default_factory=dict)
    """Class by code, key or name → least accuracy on reference pixels of the class."""
    admin: str = "admin"
    """Name of the first user."""
    password: str | None = None
    """Password of that user; by default a random one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """A campaign that was made."""

    name: str
    folder: Path
    ledger: str
    """Address of the ledger without its password."""
    chips: int
    tasks: int
    kinds: dict[str, int]
    """Kind → number of tasks."""
    classes: int
    submissions: int
    """Answers that all tasks need together."""
    admin: str | None
    """Name of the first user; None if there were users in the ledger."""
    password: str | None
    """The password that was made for that user; shown once, and kept nowhere."""
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As JSON values, without the password."""
        names = ("name", "ledger", "chips", "tasks", "kinds", "classes", "submissions", "admin")
        return {name: getattr(self, name) for name in names} | {"folder": str(self.folder), "notes": list(self.notes)}


def init_campaign(
    corpus: str,
    folder: Path,
    settings: CampaignSettings,
    options: CampaignOptions | None = None,
    *,
    listener: Listener | None = None,
) -> CampaignReport:
    """Create a campaign: tasks, ledger, first user.

    Args:
        corpus: folder, address or name of the corpus.
        folder: of the new campaign.
        settings: of the campaign.
        options: what it is about.
        listener: receives progress.

    Raises:
        CorpusError: the folder holds a campaign; nothing is changed.
        ConflictError: the ledger holds a campaign of this name; nothing is changed.
        InvalidInputError: the corpus has no series, no chips or no classes to choose from.
        NotFoundError: no such product, taxonomy, level or split.
    """
    from landloom.annotate.ledger.database import open_ledger  # noqa: PLC0415 - the extra `annotate`

    wanted = options or CampaignOptions()
    if (folder / DOCUMENT).exists():
        raise CorpusError(f"{folder}: got a folder with a campaign, expected a new one; nothing was changed")
    opened = Corpus.open(corpus)
    source = SeriesSource(corpus=opened, key=settings.series)
    classes, guesses = _classes_and_guesses(source, wanted)
    named = ClassCodes.of(classes.choices)
    rules = {named.code(name): least for name, least in wanted.acceptance.items()}
    settings = replace(settings, series=source.item.key, acceptance={**settings.acceptance, **rules})
    chosen = _campaign(corpus, wanted.name or f"{opened.name}-{folder.resolve().name}", classes, settings)
    selection = opened.query(where=wanted.where, split=wanted.split, limit=wanted.limit, seed=settings.seed)
    suspects = None if wanted.suspects is None else read_suspects(wanted.suspects, source)
    plan = plan_tasks(source, selection.ids, settings, classes, guesses, suspects=suspects, listener=listener)
    address = database_address(folder, wanted.database)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be made: {error.strerror}") from error
    with open_ledger(address) as ledger:
        from landloom.annotate.ledger.campaigns import campaigns, create_campaign  # noqa: PLC0415 - the extra

        if wanted.name is None:
            taken = {*campaigns(ledger), *published_campaigns(opened)}
            chosen = replace(chosen, name=_free_name(chosen.name, taken))
        create_campaign(ledger, chosen, plan.tasks, scenes=plan.scenes)
        admin, password = _first_user(ledger, chosen.name, wanted)
    write_folder(folder, chosen.name, corpus, address, settings.document())
    return _report(chosen, folder, address, plan, admin, password)


def _campaign(corpus: str, name: str, classes: Classes, settings: CampaignSettings) -> Campaign:
    return Campaign(
        name=name,
        corpus=shown(corpus),
        taxonomy=classes.taxonomy,
        taxonomy_version=classes.version,
        classes=classes.choices,
        settings=settings,
    )


def _free_name(name: str, taken: Collection[str]) -> str:
    """A name that no other campaign has.

    Example:
        >>> _free_name("africa-annotation", ["africa-annotation", "africa-annotation-2"])
        'africa-annotation-3'
    """
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(one for one in names if one not in taken)


def _classes_and_guesses(source: SeriesSource, wanted: CampaignOptions) -> tuple[Classes, GuessReader | None]:
    """The classes of the campaign, and what reads its guesses."""
    if wanted.carry_from is not None:
        if wanted.guess or wanted.taxonomy or wanted.level is not None:
            raise InvalidInputError(
                "got --carry-from with a guess or a taxonomy, expected those of the campaign before"
            )
        carried = CarriedGuess.open(wanted.carry_from, source)
        return carried.classes, carried
    corpus = source.corpus
    item = None if wanted.guess == NO_GUESS else guess_product(corpus.info, wanted.guess)
    if item is not None:
        if wanted.taxonomy and (item.taxonomy is None or item.taxonomy.name != wanted.taxonomy):
            own = item.key if item.taxonomy is None else item.taxonomy.name
            raise InvalidInputError(
                f"got taxonomy {wanted.taxonomy!r} with a guess of {own!r}; expected the same, or --guess {NO_GUESS}"
            )
        classes = guess_classes(corpus.info, item, wanted.level)
        return classes, CorpusGuess(corpus=corpus, item=item, classes=classes)
    if wanted.taxonomy:
        return classes_of_taxonomy(taxonomy(wanted.taxonomy), wanted.level), None
    labels = next(iter(corpus.info.labels), None)
    if labels is None or labels.taxonomy is None:
        raise NotFoundError(f"{corpus.name}: has neither a guess nor labels with a taxonomy; name one by --taxonomy")
    return classes_of_taxonomy(labels.taxonomy, wanted.level), None


def _first_user(ledger: Any, campaign: str, wanted: CampaignOptions) -> tuple[str | None, str | None]:
    """Create the first user, admin of all campaigns; a ledger with users has one already."""
    from landloom.annotate.ledger.accounts.users import create_user, grant, users  # noqa: PLC0415 - the extra
    from landloom.annotate.ledger.values import Role  # noqa: PLC0415 - the extra `annotate`

    if users(ledger):
        return None, None
    made = None if wanted.password is not None else secrets.token_urlsafe(12)
    user = create_user(ledger, wanted.admin, wanted.password or made)
    grant(ledger, user, Role.ADMIN, None, by=None)
    grant(ledger, user, Role.MANAGER, campaign, by=None)
    return wanted.admin, made


def _report(
    chosen: Campaign, folder: Path, address: str, plan: TaskPlan, admin: str | None, password: str | None
) -> CampaignReport:
    return CampaignReport(
        name=chosen.name,
        folder=folder,
        ledger=public_database(address),
        chips=len(plan.scenes),
        tasks=len(plan.tasks),
        kinds={kind: count for kind, count in plan.counts.items() if count},
        classes=len(chosen.classes),
        submissions=sum(task.copies for task in plan.tasks),
        admin=admin,
        password=password,
        notes=plan.notes,
    )
