"""The order of the tasks, renewed while people work: in a thread of its own, at a twentieth of a core at most."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from landloom.annotate.ledger.order.priorities import renew
from landloom.errors import LandloomError

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger
    from landloom.annotate.tasks.values import Campaign

_LOGGER: Final = logging.getLogger(__name__)
_SHARE: Final = 20.0
"""How many times as long as it took, a renewal is not repeated."""
_LEAST: Final = 1.0
"""Seconds between two looks at whether one is due."""


class Renewal:
    """Renews the order of one campaign when that is due.

    Args:
        ledger: an open one.
        campaign: the campaign.
    """

    def __init__(self, ledger: Ledger, campaign: Campaign) -> None:
        self.ledger, self.campaign = ledger, campaign
        self._busy = threading.Lock()
        self._next = 0.0

    def submitted(self) -> threading.Thread | None:
        """After every submission, of whatever kind of task: look whether the order is due, without waiting for it.

        Returns:
            The thread that looks; None if another one does, or did a moment ago.
        """
        if self.campaign.settings.order != "gain" or time.monotonic() < self._next:
            return None
        if not self._busy.acquire(blocking=False):
            return None
        thread = threading.Thread(target=self._run, name="landloom order", daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        began = time.monotonic()
        try:
            renew(self.ledger, self.campaign.name, only_if_due=True)
        except LandloomError as error:
            _LOGGER.warning("the order of the tasks was not renewed: %s", error)
        finally:
            now = time.monotonic()
            self._next = now + max(_LEAST, _SHARE * (now - began))
            self._busy.release()
