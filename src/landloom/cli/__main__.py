"""`python -m landloom.cli`, and the entry point of the console script."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

from landloom.errors import LandloomError, LandloomWarning
from landloom.model.address import without_secrets
from landloom.processes import importing, settle
from landloom.reports.text import plain


def main() -> None:
    """Run the command line; user errors end with one clear message, without a traceback."""
    from landloom.cli.interrupts import interruptible

    settle()
    with interruptible(), warnings.catch_warnings():
        with importing():
            from landloom.cli.app import app
        _show_warnings()

        try:
            app()
        except LandloomError as error:
            sys.stderr.write(plain(without_secrets(f"landloom: {error}\n")))
            raise SystemExit(1) from None
        except BrokenPipeError:  # the reader of the output, such as `head`, has closed it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        except OSError as error:
            where = "" if error.filename is None else f"{error.filename}: "
            sys.stderr.write(plain(f"landloom: {where}{error.strerror or error}\n"))
            raise SystemExit(1) from None


def _show_warnings() -> None:
    """Print doubts about a question as one line on the error stream, in every run."""
    others = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, LandloomWarning):
            from landloom.reports.terminal import warn

            warn(f"warning: {message}")
        else:
            others(message, category, *where, **more)

    warnings.simplefilter("always", LandloomWarning)
    warnings.showwarning = show


if __name__ == "__main__":
    main()
