"""Where landloom keeps what it can make or fetch again: the user's cache (XDG Base Directory Specification)."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """`$LANDLOOM_CACHE`, else `$XDG_CACHE_HOME/landloom`, else the platform's cache folder.

    Example:
        >>> cache_folder().name
        'landloom'
    """
    if own := os.environ.get("LANDLOOM_CACHE"):
        return Path(own)
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "landloom"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "landloom"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "landloom"
    return Path.home() / ".cache" / "landloom"
