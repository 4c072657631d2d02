"""`python -m landloom.cli`, and the entry point of the console script."""

from __future__ import annotations

import os
import sys

from landloom.errors import LandloomError
from landloom.model.address import without_secrets
from landloom.reports.text import plain


def main() -> None:
    """Run the command line; user errors end with one clear message, without a traceback."""
    from landloom.cli.interrupts import interruptible

    with interruptible():
        from landloom.cli.app import app

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


if __name__ == "__main__":
    main()
