"""How a corpus is cited."""

from __future__ import annotations

from tests.corpus.conftest import PUBLICATION, make_info

from landloom.corpus.citation import bibtex, citation, cite


def test_citation_in_the_published_form() -> None:
    assert citation(make_info()) == (
        'Davis, T., & Bischke, B. (2026) "A corpus", Version 1.0, Nobody. [Date Accessed] <https://doi.org/10.34911/RDNT.GCYDKJ>.'
    )
    assert "author = {Davis, Timothy and Bischke, Benjamin}" in bibtex(make_info())
    assert "Nobody. [2026-11-28] <https://doi.org/10.34911/RDNT.GCYDKJ>." in citation(make_info(), "2026-11-28")
    assert "doi = {https://doi.org/10.34911/RDNT.GCYDKJ}" in bibtex(make_info())
    assert "urldate = {<date of access, ISO>}" in bibtex(make_info())
    assert "urldate = {2026-11-28}" in cite(make_info(), "2026-11-28")
    whole = cite(make_info()).splitlines()
    assert whole[2] == "@dataset{demo,"
    terms = [item.terms.attribution for item in make_info().products]
    assert [line for text in terms for line in whole if line.endswith(f": {text}")]
    assert f"Funding: {PUBLICATION.funding}" in whole
    assert f"Contact: {PUBLICATION.contact}" in whole
    own = make_info(publication=PUBLICATION.model_copy(update={"citation": "As I say."}))
    assert citation(own, "2026-11-28") == "As I say."
    told = make_info(publication=PUBLICATION.model_copy(update={"citation": "Me. [Date Accessed]"}))
    assert citation(told, "2026-11-28") == "Me. [2026-11-28]"
    bare = PUBLICATION.model_copy(update={"authors": ("Nemo",), "year": None, "doi": None, "publisher": None})
    assert citation(make_info(publication=bare)) == 'Nemo "A corpus", Version 1.0.'
    body = PUBLICATION.model_copy(update={"authors": ("The landloom developers", "Davis, Timothy")})
    assert "author = {{The landloom developers} and Davis, Timothy}" in bibtex(make_info(publication=body))
