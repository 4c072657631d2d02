"""Series made elsewhere: included in estimates, not built."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest, ReportFacts
from landloom.errors import Problem, nearest
from landloom.model.product import PRODUCTS
from landloom.model.time import Cadence
from landloom.products.external.section import ExternalProduct
from landloom.reports.page import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.engine.kinds import PlanInputs
    from landloom.engine.placement import Placement
    from landloom.engine.units import Unit
    from landloom.model.recipe import Sections


class ExternalKind(ProductKind[ExternalProduct]):
    """A series made elsewhere."""

    name = "external"
    section = ExternalProduct

    def misfits(self, key: str, section: ExternalProduct, read: Sections) -> Iterator[Problem]:
        """Only known products can be described."""
        yield from super().misfits(key, section, read)
        imagery = [name for name, row in PRODUCTS.items() if row.kind in {"imagery", "quality"}]
        if key not in imagery:
            near = ", ".join(nearest(key, imagery))
            yield Problem(where=f"products.{key}", what=f"no such product; nearest: {near}")

    def describe(
        self, request: ProductRequest[ExternalProduct], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        """None: it is not part of the corpus."""
        return ()

    def estimated(self, request: ProductRequest[ExternalProduct]) -> tuple[ProductInfo, ...]:
        """The series, with its timesteps."""
        section = request.section
        steps = Cadence.parse(section.cadence).timesteps(request.period)
        return (ProductInfo(product=PRODUCTS[request.key], terms=section.terms, timesteps=steps),)

    def report(self, request: ProductRequest[ExternalProduct], facts: ReportFacts) -> list[str]:
        """That the series belongs to the published corpus, but was not built here."""
        (item,) = self.estimated(request)
        files = f"{len(item.timesteps) * facts.table.num_rows:,}"
        row = (
            request.key,
            item.product.title,
            f"{item.period}",
            request.section.cadence,
            files,
            item.terms.attribution,
        )
        header = ("product", "title", "period", "cadence", "files", "attribution")
        return [f"<h2>Not built here: {escape(request.key)}</h2>", table(header, [row], numbers=[4])]

    def units(self, request: ProductRequest[ExternalProduct], inputs: PlanInputs) -> list[Unit]:
        """No units."""
        return []
