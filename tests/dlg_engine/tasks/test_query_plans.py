"""With a million attempts in the database nothing that works looks through a whole table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from dlg.support.database import Database
from dlg_engine.tasks import schema
from dlg_engine.tasks.diagnostics.errors_list import fetch_errors
from dlg_engine.tasks.diagnostics.log_list import fetch_logs
from dlg_engine.tasks.diagnostics.queue_list import fetch_dead_letters
from dlg_engine.tasks.diagnostics.render_task_tree import fetch_running_job_tree
from dlg_engine.tasks.diagnostics.task_details import fetch_task
from dlg_engine.tasks.diagnostics.task_list import fetch_tasks
from dlg_engine.tasks.pages import listing, looking
from dlg_engine.tasks.pages.progress import now
from dlg_engine.tasks.pages.scope import Scope
from dlg_engine.tasks.pages.timeline import timeline
from dlg_engine.tasks.registering import NewTask, Ref
from dlg_engine.tasks.sql_queue import TaskQueueSQL
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from dlg_engine.tasks.task_heartbeat import TaskHeartbeat
from dlg_engine.tasks.task_objects import TaskExecutionAttempt
from dlg_engine.tasks.task_queues import TaskScheduler
from dlg_engine.tasks.working import TaskWorker
from tests.dlg_engine.tasks.databases import SERVERS, opened

TASKS, TRIES = 250_000, 4
FIRST = 1_000
"""Numbers below are those of a few tasks that are registered as users do it."""
BIG = [
    table.name
    for table in (schema.attempt, schema.task, schema.product, schema.version, schema.task_input)
]
NUMBERS = {
    "sqlite": "(with recursive c(n) as (select {a} union all select n + 1 from c where n < {b}) "
    "select n from c)",
    "postgresql": "generate_series({a}, {b})",
    "mariadb": "seq_{a}_to_{b}",
}
KINDS = [
    pytest.param("sqlite", marks=pytest.mark.long),
    *(pytest.param(kind, marks=pytest.mark.services) for kind in SERVERS),
]
Seen = dict[str, Any]


def _fill(database: Database, kind: str, type_id: int, semantic_id: int) -> None:
    last = FIRST + TASKS - 1
    n = "seq" if kind == "mariadb" else "n"
    source = f"{NUMBERS[kind].format(a=FIRST, b=last)} {'as s(n)' if kind == 'postgresql' else ''}"
    half = f"(case when {n} % 2 = 0 then 'many' else 'others' end)"
    digits = "printf('%032d', {})" if kind == "sqlite" else "lpad(cast({} as char(32)), 32, '0')"
    place = digits.format(n)
    rows = [
        f"insert into eas_task (id, created, configured, type_id, job_name, task_name, "
        "working_directory, namespace, state, missing, tries, pause_s) "
        f"select {n}, {n}, true, {type_id}, {half}, 'a task', '', '', 'done', 0, 1, 0 "
        f"from {source}",
        *(
            "insert into eas_scheduling_attempt (id, task_id, state, queued, published, worker, "
            "started, ended, error_fail, wall_s, cpu_s) "
            f"select {n} + {t * TASKS}, {n}, 'passed', 1, true, 'me', {n}, {n} + 1, false, 1, 1 "
            f"from {source}"
            for t in range(TRIES)
        ),
        "insert into eas_product (id, task_id, namespace, directory, filename, place, "
        f"semantic_type_id, passed) select {n}, {n}, '', 'd', 'lc', {place}, {semantic_id}, true "
        f"from {source}",
        "insert into eas_product_version (id, product_id, attempt_id, repository_id, created, "
        f"modified, md5, content_hash, size, passed_qc) select {n}, {n}, {n}, {place}, 1, 1, '', "
        f"'', 1, true from {source}",
        "insert into eas_task_input (task_id, semantic_type_id, product_id) "
        f"select {n}, {semantic_id}, {n} from {source}",
    ]
    unchecked = {
        "postgresql": "set session_replication_role = replica",
        "mariadb": "set foreign_key_checks = 0, unique_checks = 0",
    }
    with database.engine.connect() as connection:
        if kind in unchecked:  # rows that fit are not looked up one by one
            connection.exec_driver_sql(unchecked[kind])
        for row in rows:
            connection.exec_driver_sql(row.replace("%", "%%") if kind != "sqlite" else row)
        if kind == "postgresql":
            for table in BIG:
                name = f"pg_get_serial_sequence('{table}', 'id')"
                if table != schema.task_input.name:
                    query = f"select setval({name}, (select max(id) + 1 from {table}))"
                    connection.exec_driver_sql(query)
        connection.commit()
        connection.invalidate()  # what was set is only for this
    analyze = {"postgresql": "analyze {}", "mariadb": "analyze table {}"}
    with database.engine.connect() as connection:
        for table in BIG if kind in analyze else ():
            connection.exec_driver_sql(analyze[kind].format(table))
        connection.commit()


@contextmanager
def _watched(database: Database) -> Iterator[Seen]:
    """Keep the statements that are issued, with the values of each the first time."""
    seen: Seen = {}

    def keep(*facts: Any) -> None:
        statement, values, many = facts[2], facts[3], facts[5]
        if statement.split()[0].lower() in ("select", "update", "delete"):
            seen.setdefault(statement, values[0] if many else values)

    event.listen(database.engine, "before_cursor_execute", keep)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", keep)


def _walks(database: Database, kind: str, statement: str, values: Any) -> list[str]:
    """Return the parts of the plan of a statement that go through a whole big table."""
    words = {
        "sqlite": "explain query plan ",
        "postgresql": "explain (format json) ",
        "mariadb": "explain ",
    }
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql(words[kind] + statement, values).all()
        connection.rollback()
    if kind == "sqlite":
        steps = [str(row[-1]) for row in rows]
        if "LIMIT" in statement and not any("TEMP B-TREE" in step for step in steps):
            return []  # from the newest on, as far as is wanted
        names = {step: step.split()[1] for step in steps if step.startswith("SCAN")}
        return [s for s, table in names.items() if table in BIG and "USING" not in s]
    if kind == "mariadb":
        return [str(row) for row in rows if row.type == "ALL" and row.table in BIG]
    return _sequential([each["Plan"] for row in rows for each in row[0]])


def _sequential(plans: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    nodes = [(node, False) for node in plans]
    while nodes:
        node, bounded = nodes.pop()
        kind = node["Node Type"]
        if kind == "Limit":
            bounded = True  # only as many rows are asked for as it lets through
        elif kind not in ("Nested Loop", "Hash Join", "Seq Scan"):
            bounded = False
        nodes += [(below, bounded) for below in node.get("Plans", [])]
        if kind == "Seq Scan" and not bounded and node["Relation Name"] in BIG:
            found.append(json.dumps(node))
    return found


def _work(tasks: TaskDatabaseConnection, folder: Path) -> int:
    """Have tasks registered, scheduled, done, judged, failed and repeated; return one."""

    def make(attempt: TaskExecutionAttempt) -> None:
        scratch = folder / "scratch"
        scratch.write_text("a")
        with TaskHeartbeat(attempt.attempt_id, tasks=tasks):
            tasks.execution_attempt_register_output(attempt, "lc", scratch, {"depth": 1.5})

    def fail(attempt: TaskExecutionAttempt) -> None:
        raise ValueError(attempt.task_id)

    first, *_ = tasks.tasks_register(
        [
            NewTask(task_type="make", outputs={"lc": "a.lc"}),
            NewTask(task_type="search", inputs={"lc": (Ref(0), "lc")}, input_metadata=[Ref(0)]),
            NewTask(task_type="null"),
        ]
    )
    with (
        TaskQueueSQL(tasks.database) as queue,
        TaskScheduler(tasks=tasks, queue=queue) as scheduler,
    ):
        scheduler.turn()
        handlers: dict[str, Callable[[TaskExecutionAttempt], None]] = {
            "make": make,
            "null": fail,
            "search": lambda attempt: None,
        }
        worker = TaskWorker(tasks, queue, handlers, {"search": lambda attempt: None})
        assert worker.run_until_empty() == 3
        worker.close()
        scheduler.wait(0.0)
        scheduler.retry()
        scheduler.turn()
    return first


def _look(tasks: TaskDatabaseConnection, task: int) -> None:
    """Look at what pages and commands show of a task, and at the first rows of lists."""
    database = tasks.database
    fetch_task(task, database=database)
    fetch_tasks("many", most=50, database=database)
    fetch_tasks(after=FIRST + 10, most=50, database=database)
    fetch_logs(task_id=task, database=database)
    fetch_errors(database=database)
    fetch_dead_letters(database=database)
    fetch_running_job_tree(database=database)
    with database.reading() as session:
        looking.look(session, task)
        listing.tasks(session, listing.Wanted(), 50)
        now(session, Scope(), 50)
        timeline(session, Scope(), 50)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_goes_through_a_million_attempts(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as tasks:
        database = tasks.database
        with database.reading() as session:
            query = text("select id from eas_task_type where name = 'make'")
            type_id = int(session.scalar(query) or 0)
        _fill(database, kind, type_id, tasks.semantic_type_get_id("lc"))
        with _watched(database) as seen:
            task = _work(tasks, tmp_path)
            _look(tasks, task)
        assert len(seen) > 40
        found = {s: w for s, v in seen.items() if (w := _walks(database, kind, s, v))}
        assert not found, json.dumps(found, indent=1)
