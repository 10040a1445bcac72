"""What all executors do with the code of users, whatever that does."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.beat.dock import Host
from dlg.beat.execution import (
    BaseExecutor,
    DockerExecutor,
    LocalExecutor,
    SubprocessExecutor,
)
from dlg.beat.execution.base import InvalidBlockError, NoCacheError, RootFoldersError
from tests.dlg.beat.execution import images
from tests.dlg.beat.execution.blocks import DATABASE, PASS, Prefix

MEMORY_MB = 300
DOCKER = pytest.param(DockerExecutor, marks=[pytest.mark.docker, pytest.mark.timeout(300)])
KINDS: list[Any] = [LocalExecutor, SubprocessExecutor, DOCKER]


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    if why := images.needs_engine():
        pytest.skip(why)
    images.make("run", [*images.environment(), *images.labels("execution")])
    images.make("data", [*images.environment(), *images.labels("database", databases=DATABASE)])
    host = Host(raise_on_errors=False)
    yield host
    host.teardown()


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    made = Prefix(tmp_path)
    made.database(9)
    made.cached("1" * 64, 9)
    return made


@pytest.fixture(params=KINDS, ids=["local", "subprocess", "docker"])
def kind(request: pytest.FixtureRequest) -> Any:
    if request.param is DockerExecutor:
        return functools.partial(DockerExecutor, request.getfixturevalue("host"))
    return request.param


@pytest.fixture(params=["database", "cache"])
def source(request: pytest.FixtureRequest) -> str | None:
    return "1" * 64 if request.param == "cache" else None


def in_containers(kind: Any) -> bool:
    return isinstance(kind, functools.partial)


def run(kind: Any, prefix: Prefix, block: dict[str, Any], **limits: Any) -> dict[str, Any]:
    executor: BaseExecutor = kind(prefix.path, block, cache=prefix.cache)
    assert executor.valid, executor.errors
    with executor:
        try:
            return executor.process(**limits)
        except RuntimeError as error:
            result: dict[str, Any] = getattr(error, "result")  # noqa: B009
            return result


# --- blocks that are fine ------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["sequential", "legacy"])
def test_a_block_processes_all_units(
    kind: Any, prefix: Prefix, source: str | None, form: str
) -> None:
    block = prefix.block(prefix.algorithm(PASS, form), source)
    result = run(kind, prefix, block)
    assert (result["status"], result["user_error"], result["system_error"]) == (0, "", "")
    assert prefix.values(block) == [(i + 1, i, i) for i in range(9)]


def test_an_autonomous_block_reads_as_it_likes(
    kind: Any, prefix: Prefix, source: str | None
) -> None:
    name = prefix.algorithm(
        """
loader = data_loaders.loaderOf("x")
total = sum(int(loader[i][0]["x"].value) for i in reversed(range(loader.count())))
outputs["y"].write({"value": total}, loader.data_index_end)
return True
""",
        "autonomous",
    )
    block = prefix.block(name, source)
    assert run(kind, prefix, block)["status"] == 0
    assert prefix.values(block) == [(36, 0, 8)]


def test_the_parts_of_a_split_block_make_the_whole(
    kind: Any, prefix: Prefix, source: str | None
) -> None:
    name = prefix.algorithm(PASS)
    for limits in ([0, 3], [4, 8]):
        block = prefix.block(name, source, range=limits)
        assert run(kind, prefix, block)["status"] == 0
    assert prefix.values(block) == [(i + 1, i, i) for i in range(9)]


@pytest.mark.parametrize("form", ["sequential", "autonomous"])
def test_the_halves_of_a_loop_work_together(kind: Any, prefix: Prefix, form: str) -> None:
    block = prefix.loop(form)
    result = run(kind, prefix, block)
    assert (result["status"], result["user_error"], result["system_error"]) == (0, "", "")
    assert prefix.values(block) == [(i + 600, i, i) for i in range(9)]
    assert prefix.values(block["loop"]) == [(-5, i, i) for i in range(9)]


def test_an_error_of_an_evaluator_is_the_users(kind: Any, prefix: Prefix) -> None:
    block = prefix.loop("sequential")
    code = Path(prefix.path, "algorithms/t/evaluator/1.py")
    code.write_text(code.read_text().replace("-self.threshold", "1 // 0"))
    result = run(kind, prefix, block, timeout_in_minutes=1)
    assert result["status"] != 0
    assert "ZeroDivisionError" in result["user_error"]
    assert not result["timed_out"]
    assert prefix.left_behind(block) == prefix.left_behind(block["loop"]) == []


@pytest.mark.parametrize("allowed", [True, False])
def test_raw_data_is_seen_where_that_is_allowed(
    kind: Any, prefix: Prefix, tmp_path: Path, allowed: bool
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "file").write_text("7")
    declaration = Path(prefix.path, f"databases/{DATABASE}.json")
    told = json.loads(declaration.read_text()) | {"root_folder": str(raw)}
    declaration.write_text(json.dumps({**told, "direct_rawdata_access": allowed}))
    where = f"/databases/{DATABASE}/file" if in_containers(kind) else str(raw / "file")
    body = f"outputs['y'].write({{'value': int(open({where!r}).read())}})\nreturn True"
    result = run(kind, prefix, prefix.block(prefix.algorithm(body)))
    if allowed or not in_containers(kind):
        assert result["status"] == 0
    else:
        assert "FileNotFoundError" in result["user_error"]


def test_parameters_are_complete_and_of_their_types(kind: Any, prefix: Prefix) -> None:
    body = """
