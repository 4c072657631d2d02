"""How a recipe's samples are chosen."""
