"""Sessions that go on: what is run again, what is not, and what is said of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlg.exceptions import UsageError
from dlg.reproducibility.compare import compare_runs
from dlg.reproducibility.evidence import run_of
from dlg_engine.embedded import resume_session, run_graph
from dlg_engine.recovery.about import About
from dlg_engine.recovery.journal import JournalInUseError
from dlg_engine.recovery.resuming import NotResumableError
from dlg_engine.sessions.report import RunReport

FUNCTION = "dlg.apps.python_function.PyFuncApp"
BASH = "dlg.apps.bash.BashShellApp"
MEMORY = "dlg.data.memory.InMemoryDROP"
FILE = "dlg.data.file.FileDROP"
DIRECTORY = "dlg.data.directory.DirectoryDROP"
NULL = "dlg.data.null.NullDROP"
Spec = dict[str, Any]
Link = str | dict[str, str]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Run in an empty directory, from which modules are imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield tmp_path
    for name in ("ours", "other"):
        sys.modules.pop(name, None)


def app(oid: str, body: str, inputs: list[str], outputs: list[Link], **more: Any) -> Spec:
    """Return an app that notes that it has run, in a file, and then does what `body` says."""
    code = f"import os\ndef f({', '.join(inputs)}):\n"
    code += f"    with open('log', 'a') as log: log.write({oid + chr(10)!r})\n    {body}"
    return {
        "oid": oid, "categoryType": "Application", "dropclass": FUNCTION, "func_code": code,
        "inputs": [{name: name} for name in inputs], "outputs": outputs, **more,
    }  # fmt: skip


def command(oid: str, line: str, inputs: list[str], outputs: list[str]) -> Spec:
    return {
        "oid": oid, "categoryType": "Application", "dropclass": BASH, "inputs": inputs,
        "outputs": outputs, "command": f"echo {oid} >> {Path.cwd()}/log; {line}",
    }  # fmt: skip


def data(oid: str, cls: str = MEMORY, **more: Any) -> Spec:
    return {"oid": oid, "categoryType": "Data", "dropclass": cls, **more}


FAILS_ONCE = "assert os.path.exists('may_go_on'), 'not yet'; "


def may_go_on() -> None:
    Path("may_go_on").touch()


def ran() -> Counter[str]:
    """Return how often each app has run since this was asked last."""
    log = Path("log")
    found = Counter(log.read_text().split() if log.exists() else ())
    log.unlink(missing_ok=True)
    return found


def first(*graph: Spec, status: str = "FAILED", **how: Any) -> RunReport:
    """Run a graph as one that can go on, and let it go on the next time."""
    report = run_graph(list(graph), workdir="runs", resumable=True, **how)
    assert report.status == status, report.errors
    may_go_on()
    return report


def resumed(report: RunReport, **how: Any) -> RunReport:
    ran()
    found = resume_session(report.session_dir, **how)
    assert found.status == "FINISHED", (found.errors, found.reason)
    return found


def values(value: str) -> list[Spec]:
    """Return a graph that makes a value, and fails once before it looks at it."""
    return [
        app("make", f"import numpy; return {value}", [], ["x"]), data("x"),
        app("look", f"{FAILS_ONCE}return x", ["x"], ["y"]), data("y"),
    ]  # fmt: skip


@pytest.mark.parametrize("runner", ["threads", "inline", "processes"])
@pytest.mark.parametrize(
    "value", ["None", "b''", "'a' * 5", "b'z' * 100_000", "{'a': (1, 2.5)}", "numpy.arange(9000)"]
)
def test_values_of_any_kind_come_back(value: str, runner: str) -> None:
    report = first(*values(value), runner=runner)
    again = resumed(report)
    assert ran() == {"look": 1}
    assert again.restored == ("make",)
    assert again.again["look"].startswith("it had failed: AssertionError('not yet")
    found, expected = again.result("y"), eval(value, {"numpy": np})
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected)
    elif value != "b''":
        assert found == expected


def test_files_and_directories_stay_where_they_are(place: Path) -> None:
    graph = [
        command("make", "seq 3 > %o0; mkdir -p %o1; seq 4 > %o1/four", [], ["f", "d"]),
        data("f", FILE), data("d", DIRECTORY, dirname="things"),
        command("look", f"test -e {place}/may_go_on && cat %i0 %i1/four >> %o0", ["f", "d"],
                ["g"]),
        data("g", FILE),
    ]  # fmt: skip
    again = resumed(first(*graph))
    assert ran() == {"look": 1}
    assert again.result("g").split() == b"1 2 3 1 2 3 4".split()


def test_a_session_may_be_moved(place: Path) -> None:
    graph = [
        command("make", "seq 3 > %o0", [], ["f"]), data("f", FILE),
        command("look", f"test -e {place}/may_go_on && cat %i0 > %o0", ["f"], ["g"]),
        data("g", FILE),
    ]  # fmt: skip
    report = first(*graph)
    moved = report.session_dir.rename(place / "moved")
    ran()
    again = resume_session(moved)
    assert (again.status, ran()) == ("FINISHED", {"look": 1})
    assert again.session_id == report.session_id


def test_a_name_that_is_made_up_at_the_time_is_kept() -> None:
    graph = [
        command("make", "seq 3 > %o0", [], ["f"]), data("f", FILE, filepath="{auto}.txt"),
        app("look", f"{FAILS_ONCE}return f", ["f"], ["y"], input_parser="path"), data("y"),
    ]  # fmt: skip
    report = first(*graph)
    (made,) = report.session_dir.glob("*.txt")
    assert resumed(report).result("y") == str(made)


def test_apps_without_outputs_and_with_tokens_are_not_run_again() -> None:
    graph = [
        app("effect", "return None", [], []), app("token", "return None", [], ["t"]),
        data("t", NULL),
        app("look", f"{FAILS_ONCE}return 1", ["t"], ["y"]), data("y"),
    ]  # fmt: skip
    resumed(first(*graph))
    assert ran() == {"look": 1}


def test_an_app_that_may_make_something_else_is_not_run_again_either() -> None:
    graph = values("__import__('secrets').token_hex()")
    graph[0]["cacheable"] = False
    resumed(first(*graph))
    assert ran() == {"look": 1}


def test_a_finished_session_has_nothing_left_to_do() -> None:
    report = first(*values("5"), status="FAILED")
    assert resumed(report).result("y") == 5
    again = resumed(report)
    assert not ran()
    assert (again.restored, dict(again.again), again.result("y")) == (("make", "look"), {}, 5)


def test_what_was_cancelled_goes_on() -> None:
    wait = "os.path.exists('may_go_on') or __import__('threading').Event().wait(9)"
    graph = [
        app("quick", "return 1", [], ["x"]), data("x"),
        app("slow", f"{wait}; return x", ["x"], ["y"]), data("y"),
    ]  # fmt: skip
    report = run_graph(graph, workdir="runs", resumable=True, timeout=0.5)
    assert report.status == "CANCELLED"
    may_go_on()
    again = resumed(report)
    assert ran() == {"slow": 1}
    assert again.again == {"slow": "it was under way when the run broke off"}


def test_a_branch_goes_the_same_way() -> None:
    graph = [
        app("decide", "return True", [], [{"yes": "true"}, {"no": "false"}],
            dropclass="dlg.apps.branch.Branch"),
        data("yes", NULL), data("no", NULL),
        app("left", "return 1", ["yes"], ["a"]), app("right", "return 2", ["no"], ["a"]),
        data("a", block_skip=True), app("both", "return a", ["a"], ["c"]), data("c"),
        app("look", f"{FAILS_ONCE}return c", ["c"], ["y"]), data("y"),
    ]  # fmt: skip
    report = first(*graph)
    assert ran() == {"decide": 1, "left": 1, "both": 1, "look": 1}
    again = resumed(report)
    assert ran() == {"look": 1}
    assert again.counts["SKIPPED"] == 2
    assert again.result("y") == 1


def test_apps_that_write_to_the_same_data_are_run_again() -> None:
    graph = [
        app("a", "return [1]", [], ["x"]), app("b", "return [1]", [], ["x"]), data("x"),
        app("look", f"{FAILS_ONCE}return x", ["x"], ["y"]), data("y"),
    ]  # fmt: skip
    resumed(first(*graph))
    assert ran() == {"a": 1, "b": 1, "look": 1}


def test_a_session_that_went_on_leaves_the_same_evidence(place: Path) -> None:
    graph = [
        app("a", "return 2", [], ["x"]), data("x"),
        app("b", f"{FAILS_ONCE}return x", ["x"], ["y"]),
        data("y"), command("c", "seq 5 > %o0", [], ["z"]), data("z", FILE),
    ]  # fmt: skip
    report = first(*graph, reproducibility="all")
    resumed(report)
    whole = run_graph(graph, workdir="runs", reproducibility="all")
    left, right = (
        run_of(json.loads((one.session_dir / "reprodata.out").read_bytes()))
        for one in (report, whole)
    )
    assert compare_runs(left, right).same
    assert compare_runs(left, right).causes == ()


# -- what has changed ------------------------------------------------------------------------


def ours(body: str) -> None:
    note = "    with open('log', 'a') as log: log.write('b\\n')"
    Path("ours.py").write_text(f"def change(x):\n{note}\n    {body}\n")
    sys.modules.pop("ours", None)


def chain(**more: Any) -> list[Spec]:
    return [
        app("a", "return 2", [], ["x"]), data("x"),
        {"oid": "b", "categoryType": "Application", "dropclass": FUNCTION, "inputs": [{"x": "x"}],
         "func_name": "ours.change", "outputs": ["y"]}, data("y"),
        app("c", "return y + 1", ["y"], ["z"]), data("z"),
        app("d", "return x", ["x"], ["w"]), data("w"),
    ]  # fmt: skip


def test_code_that_has_changed_is_run_again_with_what_is_behind_it() -> None:
    ours("return x * 2")
    report = first(*chain(), status="FINISHED")
    ours("return x * 3")
    again = resumed(report)
    assert ran() == {"b": 1, "c": 1}
    assert again.result("z") == 7
    assert again.again == {
        "b": "it has changed: code (func_name)", "c": "an app before it runs again: b"
    }  # fmt: skip
    resumed(report)
    assert not ran()


def test_what_was_to_be_run_again_is_not_forgotten_if_the_run_breaks_off_once_more() -> None:
    ours("return x * 2")
    report = first(*chain(), status="FINISHED")
    ours("raise ValueError")
    assert resume_session(report.session_dir).status == "FAILED"
    ours("return x * 2")
    again = resumed(report)
    assert ran() == {"b": 1, "c": 1}
    assert again.result("z") == 5


def test_a_comment_is_no_change() -> None:
    ours("return x * 2")
    report = first(*chain(), status="FINISHED")
    ours("# twice as much\n    return x * 2")
    resumed(report)
    assert not ran()


def test_a_file_from_outside_that_has_changed_is_read_again(place: Path) -> None:
    source = place / "source.txt"
    source.write_text("one")
    graph = [
        data("in", FILE, filepath=str(source)), command("copy", "cat %i0 >> %o0", ["in"], ["out"]),
        data("out", FILE),
    ]  # fmt: skip
    report = first(*graph, status="FINISHED")
    about = source.stat()
    source.write_text("two")
    os.utime(source, ns=(about.st_atime_ns, about.st_mtime_ns))  # its times betray nothing
    again = resumed(report)
    assert again.again == {
        "copy": "what it reads has changed: the file from outside of in"
    }  # fmt: skip
    assert again.result("out") == b"two"


def test_a_variable_that_has_changed_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLG_OWN", "1")
    report = first(*values("5"))
    monkeypatch.setenv("DLG_OWN", "2")
    assert "variable DLG_OWN" in resumed(report).again["make"]


def test_a_result_that_somebody_has_deleted_is_made_again() -> None:
    graph = [command("make", "seq 3 > %o0", [], ["f"]), data("f", FILE, filepath="f.txt")]
    report = first(*graph, status="FINISHED")
    (report.session_dir / "f.txt").unlink()
    again = resumed(report)
    assert ran() == {"make": 1}
    assert again.result("f") == b"1\n2\n3\n"


def test_a_value_that_a_disk_has_spoilt_is_made_again(place: Path) -> None:
    report = first(*values("b'z' * 100_000"))
    (content,) = About(report.session_dir).data.glob("contents/*/*")
    content.chmod(0o600)
    content.write_bytes(b"y" * content.stat().st_size)
    again = resumed(report)
    assert ran() == {"make": 1, "look": 1}
    assert again.result("y") == b"z" * 100_000


def test_what_has_not_been_kept_is_run_again_and_the_run_says_nothing_was_wrong() -> None:
    graph = values("(n for n in range(3))")  # nobody can write a generator down
    graph[2]["func_code"] = graph[2]["func_code"].replace("return x", "return list(x)")
    again = resumed(first(*graph))
    assert ran() == {"make": 1, "look": 1}
    assert again.result("y") == [0, 1, 2]


# -- refusals --------------------------------------------------------------------------------


def test_a_run_that_has_kept_no_journal_cannot_go_on() -> None:
    report = run_graph(values("5"), workdir="runs")
    with pytest.raises(NotResumableError, match="run with --resumable"):
        resume_session(report.session_dir)
    report = run_graph(values("5"), workdir="runs", store="kept")
    with pytest.raises(NotResumableError, match="kept no journal: run graph again with --reuse"):
        resume_session(report.session_dir)
    with pytest.raises(NotResumableError, match="no session"):
        resume_session("nowhere")


def test_a_graph_with_objects_in_it_is_refused_before_anything_runs() -> None:
    graph = values("5")
    graph[1]["pydata"] = object()
    with pytest.raises(UsageError, match="cannot be kept"):
        run_graph(graph, workdir="runs", resumable=True)
    assert not ran()


def test_a_session_in_which_others_may_write_is_not_read() -> None:
    report = first(*values("5"))
    About(report.session_dir).place.chmod(0o777)
    with pytest.raises(UsageError, match="others may write"):
        resume_session(report.session_dir)


def test_a_session_that_is_being_run_is_refused(
    tmp_path: Path, in_background: Callable[[list[Spec]], Path]
) -> None:
    os.mkfifo("gate")
    graph = [command("wait", f"cat {tmp_path}/gate > %o0", [], ["f"]), data("f", FILE)]
    directory = in_background(graph)
    with pytest.raises(JournalInUseError, match="being run"):
        resume_session(directory)
    (tmp_path / "gate").write_text("go")  # opens only while somebody reads


def test_resuming_waits_for_commands_that_a_kill_has_left_behind(
    tmp_path: Path, in_background: Callable[[list[Spec]], Path]
) -> None:
    os.mkfifo("gate")
    line = f"if mkdir {tmp_path}/seen; then cat {tmp_path}/gate; echo late; else echo new; fi"
    graph = [command("wait", f"{line} >> %o0", [], ["f"]), data("f", FILE)]
    directory = in_background(graph)
    in_background.process.kill()  # type: ignore[attr-defined]
    in_background.process.wait(60)  # type: ignore[attr-defined]
    # The writer ends the command that was left behind, once it has opened the gate.
    letting_go = subprocess.Popen(["bash", "-c", f"echo go > {tmp_path}/gate"])
    again = resume_session(directory)
    assert letting_go.wait(60) == 0
    assert again.result("f") == b"new\n"


@pytest.fixture
def in_background(tmp_path: Path) -> Iterator[Callable[[list[Spec]], Path]]:
    """Run a graph in another process, and return its directory once a command of it runs."""
    started: list[subprocess.Popen[bytes]] = []

    def start(graph: list[Spec]) -> Path:
        Path("graph.json").write_text(json.dumps(graph))
        os.mkfifo("begun")
        graph[0]["command"] = f"echo > {tmp_path}/begun; {graph[0]['command']}"
        Path("graph.json").write_text(json.dumps(graph))
        run = [sys.executable, "-m", "dlg_engine.cli", "run", "graph.json", "--resumable", "-q"]
        started.append(subprocess.Popen([*run, "--workdir", "runs"], cwd=tmp_path))
        start.process = started[0]  # type: ignore[attr-defined]
        Path("begun").read_text()  # opens when the command does
        Path("begun").unlink()
        Path("begun").touch()
        (directory,) = Path("runs").iterdir()
        return directory

    yield start
    for process in started:
        process.kill()
        process.wait(60)
