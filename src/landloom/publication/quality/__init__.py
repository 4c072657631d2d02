"""How good a corpus is: what its report says about pixels and splits."""
