"""`python -m landloom.cli`, and what the console script calls."""

from __future__ import annotations

import sys

from landloom.errors import LandloomError


def main() -> None:
    """Run the command line; a mistake of the user's is one clear message, without a traceback."""
    from landloom.cli.app import app

    try:
        app()
    except LandloomError as error:
        sys.stderr.write(f"landloom: {error}\n")
        raise SystemExit(1) from None
    except OSError as error:
        if error.filename is None:
            raise
        sys.stderr.write(f"landloom: {error.filename}: {error.strerror}\n")
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
