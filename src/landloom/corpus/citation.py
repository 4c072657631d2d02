"""The citation of a corpus, as a sentence and as BibTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from landloom.corpus.info import CorpusInfo

DATE: Final = "[Date Accessed]"
"""Where a sentence states the date of access, in the published form; whoever cites fills it in."""


def doi(info: CorpusInfo) -> str | None:
    """The bare DOI of a corpus; None if it has none."""
    return None if info.publication.doi is None else bare_doi(info.publication.doi)


def bare_doi(text: str) -> str:
    """Strip `doi:` or a resolver's address from a DOI.

    Example:
        >>> bare_doi("https://doi.org/10.34911/RDNT.GCYDKJ")
        '10.34911/RDNT.GCYDKJ'
    """
    for start in ("https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "doi:"):
        text = text.removeprefix(start)
    return text


def citation(info: CorpusInfo, accessed: str | None = None) -> str:
    """The citation sentence: that of the publication, else authors (year) "title", version, publisher, access, DOI.

    Args:
        info: the corpus.
        accessed: ISO date of access, instead of `[Date Accessed]`.
    """
    publication, date = info.publication, DATE if accessed is None else f"[{accessed}]"
    if publication.citation:
        return publication.citation.replace(DATE, date)
    authors = [_initials(name) for name in publication.authors]
    who = ", & ".join([", ".join(authors[:-1]), authors[-1]]) if len(authors) > 1 else "".join(authors)
    when = f"({publication.year})" if publication.year is not None else ""
    what = f'"{publication.title}", Version {info.version}'
    what += f", {publication.publisher}." if publication.publisher else "."
    where = f"<https://doi.org/{doi(info)}>." if publication.doi else ""
    return " ".join(part for part in (who, when, what, date if where else "", where) if part)


def bibtex(info: CorpusInfo, accessed: str | None = None) -> str:
    """A BibTeX entry.

    Args:
        info: the corpus.
        accessed: ISO date of access; without it, `urldate` is left to the person who cites.
    """
    publication = info.publication
    fields = {
        "title": publication.title,
        "author": " and ".join(_bibtex_name(name) for name in publication.authors),
        "publisher": publication.publisher or "",
        "year": "" if publication.year is None else str(publication.year),
        "doi": f"https://doi.org/{doi(info)}" if doi(info) else "",
        "urldate": accessed or "<date of access, ISO>",
        "version": info.version,
    }
    lines = [f"  {key} = {{{value}}}," for key, value in fields.items() if value]
    return "\n".join([f"@dataset{{{info.name},", *lines, "}"])


def attributions(info: CorpusInfo) -> dict[str, str]:
    """Product → attribution that users have to print."""
    return {item.key: item.terms.attribution for item in info.products}


def cite(info: CorpusInfo, accessed: str | None = None) -> str:
    """Everything that users have to state: sentence, BibTeX entry, attribution by product, funding, contact.

    Args:
        info: the corpus.
        accessed: ISO date of access.
    """
    by_text: dict[str, list[str]] = {}
    for key, text in attributions(info).items():
        by_text.setdefault(text, []).append(key)
    lines = [f"Attribution of {', '.join(keys)}: {text}" for text, keys in by_text.items()]
    funding, contact = info.publication.funding, info.publication.contact
    lines += [f"{name}: {text}" for name, text in (("Funding", funding), ("Contact", contact)) if text]
    return "\n\n".join([citation(info, accessed), bibtex(info, accessed), "\n".join(lines)]) + "\n"


def _bibtex_name(name: str) -> str:
    """Keep `Family, Given`; put other names in braces, so that BibTeX does not split the name of an organisation."""
    return name if ", " in name else f"{{{name}}}"


def _initials(name: str) -> str:
    """`Davis, Timothy` → `Davis, T.`."""
    family, _, given = name.partition(", ")
    return ", ".join([family, " ".join(f"{part[0]}." for part in given.split())]) if given else name
