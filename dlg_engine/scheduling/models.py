"""The tables: queues, workers, experiments with their blocks, jobs, splits and results.

States are kept as the texts of `states`. Dates are seconds since 1970 UTC, memory is in megabytes
of 2**20 bytes, and 0 is no limit. The reserved cores of a worker are never stored: they are the
sum over the splits it has.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from dlg_engine.scheduling.states import BlockState, ExperimentState, JobState, SplitState

K = TypeVar("K", bound=StrEnum)
ANY = 1 << 16
"""The quantity of a slot that only the cores of the worker limit."""
VERSION = 1
"""Of these tables; see `opening`."""


class StateType(TypeDecorator[Any]):
    """A state as its text."""

    impl = String(16)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: object) -> str | None:
        """Return what is stored."""
        del dialect
        return None if value is None else str(self.kind(value).value)

    def process_result_value(self, value: Any, dialect: object) -> Any:
        """Return the state that was stored."""
        del dialect
        return None if value is None else self.kind(value)


class Base(DeclarativeBase):
    """What all tables belong to."""

    type_annotation_map = {float: Float(53)}  # noqa: RUF012  as SQLAlchemy declares it


class Ledger(Base):
    """One row, which says what the tables are; who changes how jobs stand has its lock."""

    __tablename__ = "beat_ledger"
    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int]


class Queue(Base):
    """Where blocks wait for a slot: so many cores, so much memory, for so long."""

    __tablename__ = "beat_queue"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    cores: Mapped[int] = mapped_column(default=1)
    """Of one slot."""
    memory_mb: Mapped[int] = mapped_column(default=0)
    """Of one slot."""
    time_limit_min: Mapped[float] = mapped_column(default=0.0)
    max_slots_per_user: Mapped[int] = mapped_column(default=0)
    slots: Mapped[list[Slot]] = relationship(back_populates="queue", cascade="all, delete-orphan")


class Worker(Base):
    """A program on some host that runs splits."""

    __tablename__ = "beat_worker"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    active: Mapped[bool] = mapped_column(default=False)
    beats: Mapped[bool] = mapped_column(default=False)
    """Whether it says at intervals that it lives; those of the existing system do not."""
    scheduler: Mapped[str] = mapped_column(Text, default="")
    """The scheduler that it is connected to: nobody else can give it anything."""
    serves_all: Mapped[bool] = mapped_column(default=False)
    """Whether it serves all queues, also those to come."""
    cores: Mapped[int] = mapped_column(default=1)
    memory_mb: Mapped[int] = mapped_column(default=0)
    heard_at: Mapped[float | None]
    info: Mapped[str] = mapped_column(Text, default="")
    """Its last complaint."""
    slots: Mapped[list[Slot]] = relationship(back_populates="worker", cascade="all, delete-orphan")


class Slot(Base):
    """How many splits of a queue a worker takes at once."""

    __tablename__ = "beat_slot"
    __table_args__ = (UniqueConstraint("queue_id", "worker_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("beat_queue.id"))
    worker_id: Mapped[int] = mapped_column(ForeignKey("beat_worker.id"))
    quantity: Mapped[int] = mapped_column(default=1)
    priority: Mapped[int] = mapped_column(default=0)
    """Workers of a higher one are taken first."""
    queue: Mapped[Queue] = relationship(back_populates="slots")
    worker: Mapped[Worker] = relationship(back_populates="slots")


class Experiment(Base):
    """An experiment that somebody wants run."""

    __tablename__ = "beat_experiment"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, index=True)
    author: Mapped[str] = mapped_column(Text, index=True)
    cache: Mapped[str] = mapped_column(Text)
    """The directory in which results are kept."""
    status: Mapped[ExperimentState] = mapped_column(
        StateType(ExperimentState), default=ExperimentState.PENDING, index=True
    )
    failure: Mapped[str] = mapped_column(Text, default="")
    """Why it fails; it has failed when what still runs has ended."""
    created: Mapped[float]
    started: Mapped[float | None]
    ended: Mapped[float | None]
    blocks: Mapped[list[Block]] = relationship(
        back_populates="experiment", cascade="all, delete-orphan", order_by="Block.order"
    )


dependency = Table(
    "beat_block_dependency",
    Base.metadata,
    Column("block_id", Integer, ForeignKey("beat_block.id"), primary_key=True),
    Column("needs_id", Integer, ForeignKey("beat_block.id"), primary_key=True, index=True),
)


class Block(Base):
    """A block, a loop or an analyzer of an experiment."""

    __tablename__ = "beat_block"
    __table_args__ = (UniqueConstraint("experiment_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("beat_experiment.id"))
    name: Mapped[str] = mapped_column(Text)
    order: Mapped[int]
    """Its place in the order of execution."""
    status: Mapped[BlockState] = mapped_column(StateType(BlockState), default=BlockState.PENDING)
    analyzer: Mapped[bool]
    algorithm: Mapped[str] = mapped_column(Text)
    environment: Mapped[str] = mapped_column(Text, default="")
    channel: Mapped[str] = mapped_column(Text)
    queue_id: Mapped[int] = mapped_column(ForeignKey("beat_queue.id"), index=True)
    required_slots: Mapped[int] = mapped_column(default=1)
    command: Mapped[dict[str, Any]] = mapped_column(JSON)
    """What an executor is given."""
    key: Mapped[str] = mapped_column(String(64), index=True)
    """Blocks with the same key make the same files."""
    signature: Mapped[str] = mapped_column(String(64), default="")
    """The complete one, of all that it is made of but its inputs; "" where it is not known."""
    started: Mapped[float | None]
    ended: Mapped[float | None]
    experiment: Mapped[Experiment] = relationship(back_populates="blocks")
    queue: Mapped[Queue] = relationship()
    job: Mapped[Job | None] = relationship(back_populates="block", cascade="all, delete-orphan")
    needs: Mapped[list[Block]] = relationship(
        secondary=dependency,
        primaryjoin="Block.id == beat_block_dependency.c.block_id",
        secondaryjoin="Block.id == beat_block_dependency.c.needs_id",
        back_populates="needed_by",
    )
    needed_by: Mapped[list[Block]] = relationship(
        secondary=dependency,
        primaryjoin="Block.id == beat_block_dependency.c.needs_id",
        secondaryjoin="Block.id == beat_block_dependency.c.block_id",
        back_populates="needs",
    )


class Job(Base):
    """The work for one block. A mirror has none of its own: it follows another job."""

    __tablename__ = "beat_job"
    __table_args__ = (
        # Whatever else goes wrong: nothing is ever made twice at the same time.
        Index(
            "beat_one_at_work_a_key",
            "key",
            unique=True,
            sqlite_where=text("status = 'processing' AND mirror = 0"),
            postgresql_where=text("status = 'processing' AND NOT mirror"),
        ).ddl_if(
            callable_=lambda *_args, dialect, **_kw: dialect.name in {"sqlite", "postgresql"}
        ),
        Index("beat_job_of_key", "key", "status"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    block_id: Mapped[int] = mapped_column(ForeignKey("beat_block.id"), unique=True)
    key: Mapped[str] = mapped_column(String(64))
    status: Mapped[JobState] = mapped_column(
        StateType(JobState), default=JobState.QUEUED, index=True
    )
    mirror: Mapped[bool] = mapped_column(default=False)
    runnable_date: Mapped[float | None]
    """Since when all it needs is there."""
    started: Mapped[float | None]
    ended: Mapped[float | None]
    awaited_since: Mapped[float | None]
    """Since when its splits are done, but their files are not seen here yet."""
    statistics: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Of all its splits together."""
    block: Mapped[Block] = relationship(back_populates="job")
    splits: Mapped[list[JobSplit]] = relationship(
        back_populates="job", cascade="all, delete-orphan", order_by="JobSplit.split_index"
    )