class Algorithm:
    def setup(self, parameters):
        self.sum = parameters["a"] + parameters["b"]
        return type(parameters["a"]).__name__ == "int16"

    def process(self, inputs, data_loaders, outputs):
        outputs["y"].write({"value": int(self.sum)})
        return True
"""
    parameters = {"a": {"type": "int16", "default": 3}, "b": {"type": "int16", "default": 4}}
    block = prefix.block(prefix.algorithm(body, parameters=parameters), parameters={"b": 10})
    assert run(kind, prefix, block)["status"] == 0
    assert prefix.values(block)[0] == (13, 0, 0)


def test_a_result_says_what_was_used(kind: Any, prefix: Prefix, source: str | None) -> None:
    block = prefix.block(prefix.algorithm("sum(range(3000000))\n" + PASS), source)
    statistics = run(kind, prefix, block)["statistics"]
    assert statistics["cpu"]["user"] + statistics["cpu"]["system"] > 0.01
    assert statistics["memory"]["rss"] > 1 << 20
    assert statistics["data"]["blocks"] == {"read": 9, "write": 9}
    assert statistics["data"]["volume"]["read"] >= 72
    assert statistics["data"]["files"][0]["hash"] == block["outputs"]["y"]["hash"]


def test_what_is_printed_is_in_the_result(kind: Any, prefix: Prefix) -> None:
    body = "print('to the output')\nprint('to the errors', file=sys.stderr)\n" + PASS
    result = run(kind, prefix, prefix.block(prefix.algorithm(body)))
    if in_containers(kind):  # their terminal knows but one output
        assert result["stdout"].splitlines()[:2] == ["to the output", "to the errors"]
        return
    assert result["stdout"].startswith("to the output\n")
    assert result["stderr"].startswith("to the errors\n")


def test_users_code_never_runs_in_our_process(kind: Any, prefix: Prefix) -> None:
    body = "import os\noutputs['y'].write({'value': os.getpid()})\nreturn True"
    block = prefix.block(prefix.algorithm(body))
    assert run(kind, prefix, block)["status"] == 0
    pids = {value for value, _, _ in prefix.values(block)}
    assert len(pids) == 1
    assert os.getpid() not in pids


# --- blocks that fail ----------------------------------------------------------------------------


def test_an_error_shows_the_lines_of_the_user_alone(
    kind: Any, prefix: Prefix, source: str | None
) -> None:
    block = prefix.block(prefix.algorithm("value = inputs['x'].data.value\nreturn 1 / 0"), source)
    result = run(kind, prefix, block)
    assert result["status"] == 1
    assert result["system_error"] == ""
    assert "ZeroDivisionError" in result["user_error"]
    assert "return 1 / 0" in result["user_error"]
    assert "dlg/beat" not in result["user_error"]
    assert prefix.left_behind(block) == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("return False", "returned False"),
        ("return True", "Missing data on the following output(s): y"),
        ("outputs['y'].write({'other': 1})\nreturn True", "other"),
        ("outputs['y'].write({'value': 'text'})\nreturn True", "value"),
        ("inputs['x'].next()\nreturn True", "Not authorized"),
        ("syntax error here", "syntax"),
    ],
)
def test_what_the_user_does_wrongly_is_his_error(
    kind: Any, prefix: Prefix, body: str, text: str
) -> None:
    block = prefix.block(prefix.algorithm(body))
    result = run(kind, prefix, block)
    assert result["status"] != 0
    assert text in result["user_error"]
    assert result["system_error"] == ""
    assert prefix.left_behind(block) == []


@pytest.mark.parametrize("stage", ["setup", "prepare"])
def test_who_refuses_to_be_set_up_or_prepared_fails(kind: Any, prefix: Prefix, stage: str) -> None:
    body = f"class Algorithm:\n    def {stage}(self, what):\n        return False\n"
    result = run(kind, prefix, prefix.block(prefix.algorithm(body)))
    assert result["user_error"] == f"Could not {stage} algorithm (returned False)"


def test_an_error_of_a_view_is_the_users(kind: Any, prefix: Prefix) -> None:
    prefix.database(9, fail_at=4)
    result = run(kind, prefix, prefix.block(prefix.algorithm(PASS)))
    assert result["status"] == 1
    assert "no such number" in result["user_error"]
    assert "databases/numbers/1.py" in result["user_error"]


def test_a_view_that_crashes_does_not_hang_the_block(kind: Any, prefix: Prefix) -> None:
    prefix.database(9, crash_at=4)
    result = run(kind, prefix, prefix.block(prefix.algorithm(PASS)), timeout_in_minutes=1)
    assert "SIGSEGV" in result["user_error"]
    assert result["status"] != 0
    assert not result["timed_out"]


def test_input_that_is_not_there_is_an_error_of_the_system(kind: Any, prefix: Prefix) -> None:
    result = run(kind, prefix, prefix.block(prefix.algorithm(PASS), "2" * 64))
    assert result["status"] == 1
    assert "run the block that writes it first" in result["system_error"]
    assert result["user_error"] == ""


# --- limits --------------------------------------------------------------------------------------


def test_a_memory_hog_is_stopped_at_its_limit(kind: Any, prefix: Prefix) -> None:
    block = prefix.block(prefix.algorithm("held = numpy.ones(10**9)\nreturn True"))
    result = run(kind, prefix, block, virtual_memory_in_megabytes=MEMORY_MB)
    assert result["status"] != 0
    assert "not enough memory" in result["user_error"]
    assert "numpy.ones" in result["user_error"]
    assert not result["timed_out"]
    assert result["statistics"]["memory"]["limit"] == MEMORY_MB << 20
    assert prefix.left_behind(block) == []


def test_a_memory_hog_with_children_is_stopped_too(kind: Any, prefix: Prefix) -> None:
    body = """
