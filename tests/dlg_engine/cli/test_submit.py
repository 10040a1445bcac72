from __future__ import annotations

import http.server
import json
import socket
import socketserver
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dlg.clients import MasterManagerClient
from dlg.testing import graphs
from dlg_engine.cli import connection
from dlg_engine.daemon.local_cluster import LocalCluster, is_free, port_of
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.cli.conftest import Dlg, Shell, Write, function_app

TUTORIAL = str(Path(__file__).parents[3] / "graphs" / "tutorial" / "tutorial.graph")
OVER = {4, 5, 6}


def end_of(master: MasterManagerClient, session_id: str) -> dict[str, Any]:
    return Cluster.wait_until(
        lambda: master.session_summary(session_id), lambda found: found["status"] in OVER
    )


def test_detached_the_id_is_printed_and_the_session_runs_over_all_nodes(
    dlg: Dlg, master: MasterManagerClient, cluster: LocalCluster, at: tuple[str, ...]
) -> None:
    result = dlg("submit", TUTORIAL, *at, "--detach")
    assert result.exit_code == 0, result.output
    session_id = result.stdout.strip()
    assert session_id.startswith("tutorial-")
    assert end_of(master, session_id)["status"] == 4
    homes = Counter(str(spec["node"]) for spec in master.graph(session_id).values())
    assert set(homes) == {node.name for node in cluster.nodes}
    (catalogue,) = Path(cluster.options.workdir).glob(f"node*/work/{session_id}/catalogue.csv")
    assert len(catalogue.read_text().splitlines()) > 10


def test_functions_of_a_module_beside_the_graph_go_along(
    dlg: Dlg, master: MasterManagerClient, at: tuple[str, ...], tmp_path: Path, write: Write
) -> None:
    (tmp_path / "module_beside_it.py").write_text("def answer():\n    return 42\n")
    app = {**function_app("a", ""), "func_name": "module_beside_it.answer", "outputs": ["d"]}
    del app["func_code"]
    session_id = dlg("submit", write("g.json", [app, graphs.data("d")]), *at, "--detach")
    assert end_of(master, session_id.stdout.strip())["status"] == 4


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        ("'a table\\n\\n  1  2'", "  d  a table\n\n       1  2\n"),
        ("'long ' * 500", f"  d  {('long ' * 40).strip()} ...\n"),
    ],
)
def test_a_short_text_is_shown_as_it_is_and_of_a_long_one_the_beginning(
    dlg: Dlg, at: tuple[str, ...], write: Write, made: str, shown: str
) -> None:
    specs = [function_app("a", f"def f():\n    return {made}", ["d"]), graphs.data("d")]
    result = dlg("submit", write("g.json", specs), *at)
    assert result.exit_code == 0, result.output
    assert shown in result.stdout


def test_a_function_that_a_module_beside_the_graph_does_not_have_is_told_and_nothing_is_sent(
    dlg: Dlg, master: MasterManagerClient, at: tuple[str, ...], tmp_path: Path, write: Write
) -> None:
    (tmp_path / "module_without_it.py").write_text("def answer():\n    return 42\n")
    app = {**function_app("a", ""), "func_name": "module_without_it.answers", "outputs": ["d"]}
    del app["func_code"]
    result = dlg("submit", write("g.json", [app, graphs.data("d")]), *at, "--session", "unmade")
    assert result.exit_code == 2
    assert "module_without_it has no 'answers'; did you mean 'answer'?" in result.stderr
    assert "unmade" not in [one["sessionId"] for one in master.sessions()]


def test_an_id_that_names_no_directory_is_refused_once_for_all_nodes(
    dlg: Dlg, at: tuple[str, ...], write: Write
) -> None:
    result = dlg("submit", write("g.json", graphs.chain(2)), *at, "--session", "a/b")
    assert result.exit_code == 2
    assert result.stderr.count("cannot be the id of a session") == 1


def test_the_session_gets_the_id_or_the_name_that_is_given(
    dlg: Dlg, master: MasterManagerClient, at: tuple[str, ...], write: Write
) -> None:
    graph = write("five.json", graphs.chain(2))
    assert dlg("submit", graph, *at, "--detach", "--session", "mine").stdout == "mine\n"
    assert dlg("submit", graph, *at, "--detach", "--name", "night").stdout.startswith("night-")
    assert end_of(master, "mine")["status"] == 4


def test_an_id_that_is_taken_is_refused(dlg: Dlg, at: tuple[str, ...], write: Write) -> None:
    graph = write("five.json", graphs.chain(2))
    assert dlg("submit", graph, *at, "--detach", "--session", "twice").exit_code == 0
    result = dlg("submit", graph, *at, "--detach", "--session", "twice")
    assert result.exit_code == 2
    assert "'twice' exists already" in result.stderr


