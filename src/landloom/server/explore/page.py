"""The explorer page: as built from `web/`, or a plain page that explains that it is not built."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fastapi import FastAPI

    from landloom.corpus.info import CorpusInfo

STATIC: Final = Path(__file__).parents[1] / "static"
"""Folder of the page built by `make web`; wheels include it."""

_PLAIN: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; color: #1d2733 }}
  h1 {{ font-size: 1.5rem }}
  code {{ background: #eef2f5; padding: .1em .35em; border-radius: 3px }}
  .note {{ background: #fff7e0; border: 1px solid #ecd9a0; border-radius: 6px; padding: .75rem 1rem }}
</style>
<h1>{title}</h1>
<p>{description}</p>
<p class="note">The explorer page is not built in this installation. In a checkout, <code>make web</code> builds it;
wheels include it. The STAC API works without it.</p>
<p>{samples} samples; products {products}.</p>
<ul>{links}</ul>
</html>
"""


def built() -> bool:
    """Whether the explorer page is built."""
    return (STATIC / "index.html").is_file()


def page(info: CorpusInfo, samples: int) -> str:
    """The page at `/`: the built one, else the plain one.

    Args:
        info: the corpus.
        samples: its number of samples.
    """
    return (STATIC / "index.html").read_text(encoding="utf-8") if built() else plain(info, samples)


def plain(info: CorpusInfo, samples: int) -> str:
    """The page shown if the explorer is not built.

    Args:
        info: the corpus.
        samples: its number of samples.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> "make web" in plain(example_corpus().info, 4)
        True
    """
    links = ("collections", "search?limit=10", "queryables", "conformance", "?f=json", "api")
    return _PLAIN.format(
        title=html.escape(info.publication.title),
        description=html.escape(info.publication.description),
        samples=f"{samples:,}",
        products=html.escape(", ".join(item.key for item in info.products)),
        links="".join(f'<li><a href="{link}"><code>/{link}</code></a></li>' for link in links),
    )


def install(app: FastAPI) -> None:
    """Serve the assets of the built page under `/assets/`."""
    from starlette.staticfiles import StaticFiles

    if (STATIC / "assets").is_dir():
        app.mount("/assets", StaticFiles(directory=STATIC / "assets"), name="assets")
