from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dlg.testing import graphs
from tests.dlg_engine.cli.conftest import Dlg, Shell, Write, function_app

FIVE = graphs.chain(2)


def test_a_graph_is_run_and_summed_up(dlg: Dlg, write: Write) -> None:
    result = dlg("run", write("five.json", FIVE))
    assert result.exit_code == 0
    assert result.stderr == ""
    assert result.stdout.startswith("FINISHED: 5 drops, run ")
    assert "  5 completed" in result.stdout
    assert "files in dlg-runs/five-" in result.stdout


def test_results_are_shown_with_values_and_places(dlg: Dlg, write: Write, tmp_path: Path) -> None:
    specs: list[dict[str, Any]] = [
        function_app("answer", "def f(): return 42", ["value"]),
        graphs.data("value"),
        function_app("write", "def f(): return 'text'", ["file"]),
        function_app("tabulate", "def f(): return 'a table\\n\\n  1  2\\n'", ["table"]),
        graphs.data("table"),
        {"oid": "file", "name": "notes", "categoryType": "Data", "filepath": "notes.txt",
         "dropclass": "dlg.data.file.FileDROP"},
    ]  # fmt: skip
    result = dlg("run", write("g.json", specs), "--workdir", "elsewhere")
    assert result.exit_code == 0
    assert "  value  42" in result.stdout
    assert "  notes  elsewhere/g-" in result.stdout
    assert "  table  a table\n\n           1  2\n" in result.stdout
    (found,) = (tmp_path / "elsewhere").glob("g-*/notes.txt")
    assert found.stat().st_size


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_every_runner_can_be_chosen(dlg: Dlg, write: Write, runner: str) -> None:
    result = dlg("run", write("g.json", FIVE), "--runner", runner, "--workers", "2")
    assert result.exit_code == 0


def failing() -> list[dict[str, Any]]:
    return [
        function_app("bad", "def f():\n    raise ValueError('no such star')", ["d1"]),
        graphs.data("d1", ["after"]),
        graphs.app("after", ["d2"]),
        graphs.data("d2"),
        graphs.app("good", ["d3"]),
        graphs.data("d3"),
    ]


def test_a_drop_that_fails_is_named_with_its_traceback_and_what_it_stopped(
    dlg: Dlg, write: Write
) -> None:
    result = dlg("run", write("g.json", failing()))
    assert result.exit_code == 1
    assert "drop 'bad' failed: ValueError: no such star" in result.stdout
    assert "raise ValueError" in result.stdout or "in f" in result.stdout
    assert "3 drops stopped by it" in result.stdout
    assert "FAILED: 6 drops" in result.stdout
    assert "d3" in result.stdout.partition("results")[2]


def test_quiet_prints_nothing_when_all_is_well(dlg: Dlg, write: Write) -> None:
    assert dlg("run", "--quiet", write("g.json", FIVE)).output == ""


def test_quiet_still_tells_failures_on_standard_error(dlg: Dlg, write: Write) -> None:
    result = dlg("run", "-q", write("g.json", failing()))
    assert result.stdout == ""
    assert "no such star" in result.stderr


