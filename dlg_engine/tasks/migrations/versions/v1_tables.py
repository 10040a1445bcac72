"""The first tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "v1"
down_revision = None

_MYSQL: dict[str, Any] = {
    f"{kind}_{option}": value
    for kind in ("mysql", "mariadb")
    for option, value in (
        ("engine", "InnoDB"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_bin"),
    )
}
NUMBERED = _MYSQL | {"sqlite_autoincrement": True}
KEYED = _MYSQL | {"sqlite_with_rowid": False}
REAL: sa.Double[float] = sa.Double()
LONG = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def _metadata_key() -> None:
    op.create_table(
        "eas_metadata_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        **NUMBERED,
    )


def _queue_item() -> None:
    op.create_table(
        "eas_queue_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("queue", sa.String(length=255), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("published", REAL, nullable=False),
        sa.Column("worker", sa.String(length=255), nullable=True),
        sa.Column("token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", REAL, nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **NUMBERED,
    )
    op.create_index(
        "eas_queue_item_free", "eas_queue_item", ["queue", "lease_until", "id"], unique=False
    )


def _semantic_type() -> None:
    op.create_table(
        "eas_semantic_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        **NUMBERED,
    )


def _task_type() -> None:
    op.create_table(
        "eas_task_type",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        **NUMBERED,
    )


def _worker_container() -> None:
    op.create_table(
        "eas_worker_container",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("requested_cpus", REAL, nullable=False),
        sa.Column("requested_gpus", sa.Integer(), nullable=False),
        sa.Column("requested_ram", REAL, nullable=False),
        sa.Column("assigned_cpus", REAL, nullable=False),
        sa.Column("assigned_gpus", sa.Integer(), nullable=False),
        sa.Column("assigned_ram", REAL, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        **NUMBERED,
    )


def _worker_host() -> None:
    op.create_table(
        "eas_worker_host",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        **NUMBERED,
    )


def _task() -> None:
    op.create_table(
        "eas_task",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("created", REAL, nullable=False),
        sa.Column("configured", sa.Boolean(), nullable=False),
        sa.Column("type_id", sa.Integer(), nullable=False),
        sa.Column("job_name", sa.String(length=255), nullable=True),
        sa.Column("task_name", sa.String(length=255), nullable=True),
        sa.Column("working_directory", sa.String(length=1024), nullable=False),
        sa.Column("namespace", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("pause_s", REAL, nullable=False),
        sa.Column("not_before", REAL, nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["eas_task.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["type_id"],
            ["eas_task_type.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        **NUMBERED,
    )
    op.create_index(
        "eas_task_by_state", "eas_task", ["state", "missing", "not_before"], unique=False
    )
    op.create_index("eas_task_by_type", "eas_task", ["type_id", "state"], unique=False)
    op.create_index(op.f("ix_eas_task_job_name"), "eas_task", ["job_name"], unique=False)
    op.create_index(op.f("ix_eas_task_parent_id"), "eas_task", ["parent_id"], unique=False)


def _task_container() -> None:
    op.create_table(
        "eas_task_container",
        sa.Column("type_id", sa.Integer(), nullable=False),
        sa.Column("container_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["container_id"], ["eas_worker_container.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["type_id"], ["eas_task_type.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("type_id", "container_id"),
        **KEYED,
    )


def _product() -> None:
    op.create_table(
        "eas_product",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("planned", REAL, nullable=True),
        sa.Column("namespace", sa.String(length=64), nullable=False),
        sa.Column("directory", sa.String(length=512), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("semantic_type_id", sa.Integer(), nullable=False),
        sa.Column("mime_type", sa.String(length=64), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["semantic_type_id"],
            ["eas_semantic_type.id"],
        ),
        sa.ForeignKeyConstraint(["task_id"], ["eas_task.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("place"),
        sa.UniqueConstraint("task_id", "semantic_type_id", name="eas_product_of_task"),
        **NUMBERED,
    )
    op.create_index(op.f("ix_eas_product_directory"), "eas_product", ["directory"], unique=False)


def _scheduling_attempt() -> None:
    op.create_table(
        "eas_scheduling_attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("queued", REAL, nullable=True),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=True),
        sa.Column("worker", sa.String(length=255), nullable=True),
        sa.Column("token", sa.String(length=32), nullable=True),
        sa.Column("lease_until", REAL, nullable=True),
        sa.Column("started", REAL, nullable=True),
        sa.Column("heartbeat", REAL, nullable=True),
        sa.Column("ended", REAL, nullable=True),
        sa.Column("verdict", sa.Boolean(), nullable=True),
        sa.Column("error_fail", sa.Boolean(), nullable=False),
        sa.Column(
            "error_text",
            LONG,
            nullable=True,
        ),
        sa.Column("wall_s", REAL, nullable=True),
        sa.Column("cpu_s", REAL, nullable=True),
        sa.Column("cpu_with_children_s", REAL, nullable=True),
        sa.ForeignKeyConstraint(
            ["host_id"],
            ["eas_worker_host.id"],
        ),
        sa.ForeignKeyConstraint(["task_id"], ["eas_task.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        **NUMBERED,
    )
    op.create_index(
        "eas_attempt_by_state", "eas_scheduling_attempt", ["state", "lease_until"], unique=False
    )
    op.create_index(
        "eas_attempt_of_task", "eas_scheduling_attempt", ["task_id", "state"], unique=False
    )
    op.create_index(
        "eas_attempt_to_publish", "eas_scheduling_attempt", ["published", "state"], unique=False
    )
    op.create_index(
        op.f("ix_eas_scheduling_attempt_host_id"),
        "eas_scheduling_attempt",
        ["host_id"],
        unique=False,
    )


def _task_metadata() -> None:
    op.create_table(
        "eas_task_metadata",
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("set_at", REAL, nullable=False),
        sa.Column(
            "value",
            LONG,
            nullable=False,
        ),
        sa.Column("number", REAL, nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["eas_metadata_key.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["eas_task.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", "key_id"),
        **KEYED,
    )


def _task_metadata_input() -> None:
    op.create_table(
        "eas_task_metadata_input",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("input_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["input_id"], ["eas_task.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["task_id"], ["eas_task.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "input_id"),
        **KEYED,
    )
    op.create_index(
        op.f("ix_eas_task_metadata_input_input_id"),
        "eas_task_metadata_input",
        ["input_id"],
        unique=False,
    )


def _attempt_metadata() -> None:
    op.create_table(
        "eas_attempt_metadata",
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("set_at", REAL, nullable=False),
        sa.Column(
            "value",
            LONG,
            nullable=False,
        ),
        sa.Column("number", REAL, nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["eas_metadata_key.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["eas_scheduling_attempt.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", "key_id"),
        **KEYED,
    )


def _log_message() -> None:
    op.create_table(
        "eas_log_message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=True),
        sa.Column("time", REAL, nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("message", sa.String(length=4096), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["eas_scheduling_attempt.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        **NUMBERED,
    )
    op.create_index("eas_log_by_severity", "eas_log_message", ["severity", "time"], unique=False)
    op.create_index("eas_log_of_attempt", "eas_log_message", ["attempt_id", "time"], unique=False)


def _product_metadata() -> None:
    op.create_table(
        "eas_product_metadata",
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("set_at", REAL, nullable=False),
        sa.Column(
            "value",
            LONG,
            nullable=False,
        ),
        sa.Column("number", REAL, nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["eas_metadata_key.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["eas_product.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", "key_id"),
        **KEYED,
    )


def _product_version() -> None:
    op.create_table(
        "eas_product_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("repository_id", sa.String(length=64), nullable=False),
        sa.Column("created", REAL, nullable=False),
        sa.Column("modified", REAL, nullable=False),
        sa.Column("md5", sa.String(length=32), nullable=False),
        sa.Column("content_hash", sa.String(length=80), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("passed_qc", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["eas_scheduling_attempt.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["product_id"], ["eas_product.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("product_id", "attempt_id", name="eas_version_of_attempt"),
        sa.UniqueConstraint("repository_id"),
        **NUMBERED,
    )
    op.create_index(
        op.f("ix_eas_product_version_attempt_id"),
        "eas_product_version",
        ["attempt_id"],
        unique=False,
    )


def _task_input() -> None:
    op.create_table(
        "eas_task_input",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("semantic_type_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["eas_product.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["semantic_type_id"],
            ["eas_semantic_type.id"],
        ),
        sa.ForeignKeyConstraint(["task_id"], ["eas_task.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "semantic_type_id"),
        **KEYED,
    )
    op.create_index(
        op.f("ix_eas_task_input_product_id"), "eas_task_input", ["product_id"], unique=False
    )


def _version_metadata() -> None:
    op.create_table(
        "eas_version_metadata",
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.Integer(), nullable=False),
        sa.Column("set_at", REAL, nullable=False),
        sa.Column(
            "value",
            LONG,
            nullable=False,
        ),
        sa.Column("number", REAL, nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["eas_metadata_key.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["eas_product_version.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("owner_id", "key_id"),
        **KEYED,
    )


TABLES = (
    _metadata_key,
    _queue_item,
    _semantic_type,
    _task_type,
    _worker_container,
    _worker_host,
    _task,
    _task_container,
    _product,
    _scheduling_attempt,
    _task_metadata,
    _task_metadata_input,
    _attempt_metadata,
    _log_message,
    _product_metadata,
    _product_version,
    _task_input,
    _version_metadata,
)


def upgrade() -> None:
    """Make the tables."""
    for make in TABLES:
        make()


def downgrade() -> None:
    """Remove them."""
    for make in reversed(TABLES):
        op.drop_table("eas" + make.__name__)