def test_a_graph_that_cannot_be_deployed_leaves_no_session(
    dlg: Dlg, master: MasterManagerClient, at: tuple[str, ...], write: Write
) -> None:
    wrong = {**graphs.app("a"), "dropclass": "no.such.Class"}
    result = dlg("submit", write("wrong.json", [wrong]), *at, "--session", "wrong", "--detach")
    assert result.exit_code == 2
    assert "no.such.Class" in result.stderr
    assert "wrong" not in [one["sessionId"] for one in master.sessions()]


def test_a_mapped_graph_runs_where_it_is_mapped_to(
    dlg: Dlg, master: MasterManagerClient, cluster: LocalCluster, at: tuple[str, ...], write: Write
) -> None:
    names = [node.name for node in cluster.nodes]
    specs = [
        {**spec, "node": names[k % 3], "island": cluster.island.name}
        for k, spec in enumerate(graphs.chain(4))
    ]
    assert dlg("submit", write("g.json", specs), *at, "--session", "mapped", "--detach").stdout
    assert end_of(master, "mapped")["status"] == 4
    found = master.graph("mapped")
    assert [found[spec["oid"]]["node"] for spec in specs] == [spec["node"] for spec in specs]


def test_a_node_alone_runs_graphs_too(dlg: Dlg, cluster: LocalCluster, write: Write) -> None:
    port = str(port_of(cluster.nodes[0].url))
    result = dlg("submit", write("g.json", graphs.chain(3)), "-P", port, "--detach", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["manager"].endswith(f":{port}")


def test_a_manager_that_does_not_answer_is_told_with_what_to_do(shell: Shell) -> None:
    result = shell("submit", TUTORIAL, "-H", "127.0.0.1", "-P", "9")
    assert result.returncode == 2
    assert "no manager answers at http://127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.stderr


def test_at_a_port_where_somebody_says_nothing_it_waits_for_seconds_only(
    dlg: Dlg, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONTACT_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = dlg("sessions", "-H", "127.0.0.1", "-P", str(silent.getsockname()[1]))
    assert result.exit_code == 2
    assert "nothing came back in time; is it a manager that listens there?" in result.stderr


def test_who_speaks_no_http_is_told_to_be_at_the_wrong_port(dlg: Dlg) -> None:
    class Other(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1000)
            self.request.sendall(b"J\0\0\0\n5.7\0\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Other) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        result = dlg("sessions", "-H", "127.0.0.1", "-P", str(server.server_address[1]))
        answering.join(20)
    assert result.exit_code == 2
    assert "it does not speak HTTP; is it the right port?" in result.stderr


def test_who_answers_without_being_a_manager_is_told_to_be_none(dlg: Dlg) -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *args: object, **kwargs: object) -> None:
            """Say nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        result = dlg("sessions", "-H", "127.0.0.1", "-P", str(server.server_port))
        answering.join(20)
    assert result.exit_code == 2
    assert "is no manager" in result.stderr


def test_who_closes_the_connection_may_speak_https(dlg: Dlg) -> None:
    class Other(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            """Close without an answer."""

    with socketserver.TCPServer(("127.0.0.1", 0), Other) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        result = dlg("sessions", "-H", "127.0.0.1", "-P", str(server.server_address[1]))
        answering.join(20)
    assert result.exit_code == 2
    assert "where it speaks HTTPS, name the file of its cluster" in result.stderr


@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "http://127.0.0.1:{}/", "127.0.0.1:{}"])
def test_a_manager_can_be_named_as_its_address_is_printed(
    dlg: Dlg, at: tuple[str, ...], form: str
) -> None:
    result = dlg("sessions", "-H", form.format(at[3]), "--json")
    assert result.exit_code == 0, result.output


@pytest.mark.skipif(
    not all(map(is_free, (8000, 8001, 8002))), reason="somebody listens at the usual ports"
)
def test_without_a_manager_it_is_said_how_to_start_one(shell: Shell) -> None:
    result = shell("submit", TUTORIAL)
    assert result.returncode == 2
    assert "dlg local-cluster" in result.stderr


def test_the_manager_of_the_settings_is_used(
    dlg: Dlg, at: tuple[str, ...], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_MANAGER", f"127.0.0.1:{at[3]}")
    result = dlg("submit", write("g.json", graphs.chain(2)), "--detach", "--json")
    assert json.loads(result.stdout)["manager"] == f"http://127.0.0.1:{at[3]}"


@pytest.mark.parametrize("place", ["a b", "user@host", "host:port", "host:8000/x"])
def test_a_setting_that_is_no_place_of_a_manager_is_refused(
    dlg: Dlg, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("DLG_MANAGER", place)
    result = dlg("submit", TUTORIAL)
    assert result.exit_code == 2
    assert "host:port" in result.stderr or "place of a manager" in result.stderr


def test_evidence_of_a_session_is_that_of_a_run_here(
    dlg: Dlg, at: tuple[str, ...], cluster: LocalCluster, tmp_path: Path, write: Write
) -> None:
    (tmp_path / "module_with_evidence.py").write_text(
        "FACTOR = 3\n\n\ndef start():\n    return 14\n\n\ndef times(x):\n    return FACTOR * x\n"
    )
    names = [node.name for node in cluster.nodes]
    first = {**function_app("first", ""), "func_name": "module_with_evidence.start",
             "outputs": ["a"], "node": names[0]}  # fmt: skip
    second = {**function_app("second", "", ["b"]), "node": names[1], "inputs": [{"a": "x"}],
              "func_name": "module_with_evidence.times"}  # fmt: skip
    del first["func_code"], second["func_code"]
    specs = [first, {**graphs.data("a"), "node": names[2]}, second,
             {**graphs.data("b"), "node": names[0]}]  # fmt: skip
    graph = write("evident.json", specs)
    assert dlg("run", graph, "--repro", "all", "-q").exit_code == 0
    result = dlg("submit", graph, *at, "--repro", "all", "--session", "evident")
    assert result.exit_code == 0, result.output
    assert f"evidence in {Path('dlg-runs', 'evident')}" in result.stderr
    (here,) = (tmp_path / "dlg-runs").glob("evident-*")
    compared = dlg("repro", "compare", str(here), "dlg-runs/evident")
    assert (compared.exit_code, "different" in compared.output) == (0, False), compared.output
    assert "not known" not in compared.output


def test_evidence_is_fetched_of_a_session_that_was_left_alone(
    dlg: Dlg, master: MasterManagerClient, at: tuple[str, ...], tmp_path: Path
) -> None:
    given = (TUTORIAL, *at, "--detach", "--session")
    assert dlg("submit", *given, "left", "--repro", "all").exit_code == 0
    assert end_of(master, "left")["status"] == 4
    fetched = dlg("repro", "fetch", "left", *at, "-w", "kept")
    assert (fetched.exit_code, fetched.stdout) == (0, "kept/left\n"), fetched.output
    assert dlg("run", TUTORIAL, "--repro", "all", "-q").exit_code == 0
    (here,) = (tmp_path / "dlg-runs").glob("tutorial-*")
    compared = dlg("repro", "compare", str(here), "kept/left", "--level", "recompute")
    assert compared.exit_code == 0, compared.output
    assert dlg("submit", *given, "without").exit_code == 0
    refused = dlg("repro", "fetch", "without", *at)
    assert (refused.exit_code, "was run without --repro" in refused.stderr) == (2, True)


def test_a_level_that_does_not_exist_is_refused_before_anything_is_sent(
    dlg: Dlg, master: MasterManagerClient, at: tuple[str, ...], write: Write
) -> None:
    graph = write("five.json", graphs.chain(2))
    result = dlg("submit", graph, *at, "--repro", "twice", "--session", "unlevelled")
    assert (result.exit_code, "no level of reproducibility" in result.stderr) == (2, True)
    assert "unlevelled" not in [one["sessionId"] for one in master.sessions()]


def test_what_was_made_before_is_reused_on_the_nodes_and_told(
    dlg: Dlg,
    at: tuple[str, ...],
    master: MasterManagerClient,
    cluster: LocalCluster,
    tmp_path: Path,
    write: Write,
) -> None:
    (tmp_path / "module_to_reuse.py").write_text("def times(x):\n    return 3 * x\n")
    names = [node.name for node in cluster.nodes]
    times = {**function_app("times", "", ["c"]), "func_name": "module_to_reuse.times"}
    del times["func_code"]
    specs = [
        {**function_app("start", "def start():\n    return 14", ["b"]), "node": names[0]},
        {**graphs.data("b"), "node": names[2]},
        {**times, "node": names[1], "inputs": ["b"]}, {**graphs.data("c"), "node": names[1]},
    ]  # fmt: skip
    graph = write("reusing.json", specs)
    first = dlg("submit", graph, *at, "--reuse", "--session", "reuse-1")
    second = dlg("submit", graph, *at, "--reuse", "--session", "reuse-2")
    assert (first.exit_code, second.exit_code) == (0, 0), second.output
    assert "reused" not in first.stdout
    assert "2 apps reused, not run" in second.stdout
    assert master.session_summary("reuse-2")["reused"] == 2
    assert dlg("submit", graph, *at, "--session", "reuse-3").exit_code == 0
    assert master.session_summary("reuse-3")["reused"] == 0
