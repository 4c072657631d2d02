"""The first tables: people, campaigns, tasks, assignments, submissions."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY: Final = ("submission", "audit_event")
"""Tables whose rows are never changed."""
_REFUSE: Final = """
create function refuse_change() returns trigger language plpgsql as $$
begin raise exception 'rows of % are never changed', tg_table_name; end $$
"""


def upgrade() -> None:
    """Create every table, and triggers that keep the ledger append-only."""
    for create in _CREATE:
        create()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_REFUSE)
        for table in _APPEND_ONLY:
            op.execute(
                f"create trigger {table}_append_only before update or delete or truncate on {table} "
                "execute function refuse_change()"
            )
        return
    for table in _APPEND_ONLY:
        for change in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{change} before {change} on {table} "
                f"begin select raise(abort, 'rows of {table} are never changed'); end"
            )


def downgrade() -> None:
    """Drop every table."""
    for create in reversed(_CREATE):
        op.drop_table(create.__name__.removeprefix("_"))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("drop function refuse_change()")


def _audit_event() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )


def _login_failure() -> None:
    op.create_table(
        "login_failure",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failure")),
    )
    op.create_index(op.f("ix_login_failure_key_at"), "login_failure", ["key", "at"], unique=False)


def _taxonomy_version() -> None:
    op.create_table(
        "taxonomy_version",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("classes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomy_version")),
        sa.UniqueConstraint("name", "version", "classes", name=op.f("uq_taxonomy_version_name_version_classes")),
    )


def _user_account() -> None:
    op.create_table(
        "user_account",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("name_key", name=op.f("uq_user_account_name_key")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_user_account_pseudonym")),
    )


def _campaign() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("corpus", sa.Text(), nullable=False),
        sa.Column("taxonomy_version_id", _BIG, nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("sequence", _BIG, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("gain_model", sa.Text(), nullable=False),
        sa.Column("ordered", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["taxonomy_version_id"],
            ["taxonomy_version.id"],
            name=op.f("fk_campaign_taxonomy_version_id_taxonomy_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("name", name=op.f("uq_campaign_name")),
    )


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("token_digest", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("seen", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_session_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_session_token_digest")),
    )
    op.create_index(op.f("ix_session_user_id"), "session", ["user_id"], unique=False)


def _chip() -> None:
    op.create_table(
        "chip",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scenes", _BIG, nullable=False),
        sa.Column("factor", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_chip_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chip")),
        sa.UniqueConstraint("campaign_id", "name", name=op.f("uq_chip_campaign_id_name")),
    )


def _invitation() -> None:
    op.create_table(
        "invitation",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("token_digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("campaign_id", _BIG, nullable=True),
        sa.Column("invited_by", _BIG, nullable=True),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("accepted", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_invitation_campaign_id_campaign")),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["user_account.id"], name=op.f("fk_invitation_invited_by_user_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_invitation_token_digest")),
    )


def _role_grant() -> None:
    op.create_table(
        "role_grant",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("campaign_id", _BIG, nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_role_grant_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_role_grant_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
    )


def _annotator() -> None:
    op.create_table(
        "annotator",
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("qualified", sa.Boolean(), nullable=True),
        sa.Column("since", _BIG, nullable=False),
        sa.Column("chip_id", _BIG, nullable=True),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_annotator_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["chip_id"], ["chip.id"], name=op.f("fk_annotator_chip_id_chip")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_annotator_user_id_user_account")),
        sa.PrimaryKeyConstraint("user_id", "campaign_id", name=op.f("pk_annotator")),
    )


def _task() -> None:
    op.create_table(
        "task",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("chip_id", _BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row_offset", _BIG, nullable=False),
        sa.Column("column_offset", _BIG, nullable=False),
        sa.Column("height", _BIG, nullable=False),
        sa.Column("width", _BIG, nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("copies", _BIG, nullable=False),
        sa.Column("taken", _BIG, nullable=False),
        sa.Column("counted", _BIG, nullable=False),
        sa.Column("available", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Double(), nullable=False),
        sa.Column("error", sa.Double(), nullable=True),
        sa.Column("doubt", sa.LargeBinary(), nullable=True),
        sa.Column("wrong", sa.Double(), nullable=False),
        sa.Column("shuffle", _BIG, nullable=False),
        sa.Column("guess", sa.LargeBinary(), nullable=True),
        sa.Column("original", sa.LargeBinary(), nullable=True),
        sa.Column("guess_version", _BIG, nullable=False),
        sa.Column("disputed", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_task_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["chip_id"], ["chip.id"], name=op.f("fk_task_chip_id_chip")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("public_id", name=op.f("uq_task_public_id")),
    )
    op.create_index("ix_task_chip", "task", ["chip_id", "available", "priority", "shuffle"], unique=False)
    op.create_index("ix_task_kind", "task", ["campaign_id", "kind"], unique=False)
    op.create_index("ix_task_queue", "task", ["campaign_id", "available", "priority", "shuffle"], unique=False)


def _assignment() -> None:
    op.create_table(
        "assignment",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("task_id", _BIG, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("place", _BIG, nullable=True),
        sa.Column("issued", sa.Double(), nullable=False),
        sa.Column("expires", sa.Double(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_assignment_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_assignment_task_id_task")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_assignment_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("public_id", name=op.f("uq_assignment_public_id")),
        sa.UniqueConstraint("task_id", "place", name=op.f("uq_assignment_task_id_place")),
        sa.UniqueConstraint(
            "user_id", "campaign_id", "location", name=op.f("uq_assignment_user_id_campaign_id_location")
        ),
    )
    op.create_index("ix_assignment_expiry", "assignment", ["campaign_id", "state", "expires"], unique=False)


def _draft() -> None:
    op.create_table(
        "draft",
        sa.Column("assignment_id", _BIG, nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("version", _BIG, nullable=False),
        sa.Column("saved", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignment.id"], name=op.f("fk_draft_assignment_id_assignment")),
        sa.PrimaryKeyConstraint("assignment_id", name=op.f("pk_draft")),
    )


def _submission() -> None:
    op.create_table(
        "submission",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("sequence", _BIG, nullable=False),
        sa.Column("uuid", sa.Text(), nullable=False),
        sa.Column("task_id", _BIG, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("assignment_id", _BIG, nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("guess_version", _BIG, nullable=False),
        sa.Column("changed", _BIG, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("dates_viewed", sa.Text(), nullable=False),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("recorded", sa.Double(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_submission_assignment_id_assignment")
        ),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_submission_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_submission_task_id_task")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_submission_user_id_user_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint("campaign_id", "sequence", name=op.f("uq_submission_campaign_id_sequence")),
        sa.UniqueConstraint("uuid", name=op.f("uq_submission_uuid")),
    )
    op.create_index(op.f("ix_submission_assignment_id"), "submission", ["assignment_id"], unique=False)
    op.create_index(op.f("ix_submission_task_id"), "submission", ["task_id"], unique=False)
    op.create_index(op.f("ix_submission_user_id"), "submission", ["user_id"], unique=False)


def _reference() -> None:
    op.create_table(
        "reference",
        sa.Column("task_id", _BIG, nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("submission_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_reference_submission_id_submission")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_reference_task_id_task")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_reference")),
    )


_CREATE: Final = (
    _audit_event,
    _login_failure,
    _taxonomy_version,
    _user_account,
    _campaign,
    _session,
    _chip,
    _invitation,
    _role_grant,
    _annotator,
    _task,
    _assignment,
    _draft,
    _submission,
    _reference,
)
