"""The tables: tasks, attempts, products and their versions, metadata, messages, queues.

Dates are seconds since 1970 UTC, memory is in GB. States are kept as their texts. What the schema
was at each version is fixed in `migrations`; this is what it is now, and a test compares them.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

METADATA = MetaData()

_MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",  # names that differ in case are different names
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_bin",
}
_LONG = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_REAL: Double[float] = Double()


_UNFIT = re.compile("[\0\ud800-\udfff]")


class _Said(TypeDecorator[str]):
    """Text that code of users has made; characters that not every database keeps are replaced.

    These are NUL, and halves of characters, which names of files may have. A worker that could not
    note a failure because of one would die of it.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = String
    cache_ok = True

    def __init__(self, impl: TypeEngine[str]) -> None:
        """Keep it as `impl`."""
        super().__init__()
        self.impl = impl

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return a text as it can be kept."""
        del dialect
        return None if value is None else _UNFIT.sub("\N{REPLACEMENT CHARACTER}", value)


def _table(name: str, *parts: Column[Any] | Index | UniqueConstraint) -> Table:
    if any(isinstance(part, Column) and part.name == "id" for part in parts):
        # Numbers of what was deleted are never given again: somebody may still have them.
        return Table(name, METADATA, *parts, sqlite_autoincrement=True, **_MYSQL)
    return Table(name, METADATA, *parts, sqlite_with_rowid=False, **_MYSQL)


def _id() -> Column[Any]:
    return Column("id", Integer, primary_key=True)


def _of(name: str, table: str, **options: Any) -> Column[Any]:
    return Column(name, Integer, ForeignKey(f"{table}.id", ondelete="CASCADE"), **options)


def _names(name: str) -> Table:
    return _table(name, _id(), Column("name", String(255), nullable=False, unique=True))


def _metadata_of(kind: str, owner: str) -> Table:
    return _table(
        f"eas_{kind}_metadata",
        _of("owner_id", owner, primary_key=True),
        _of("key_id", "eas_metadata_key", primary_key=True),
        Column("set_at", _REAL, nullable=False),
        Column("value", _LONG, nullable=False),
        Column("number", _REAL),
    )


container = _table(
    "eas_worker_container",
    _id(),
    Column("name", String(255), nullable=False, unique=True),
    Column("requested_cpus", _REAL, nullable=False),
    Column("requested_gpus", Integer, nullable=False),
    Column("requested_ram", _REAL, nullable=False),
    Column("assigned_cpus", _REAL, nullable=False),
    Column("assigned_gpus", Integer, nullable=False),
    Column("assigned_ram", _REAL, nullable=False),
)
task_type = _names("eas_task_type")
host = _names("eas_worker_host")
semantic_type = _names("eas_semantic_type")
metadata_key = _names("eas_metadata_key")
task_container = _table(
    "eas_task_container",
    _of("type_id", "eas_task_type", primary_key=True),
    _of("container_id", "eas_worker_container", primary_key=True),
)
task = _table(
    "eas_task",
    _id(),
    _of("parent_id", "eas_task", index=True),
    Column("created", _REAL, nullable=False),
    Column("configured", Boolean, nullable=False),
    Column("type_id", Integer, ForeignKey("eas_task_type.id"), nullable=False),
    Column("job_name", String(255), index=True),
    Column("task_name", String(255)),
    Column("working_directory", String(1024), nullable=False),
    Column("namespace", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("missing", Integer, nullable=False),  # inputs that are not there yet
    Column("tries", Integer, nullable=False),  # how many attempts it may have
    Column("pause_s", _REAL, nullable=False),  # before the second; twice that before the third
    Column("not_before", _REAL),  # when the next attempt is due
    Index("eas_task_by_state", "state", "missing", "not_before"),
    Index("eas_task_by_type", "type_id", "state"),
)
attempt = _table(
    "eas_scheduling_attempt",
    _id(),
    _of("task_id", "eas_task", nullable=False),
    Column("state", String(16), nullable=False),
    Column("queued", _REAL),
    Column("published", Boolean, nullable=False),  # whether its queue has it
    Column("host_id", Integer, ForeignKey("eas_worker_host.id"), index=True),
    Column("worker", String(255)),
    Column("token", String(32)),  # of the lease
    Column("lease_until", _REAL),
    Column("started", _REAL),
    Column("heartbeat", _REAL),
    Column("ended", _REAL),
    Column("verdict", Boolean),
    Column("error_fail", Boolean, nullable=False),
    Column("error_text", _Said(_LONG)),
    Column("wall_s", _REAL),
    Column("cpu_s", _REAL),
    Column("cpu_with_children_s", _REAL),
    Index("eas_attempt_of_task", "task_id", "state"),
    Index("eas_attempt_by_state", "state", "lease_until"),
    Index("eas_attempt_to_publish", "published", "state"),
)
log_message = _table(
    "eas_log_message",
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    _of("attempt_id", "eas_scheduling_attempt"),
    Column("time", _REAL, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("message", _Said(String(4096)), nullable=False),
    Index("eas_log_of_attempt", "attempt_id", "time"),
    Index("eas_log_by_severity", "severity", "time"),
)
product = _table(
    "eas_product",
    _id(),
    _of("task_id", "eas_task", nullable=False),
    Column("planned", _REAL),
    Column("namespace", String(64), nullable=False),
    Column("directory", String(512), nullable=False, index=True),
    Column("filename", String(255), nullable=False),
    # Of namespace, directory and name, which together are too long for an index of MariaDB.
    Column("place", String(64), nullable=False, unique=True),
    Column("semantic_type_id", Integer, ForeignKey("eas_semantic_type.id"), nullable=False),
    Column("mime_type", String(64)),
    Column("passed", Boolean, nullable=False),  # whether any of its versions was
    UniqueConstraint("task_id", "semantic_type_id", name="eas_product_of_task"),
)
version = _table(
    "eas_product_version",
    _id(),
    _of("product_id", "eas_product", nullable=False),
    _of("attempt_id", "eas_scheduling_attempt", nullable=False, index=True),
    Column("repository_id", String(64), nullable=False, unique=True),
    Column("created", _REAL, nullable=False),
    Column("modified", _REAL, nullable=False),
    Column("md5", String(32), nullable=False),
    Column("content_hash", String(80), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("passed_qc", Boolean),
    UniqueConstraint("product_id", "attempt_id", name="eas_version_of_attempt"),
)
task_input = _table(
    "eas_task_input",
    _of("task_id", "eas_task", primary_key=True),
    Column("semantic_type_id", Integer, ForeignKey("eas_semantic_type.id"), primary_key=True),
    _of("product_id", "eas_product", nullable=False, index=True),
)
task_metadata_input = _table(
    "eas_task_metadata_input",
    _of("task_id", "eas_task", primary_key=True),
    _of("input_id", "eas_task", primary_key=True, index=True),
)
job_step = _table(
    "eas_job_step",
    _of("job_id", "eas_task", primary_key=True),
    Column("step", Integer, primary_key=True),  # its number in the plan of the job
    _of("task_id", "eas_task", nullable=False, index=True),
    Column("outcome", Boolean),  # of a decision, once it has been taken
    Index("eas_job_step_decided", "job_id", "outcome"),
)
queue_item = _table(
    "eas_queue_item",
    _id(),
    Column("queue", String(255), nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("published", _REAL, nullable=False),
    Column("worker", String(255)),
    Column("token", String(32)),
    Column("lease_until", _REAL, nullable=False),  # 0 as long as nobody has it
    Column("deliveries", Integer, nullable=False),
    Index("eas_queue_item_free", "queue", "lease_until", "id"),
)

task_metadata = _metadata_of("task", "eas_task")
attempt_metadata = _metadata_of("attempt", "eas_scheduling_attempt")
product_metadata = _metadata_of("product", "eas_product")
version_metadata = _metadata_of("version", "eas_product_version")
