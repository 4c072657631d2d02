"""The ledger: campaigns, tasks, assignments, submissions, accounts. Only here SQLAlchemy and Alembic are imported.

`database.open_ledger` opens one; `campaigns`, `queue`, `drafts`, `submissions`, `reviews`, `progress` and `answers` are
what is done with it; `order` says which task comes next, `accounts` knows people, `copies` backs the ledger up, exports
it and rebuilds it from an export.
"""
