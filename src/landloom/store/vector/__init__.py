"""Vector files of every form, wherever they lie: one reader for labels, parcels, regions, strata and countries."""

from landloom.store.vector.copies import head_of
from landloom.store.vector.forms import VECTORS, Form, form_of
from landloom.store.vector.frames import UNREAD, refuse_unread, row_names
from landloom.store.vector.reader import (
    frame_crs,
    layers_with_geometry,
    read_blocks,
    read_vector,
    vector_extent,
    vector_name,
)
from landloom.store.vector.rows import Told
from landloom.store.vector.text import has_geometry

__all__ = [
    "UNREAD",
    "VECTORS",
    "Form",
    "Told",
    "form_of",
    "frame_crs",
    "has_geometry",
    "head_of",
    "layers_with_geometry",
    "read_blocks",
    "read_vector",
    "refuse_unread",
    "row_names",
    "vector_extent",
    "vector_name",
]
