"""The frame of a report page: one self-contained HTML file with figures and tables."""

from __future__ import annotations

import html
from base64 import b64encode
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def figure(png: bytes, caption: str) -> str:
    """HTML of a figure with its caption; where it is wider than the window, it scrolls in its own box.

    Example:
        >>> figure(b"", "a < b")
        '<figure tabindex="0"><img alt="a &lt; b" src="data:image/png;base64,"><figcaption>a ...'
    """
    data, text = b64encode(png).decode(), html.escape(caption)
    shown = f'<img alt="{text}" src="data:image/png;base64,{data}">'
    return f'<figure tabindex="0">{shown}<figcaption>{text}</figcaption></figure>'


def table(header: Sequence[str], rows: Iterable[Sequence[object]], numbers: Iterable[int] = ()) -> str:
    """HTML of a table; where it is wider than the window, it scrolls in its own box.

    Args:
        header: names of the columns.
        rows: values; they are escaped.
        numbers: positions of numeric columns.

    Example:
        >>> table(["a"], [[1]], [0])
        '<div class="wide" tabindex="0"><table><tr><th class="n">a</th></tr><tr><td class="n">1</td></tr></table></div>'
    """
    right = frozenset(numbers)

    def cell(tag: str, position: int, value: object) -> str:
        mark = ' class="n"' if position in right else ""
        return f"<{tag}{mark}>{html.escape(str(value))}</{tag}>"

    lines = ["".join(cell("th", position, name) for position, name in enumerate(header))]
    lines += ["".join(cell("td", position, value) for position, value in enumerate(row)) for row in rows]
    return scrolling("<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>")


def scrolling(content: str) -> str:
    """Content that may be wider than a phone: it scrolls in its own box, not the page; keys reach it.

    Example:
        >>> scrolling("<table></table>")
        '<div class="wide" tabindex="0"><table></table></div>'
    """
    return f'<div class="wide" tabindex="0">{content}</div>'


def numbers_row(numbers: Iterable[tuple[str, str]]) -> str:
    """Large numbers side by side.

    Args:
        numbers: value and its label.
    """
    cells = "".join(
        f"<div><b>{html.escape(value)}</b><span>{html.escape(name)}</span></div>" for value, name in numbers
    )
    return f'<div class="tiles">{cells}</div>'


def head(title: str, lead: str, numbers: Iterable[tuple[str, str]]) -> str:
    """The top of a page: title, lead sentence, and key figures."""
    return f'<h1>{html.escape(title)}</h1><p class="lead">{html.escape(lead)}</p>{numbers_row(numbers)}'


def page(title: str, parts: Iterable[str]) -> str:
    """A complete HTML page.

    Args:
        title: title of the window.
        parts: HTML, in order; empty ones are left out.
    """
    style = (files("landloom.reports") / "report.css").read_text(encoding="utf-8")
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{html.escape(title)}</title><style>{style}</style><main>{body}</main></html>\n"
    )
