"""Download the files of a selection in one call: planned, fetched, verified, with the terms of what was fetched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from landloom.corpus.info import CorpusInfo
    from landloom.query.transfer.download import DownloadProgress, Report
    from landloom.query.transfer.parts import ChosenFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class _Described:
    info: CorpusInfo

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def version(self) -> str:
        return self.info.version


def download_selection(
    chosen: ChosenFiles,
    folder: str | os.PathLike[str],
    *,
    profile: str | None = None,
    progress: Callable[[DownloadProgress], None] | None = None,
) -> Report:
    """Download the files of a selection into a folder; those that are there and whole are not fetched again.

    Args:
        chosen: the selection.
        folder: on local disk; `LICENSES.md` there holds the terms.
        profile: section of the AWS credentials file; by default the keys in the environment.
        progress: told after each batch.

    Returns:
        Downloaded, present and failed files; failed ones are named.

    Raises:
        StoreError: no space, another running download, or the disk cannot be written; finished files are kept.
        ForeignCorpusError: the folder contains another corpus.
        InvalidInputError: a corpus with only cubes has no manifests.
    """
    from landloom.query.transfer.destination import plan_download
    from landloom.query.transfer.download import download
    from landloom.query.transfer.parts import selection_files, write_licences
    from landloom.query.transfer.stores import open_transfer_store
    from landloom.store.open import open_store

    store = open_store(chosen.base.rstrip("/"), profile)
    readable = store if store.exists("manifest/corpus.parquet") else None
    plan = plan_download(selection_files(chosen, readable), Path(folder))
    about = _Described(info=chosen.sidecar.info)
    done = download(
        plan,
        open_transfer_store(chosen.base, profile),
        corpus=f"{about.name} {about.version}",
        base=chosen.base,
        progress=progress,
    )
    write_licences(about, Path(folder))
    return done
