"""Scores, reviews, consensus runs."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables of what is derived from submissions."""
    for create in _CREATE:
        create()


def downgrade() -> None:
    """Drop them."""
    for create in reversed(_CREATE):
        op.drop_table(create.__name__.removeprefix("_"))


def _consensus_run() -> None:
    op.create_table(
        "consensus_run",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("sequence", _BIG, nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_consensus_run_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consensus_run")),
    )
    op.create_index(op.f("ix_consensus_run_campaign_id"), "consensus_run", ["campaign_id"], unique=False)


def _review() -> None:
    op.create_table(
        "review",
        sa.Column("id", _BIG, nullable=False),
        sa.Column("task_id", _BIG, nullable=False),
        sa.Column("submission_id", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submission.id"], name=op.f("fk_review_submission_id_submission")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_review_task_id_task")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_review_submission_id")),
    )
    op.create_index(op.f("ix_review_task_id"), "review", ["task_id"], unique=False)


def _score_snapshot() -> None:
    op.create_table(
        "score_snapshot",
        sa.Column("submission_id", _BIG, nullable=False),
        sa.Column("campaign_id", _BIG, nullable=False),
        sa.Column("user_id", _BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("pixels", sa.Text(), nullable=False),
        sa.Column("right", sa.Text(), nullable=False),
        sa.Column("planted", _BIG, nullable=False),
        sa.Column("copied", _BIG, nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_score_snapshot_campaign_id_campaign")),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_score_snapshot_submission_id_submission")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_score_snapshot_user_id_user_account")),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_score_snapshot")),
    )
    op.create_index(
        op.f("ix_score_snapshot_campaign_id_user_id"), "score_snapshot", ["campaign_id", "user_id"], unique=False
    )


_CREATE: Final = (
    _consensus_run,
    _review,
    _score_snapshot,
)
