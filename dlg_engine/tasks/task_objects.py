"""Tasks, attempts, products and versions as objects, and as dictionaries that JSON can carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from dlg.support import clock


class MetadataItem:
    """A value with its keyword and the time when it was set, in seconds since 1970 UTC."""

    def __init__(self, keyword: str, value: Any, timestamp: float | None = None) -> None:
        self.keyword = keyword
        self.value = value
        self.timestamp = clock.now() if timestamp is None else timestamp

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MetadataItem) and self.as_dict() == other.as_dict()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"MetadataItem({self.keyword!r}, {self.value!r}, {self.timestamp!r})"

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dictionary."""
        return {"keyword": self.keyword, "value": self.value, "timestamp": self.timestamp}

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """Return what `as_dict` was made of."""
        return cls(d["keyword"], d["value"], d["timestamp"])


class Entry:
    """What the objects share: fields that are None, or empty, until they are set."""

    _plain: ClassVar[tuple[str, ...]] = ()
    _mappings: ClassVar[tuple[str, ...]] = ("metadata",)

    def __init__(self, **kwargs: Any) -> None:
        for name in self._plain:
            setattr(self, name, None)
        for name in self._mappings:
            setattr(self, name, {})
        self.configure(**kwargs)

    def configure(self, **fields: Any) -> None:
        """Set the fields that are given and not None; dictionaries are added to what is there."""
        for name, value in fields.items():
            if name in self._mappings:
                getattr(self, name).update(self._entries(name, value))
            elif name not in self._plain:
                raise TypeError(f"a {type(self).__name__} has no field {name!r}")
            elif value is not None:
                setattr(self, name, value)

    def _entries(self, name: str, value: Any) -> dict[Any, Any]:
        if value is None:
            return {}
        if name == "metadata":
            return {key: _item(key, part) for key, part in value.items()}
        if isinstance(value, Mapping):
            return dict(value)
        return {attempt.attempt_id: attempt for attempt in value}  # a list of attempts

    def set_metadata(self, keyword: str, value: Any) -> None:
        """Set a value of metadata; the keyword given here wins over that of an item."""
        self.metadata: dict[str, MetadataItem]
        item = _item(keyword, value)
        self.metadata[keyword] = MetadataItem(keyword, item.value, item.timestamp)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        known = {name: value for name, value in vars(self).items() if value not in (None, {})}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in known.items())})"

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dictionary, with all that it holds."""
        return {name: _packed(value) for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, d: Mapping[str, Any]) -> Self:
        """Return what `as_dict` was made of."""
        made = cls()
        for name, value in d.items():
            setattr(made, name, made._unpacked(name, value))
        return made

    def _unpacked(self, name: str, value: Any) -> Any:
        return (
            {k: MetadataItem.from_dict(v) for k, v in value.items()}
            if name == "metadata"
            else value
        )


def _item(keyword: str, value: Any) -> MetadataItem:
    return value if isinstance(value, MetadataItem) else MetadataItem(keyword, value)


def _packed(value: Any) -> Any:
    if isinstance(value, (Entry, MetadataItem)):
        return value.as_dict()
    if isinstance(value, dict):
        return {key: _packed(part) for key, part in value.items()}
    return value


class FileProduct(Entry):
    """A file that a task makes, or will make; each attempt makes a version of it."""

    _plain = (
        "product_id",
        "generator_task",
        "planned_time",
        "directory",
        "filename",
        "semantic_type",
        "mime_type",
    )
    product_id: int | None
    generator_task: int | None
    planned_time: float | None
    directory: str | None
    filename: str | None
    semantic_type: str | None
    mime_type: str | None
    metadata: dict[str, MetadataItem]


class FileProductVersion(Entry):
    """A file in the store, made by one attempt. `passed_qc` is None if nobody has judged it."""

    _plain = (
        "product_version_id",
        "product_id",
        "generated_by_task_execution",
        "repository_id",
        "created_time",
        "modified_time",
        "file_md5",
        "content_hash",
        "file_size",
        "passed_qc",
    )
    product_version_id: int | None
    product_id: int | None
    generated_by_task_execution: int | None
    repository_id: str | None
    created_time: float | None
    modified_time: float | None
    file_md5: str | None
    content_hash: str | None
    file_size: int | None
    passed_qc: bool | None
    metadata: dict[str, MetadataItem]


class TaskExecutionAttempt(Entry):
    """An attempt to run a task. `state` is one of `dlg_engine.tasks.states.AttemptState`."""

    _plain = (
        "attempt_id",
        "task_id",
        "state",
        "queued_time",
        "start_time",
        "latest_heartbeat_time",
        "end_time",
        "all_products_passed_qc",
        "error_fail",
        "error_text",
        "run_time_wall_clock",
        "run_time_cpu",
        "run_time_cpu_inc_children",
        "task_object",
    )
    _mappings = ("metadata", "output_files")
    attempt_id: int | None
    task_id: int | None
    state: str | None
    queued_time: float | None
    start_time: float | None
    latest_heartbeat_time: float | None
    end_time: float | None
    all_products_passed_qc: bool | None
    error_fail: bool | None
    error_text: str | None
    run_time_wall_clock: float | None
    run_time_cpu: float | None
    run_time_cpu_inc_children: float | None
    task_object: Task | None
    metadata: dict[str, MetadataItem]
    output_files: dict[str, FileProductVersion]

    def _unpacked(self, name: str, value: Any) -> Any:
        if name == "task_object":
            return None if value is None else Task.from_dict(value)
        if name == "output_files":
            return {key: FileProductVersion.from_dict(part) for key, part in value.items()}
        return super()._unpacked(name, value)


class Task(Entry):
    """A task. `state` is one of `dlg_engine.tasks.states.TaskState`."""

    _plain = (
        "task_id",
        "parent_id",
        "created_time",
        "task_type",
        "job_name",
        "task_name",
        "working_directory",
        "namespace",
        "state",
        "task_description",
    )
    _mappings = (
        "metadata",
        "input_files",
        "input_metadata",
        "output_files",
        "execution_attempts_passed",
        "execution_attempts_incomplete",
    )
    task_id: int | None
    parent_id: int | None
    created_time: float | None
    task_type: str | None
    job_name: str | None
    task_name: str | None
    working_directory: str | None
    namespace: str | None
    state: str | None
    task_description: Any
    metadata: dict[str, MetadataItem]
    input_files: dict[str, FileProduct]
    input_metadata: dict[str, dict[str, MetadataItem]]
    output_files: dict[str, FileProduct]
    execution_attempts_passed: dict[int, TaskExecutionAttempt]
    execution_attempts_incomplete: dict[int, TaskExecutionAttempt]

    def _unpacked(self, name: str, value: Any) -> Any:
        if name in ("input_files", "output_files"):
            return {key: FileProduct.from_dict(part) for key, part in value.items()}
        if name == "input_metadata":
            return {
                key: super(Task, self)._unpacked("metadata", part) for key, part in value.items()
            }
        if name.startswith("execution_attempts"):
            # Keys of JSON are text.
            return {int(k): TaskExecutionAttempt.from_dict(part) for k, part in value.items()}
        return super()._unpacked(name, value)
