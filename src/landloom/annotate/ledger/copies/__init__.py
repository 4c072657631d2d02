"""Copies of a ledger: backups, exports, and ledgers rebuilt from them."""
