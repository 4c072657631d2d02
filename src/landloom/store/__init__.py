"""Keys to bytes: local disk and object stores behind one Protocol."""
