"""Runs that take from a store what has not changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dlg.exceptions import UsageError
from dlg_engine.embedded import run_graph
from dlg_engine.reuse.store import Store
from dlg_engine.reuse.upkeep import listed
from dlg_engine.sessions.report import RunReport

FILE = "dlg.data.file.FileDROP"
MEMORY = "dlg.data.memory.InMemoryDROP"
DIRECTORY = "dlg.data.directory.DirectoryDROP"
FUNCTION = "dlg.apps.python_function.PyFuncApp"
BASH = "dlg.apps.bash.BashShellApp"
Spec = dict[str, Any]
Run = Callable[..., RunReport]


def data(oid: str, cls: str = MEMORY, **told: Any) -> Spec:
    return {"oid": oid, "categoryType": "Data", "dropclass": cls, **told}


def app(oid: str, cls: str, inputs: list[Any], outputs: list[Any], **told: Any) -> Spec:
    found = {"oid": oid, "categoryType": "Application", "dropclass": cls, "outputs": outputs}
    return found | ({"inputs": inputs} if inputs else {}) | told


def function(oid: str, code: str, inputs: list[Any], outputs: list[Any], **told: Any) -> Spec:
    return app(oid, FUNCTION, inputs, outputs, func_code=code, **told)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return what runs a graph with one store."""

    def call(specs: list[Spec], **how: Any) -> RunReport:
        how = {"store": tmp_path / "store", "workdir": tmp_path / "runs", **how}
        return run_graph(specs, **how)

    return call


def ran(report: RunReport) -> set[str]:
    """Return the apps of a run that really ran."""
    assert report.status == "FINISHED", report.errors
    live = report.drops.live
    apps = {uid for row, uid in enumerate(live.uids) if live.flow.exec_status[row]}
    return apps - set(report.reused)


def pipeline(source: Path, code: dict[int, str] | None = None) -> list[Spec]:
    """Return 200 apps: ten files, each read by a chain of 19, and one app that joins all."""
    specs: list[Spec] = []
    ends = []
    for lane in range(10):
        text = {"x": {"usage": "InputPort", "encoding": "utf-8"}}
        specs.append(data(f"in{lane}", FILE, filepath=str(source / f"{lane}.txt")))
        before = f"in{lane}"
        for step in range(19):
            number = lane * 19 + step
            default = f"def f(x):\n    return str(x) + '{step}'"
            specs.append(
                function(f"a{number}", (code or {}).get(number, default), [{before: "x"}],
                         [f"d{number}"], applicationArgs=text if not step else {})
            )  # fmt: skip
            before = f"d{number}"
            specs.append(data(before))
        ends.append(before)
    for number in range(190, 200):
        joined = "def f(**x):\n    return sorted(x.values())"
        lane = number - 190
        specs.append(
            function(f"a{number}", joined, [{ends[lane]: "a"}, {ends[(lane + 1) % 10]: "b"}],
                     [f"d{number}"])
        )  # fmt: skip
        specs.append(data(f"d{number}"))
    return specs


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.mkdir()
    for lane in range(10):
        (path / f"{lane}.txt").write_text(f"lane {lane} ")
    return path


def behind(lane: int, step: int) -> set[str]:
    """Return the apps of `pipeline` that hang on what a step of a lane makes, and it itself."""
    joins = {f"a{190 + lane}", f"a{190 + (lane - 1) % 10}"}
    return {f"a{lane * 19 + later}" for later in range(step, 19)} | joins


def test_the_second_run_runs_nothing_and_has_the_same_results(run: Run, source: Path) -> None:
    first, second = run(pipeline(source)), run(pipeline(source))
    assert len(ran(first)) == 200
    assert ran(second) == set()
    assert second.result("d195") == first.result("d195")
    assert second.counts == first.counts


def test_only_apps_behind_a_changed_function_run_again(run: Run, source: Path) -> None:
    run(pipeline(source))
    changed = run(pipeline(source, {4 * 19 + 7: "def f(x):\n    return str(x) + 'other'"}))
    assert ran(changed) == behind(4, 7)
    assert "other" in changed.result("d194")[0]


