"""Tasks, attempts and metadata in the database."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from dlg.exceptions import UnexpectedEventError
from dlg.support.clock import ManualClock, replaced
from dlg_engine.tasks import schema, values
from dlg_engine.tasks.errors import (
    EntryExistsError,
    MetadataValueError,
    NoSuchEntryError,
    TaskSystemError,
)
from dlg_engine.tasks.registering import NewTask, Ref
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_objects import MetadataItem, Task, TaskExecutionAttempt

Tasks = TaskDatabaseConnection

VALUES = {
    "int": 1,
    "big": 2**70,
    "true": True,
    "digits": "7",
    "float": 1.0,
    "none": None,
    "list": [1, "a", [2.5]],
    "dict": {"a": [True]},
    "inf": math.inf,
    "text": "'; drop table eas_task; -- ü🚀",
}


def test_values_of_metadata_keep_their_types(tasks: Tasks) -> None:
    with replaced(ManualClock(1000.5)):
        task = tasks.task_register(task_type="null", metadata=VALUES)
    found = tasks.metadata_fetch_all(task_id=task)
    assert {key: item.value for key, item in found.items()} == VALUES
    assert {key: type(item.value) for key, item in found.items()} == {
        key: type(value) for key, value in VALUES.items()
    }
    assert found["int"].timestamp == 1000.5


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(Json)
def test_any_value_of_json_comes_back_as_it_was(value: Any) -> None:
    found = values.decode(values.encode("a", value))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("value", [b"a", object(), {1: 2}, [{"a": {3}}]])
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(lite: Tasks, value: object) -> None:
    task = lite.task_register(task_type="null")
    with pytest.raises(MetadataValueError, match="'b'"):
        lite.task_update(task, metadata={"a": 1, "b": value})
    assert lite.metadata_fetch_all(task_id=task) == {}


def test_a_value_is_replaced_and_others_stay(tasks: Tasks) -> None:
    task = tasks.task_register(task_type="null", metadata={"a": 1, "b": 2})
    tasks.task_update(task, metadata={"a": MetadataItem("a", None, 5.0)})
    assert tasks.metadata_fetch_item("a", task_id=task) == MetadataItem("a", None, 5.0)
    item = tasks.metadata_fetch_item("b", task_id=task)
    assert item is not None
    assert item.value == 2
    assert tasks.metadata_fetch_item("never used", task_id=task) is None


def test_metadata_belongs_to_one_entry(lite: Tasks) -> None:
    for owners in ({}, {"task_id": 1, "product_id": 1}):
        with pytest.raises(TaskSystemError, match="name one"):
            lite.metadata_fetch_all(**owners)
    with pytest.raises(NoSuchEntryError):
        lite.metadata_register({"a": 1}, task_id=77)


def test_names_get_numbers_once(tasks: Tasks) -> None:
    for number_of in (
        tasks.hostname_get_id,
        tasks.semantic_type_get_id,
        tasks.metadata_keyword_id,
    ):
        assert number_of("a") == number_of("a") != number_of("A")


def test_a_task_is_looked_up_as_it_was_registered(tasks: Tasks) -> None:
    maker = tasks.task_register(task_type="make", task_name="maker", working_directory="d")
    product = tasks.file_product_register(maker, "d", "a.lc", "lightcurve")
    file = tasks.file_product_lookup(product)
    assert file is not None
    number = tasks.task_register(
        parent_id=maker,
        created_time=12.25,
        task_type="search",
        job_name="job",
        task_name="searcher",
        working_directory="d",
        input_files={"in": file},
        input_metadata=[maker],
        metadata={"period": 3},
    )
    task = tasks.task_lookup(number)
    assert task is not None
    assert (task.parent_id, task.created_time, task.task_type) == (maker, 12.25, "search")
    assert (task.job_name, task.task_name, task.state) == ("job", "searcher", "waiting")
    assert task.input_files == {"in": file} == tasks.task_fetch_file_inputs(number)
    assert task.input_metadata == {"maker": {}}
    assert tasks.task_fetch_file_products(maker) == {"lightcurve": file}
    assert Task.from_dict(task.as_dict()) == task
    assert tasks.task_exists_in_db(number)
    assert tasks.task_lookup(10_000) is None


def test_an_unknown_type_is_an_error_with_a_hint(lite: Tasks) -> None:
    with pytest.raises(NoSuchEntryError, match="did you mean 'search'"):
        lite.task_register(task_type="serch")


def test_a_task_is_deleted_with_all_below_it(tasks: Tasks) -> None:
    root = tasks.task_register(task_type="null", metadata={"a": 1})
    child = tasks.task_register(task_type="make", parent_id=root)
    product = tasks.file_product_register(child, "", "a", "lc")
    attempt = tasks.execution_attempt_register(child, metadata={"b": 2})
    other = tasks.task_register(task_type="null")
    tasks.task_delete(root)
    assert not tasks.task_exists_in_db(child)
    assert not tasks.file_product_exists_in_db(product)
    assert not tasks.execution_attempt_exists_in_db(attempt)
    assert tasks.task_exists_in_db(other)
    with tasks.database.reading() as session:
        for table in (schema.task_metadata, schema.attempt_metadata):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_numbers_are_not_used_again(tasks: Tasks) -> None:
    number = tasks.task_register(task_type="null")
    tasks.task_delete(number)
    assert tasks.task_register(task_type="null") > number


def test_several_calls_are_kept_together_or_not_at_all(tasks: Tasks) -> None:
    made: list[int] = []

    def fail() -> None:
        with tasks.transaction():
            made.append(tasks.task_register(task_type="null", metadata={"new keyword": 1}))
            assert tasks.task_exists_in_db(made[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not tasks.task_exists_in_db(made[0])
    again = tasks.task_register(task_type="null", metadata={"new keyword": 1})
    assert tasks.metadata_fetch_item("new keyword", task_id=again) is not None


def test_an_attempt_goes_through_its_states(tasks: Tasks) -> None:
    task = tasks.task_register(task_type="null")
    attempt = tasks.execution_attempt_register(task, queued_time=5.0, metadata={"a": 1})
    tasks.execution_attempt_update(attempt, is_queued=True)
    tasks.execution_attempt_update(attempt, is_running=True, start_time=6.0)
    tasks.execution_attempt_update(attempt, is_running=True, latest_heartbeat_time=7.0)
    tasks.execution_attempt_update(
        attempt, is_finished=True, end_time=8.0, run_time_cpu=1.5, metadata={"b": "x"}
    )
    found = tasks.execution_attempt_lookup(attempt, embed_task_object=True)
    assert found is not None
    assert (found.state, found.all_products_passed_qc) == ("judging", None)
    assert (found.queued_time, found.start_time, found.end_time) == (5.0, 6.0, 8.0)
    assert (found.latest_heartbeat_time, found.run_time_cpu) == (7.0, 1.5)
    assert {key: item.value for key, item in found.metadata.items()} == {"a": 1, "b": "x"}
    assert found.task_object is not None
    assert found.task_object.task_id == task
    assert TaskExecutionAttempt.from_dict(found.as_dict()) == found
    alone = tasks.execution_attempt_lookup(attempt)
    assert alone is not None
    assert TaskExecutionAttempt.from_dict(alone.as_dict()) == alone
    with pytest.raises(UnexpectedEventError, match="being queued"):
        tasks.execution_attempt_update(attempt, is_queued=True)


def test_attempts_are_listed_by_success(tasks: Tasks) -> None:
    task = tasks.task_register(task_type="null", tries=3)
    good, bad, unjudged = (tasks.execution_attempt_register(task) for _ in range(3))
    for attempt in (good, bad, unjudged):
        tasks.execution_attempt_update(attempt, is_running=True)
    tasks.execution_attempt_update(bad, error_fail=True, error_text="no light")
    tasks.execution_attempt_update(unjudged, is_finished=True)
    tasks.execution_attempt_update(good, is_finished=True, all_products_passed_qc=True)
    assert set(tasks.task_fetch_execution_attempts(task)) == {good, bad, unjudged}
    assert set(tasks.task_fetch_execution_attempts(task, successful=True)) == {good}
    assert set(tasks.task_fetch_execution_attempts(task, successful=False)) == {bad, unjudged}


def test_a_batch_may_refer_to_itself(tasks: Tasks) -> None:
    first = tasks.task_register(task_type="make", namespace="run1")
    product = tasks.file_product_register(first, "d", "old", "lc")
    numbers = tasks.tasks_register(
        [
            NewTask(task_type="null", parent=first, task_name="chain"),
            NewTask(
                task_type="search",
                parent=Ref(0),
                inputs={"a": product, "b": (Ref(2), "lc")},
                input_metadata=[Ref(2), first],
                metadata={"x": 1},
            ),
            NewTask(task_type="make", parent=Ref(0), working_directory="d", outputs={"lc": "new"}),
        ]
    )
    chain, search, make = (tasks.task_lookup(number) for number in numbers)
    assert chain is not None
    assert search is not None
    assert make is not None
    assert search.parent_id == make.parent_id == chain.task_id
    assert search.namespace == make.namespace == "run1"
    assert search.input_files["b"] == make.output_files["lc"]
    assert set(search.input_metadata) == {str(first), str(numbers[2])}
    with tasks.database.reading() as session:
        table = schema.task
        missing = dict(session.execute(select(table.c.id, table.c.missing)).all())
    assert [missing[number] for number in numbers] == [0, 4, 0]


def test_of_a_batch_with_a_mistake_nothing_is_kept(tasks: Tasks) -> None:
    good = NewTask(task_type="make", outputs={"lc": "a"})
    for bad, error in (
        (NewTask(task_type="make", outputs={"other": "a"}), EntryExistsError),
        (NewTask(task_type="unknown"), NoSuchEntryError),
        (NewTask(task_type="null", inputs={"a": 99}), NoSuchEntryError),
        (NewTask(task_type="null", inputs={"a": (Ref(0), "none")}), NoSuchEntryError),
        (NewTask(task_type="null", input_metadata=[Ref(5)]), NoSuchEntryError),
        (NewTask(task_type="null", parent=Ref(1)), TaskSystemError),
        (NewTask(task_type="null", outputs={"lc": "../a"}), TaskSystemError),
        (NewTask(task_type="null", metadata={"a": object()}), MetadataValueError),
    ):
        with pytest.raises(error):
            tasks.tasks_register([good, bad])
    with tasks.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(schema.task)) == 0


def test_types_and_containers_are_kept_with_their_resources(tasks: Tasks) -> None:
    types = tasks.task_type_list_from_db()
    assert sorted(types.task_type_names()) == ["make", "null", "search"]
    assert types.containers_for_task("null") == ["base", "gpu"]
    assert sorted(types.tasks_for_container("base")) == ["make", "null"]
    asked = {"cpu": 4.0, "gpu": 2, "memory_gb": 16.5}
    assert tasks.container_get_resource_assignment("gpu") == asked
    tasks.container_set_resource_assignment("gpu", 1.5, 1, 2.0)
    tasks.task_type_list_to_db(types)
    less = {"cpu": 1.5, "gpu": 1, "memory_gb": 2.0}
    assert tasks.container_get_resource_assignment("gpu") == less
    with pytest.raises(NoSuchEntryError, match="container"):
        tasks.container_set_resource_assignment("none", 1, 1, 1)
    assert tasks.task_type_list_fetch_id("make") > 0
