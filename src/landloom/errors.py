"""All exceptions that landloom raises deliberately.

```
LandloomError
├── InvalidValueError (ValueError)      an invalid value
│   ├── InvalidIdentityError            text that is not a zone, tile or sample id
│   └── InvalidInputError               user data that cannot be used as it is
├── InvalidDocumentError (ValueError)   a document with problems, all of them listed
│   └── RecipeError                     … a recipe
├── NotFoundError (LookupError)         nothing by that name; near names are suggested
├── MissingExtraError (ImportError)     an optional dependency is not installed
├── FaultError                          an input from the archive cannot be used
│   ├── PermanentFaultError             … permanently: the scene is left out and named
│   │   └── ForeignAddressError         a remote document names a file on this machine
│   └── TransientFaultError (OSError)   … temporarily: the unit fails and the next build retries
├── StoreError (OSError)                a file cannot be read or written
│   ├── MissingKeyError (FileNotFoundError)
│   └── DiskFullError                   no space left: the run stops and can be resumed
├── CorpusError                         a corpus that the operation cannot use
│   ├── ForeignCorpusError              the folder holds another corpus
│   └── CorpusInvalidError              validation found problems
├── LedgerError                         a ledger of annotation; its branch is drawn in annotate/ledger/errors.py
├── BuildError                          units of a build failed; they are listed
└── BlankProductError                   a product has samples without any observation
```

The command line prints the message of any of these without a traceback and exits with 1 (2 for bad usage).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class LandloomError(Exception):
    """The root of the tree.

    Example:
        >>> from landloom import SampleId
        >>> try:
        ...     SampleId.parse("Berlin")
        ... except LandloomError as error:
        ...     print(type(error).__name__)
        InvalidIdentityError
    """


class LandloomWarning(UserWarning):
    """A question that is answered as it was asked, but was hardly meant so: a share of 50, a region elsewhere.

    Example:
        >>> import warnings
        >>> warnings.simplefilter("error", LandloomWarning)  # refuse such questions instead  # doctest: +SKIP
    """


class InvalidValueError(LandloomError, ValueError):
    """An invalid value."""


class InvalidIdentityError(InvalidValueError):
    """Text that is not a valid identity.

    Example:
        >>> str(InvalidIdentityError.of("33X", expected="a zone such as 33N"))
        "got '33X', expected a zone such as 33N"
    """

    @classmethod
    def of(cls, got: object, *, expected: str) -> InvalidIdentityError:
        """Build the message from the value got and a description of the expected one."""
        return cls(f"got {got!r}, expected {expected}")


class InvalidInputError(InvalidValueError):
    """User data that cannot be used as it is; the message names rows or files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a document or a corpus."""

    where: str
    """Path inside the document (`samples.count`) or the file within the corpus."""
    what: str
    """What is wrong: got and expected."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


def bullets(problems: Iterable[object]) -> str:
    """One line per problem, as printed by every error with a list.

    Example:
        >>> print(bullets([Problem(where="seed", what="expected an integer")]))
          - seed: expected an integer
    """
    return "\n".join(f"  - {problem}" for problem in problems)


def counted(count: int, noun: str) -> str:
    """A count with its noun, singular or plural.

    Example:
        >>> counted(1, "sample"), counted(1402, "tile")
        ('1 sample', '1,402 tiles')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def nearest(got: str, known: Iterable[str]) -> list[str]:
    """Up to three names close to the one given; the first five known names if none is close.

    Example:
        >>> nearest("perid", ["name", "period", "region"])
        ['period']
    """
    from difflib import get_close_matches  # noqa: PLC0415 - `--help` and a first query load this module, not that one

    names = sorted(known)
    return sorted(get_close_matches(got, names, n=3)) or names[:5]


def grouped(problems: Sequence[Problem]) -> list[Problem]:
    """Group problems of the same kind: the location of the first one and the number of others.

    Example:
        >>> for problem in grouped([Problem(where=f"s2/{n}", what="disk on fire") for n in range(3)]):
        ...     print(problem)
        s2/0 and 2 more: disk on fire
    """
    places: dict[str, list[str]] = {}
    for problem in problems:
        places.setdefault(problem.what, []).append(problem.where)
    return [
        Problem(where=own[0] if len(own) == 1 else f"{own[0]} and {len(own) - 1:,} more", what=what)
        for what, own in places.items()
    ]


class InvalidDocumentError(LandloomError, ValueError):
    """A document with problems; every one of them is in `problems`."""

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(f"{subject}: {counted(len(self.problems), 'problem')}\n{bullets(self.problems)}")


class RecipeError(InvalidDocumentError):
    """A recipe with problems."""


class NotFoundError(LandloomError, LookupError):
    """There is nothing with that name."""

    @classmethod
    def of(cls, kind: str, got: str, known: Iterable[str]) -> NotFoundError:
        """Suggest the nearest known names.

        Example:
            >>> str(NotFoundError.of("class", "clc_31a", ["clc_311", "clc_312", "clc_999"]))
            "no class 'clc_31a'; nearest: clc_311, clc_312"
        """
        near = nearest(got, known)
        return cls(f"no {kind} {got!r}; nearest: {', '.join(near)}" if near else f"no {kind} {got!r}")


class MissingExtraError(LandloomError, ImportError):
    """An optional dependency is not installed.

    Example:
        >>> str(MissingExtraError.of("dask", "a Dask cluster"))
        "a Dask cluster needs the extra 'dask': pip install 'landloom[dask]'"
    """

    @classmethod
    def of(cls, extra: str, purpose: str) -> MissingExtraError:
        """Name the extra that provides it and its purpose."""
        return cls(f"{purpose} needs the extra {extra!r}: pip install 'landloom[{extra}]'")


class FaultError(LandloomError):
    """An input from the archive cannot be used."""


class PermanentFaultError(FaultError):
    """An input is permanently unusable (404, 410, truncated at its source, wrong CRS, missing band)."""


class ForeignAddressError(PermanentFaultError):
    """A remote document names a file on this machine; the file is never opened."""


class TransientFaultError(FaultError, OSError):
    """An input is temporarily unusable (timeout, 5xx, dropped connection, quota)."""


class StoreError(LandloomError, OSError):
    """A file cannot be read or written."""


class MissingKeyError(StoreError, FileNotFoundError):
    """There is nothing under that key."""


class DiskFullError(StoreError):
    """No space is left to write a file; the run stops and can be resumed once there is space."""


class CorpusError(LandloomError):
    """A corpus that the operation cannot use."""


class ForeignCorpusError(CorpusError):
    """The folder holds another corpus, or something that is not a corpus."""


class CorpusInvalidError(CorpusError):
    """Validation found problems; every one of them is in `problems`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"the corpus does not validate:\n{bullets(self.problems)}")


class BuildError(LandloomError):
    """Units of a build, or single chips of them, failed; each is in `problems`, and the next build retries them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        units = counted(len({problem.where for problem in self.problems}), "unit")
        super().__init__(
            f"{units} failed, or chips of them; run build again to retry, or add --allow-missing to publish what is "
            f"complete:\n{bullets(grouped(self.problems))}"
        )


class BlankProductError(LandloomError):
    """Products have samples without any observation in a year; every one is in `problems`."""

    def __init__(self, problems: Sequence[Problem], left_out: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        told = f"\nleft out before:\n{bullets(grouped(left_out)[:10])}" if left_out else ""
        super().__init__(
            "got samples without a single observation, expected some of each sample and year; remove them, or allow "
            f"them by `allow_blank: true` in the recipe:\n{bullets(self.problems)}{told}"
        )