def test_a_comment_the_log_level_the_workers_and_the_place_change_nothing(
    run: Run, source: Path
) -> None:
    run(pipeline(source))
    specs = pipeline(source, {50: "# why\ndef f(x):\n    # this\n    return str(x) + '12'\n\n"})
    for spec in specs:
        spec |= {"node": "elsewhere", "island": "far", "log_level": "DEBUG"}
    assert ran(run(specs, workers=1)) == set()
    assert ran(run(specs, runner="inline")) == set()


def test_only_apps_behind_an_input_with_other_bytes_run_though_its_time_is_the_same(
    run: Run, source: Path
) -> None:
    run(pipeline(source))
    path = source / "3.txt"
    before = path.stat()
    path.write_text("lane X ")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ran(run(pipeline(source))) == behind(3, 0)


def test_going_back_to_what_was_runs_nothing(run: Run, source: Path) -> None:
    run(pipeline(source))
    run(pipeline(source, {60: "def f(x):\n    return 'new'"}))
    assert ran(run(pipeline(source))) == set()


# -- one app, in many ways ---------------------------------------------------------------------

COUNTED = """
def f({parameters}):
    with open({log!r}, 'a') as file:
        file.write('ran\\n')
    return {result}
"""


class Log:
    """A file to which functions write when they run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def code(self, result: str, parameters: str = "") -> str:
        return COUNTED.format(log=str(self.path), result=result, parameters=parameters)

    @property
    def count(self) -> int:
        return len(self.path.read_text().splitlines()) if self.path.exists() else 0


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "log")


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
@pytest.mark.parametrize(
    "value",
    ["None", "b'bytes'", "'text'", "[1, {2}]", "__import__('numpy').arange(6).reshape(2, 3)"],
)
def test_a_value_is_the_same_as_when_it_was_made(
    run: Run, log: Log, runner: str, value: str
) -> None:
    specs = [function("f", log.code(value), [], ["d"]), data("d")]
    first, second = run(specs, runner=runner), run(specs, runner=runner)
    assert (log.count, second.reused) == (1, ("f",))
    one, other = first.result("d"), second.result("d")
    assert type(other) is type(one)
    assert repr(other) == repr(one)
    assert second.drops["d"].size == first.drops["d"].size


def test_a_consumer_that_changes_a_value_in_place_does_not_change_what_is_kept(
    run: Run, log: Log
) -> None:
    spoil = function("spoil", "def f(x):\n    x.append(1)\n    return len(x)", [{"d": "x"}], ["n"])
    specs = [function("f", log.code("[]"), [], ["d"]), data("d"), spoil, data("n")]
    run(specs)
    spoil["func_code"] = "def f(x):\n    return len(x)"
    assert run(specs).result("n") == 0
    assert log.count == 1


def test_files_and_directories_are_put_where_the_app_would_have(run: Run, tmp_path: Path) -> None:
    command = "echo ran >> {log}; echo content > %o0; mkdir -p %o1/deep; echo x > %o1/deep/file"
    command = command.replace("{log}", str(tmp_path / "log"))
    specs = [
        app("b", BASH, [], ["file", "dir"], command=command),
        data("file", FILE, filepath="out.txt"),
        data("dir", DIRECTORY, dirname="out"),
    ]
    run(specs)
    second = run(specs)
    assert second.reused == ("b",)
    assert (tmp_path / "log").read_text() == "ran\n"
    assert (second.session_dir / "out.txt").read_text() == "content\n"
    assert (second.session_dir / "out" / "deep" / "file").read_text() == "x\n"
    assert second.drops["file"].size == 8


@pytest.mark.parametrize("told", [{"cacheable": False}, {"applicationArgs": {"cacheable": {
    "value": "false", "usage": "NoPort", "parameterType": "ComponentParameter"}}}])  # fmt: skip
def test_what_is_not_cacheable_runs_again_and_so_does_what_is_behind_it(
    run: Run, log: Log, told: Spec
) -> None:
    specs = [
        function("f", log.code("1"), [], ["d"], **told), data("d"),
        function("g", log.code("2", "x"), [{"d": "x"}], ["e"]), data("e"),
    ]  # fmt: skip
    run(specs)
    assert run(specs).reused == ()
    assert log.count == 4


@pytest.mark.parametrize(
    "cls",
    ["dlg.apps.arrays.RandomArrayApp", "dlg.apps.scatter_gather.DictGatherApp"],
)
def test_what_hangs_on_chance_or_names_is_made_again(run: Run, cls: str) -> None:
    specs = [app("r", cls, [], ["d"]), data("d")]
    run(specs)
    assert run(specs).reused == ()


def test_what_was_made_of_a_failure_is_not_kept(run: Run, log: Log, tmp_path: Path) -> None:
    """An app that puts up with a failed input makes something else when it does not fail."""
    switch = tmp_path / "switch"
    fails = f"import pathlib\ndef f():\n    return pathlib.Path({str(switch)!r}).read_text()"
    gather = function(
        "g", log.code("x", "x=0"), [{"d": "x"}, {"e": "y"}], ["out"], input_error_threshold=50,
        applicationArgs={"x": {"usage": "InputPort"}},
    )  # fmt: skip
    gather["func_code"] = log.code("sorted(x)", "**x")
    later = function("h", log.code("x", "x"), [{"out": "x"}], ["end"])
    specs = [
        function("f", fails, [], ["d"]), data("d"),
        function("k", "def f():\n    return 1", [], ["e"]), data("e"),
        gather, data("out"), later, data("end"),
    ]  # fmt: skip
    assert run(specs).counts["ERROR"] == 2
    before = log.count
    switch.write_text("now it is there")
    report = run(specs)
    assert (report.status, report.reused) == ("FINISHED", ("k",))
    assert log.count == before + 2


def test_an_input_that_changes_during_the_run_leaves_nothing_behind(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "in"
    path.write_text("one")
    write = f"pathlib.Path({str(path)!r}).write_text('two')"
    spoil = f"import pathlib\ndef f(x):\n    {write}\n    return x"
    specs = [
        data("in", FILE, filepath=str(path)),
        function("f", spoil, [{"in": "x"}], ["d"],
                 applicationArgs={"x": {"usage": "InputPort", "encoding": "utf-8"}}),
        data("d"),
        function("g", "def f(x):\n    return x", [{"d": "x"}], ["e"]),
        data("e"),
    ]  # fmt: skip
    assert run(specs).result("e") == "one"
    assert not listed(Store(tmp_path / "store"))


def test_a_damaged_content_is_made_again(run: Run, log: Log, tmp_path: Path) -> None:
    specs = [function("f", log.code("b'x' * 100_000"), [], ["d"]), data("d")]
    run(specs)
    (path,) = (tmp_path / "store" / "contents").glob("*/*")
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    report = run(specs)
    assert (report.reused, report.result("d"), log.count) == ((), b"x" * 100_000, 2)
    assert run(specs).reused == ("f",)


def test_a_cancelled_app_leaves_nothing_in_the_store(run: Run, tmp_path: Path) -> None:
    specs = [app("b", BASH, [], ["d"], command="echo half > %o0; sleep 30"), data("d", FILE)]
    assert run(specs, timeout=0.3).status == "CANCELLED"
    assert not listed(Store(tmp_path / "store"))


def test_a_run_that_starts_in_the_middle_is_refused(run: Run) -> None:
    with pytest.raises(UsageError, match="starts in the middle"):
        run([data("d")], completed=["d"])


def test_a_full_or_read_only_store_does_not_stop_a_run(
    run: Run, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dlg_engine.reuse.files.write_whole", full)
    specs = [function("f", log.code("1"), [], ["d"]), data("d")]
    assert run(specs).result("d") == 1


def test_apps_that_are_not_reused_run_at_the_same_time(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "import threading\nboth = threading.Barrier(2)\n"
    module += "def meet(x):\n    both.wait(30)\n    return x\n"
    (tmp_path / "meeting_place.py").write_text(module)
    monkeypatch.syspath_prepend(str(tmp_path))
    specs = [function("f", "def f():\n    return 1", [], ["d"]), data("d")]
    for name in "ab":
        told = {"func_name": "meeting_place.meet", "cacheable": False}
        specs += [app(name, FUNCTION, [{"d": "x"}], [f"{name}d"], **told), data(f"{name}d")]
    run(specs, workers=2)
    second = run(specs, workers=2)
    assert (second.status, second.reused) == ("FINISHED", ("f",))


def test_another_file_in_a_directory_that_is_read_is_seen(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "many"
    source.mkdir()
    (source / "one").write_text("1")
    specs = [
        data("in", DIRECTORY, dirname=str(source)),
        app("b", BASH, ["in"], ["out"], command="ls %i0 > %o0"),
        data("out", FILE),
    ]
    run(specs)
    assert run(specs).reused == ("b",)
    (source / "two").write_text("2")
    third = run(specs)
    assert (third.reused, third.result("out")) == ((), b"one\ntwo\n")


def test_files_that_processes_write_are_kept(run: Run, tmp_path: Path) -> None:
    text = "def f():\n    return 'text'"
    argument = {"result": {"usage": "OutputPort", "encoding": "utf-8"}}
    specs = [
        function("f", text, [], [{"d": "result"}], applicationArgs=argument),
        data("d", FILE, filepath="out.txt"),
    ]
    first, second = run(specs, runner="processes"), run(specs, runner="processes")
    assert second.reused == ("f",)
    assert second.result("d") == first.result("d") == b"text"


def test_an_executable_stays_one(run: Run) -> None:
    specs = [
        app("b", BASH, [], ["d"], command="echo 'echo hello' > %o0; chmod +x %o0"),
        data("d", FILE, filepath="tool"),
        app("c", BASH, ["d"], ["out"], command="%i0 > %o0", cacheable=False),
        data("out", FILE),
    ]
    run(specs)
    second = run(specs)
    assert (second.reused, second.result("out")) == (("b",), b"hello\n")


def test_a_variable_of_the_user_counts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = [app("b", BASH, [], ["d"], command="echo $DLG_FLAVOUR > %o0"), data("d", FILE)]
    monkeypatch.setenv("DLG_FLAVOUR", "sweet")
    run(specs)
    monkeypatch.setenv("DLG_WORKERS", "3")
    assert run(specs).reused == ("b",)
    monkeypatch.setenv("DLG_FLAVOUR", "sour")
    assert run(specs).result("d") == b"sour\n"


def test_two_apps_that_are_alike_but_for_their_names_share_a_result(run: Run, log: Log) -> None:
    specs = [
        function("f", log.code("1"), [], ["d"]), data("d"),
        function("g", "def f(x):\n    return x", [{"d": "x"}], ["e"], name="one"), data("e"),
        function("h", "def f(x):\n    return x", [{"d": "x"}], ["k"], name="other"), data("k"),
    ]  # fmt: skip
    run(specs)
    again = run(specs)
    assert (again.result("e"), again.result("k"), set(again.reused)) == (1, 1, {"f", "g", "h"})


def test_data_that_could_not_be_written_to_its_end_fails_as_without_a_store(run: Run) -> None:
    argument = {"result": {"usage": "OutputPort", "encoding": "utf-8"}}
    specs = [
        function("f", "def f():\n    return 'text'", [], [{"d": "result"}],
                 applicationArgs=argument),
        data("d", FILE, filepath="/dev/full"),
    ]  # fmt: skip
    plain, kept = run(specs, store=None), run(specs)
    assert [(e.uid, e.exception) for e in kept.errors] == [
        (e.uid, e.exception) for e in plain.errors
    ]
    assert kept.status == "FAILED"


def test_a_store_that_cannot_be_read_any_more_does_not_stop_a_run(
    run: Run, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [function("f", log.code("1"), [], ["d"]), data("d")]
    run(specs)

    def broken(*_: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Store, "find", broken)
    assert (run(specs).result("d"), log.count) == (1, 2)