for _ in range(4):
    if os.fork() == 0:
        held = numpy.ones(15_000_000)
        time.sleep(100)
time.sleep(100)
"""
    block = prefix.block(prefix.algorithm(body))
    result = run(kind, prefix, block, virtual_memory_in_megabytes=MEMORY_MB, timeout_in_minutes=1)
    assert f"the limit is {MEMORY_MB} MB" in result["user_error"]
    assert not result["timed_out"]


def test_an_endless_loop_is_stopped_at_its_limit(kind: Any, prefix: Prefix) -> None:
    block = prefix.block(prefix.algorithm("while True:\n    pass"))
    result = run(kind, prefix, block, timeout_in_minutes=0.01)
    assert result["timed_out"]
    assert result["status"] != 0
    assert "time limit" in result["user_error"]
    assert prefix.left_behind(block) == []


def test_a_fork_bomb_is_stopped_at_its_limit(kind: Any, prefix: Prefix) -> None:
    body = """
for _ in range(50):
    if os.fork() == 0:
        time.sleep(100)
time.sleep(100)
"""
    result = run(kind, prefix, prefix.block(prefix.algorithm(body)), timeout_in_minutes=1)
    # In containers the system itself refuses more, perhaps before anybody has looked.
    refused = in_containers(kind) and "no more processes may be started" in result["user_error"]
    assert refused or "the limit of 32" in result["user_error"]
    assert not result["timed_out"]


def test_leaving_the_process_is_the_users_error(kind: Any, prefix: Prefix) -> None:
    result = run(kind, prefix, prefix.block(prefix.algorithm("sys.exit(3)")))
    assert result["status"] == 3
    assert "sys.exit(3)" in result["user_error"]
    result = run(kind, prefix, prefix.block(prefix.algorithm("os._exit(3)")))
    assert result["status"] == 3
    assert "exit code 3" in result["user_error"]


def test_a_crash_is_the_users_error_and_a_kill_the_systems(kind: Any, prefix: Prefix) -> None:
    crash = run(kind, prefix, prefix.block(prefix.algorithm("os.kill(os.getpid(), 11)")))
    assert "SIGSEGV" in crash["user_error"]
    kill = run(kind, prefix, prefix.block(prefix.algorithm("os.kill(os.getpid(), 9)")))
    assert kill["user_error"] == ""
    assert "SIGKILL" in kill["system_error"]


def test_a_warden_that_is_killed_is_an_error_of_the_system(kind: Any, prefix: Prefix) -> None:
    if in_containers(kind):
        pytest.skip("containers have none")
    block = prefix.block(prefix.algorithm("os.kill(os.getppid(), 9)\ntime.sleep(100)"))
    result = run(kind, prefix, block, timeout_in_minutes=1)
    assert result["status"] == 1
    assert "ended (-9)" in result["system_error"]
    assert prefix.left_behind(block) == []
    fine = prefix.block(prefix.algorithm(PASS))
    assert run(kind, prefix, fine)["status"] == 0


def test_processor_time_is_held_down(kind: Any, prefix: Prefix) -> None:
    body = """
