"""What Alembic runs for every command: it hands over the transaction that `migrating` has begun."""

from __future__ import annotations

from alembic import context

from landloom.annotate.ledger.schema.models import Base


def run() -> None:
    """Run the migrations of the command on its connection."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=Base.metadata, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # Alembic gives it this name; a plain import runs nothing
    run()
