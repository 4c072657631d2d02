"""The folder of a campaign: which corpus it is about, and where its ledger is."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from landloom.errors import CorpusError, InvalidDocumentError, MissingKeyError, Problem
from landloom.model.address import is_remote, public
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT: Final = "campaign.json"
"""Name of the document of a campaign."""
LEDGER: Final = "ledger.sqlite"
"""Name of the embedded ledger."""
VARIABLE: Final = "LANDLOOM_DATABASE"
"""Environment variable with the address of a database server, which may hold its password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFolder:
    """A campaign's folder."""

    path: Path
    name: str
    """Name of the campaign in its ledger."""
    corpus: str
    """Folder or address of the corpus, usable from here."""
    database: str
    """Address of the ledger as SQLAlchemy reads it; it may hold a password: not to be printed."""

    @property
    def is_embedded(self) -> bool:
        """Whether the ledger is a file in this folder."""
        return self.database.startswith("sqlite:")


def database_address(folder: Path, given: str | None, environment: Mapping[str, str] | None = None) -> str:
    """The address of the ledger of a new campaign.

    Args:
        folder: of the campaign.
        given: address from the command line.
        environment: of the process; its `LANDLOOM_DATABASE` is used where no address is given.

    Example:
        >>> database_address(Path("annotation"), None, {})
        'sqlite:///annotation/ledger.sqlite'
    """
    known = os.environ if environment is None else environment
    return given or known.get(VARIABLE) or f"sqlite:///{folder / LEDGER}"


def write_folder(folder: Path, name: str, corpus: str, database: str, settings: Mapping[str, Any]) -> None:
    """Write the document of a campaign; passwords are left out of its addresses.

    Args:
        folder: it is made if it is missing.
        name: of the campaign.
        corpus: folder, address or registered name; a folder is written relative to the
            campaign's, so that both can be moved together.
        database: address of the ledger.
        settings: of the campaign, for people to read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    where = public(corpus)
    if not is_remote(corpus) and Path(corpus).exists():
        where = os.path.relpath(Path(corpus).resolve(), folder.resolve())
    ledger = LEDGER if database == database_address(folder, None, {}) else public_database(database)
    document = {"name": name, "corpus": where, "ledger": ledger, "settings": dict(settings)}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    open_store(str(folder)).put(DOCUMENT, text.encode())


def public_database(address: str) -> str:
    """The address of a database without its password.

    Example:
        >>> public_database("postgresql+psycopg://land:secret@db.example.org:5432/loom?sslmode=require")
        'postgresql+psycopg://land@db.example.org:5432/loom?sslmode=require'
    """
    parts = urlsplit(address)
    if parts.password is None:
        return address
    query = f"?{parts.query}" if parts.query and "password" not in parts.query.lower() else ""
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{parts.username or ''}@{host}{parts.path}{query}"


def open_folder(folder: str | os.PathLike[str], environment: Mapping[str, str] | None = None) -> CampaignFolder:
    """Read the folder of a campaign.

    Args:
        folder: path of the folder.
        environment: of the process; its `LANDLOOM_DATABASE` is the ledger of a campaign on a database server.

    Raises:
        CorpusError: there is no campaign.
        InvalidDocumentError: its document is damaged.
    """
    path = Path(folder)
    try:
        text = open_store(str(path)).get(DOCUMENT)
    except (MissingKeyError, NotADirectoryError) as error:
        raise CorpusError(
            f"{path}: got no {DOCUMENT}, expected the folder of a campaign (landloom annotate init)"
        ) from error
    try:
        document = json.loads(text)
        name, corpus, ledger = (str(document[key]) for key in ("name", "corpus", "ledger"))
    except (ValueError, KeyError, TypeError) as error:
        problem = Problem(where=DOCUMENT, what=f"expected JSON with name, corpus and ledger: {error}")
        raise InvalidDocumentError(str(path), [problem]) from error
    known = os.environ if environment is None else environment
    embedded = f"sqlite:///{path / LEDGER}"
    database = embedded if ledger == LEDGER else known.get(VARIABLE) or ledger
    beside = path / corpus
    where = str(beside) if not is_remote(corpus) and beside.exists() else corpus
    return CampaignFolder(path=path, name=name, corpus=where, database=database)
