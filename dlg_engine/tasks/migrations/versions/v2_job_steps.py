"""Which task of the database is which step of the plan of a job."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "v2"
down_revision = "v1"

_OPTIONS: dict[str, Any] = {
    f"{kind}_{option}": value
    for kind in ("mysql", "mariadb")
    for option, value in (
        ("engine", "InnoDB"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_bin"),
    )
} | {"sqlite_with_rowid": False}


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "eas_job_step",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["eas_task.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task_id"], ["eas_task.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "step"),
        **_OPTIONS,
    )
    op.create_index("eas_job_step_decided", "eas_job_step", ["job_id", "outcome"], unique=False)
    op.create_index(op.f("ix_eas_job_step_task_id"), "eas_job_step", ["task_id"], unique=False)


def downgrade() -> None:
    """Remove it."""
    op.drop_table("eas_job_step")
