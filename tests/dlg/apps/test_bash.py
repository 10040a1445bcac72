"""Shell commands as apps."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path
from typing import Any

import pytest

from dlg.apps.bash import BashShellApp, CommandFailedError
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates as S
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.app_contract import AppContract, filled
from dlg.testing.expectations import PATIENCE_S
from dlg.testing.expectations import ending as _ending
from dlg.testing.graphs import app, data
from dlg_engine.embedded import run_graph
from dlg_engine.sessions.report import RunReport

BASH = "dlg.apps.bash.BashShellApp"
FILE = "dlg.data.file.FileDROP"


class TestBash(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        made = BashShellApp("bash", command="true", **parameters)
        made.addInput(filled("in"))
        made.addOutput(InMemoryDROP("out"))
        return made


def file(oid: str = "out", path: str = "", **parameters: Any) -> dict[str, Any]:
    known = {"oid": oid, "categoryType": "Data", "dropclass": FILE}
    return {**known, "filepath": path or oid, **parameters}


def bash(command: str, **spec: Any) -> dict[str, Any]:
    outputs = spec.pop("outputs", ["out"])
    return {**app("bash", [], BASH, command=command, **spec), "outputs": outputs}


def run(tmp_path: Path, *specs: dict[str, Any], runner: str = "threads") -> RunReport:
    return run_graph(list(specs), runner=runner, workdir=tmp_path, timeout=60)


def said(tmp_path: Path, command: str, *specs: dict[str, Any], **spec: Any) -> str:
    """Return what the command writes to the file %o0."""
    report = run(tmp_path, bash(command, **spec), file(), *specs)
    assert report.status == "FINISHED", report.errors
    return str(report.result("out").decode())


def given(oid: str, value: Any, kind: str = "String") -> dict[str, Any]:
    return data(oid, pydata={"value": value, "type": kind})


def test_a_command_writes_its_output_by_position(tmp_path: Path) -> None:
    assert said(tmp_path, "echo hello > %o0") == "hello\n"


def test_a_command_reads_its_input_by_position(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("content")
    there = file("in", str(source))
    assert said(tmp_path, "cat %i0 > %o0", there, inputs=["in"]) == "content"


def test_inputs_and_outputs_are_also_named_by_uid(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("content")
    there = file("in", str(source))
    assert said(tmp_path, "cat %i[in] > %o[out]", there, inputs=["in"]) == "content"


def test_a_url_stands_for_a_drop(tmp_path: Path) -> None:
    url = said(tmp_path, "echo %oDataURL0 > %o0")
    assert url.startswith("file://")
    assert url.strip().endswith("/out")


def test_ports_stand_in_braces(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("content")
    there = file("in", str(source))
    found = said(
        tmp_path, "cat {table} > {plot}", there,
        inputs=[{"in": "table"}], outputs=[{"out": "plot"}],
    )  # fmt: skip
    assert found == "content"


def test_data_in_memory_is_put_in_by_value(tmp_path: Path) -> None:
    assert said(tmp_path, "echo {n} > %o0", given("in", "7"), inputs=[{"in": "n"}]) == "7\n"


def test_a_file_whose_port_is_utf_8_is_put_in_by_value(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("content\n")
    port = {"x": {"usage": "InputPort", "encoding": "utf-8"}}
    there = file("in", str(source))
    found = said(tmp_path, "echo {x} > %o0", there, inputs=[{"in": "x"}], applicationArgs=port)
    assert found == "content\n"


def test_arguments_stand_in_braces(tmp_path: Path) -> None:
    args = {"who": {"value": "you"}, "many": {"value": "2", "type": "Integer"}}
    assert said(tmp_path, "echo {who} {many} > %o0", applicationArgs=args) == "you 2\n"


def test_arguments_the_command_does_not_mention_are_added(tmp_path: Path) -> None:
    args = {
        "who": {"value": "you all"},
        "last": {"value": "at the end", "positional": True},
    }
    found = said(tmp_path, "printf '<%s>' > out", applicationArgs=args)
    assert found == "<--who><you all><at the end>"


def test_an_argument_may_stand_for_a_drop(tmp_path: Path) -> None:
    source = tmp_path / "the source"
    source.write_text("content")
    args = {"if": {"value": "%i0"}, "of": {"value": "%o0"}, "bs": {"value": 2, "type": "Integer"}}
    found = said(
        tmp_path, "dd", file("in", str(source)), inputs=["in"], applicationArgs=args,
        argumentPrefix=" ", paramValueSeparator="=",
    )  # fmt: skip
    assert found == "content"


def test_how_arguments_are_added_is_up_to_the_graph(tmp_path: Path) -> None:
    found = said(
        tmp_path, "echo > out", applicationArgs={"who": {"value": "you"}},
        argumentPrefix="-", paramValueSeparator="=",
    )  # fmt: skip
    assert found == "-who=you\n"


@pytest.mark.parametrize(
    "text",
    ["two words", "$HOME", "`id`", "$(id)", "a; touch hacked", "it's", 'say "x"', "*", "a\\b"],
)
def test_what_is_put_in_is_one_word_and_no_code(tmp_path: Path, text: str) -> None:
    args = {"text": {"value": text}}
    assert said(tmp_path, "printf '<%s>' {text} > %o0", applicationArgs=args) == f"<{text}>"


ODD = ["two words", "$HOME", "$(id)", "`id`", "it's", 'say "x"', "a\\b", "*", "x; echo y"]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("template", ["{text}", "'{text}'", '"{text}"', '"$(printf %s {text})"'])
def test_what_is_put_in_is_itself_within_quotes_of_any_kind(
    tmp_path: Path, template: str, text: str
) -> None:
    args = {"text": {"value": text}}
    found = said(tmp_path, f"printf '<%s>' {template} > %o0", applicationArgs=args)
    assert found == f"<{text}>"


def test_what_is_put_in_is_not_looked_at_again(tmp_path: Path) -> None:
    args = {"text": {"value": "{other}"}, "other": {"value": "x"}}
    found = said(tmp_path, "printf %s {text}{other} > %o0", applicationArgs=args)
    assert found == "{other}x"


def test_an_apostrophe_in_a_comment_opens_no_quote(tmp_path: Path) -> None:
    args = {"text": {"value": "a; echo b"}}
    assert said(tmp_path, "printf %s {text} > %o0 # don't", applicationArgs=args) == "a; echo b"


def test_paths_with_spaces_are_one_word(tmp_path: Path) -> None:
    source = tmp_path / "two words; echo"
    source.write_text("content")
    report = run(
        tmp_path, file("in", str(source)), bash("cat %i0 > %o0", inputs=["in"]),
        file("out", "an output $(id)"),
    )  # fmt: skip
    assert report.result("out") == b"content"


def test_a_list_is_several_words(tmp_path: Path) -> None:
    there = given("in", "['a b', 'c']", "list")
    found = said(tmp_path, "printf '<%s>' {x} > %o0", there, inputs=[{"in": "x"}])
    assert found == "<a b><c>"


def test_braces_of_the_shell_and_of_awk_are_left_alone(tmp_path: Path) -> None:
    assert said(tmp_path, "echo 1 2 | awk '{print $2}' > %o0") == "2\n"
    assert said(tmp_path, "x=5; echo ${x} a{b,c} > %o0") == "5 ab ac\n"


def test_redirections_of_the_graph_surround_the_command(tmp_path: Path) -> None:
    found = said(
        tmp_path, "tr a-z A-Z", input_redirection="echo hello |", output_redirection="> out"
    )
    assert found == "HELLO\n"


def test_it_runs_in_the_directory_of_the_session(tmp_path: Path) -> None:
    report = run(tmp_path, bash("pwd > %o0; touch here"), file())
    assert Path(report.result("out").decode().strip()) == report.session_dir
    assert (report.session_dir / "here").exists()


def test_it_knows_who_it_works_for(tmp_path: Path) -> None:
    report = run(tmp_path, bash("echo $DLG_UID $DLG_SESSION_ID $DLG_SESSION_DIR > %o0"), file())
    expected = f"bash {report.session_id} {report.session_dir}\n"
    assert report.result("out").decode() == expected


def test_the_environment_of_the_process_stays_as_it_is(tmp_path: Path) -> None:
    before = dict(os.environ), Path.cwd()
    run(tmp_path, bash("export DLG_LEAK=1; cd /"), file())
    assert (dict(os.environ), Path.cwd()) == before


def test_what_it_prints_is_kept(tmp_path: Path) -> None:
    report = run(tmp_path, bash("echo one; echo two >&2"), file())
    outcome = report.drops["bash"].outcome
    assert (outcome.stdout, outcome.stderr, outcome.exit_code) == (b"one\n", b"two\n", 0)


@pytest.mark.parametrize("runner", ["inline", "threads", "processes"])
def test_an_exit_code_is_a_failure_that_says_what_was_printed(tmp_path: Path, runner: str) -> None:
    report = run(tmp_path, bash("echo no such star >&2; exit 3"), file(), runner=runner)
    (error,) = report.errors
    assert isinstance(error.error, CommandFailedError)
    assert error.error.outcome.exit_code == 3
    assert "drop bash: the command ended with exit code 3" in error.exception
    assert "no such star" in error.exception
    assert report.drops["out"].status is S.ERROR


def test_a_command_that_is_killed_is_a_failure_that_names_the_signal(tmp_path: Path) -> None:
    report = run(tmp_path, bash("kill -9 $$"), file())
    assert "was killed by signal 9" in report.errors[0].exception


def test_a_command_is_tried_again(tmp_path: Path) -> None:
    command = "test -e tried || { touch tried; exit 1; }"
    assert run(tmp_path, bash(command, n_tries=2), file()).status == "FINISHED"


@pytest.mark.parametrize(
    ("command", "said_"),
    [
        ("", "'command' is empty"),
        ("cat %i0", "there are only 0 inputs"),
        ("cat %i[gone]", "no such drop among the inputs"),
        ("cat %o3", "there are only 1 outputs"),
    ],
)
def test_what_a_command_cannot_mean_is_a_clear_failure(
    tmp_path: Path, command: str, said_: str
) -> None:
    report = run(tmp_path, bash(command), file())
    assert said_ in report.errors[0].exception


def test_a_path_of_data_in_memory_is_refused_with_a_cure(tmp_path: Path) -> None:
    report = run(tmp_path, given("in", "x"), bash("cat %i0", inputs=["in"]), file())
    assert "drop in (InMemoryDROP) has no path" in report.errors[0].exception
    assert "{port name}" in report.errors[0].exception


def test_an_input_that_was_skipped_is_nothing(tmp_path: Path) -> None:
    skip = app("skip", ["in"], "dlg.testing.apps.OutcomeApp", outcome="skip")
    command = bash("echo {x} end > %o0", inputs=[{"in": "x"}, "other"], block_skip=True)
    report = run(tmp_path, skip, data("in"), given("other", "1"), command, file())
    assert report.result("out") == b"end\n"


def alive(pids: list[int]) -> list[int]:
    def lives(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False

    return [pid for pid in pids if lives(pid)]


@pytest.mark.parametrize("stubborn", [False, True], ids=["polite", "stubborn"])
def test_cancelling_kills_the_whole_group(tmp_path: Path, stubborn: bool) -> None:
    trap = "trap '' TERM; " if stubborn else ""
    pids = tmp_path / "pids"
    inner = f"{trap}echo $BASHPID >> {shlex.quote(str(pids))}; while true; do sleep 60; done"
    made = BashShellApp("bash", command=f"({inner}) & ({inner}) & {inner}")
    out = InMemoryDROP("out")
    made.addOutput(out)
    made.async_execute()
    deadline = time.monotonic() + PATIENCE_S
    while not pids.exists() or len(pids.read_text().split()) < 3:
        assert time.monotonic() < deadline
        os.sched_yield()
    found = [int(pid) for pid in pids.read_text().split()]
    with _ending(out):
        made.cancel()
    deadline = time.monotonic() + PATIENCE_S
    while alive(found):
        assert time.monotonic() < deadline
        os.sched_yield()
    assert made.status is S.CANCELLED


# -- streams -----------------------------------------------------------------------------------

OUT = "dlg.apps.bash.StreamingOutputBashApp"
IN = "dlg.apps.bash.StreamingInputBashApp"
BOTH = "dlg.apps.bash.StreamingInputOutputBashApp"


def pipeline(*commands: tuple[str, str]) -> list[dict[str, Any]]:
    specs: list[dict[str, Any]] = []
    last = len(commands) - 1
    for place, (cls, command) in enumerate(commands):
        uid, after = f"c{place}", f"s{place}" if place < last else "out"
        specs.append(app(uid, [after], cls, command=command))
        if place < last:
            specs.append({**data(after), "streamingConsumers": [f"c{place + 1}"]})
    return [*specs, file()]


def test_commands_pass_data_on_while_they_run(tmp_path: Path) -> None:
    specs = pipeline((OUT, "seq 5"), (BOTH, "sed s/^/line/"), (IN, "tail -n 2 > %o0"))
    report = run(tmp_path, *specs)
    assert report.status == "FINISHED", report.errors
    assert report.result("out") == b"line4\nline5\n"


def test_data_goes_from_command_to_command_and_not_through_the_graph(tmp_path: Path) -> None:
    report = run(tmp_path, *pipeline((OUT, "yes | head -c 3000000"), (IN, "wc -c > %o0")))
    assert report.result("out").strip() == b"3000000"
    assert not list(report.session_dir.glob(".pipe-*"))


def test_a_stream_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    specs = [app("c0", ["s0"], OUT, command="seq 5"), data("s0")]
    report = run(tmp_path, *specs)
    assert "1 streaming consumer, and there are 0" in report.errors[0].exception


def test_a_reader_that_fails_ends_the_writer_too(tmp_path: Path) -> None:
    report = run(tmp_path, *pipeline((OUT, "yes"), (IN, "exit 4")))
    failed = {error.uid: error.exception for error in report.errors}
    assert "exit code 4" in failed["c1"]
    assert "killed by signal 13" in failed["c0"]


def test_a_writer_that_fails_fails_what_comes_after(tmp_path: Path) -> None:
    report = run(tmp_path, *pipeline((OUT, "echo half; exit 5"), (IN, "cat > %o0")))
    assert "exit code 5" in next(e.exception for e in report.errors if e.uid == "c0")
    assert report.drops["s0"].status is S.ERROR


def test_running_out_of_time_ends_both_ends(tmp_path: Path) -> None:
    specs = pipeline((OUT, "sleep 600"), (IN, "cat > %o0"))
    begun = time.monotonic()
    report = run_graph(specs, runner="threads", workdir=tmp_path, timeout=0.5)
    assert report.status == "CANCELLED"
    assert time.monotonic() - begun < PATIENCE_S
