"""Publication: layout, documents, index, audit, card."""
