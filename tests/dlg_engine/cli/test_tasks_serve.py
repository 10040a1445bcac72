"""`dlg tasks serve` as a process."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from dlg_engine.cli.main import cli
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.dlg_engine.rest.asking import ask

PATIENCE_S = 60


def test_a_database_is_served_until_the_process_is_told_to_end(tmp_path: Path) -> None:
    TaskDatabaseConnection(tmp_path / "store", tmp_path / "tasks.db").close_db()
    command = [
        sys.executable, "-m", "dlg_engine.cli", "tasks", "serve", "--json", "--port", "0",
        "--database", str(tmp_path / "tasks.db"), "--store", str(tmp_path / "store"),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        try:
            assert told["database"].endswith("tasks.db")
            assert ask(told["url"], "GET", "/api/v1/jobs").json == {"jobs": [], "next": None}
            assert b"static/tasks.js" in ask(told["url"], "GET", "/").body
        finally:
            process.terminate()
        assert process.wait(PATIENCE_S) == 0
    assert not list(tmp_path.glob("*-bells/*.bell"))


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    place = tmp_path / "mistyped.db"
    done = CliRunner().invoke(cli, ["tasks", "serve", "--database", str(place), "-P", "0"])
    assert done.exit_code == 2
    assert "dlg tasks init" in done.output
    assert not place.exists()


def test_a_database_of_something_else_gets_no_tables(tmp_path: Path) -> None:
    place = tmp_path / "stars.db"
    with sqlite3.connect(place) as other:
        other.execute("create table stars (name text)")
    done = CliRunner().invoke(cli, ["tasks", "serve", "--database", str(place), "-P", "0"])
    assert (done.exit_code, "no tables for tasks" in done.output) == (2, True)
    with sqlite3.connect(place) as other:
        assert other.execute("select name from sqlite_master").fetchall() == [("stars",)]


def test_beyond_this_host_a_token_is_wanted(tmp_path: Path) -> None:
    TaskDatabaseConnection(tmp_path / "store", tmp_path / "tasks.db").close_db()
    where = ["--database", str(tmp_path / "tasks.db"), "-H", "0.0.0.0", "-P", "0"]
    done = CliRunner().invoke(cli, ["tasks", "serve", *where])
    assert done.exit_code == 2
    assert "dlg keys new" in done.output
