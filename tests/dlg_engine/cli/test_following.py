"""Sessions of a manager, followed, looked at and ended from the command line."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.clients import MasterManagerClient
from dlg.testing import graphs
from dlg_engine.cli.following import Tally
from dlg_engine.daemon.local_cluster import LocalCluster
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.cli.conftest import PATIENCE_S, Dlg, Start, Write, failing, until_it_runs

TUTORIAL = str(Path(__file__).parents[3] / "graphs" / "tutorial" / "tutorial.graph")


def until_it_follows(process: subprocess.Popen[str], session_id: str) -> None:
    """Return when a command has submitted its graph and says so."""
    assert process.stderr is not None
    assert any(line.startswith(f"session {session_id}: 2 drops on ") for line in process.stderr)


def test_a_graph_is_followed_to_its_end(dlg: Dlg, at: tuple[str, ...]) -> None:
    result = dlg("submit", TUTORIAL, *at)
    assert result.exit_code == 0, result.output
    assert "39 drops on 3 nodes of " in result.stderr
    assert "FINISHED: 39 drops, 3 nodes, run " in result.stdout


def test_a_failure_is_told_with_drop_node_and_reason(
    dlg: Dlg, cluster: LocalCluster, at: tuple[str, ...], write: Write
) -> None:
    result = dlg("submit", write("failing.json", failing()), *at)
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("drop 'bad'")]
    assert any(f"failed on {one.name}: ValueError: no such star" in line for one in cluster.nodes)
    assert "3 drops stopped by it" in result.stdout
    assert "FAILED: 4 drops" in result.stdout


def test_quiet_tells_failures_only_and_on_standard_error(
    dlg: Dlg, at: tuple[str, ...], write: Write
) -> None:
    assert dlg("submit", "-q", write("g.json", graphs.chain(2)), *at).output == ""
    result = dlg("submit", "-q", write("failing.json", failing()), *at)
    assert result.stdout == ""
    assert "no such star" in result.stderr


def test_programs_get_the_summary(dlg: Dlg, at: tuple[str, ...], write: Write) -> None:
    found = json.loads(dlg("submit", write("g.json", graphs.chain(2)), *at, "--json").stdout)
    assert found["state"] == "FINISHED"
    assert found["counts"]


def test_interrupted_it_says_that_the_session_goes_on_and_how_to_end_it(
    start: Start, master: MasterManagerClient, at: tuple[str, ...], waiting: str, gate: Path
) -> None:
    process = start("submit", waiting, *at, "--session", "goes-on")
    until_it_follows(process, "goes-on")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "session goes-on goes on" in told
    assert "dlg cancel goes-on" in told
    assert master.session_summary("goes-on")["state"] == "RUNNING"
    gate.write_text("open")
    Cluster.wait_until(lambda: master.session_summary("goes-on"), lambda s: s["status"] == 4)


def test_interrupted_it_cancels_the_session_if_it_was_told_to(
    start: Start, master: MasterManagerClient, at: tuple[str, ...], waiting: str
) -> None:
    process = start("submit", waiting, *at, "--session", "given-up", "--cancel-on-interrupt")
    until_it_follows(process, "given-up")
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "CANCELLED" in told
    assert master.session_summary("given-up")["state"] == "CANCELLED"


def test_a_session_is_left_alone_listed_looked_at_cancelled_and_deleted(
    dlg: Dlg, master: MasterManagerClient, at: tuple[str, ...], waiting: str
) -> None:
    assert dlg("submit", waiting, *at, "--session", "left", "--detach").stdout == "left\n"
    until_it_runs(master, "left")
    (line,) = [one for one in dlg("sessions", *at).stdout.splitlines() if one.startswith("left ")]
    assert line.split()[1:4] == ["RUNNING", "2", "0"]
    status = dlg("status", "left", *at)
    assert (status.exit_code, status.stdout.partition(":")[0]) == (0, "RUNNING")
    assert json.loads(dlg("status", "left", *at, "--json").stdout)["state"] == "RUNNING"
    assert dlg("cancel", "left", *at).stdout == "cancelled left\n"
    assert dlg("status", "left", *at).stdout.startswith("CANCELLED")
    assert dlg("cancel", "left", *at).exit_code == 2
    assert dlg("delete", "left", *at).stdout == "deleted left\n"
    gone = dlg("status", "left", *at)
    assert (gone.exit_code, gone.stderr) == (2, "dlg: no session 'left'\n")


def test_the_newest_session_is_listed_first_and_as_many_as_wanted(
    dlg: Dlg, at: tuple[str, ...], write: Write
) -> None:
    graph = write("g.json", graphs.chain(2))
    for name in ("first", "second"):
        dlg("submit", graph, *at, "--detach", "--session", name)
    found = json.loads(dlg("sessions", *at, "--json", "--limit", "2").stdout)
    assert [one["sessionId"] for one in found] == ["second", "first"]


def test_watching_ends_with_the_session_and_tells_how_that_ended(
    start: Start, dlg: Dlg, master: MasterManagerClient, at: tuple[str, ...], waiting: str
) -> None:
    dlg("submit", waiting, *at, "--session", "watched", "--detach")
    until_it_runs(master, "watched")
    process = start("status", "watched", *at, "--watch")
    dlg("cancel", "watched", *at)
    told, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert told.startswith("CANCELLED")


@pytest.mark.parametrize("command", ["status", "cancel", "delete"])
def test_a_session_that_is_not_there_is_told_without_a_traceback(
    dlg: Dlg, at: tuple[str, ...], command: str
) -> None:
    result = dlg(command, "no-such-session", *at)
    assert result.exit_code == 2
    assert result.stderr == "dlg: no session 'no-such-session'\n"


CHANGES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 7), st.none() | st.integers(0, 5), st.just(0.0))
)


@given(CHANGES)
def test_a_tally_is_what_counting_all_drops_gives(
    changes: list[tuple[int, int, int | None, float]],
) -> None:
    status, executed = [0] * 5, [0] * 5
    tally = Tally(5)
    for one in changes:
        tally.take([one])
        status[one[0]] = one[1]
        executed[one[0]] = executed[one[0]] if one[2] is None else one[2]
    far = tally.progress(1.0)
    assert (far.total, far.failed, far.skipped) == (5, status.count(3), status.count(7))
    assert far.done == sum(state > 1 for state in status)
    assert far.running == executed.count(1)
