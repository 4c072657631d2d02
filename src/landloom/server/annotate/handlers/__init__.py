"""What each route does: parse, call the ledger or the corpus, render."""
