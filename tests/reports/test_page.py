"""Pages are whole, and whatever text they show is escaped: an HTML parser reads it back."""

from __future__ import annotations

from base64 import b64decode
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from landloom.reports.page import figure, head, numbers_row, page, table

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0", exclude_categories=["Cs", "Cc"]), max_size=12)


class Read(HTMLParser):
    """Texts by tag, and attributes of pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []
        self.pictures: list[dict[str, str | None]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attrs))
        else:
            self._open.append(tag)
            self.texts.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        tag, before = self.texts[-1]
        self.texts[-1] = tag, before + data

    def of(self, tag: str) -> list[str]:
        return [text for own, text in self.texts if own == tag]


@given(st.lists(TEXTS, min_size=2, max_size=2), st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=3))
def test_cells_are_read_back(header: list[str], rows: list[list[str]]) -> None:
    text = table(header, rows, [1])
    assert Read(text).of("th") == header
    assert Read(text).of("td") == [cell for row in rows for cell in row]
    assert text.count('class="n"') == 1 + len(rows)


@given(st.binary(max_size=50), TEXTS)
def test_a_picture_carries_its_bytes_and_its_caption(png: bytes, caption: str) -> None:
    (picture,) = Read(figure(png, caption)).pictures
    assert b64decode((picture["src"] or "").removeprefix("data:image/png;base64,")) == png
    assert picture["alt"] == caption
    assert Read(figure(png, caption)).of("figcaption") == [caption]


@given(TEXTS, TEXTS)
def test_numbers_and_titles_are_read_back(title: str, lead: str) -> None:
    read = Read(head(title, lead, [("1", title)]))
    assert (read.of("h1"), read.of("p"), read.of("b"), read.of("span")) == ([title], [lead], ["1"], [title])
    assert Read(numbers_row([])).of("b") == []


def test_a_page_needs_nothing_beside_itself() -> None:
    text = page("a < b", ["<p>one</p>", "", "<p>two</p>"])
    assert text.startswith("<!doctype html>")
    assert "<title>a &lt; b</title>" in text
    assert "<main><p>one</p>\n<p>two</p></main>" in text
    assert "http" not in text
