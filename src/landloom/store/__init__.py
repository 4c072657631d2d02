"""Storage: files by key on local disk or in object stores, behind one Protocol."""