def test_the_report_is_json(dlg: Dlg, write: Write, tmp_path: Path) -> None:
    result = dlg("run", write("g.json", failing()), "--report", "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    assert result.exit_code == report["exit_code"] == 1
    assert report["status"] == "FAILED"
    assert report["counts"] == {"COMPLETED": 2, "ERROR": 4}
    (error,) = report["errors"]
    assert (error["uid"], error["stopped"]) == ("bad", 3)
    assert "Traceback" in error["traceback"]
    assert "report in report.json" in result.stderr


def test_a_report_on_standard_output_is_all_there_is_on_it(dlg: Dlg, write: Write) -> None:
    result = dlg("run", write("g.json", FIVE), "--report", "-")
    assert json.loads(result.stdout)["drops"] == 5
    assert "FINISHED" in result.stderr


def test_a_report_that_cannot_be_written_is_the_users_mistake(dlg: Dlg, write: Write) -> None:
    result = dlg("run", write("g.json", FIVE), "--report", "no/such/place.json")
    assert result.exit_code == 2
    assert "cannot write no/such/place.json" in result.stderr


def test_a_report_without_a_place_is_refused_before_anything_runs(
    dlg: Dlg, write: Write, tmp_path: Path
) -> None:
    dlg("run", write("g.json", FIVE), "--report", "no/such/place.json")
    assert not (tmp_path / "dlg-runs").exists()


def test_a_place_where_no_directory_can_be_made_is_the_users_mistake(
    dlg: Dlg, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    result = dlg("run", write("g.json", FIVE), "--workdir", "file/runs")
    assert result.exit_code == 2
    assert "cannot make the directory of the session: Not a directory" in result.stderr


def test_warnings_about_a_graph_that_is_refused_are_told_too(dlg: Dlg, write: Write) -> None:
    app = {**function_app("a", "def f(): pass", ["gone"]), "func_cod": "1"}
    result = dlg("run", write("g.json", [app]))
    assert "2 problems" in result.stderr
    assert result.stderr.index("unknown-link-target") < result.stderr.index("unknown-key")


def test_an_empty_standard_input_is_called_so(dlg: Dlg) -> None:
    for command in (["run", "-"], ["draw", "-", "-o", "x.svg"], ["unroll"], ["fill"]):
        result = dlg(*command, stdin=b"")
        assert result.exit_code == 2
        assert result.stderr.startswith("dlg: standard input: ")
        assert "the file is empty" in result.stderr


def test_what_is_wrong_with_a_logical_graph_from_a_pipe_names_the_pipe(dlg: Dlg) -> None:
    for command in (["run", "-"], ["draw", "-", "-o", "x.svg"], ["lgt-info"], ["fill-config"]):
        assert dlg(*command, stdin=b"{}").stderr.startswith("dlg: standard input: 1 problem")


def test_modules_in_the_current_directory_are_found_for_a_graph_from_a_pipe(
    dlg: Dlg, tmp_path: Path
) -> None:
    (tmp_path / "my_functions_here.py").write_text("def f(): return 'here'\n")
    spec = {**function_app("a", "", ["b"]), "func_name": "my_functions_here.f"}
    result = dlg("run", "-", stdin=json.dumps([spec, graphs.data("b")]))
    assert "  b  here" in result.stdout


def test_a_missing_module_is_told_with_how_to_find_it(dlg: Dlg, write: Write) -> None:
    result = dlg("run", write("g.json", [graphs.app("a", [], "no_such_module.App")]))
    assert result.exit_code == 2
    told = "there is no module 'no_such_module' (dlg run --path DIR looks in DIR too)"
    assert told in result.stderr


def test_a_module_that_ends_the_program_does_not_end_dlg(
    dlg: Dlg, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "my_script_that_exits.py").write_text("raise SystemExit(3)\n")
    result = dlg("run", write("g.json", [graphs.app("a", [], "my_script_that_exits.App")]))
    assert result.exit_code == 2
    assert "my_script_that_exits.App cannot be imported: SystemExit: 3" in result.stderr


def test_a_misspelt_function_is_answered_with_the_nearest(dlg: Dlg, write: Write) -> None:
    spec = {**function_app("a", "", ["b"]), "func_name": "json.dmps"}
    result = dlg("run", write("g.json", [spec, graphs.data("b")]))
    assert result.exit_code == 2
    assert "json has no 'dmps'; did you mean 'dumps'?" in result.stderr
    assert not Path("dlg-runs").exists()


def test_time_that_runs_out_ends_the_run(dlg: Dlg, write: Write) -> None:
    slow = [{**graphs.app("slow", [], "dlg.apps.sleep.SleepApp"), "sleep_time": 60}]
    begun = time.monotonic()
    result = dlg("run", write("g.json", slow), "--timeout", "0.3")
    assert time.monotonic() - begun < 20
    assert result.exit_code == 1
    assert "CANCELLED (ran out of time after 0.3 s)" in result.stdout


def test_graphs_come_from_standard_input_and_compressed(dlg: Dlg, tmp_path: Path) -> None:
    content = json.dumps(FIVE).encode()
    assert dlg("run", "-", stdin=content).exit_code == 0
    (tmp_path / "g.graph.gz").write_bytes(gzip.compress(content))
    assert dlg("run", "g.graph.gz").exit_code == 0


def test_functions_beside_the_graph_are_found(dlg: Dlg, write: Write, tmp_path: Path) -> None:
    (tmp_path / "my_functions_beside.py").write_text("def f(): return 'beside'\n")
    spec = {**function_app("a", "", ["b"]), "func_name": "my_functions_beside.f"}
    result = dlg("run", write("g.json", [spec, graphs.data("b")]))
    assert "  b  beside" in result.stdout


def test_functions_in_directories_that_are_named_are_found(
    dlg: Dlg, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "my_functions_there.py").write_text("def f(): return 'there'\n")
    spec = {**function_app("a", "", ["b"]), "func_name": "my_functions_there.f"}
    result = dlg("run", write("g.json", [spec, graphs.data("b")]), "--path", "code")
    assert "  b  there" in result.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["gone.json"], "'gone.json' does not exist"),
        (["five.json", "--runner", "rockets"], "'rockets' is not one of"),
        (["five.json", "--timeout", "0"], "0.0 is not in the range x>0"),
        (["five.json", "--set", "a=1"], "--set and --config are for logical graphs"),
        (["five.json", "--set", "a"], "'a' is not written as name=value"),
        (["--nonsense", "five.json"], "No such option"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_mistakes_of_the_user_are_told_in_a_line(
    dlg: Dlg, write: Write, args: list[str], message: str
) -> None:
    write("five.json", FIVE)
    result = dlg("run", *args)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_wrong_graph_is_refused_with_all_its_problems(dlg: Dlg, write: Write) -> None:
    specs = [graphs.data("a", ["gone"]), graphs.app("b", ["lost"], "no.such.Class")]
    result = dlg("run", write("g.json", specs))
    assert result.exit_code == 2
    for problem in ("'gone', which is not in the graph", "'lost', which is not", "no.such.Class"):
        assert problem in result.stderr


def test_the_process_ends_with_the_exit_code(shell: Shell) -> None:
    assert shell("run", "-", stdin=json.dumps(FIVE)).returncode == 0
    failed = shell("run", "-", stdin=json.dumps(failing()))
    assert failed.returncode == 1
    wrong = shell("run", "-", stdin="{]")
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_an_interrupt_cancels_cleanly_and_writes_the_report(write: Write, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    touch = f"def f():\n    open({str(ready)!r}, 'w').close()"
    slow = {**graphs.app("slow", ["end"], "dlg.apps.sleep.SleepApp"), "sleep_time": 60}
    specs = [function_app("a", touch, ["b"]), graphs.data("b", ["slow"]), slow, graphs.data("end")]
    graph = write("g.json", specs)
    process = subprocess.Popen(
        [sys.executable, "-m", "dlg_engine.cli", "run", graph, "--report", "r.json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while not ready.exists():
        assert time.monotonic() < deadline
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "CANCELLED (interrupted from the keyboard)" in out
    assert json.loads((tmp_path / "r.json").read_text())["exit_code"] == 130