class JobSplit(Base):
    """A part of a job: the range of data indices that one worker does, or all of them."""

    __tablename__ = "beat_split"
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("beat_job.id"), index=True)
    split_index: Mapped[int]
    start_index: Mapped[int | None]
    end_index: Mapped[int | None]
    status: Mapped[SplitState] = mapped_column(
        StateType(SplitState), default=SplitState.QUEUED, index=True
    )
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("beat_worker.id"), index=True)
    assignment_id: Mapped[int | None] = mapped_column(ForeignKey("beat_assignment.id"))
    """The present one; what comes under the number of an older one is not for it."""
    cores: Mapped[int] = mapped_column(default=0)
    memory_mb: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    """To how many workers it has been given."""
    stop_told: Mapped[bool] = mapped_column(default=False)
    """Whether its worker has been told to stop it."""
    started: Mapped[float | None]
    ended: Mapped[float | None]
    job: Mapped[Job] = relationship(back_populates="splits")
    worker: Mapped[Worker | None] = relationship()
    assignment: Mapped[Assignment | None] = relationship(foreign_keys=[assignment_id])
    result: Mapped[Result | None] = relationship(
        back_populates="split", cascade="all, delete-orphan"
    )


class Assignment(Base):
    """That a split was given to a worker; the number, which is never used again, is the lease."""

    __tablename__ = "beat_assignment"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  as SQLAlchemy declares it
    id: Mapped[int] = mapped_column(primary_key=True)
    split_id: Mapped[int] = mapped_column(Integer, index=True)
    """No foreign key: it stays when the split is gone."""
    job_id: Mapped[int]
    worker_id: Mapped[int] = mapped_column(ForeignKey("beat_worker.id"))
    given: Mapped[float]
    ended: Mapped[float | None]
    outcome: Mapped[str] = mapped_column(String(16), default="")
    """The state to which it brought the split."""


class Result(Base):
    """What a worker said at the end of a split."""

    __tablename__ = "beat_result"
    id: Mapped[int] = mapped_column(primary_key=True)
    split_id: Mapped[int] = mapped_column(ForeignKey("beat_split.id"), unique=True)
    status: Mapped[int]
    stdout: Mapped[str] = mapped_column(Text, default="")
    stderr: Mapped[str] = mapped_column(Text, default="")
    user_error: Mapped[str] = mapped_column(Text, default="")
    system_error: Mapped[str] = mapped_column(Text, default="")
    timed_out: Mapped[bool] = mapped_column(default=False)
    statistics: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    split: Mapped[JobSplit] = relationship(back_populates="result")
