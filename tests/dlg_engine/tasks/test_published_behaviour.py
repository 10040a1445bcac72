"""What names of the published interface do that nothing else here calls."""

from __future__ import annotations

import json
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg_engine.tasks.amqp_queue import TaskQueueAmqp
from dlg_engine.tasks.errors import QueueUnavailableError, TaskSystemError
from dlg_engine.tasks.memory_queue import TaskQueueMemory
from dlg_engine.tasks.queue_contract import TaskQueue
from dlg_engine.tasks.settings import Settings
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import (
    FileProduct,
    FileProductVersion,
    MetadataItem,
    Task,
    TaskExecutionAttempt,
)
from dlg_engine.tasks.task_queues import TaskQueueConnector
from dlg_engine.tasks.temporary_directory import TemporaryDirectory

WAIT_S = 60.0
OBJECTS = [FileProduct, FileProductVersion, TaskExecutionAttempt, Task]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path))
    return tmp_path / "tasks"


@pytest.mark.parametrize("kind", OBJECTS, ids=lambda kind: kind.__name__)
def test_metadata_that_is_set_has_the_keyword_and_a_time(kind: Any) -> None:
    made = kind()
    made.set_metadata("size", 3)
    made.set_metadata("radius", MetadataItem("another name", 1.5, 17.0))
    assert made.metadata["size"].value == 3
    assert made.metadata["size"].timestamp > 0
    assert made.metadata["radius"].as_dict() == {
        "keyword": "radius", "value": 1.5, "timestamp": 17.0,
    }  # fmt: skip


@pytest.mark.parametrize("kind", OBJECTS, ids=lambda kind: kind.__name__)
def test_objects_are_the_same_after_a_journey_as_json(kind: Any) -> None:
    made = kind(metadata={"size": 3, "list": [1, "a", None]})
    assert kind.from_dict(json.loads(json.dumps(made.as_dict()))) == made


def test_objects_within_objects_make_the_journey_too() -> None:
    version = FileProductVersion(product_version_id=7, file_size=3, passed_qc=None)
    product = FileProduct(product_id=5, filename="a", metadata={"period": 3.5})
    told = {"before": {"x": MetadataItem("x", 1)}}
    task = Task(
        task_id=1, input_files={"lc": product}, input_metadata=told,
        execution_attempts_passed=[TaskExecutionAttempt(attempt_id=9)],
    )  # fmt: skip
    attempt = TaskExecutionAttempt(attempt_id=2, output_files={"lc": version}, task_object=task)
    back = TaskExecutionAttempt.from_dict(json.loads(json.dumps(attempt.as_dict())))
    assert back == attempt
    assert back.task_object is not None
    assert list(back.task_object.execution_attempts_passed) == [9]


def test_configure_adds_to_dictionaries_and_leaves_what_is_not_given() -> None:
    made = FileProduct(product_id=1, filename="a", metadata={"x": 1})
    made.configure(filename=None, mime_type="text/plain", metadata={"y": 2})
    assert (made.product_id, made.filename, made.mime_type) == (1, "a", "text/plain")
    assert {key: item.value for key, item in made.metadata.items()} == {"x": 1, "y": 2}


@pytest.fixture(
    params=["memory", "sql", pytest.param("amqp", marks=pytest.mark.services)],
)
def queue(
    request: pytest.FixtureRequest, lite: TaskDatabaseConnection
) -> Iterator[tuple[TaskQueue, str]]:
    """A queue of each kind, with a name that nobody else uses."""
    made: TaskQueue
    name = f"dlg_test_{secrets.token_hex(6)}"
    if request.param == "amqp":
        made = TaskQueueAmqp()
        try:
            made.queue_declare(name)
        except QueueUnavailableError as error:
            pytest.skip(f"needs RabbitMQ at its usual port of this host: {error}")
    else:
        made = TaskQueueMemory() if request.param == "memory" else TaskQueueSQL(lite.database)
    try:
        yield made, name
    finally:
        if isinstance(made, TaskQueueAmqp):
            made._do(lambda channel: channel.queue_delete(name))
        made.close()


def test_what_is_fetched_and_acknowledged_is_gone(queue: tuple[TaskQueue, str]) -> None:
    one, name = queue
    one.queue_declare(name)
    assert one.queue_fetch_and_acknowledge(name) is None
    for number in (4, 5):
        one.queue_publish(name, number)
    assert one.queue_length(name) == 2
    assert one.queue_fetch_and_acknowledge(name) == 4
    assert one.queue_fetch_list(name) == [5]


def test_what_is_fetched_without_being_acknowledged_stays(queue: tuple[TaskQueue, str]) -> None:
    one, name = queue
    one.queue_publish(name, 4)
    assert one.queue_fetch_and_acknowledge(name, acknowledge=False, set_running=False) == 4
    one.wait([name], WAIT_S)  # a broker takes a moment to put it back
    found = one.claim([name], "somebody")
    assert found is not None
    assert found.item_id == 4


def test_queues_are_those_that_the_settings_name(root: Path) -> None:
    with TaskQueueConnector() as connector:
        assert isinstance(connector.interface(), TaskQueueSQL)
    assert (root / "data/datadir_local/sqlite3_eas.db").exists()
    TaskQueueConnector.make_task_queue_config("amqp", "me", "secret", "broker", 5673)
    file = Path(TaskQueueConnector.task_queue_config_path())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = Settings().installation_info
    assert (found["queue_implementation"], found["mq_host"], found["mq_port"]) == (
        "amqp", "broker", 5673,
    )  # fmt: skip
    assert TaskQueueConnector().queue_engine == "amqp"
    with pytest.raises(TaskSystemError, match="there are no queues 'smoke'"):
        TaskQueueConnector("smoke")


def test_settings_are_read_below_a_root(root: Path) -> None:
    (root / "configuration").mkdir(parents=True)
    (root / "configuration/site.conf").write_text("db_host: far  # away\nmine: 3\n")
    assert Settings.fetch_local_settings(str(root))["db_host"] == "far"
    found = Settings()
    assert found.installation_info["mine"] == 3
    assert found.settings == found.fetch_environment_settings(str(root))
    assert found.settings["lcPath"].endswith("datadir_input/lightcurves_v2")
    assert found.settings.keys() == {
        "pythonPath", "dataPath", "inDataPath", "lcPath", "localDataPath", "debug",
        "softwareVersion",
    }  # fmt: skip


def test_a_temporary_directory_is_cleaned_up_once_or_twice(tmp_path: Path) -> None:
    made = TemporaryDirectory(tmp_path)
    place = Path(made.tmp_dir)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    (place / "x").write_text("y")
    made.clean_up()
    assert not place.exists()
    made.clean_up()