until = time.monotonic() + 1.5
while time.monotonic() < until:
    pass
outputs["y"].write({"value": 1}, 8)
return True
"""
    block = prefix.block(
        prefix.algorithm(body.replace("return True", "return True"), "sequential")
    )
    block["range"] = [0, 0]
    result = run(kind, prefix, block, max_cpu_percent=20)
    cpu = result["statistics"]["cpu"]
    assert cpu["percent"] < 50


def test_another_thread_can_end_a_block(kind: Any, prefix: Prefix) -> None:
    block = prefix.block(prefix.algorithm("while True:\n    pass"))
    executor = kind(prefix.path, block, cache=prefix.cache)
    assert not executor.kill()
    timer = threading.Timer(0.5, executor.kill)
    timer.start()
    result = executor.process(timeout_in_minutes=1)
    timer.join()
    assert result["system_error"] == "The block was cancelled"
    assert not result["timed_out"]


# --- execution blocks ----------------------------------------------------------------------------


def test_what_is_wrong_with_a_block_is_listed(kind: Any, prefix: Prefix) -> None:
    block = prefix.block(prefix.algorithm(PASS))
    block["inputs"]["z"] = block["inputs"].pop("x")
    del block["queue"]
    executor = kind(prefix.path, block, cache=prefix.cache)
    assert not executor.valid
    assert any("queue" in error for error in executor.errors)
    with pytest.raises(InvalidBlockError, match="execution information is bogus"):
        executor.process()


def test_names_of_inputs_and_outputs_are_those_of_the_algorithm(kind: Any, prefix: Prefix) -> None:
    block = prefix.block(prefix.algorithm(PASS))
    block["inputs"]["z"] = block["inputs"].pop("x")
    block["outputs"]["w"] = dict(block["outputs"]["y"])
    errors = kind(prefix.path, block, cache=prefix.cache).errors
    assert any("no input `z'" in error for error in errors)
    assert any("number of outputs is 2" in error for error in errors)


def test_a_block_may_come_from_a_file(kind: Any, prefix: Prefix, tmp_path: Path) -> None:
    file = tmp_path / "block.json"
    first = kind(prefix.path, prefix.block(prefix.algorithm(PASS)), cache=prefix.cache)
    first.write(str(file))
    again = kind(prefix.path, str(file), cache=prefix.cache)
    assert again.valid
    assert again.data == first.data
    assert kind(prefix.path, str(tmp_path / "none"), cache=prefix.cache).errors


def test_a_cache_must_be_there_and_root_folders_a_mapping(
    kind: Any, prefix: Prefix, tmp_path: Path
) -> None:
    block = prefix.block(prefix.algorithm(PASS))
    with pytest.raises(NoCacheError):
        kind(prefix.path, block, cache=str(tmp_path / "none"))
    with pytest.raises(RootFoldersError):
        kind(prefix.path, block, cache=prefix.cache, custom_root_folders=["/a"])


def test_it_is_known_whether_outputs_exist(kind: Any, prefix: Prefix) -> None:
    block = prefix.block(prefix.algorithm(PASS))
    executor = kind(prefix.path, block, cache=prefix.cache)
    assert not executor.outputs_exist
    executor.process()
    assert executor.outputs_exist
    assert executor.io_statistics["blocks"]["write"] == 9


def test_databases_may_lie_elsewhere(kind: Any, prefix: Prefix) -> None:
    view = Path(prefix.path, f"databases/{DATABASE}.py")
    view.write_text(view.read_text().replace("row.value if", "len(self.root_folder) if"))
    block = prefix.block(prefix.algorithm(PASS))
    roots = {f"database/{DATABASE}": "/12345"}
    kind(prefix.path, block, cache=prefix.cache, custom_root_folders=roots).process()
    expected = "/databases/numbers/1" if in_containers(kind) else "/12345"
    assert prefix.values(block)[0][0] == len(expected) + 1
