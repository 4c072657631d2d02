"""Split sets of a served corpus: a request names one, and `split` means its splits instead of those of the recipe."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from landloom.query.recent import Kept

if TYPE_CHECKING:
    from landloom.query.corpus import Corpus

_KEPT: Final = 16
"""Split sets that are kept."""


@dataclass(frozen=True, slots=True)
class SplitSets:
    """The split sets of a corpus, read when they are first named."""

    corpus: Corpus
    _read: Kept[Corpus] = field(default_factory=lambda: Kept(_KEPT), repr=False)

    def under(self, name: str | None) -> Corpus:
        """The corpus with the splits of a set; without a name, with those of its recipe.

        Raises:
            NotFoundError: no such split set.
            InvalidInputError: it was made for other samples.
        """
        if not name:
            return self.corpus
        from landloom.query.split_sets import with_split_set

        base = self.corpus.base

        def read() -> Corpus:
            return replace(self.corpus, sidecar=with_split_set(self.corpus.sidecar, base, name))

        return self._read.get(name, read)

    def names(self) -> list[str]:
        """Names of them; none where files of the corpus cannot be listed."""
        from landloom.query.split_sets import split_set_names

        return [] if self.corpus.folder is None else split_set_names(self.corpus.base)
