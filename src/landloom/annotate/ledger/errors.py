"""What goes wrong in a ledger.

```
LandloomError
├── LedgerError                     the ledger cannot do what was asked
│   ├── LedgerUnavailableError      the database cannot be opened or reached, or has other tables
│   ├── NotAllowedError             no role allows it
│   ├── LeaseLostError              a lease ended, and others took every place of the task
│   ├── ConflictError               it contradicts what the ledger holds
│   │   └── StaleDraftError         a newer draft is saved
│   ├── LoginError                  unknown name or wrong password
│   ├── TooManyAttemptsError        too many failed logins
│   ├── TamperedError               the hash chain does not fit the rows
│   └── StorageFullError            no space is left (a DiskFullError, too)
└── InvalidInputError
    └── InvalidSubmissionError      a raster, draft or number that cannot be accepted
```
"""

from __future__ import annotations

from landloom.errors import DiskFullError, InvalidInputError, LandloomError


class LedgerError(LandloomError):
    """The ledger cannot do what was asked."""


class LedgerUnavailableError(LedgerError):
    """The database cannot be opened or reached, or its tables are not those of this version."""


class NotAllowedError(LedgerError):
    """The user has no role that allows it."""


class LeaseLostError(LedgerError):
    """The lease of an assignment ended and others have taken every place of its task."""


class ConflictError(LedgerError):
    """It contradicts what the ledger holds: an id with another body, an assignment that is already submitted."""


class StaleDraftError(ConflictError):
    """The draft on the server is not the version that the caller has seen; the server's stays."""

    def __init__(self, version: int) -> None:
        self.version = version
        """Version of the draft that the ledger holds; 0 for none."""
        super().__init__(f"got an older draft than the one saved, expected one based on version {version}")


class InvalidSubmissionError(InvalidInputError):
    """A label raster, draft or other part of a submission that cannot be accepted."""


class LoginError(LedgerError):
    """Unknown name or wrong password; which of them is not said."""


class TooManyAttemptsError(LedgerError):
    """Too many failed logins."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        """Seconds to wait."""
        super().__init__(f"got too many failed logins; try again in {seconds} s")


class TamperedError(LedgerError):
    """The hash chain does not fit the rows: a submission was changed, removed or put in between."""


class StorageFullError(LedgerError, DiskFullError):
    """No space is left for the database; the transaction was rolled back, and what was committed stays."""
