"""A recipe: the complete definition of a corpus, in one YAML file."""

from landloom.model.recipe.archives import ArchiveSection, FetchSection, ScenesSection
from landloom.model.recipe.document import parse_document
from landloom.model.recipe.label_sections import ClassMapSource, LabelSource, ParcelSource, Sections, find_sources
from landloom.model.recipe.recipe import Recipe
from landloom.model.recipe.sections import (
    Name,
    PeriodSection,
    ProductSection,
    Provider,
    Publication,
    RegionSection,
    Registering,
    SamplerSection,
    Section,
    Share,
    StacSection,
    Terms,
    VectorSource,
    section_keys,
)

__all__ = [
    "ArchiveSection",
    "ClassMapSource",
    "FetchSection",
    "LabelSource",
    "Name",
    "ParcelSource",
    "PeriodSection",
    "ProductSection",
    "Provider",
    "Publication",
    "Recipe",
    "RegionSection",
    "Registering",
    "SamplerSection",
    "ScenesSection",
    "Section",
    "Sections",
    "Share",
    "StacSection",
    "Terms",
    "VectorSource",
    "find_sources",
    "parse_document",
    "section_keys",
]
