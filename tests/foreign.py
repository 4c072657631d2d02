"""Libraries of others that ours is compared with, in `.venv/readers`, where `make test` installs them.

Their dependencies clash with ours, so that each is called in a process. Without them their tests are skipped, but not
in CI.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = Path(sys.prefix) / "readers"
VERSION: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
PACKAGES: Final = FOLDER / "lib" / VERSION / "site-packages"
OFFLINE: Final = {
    "HF_HUB_OFFLINE": "1",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1",
    "NUMBA_NUM_THREADS": "1",
}
"""Nothing is fetched: DuckDB would look for extensions."""


def needed(library: str) -> None:
    """Skip the test without a library; fail where everything is expected to be there."""
    if (PACKAGES / library).is_dir():
        return
    said = f"{library} is not compared with: it is not in {FOLDER}; run `make .venv/readers.stamp`"
    if os.environ.get("CI") == "true":
        pytest.fail(said)
    pytest.skip(said)


def call(library: str, source: str, *arguments: str | Path, ours: bool = False) -> str:
    """What a program prints that uses a library; it has to end well.

    Args:
        library: module that it needs.
        source: the program.
        arguments: for its `sys.argv[1:]`.
        ours: run it with our packages, followed by those of the readers.
    """
    needed(library)
    python = sys.executable if ours else str(FOLDER / "bin" / "python")
    start = f"import sys\nsys.path.append({str(PACKAGES)!r})\n" if ours else ""
    done = subprocess.run(
        [python, "-c", start + source, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | OFFLINE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
