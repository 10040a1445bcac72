"""The doctor at work: on ports that are taken, files that others can read, real nodes."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dlg.clients import NodeManagerClient
from dlg.rpc.curve import new_pair
from dlg.support import clock
from dlg.support.certificates import new_certificate, validity
from dlg.support.cluster_file import write_cluster_file
from dlg.support.hosts import listeners
from dlg_engine.cli.main import cli
from dlg_engine.doctor import databases, keys, nodes, resources
from dlg_engine.doctor.contract import Scope
from dlg_engine.doctor.keys import DAY_S
from dlg_engine.testing.processes import Cluster


def doctor(*arguments: str) -> tuple[int, str]:
    """Return with what the command ends, and what it says."""
    done = CliRunner().invoke(cli, ["doctor", *arguments], prog_name="dlg")
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(2, tmp_path_factory.mktemp("cluster")) as found:
        yield found


def test_who_listens_at_a_port_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        found = listeners()[listening.getsockname()[1]]
    assert "python" in str(found)
    assert not found.is_ours


def test_nodes_of_a_manager_are_asked_themselves(cluster: Cluster) -> None:
    port = cluster.island.url.rpartition(":")[2]
    checks = ("--check", "nodes", "--check", "versions", "--check", "clocks")
    code, said = doctor("-H", "127.0.0.1", "-P", port, *checks, "--json")
    told = json.loads(said)
    assert (code, told["problems"]) == (0, False)
    outcomes = {one["check"]: [v["outcome"] for v in one["verdicts"]] for one in told["checks"]}
    assert outcomes == {"nodes": ["ok"], "versions": ["ok"], "clocks": ["ok"]}


@pytest.mark.parametrize("said", [b"<html>", b"null", b"{}", b'{"nodes": ["x"], "version": 1}'])
def test_what_is_no_node_where_one_should_be_is_a_problem(said: bytes) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said)

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            port = server.server_address[1]
            code, told = doctor("--nodes", f"127.0.0.1:{port}", "--check", "nodes")
        finally:
            server.shutdown()
            serving.join()
    assert code == 1
    assert "no manager" in told


def test_a_node_that_does_not_answer_is_a_problem(cluster: Cluster) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    there = cluster.nodes[0].url.rpartition(":")[2]
    code, said = doctor("-N", f"127.0.0.1:{there},127.0.0.1:{port}", "--check", "nodes")
    assert code == 1
    assert "1 nodes answer" in said
    assert f"http://127.0.0.1:{port} does not answer" in said
    assert "1 problem" in said


def test_a_manager_that_was_named_has_to_be_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    code, said = doctor("-H", "127.0.0.1", "-P", str(port), "--check", "nodes")
    assert code == 2
    assert "no manager answers" in said


def test_a_clock_is_compared_to_the_second(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = cluster.nodes[0].client(NodeManagerClient)
    real = clock.now
    for shift_s, said in ((0.0, "agree"), (-7200.0, "s ahead"), (600.0, "s behind")):
        monkeypatch.setattr(clock, "now", lambda shift_s=shift_s: real() + shift_s)
        verdicts = nodes.CLOCKS.run(Scope(nodes=[client]))
        assert said in verdicts[0].says


def test_a_cluster_file_is_read_with_its_certificate(tmp_path: Path) -> None:
    made = write_cluster_file(tmp_path / "c.toml", "night", new_pair(), new_certificate("night"))
    fact = keys.measure(Scope(cluster_file=made.path))
    assert fact.not_after is not None
    assert 3649 < (fact.not_after - fact.now) / DAY_S < 3651
    made.path.chmod(0o644)
    (verdict,) = keys.CHECK.run(Scope(cluster_file=made.path))
    assert verdict.todo == f"chmod 600 {made.path}"


@pytest.mark.parametrize("days", [1, 20_000, 40_000])
def test_dates_of_a_certificate_are_read_before_and_after_2050(tmp_path: Path, days: int) -> None:
    made = subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-keyout", str(tmp_path / "key"), "-subj", "/CN=x",
         "-days", str(days)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    first, last = validity(made.stdout)
    assert abs(first - time.time()) < 300
    assert last - first == days * DAY_S


def test_dates_of_a_certificate_are_read_from_the_last_century_on() -> None:
    pem = new_certificate("old")[0]
    der = ssl.PEM_cert_to_DER_cert(pem)
    begin = time.strftime("%y%m%d", time.gmtime(validity(pem)[0])).encode()
    old = der.replace(b"\x17\x0d" + begin, b"\x17\x0d991231", 1)
    assert old != der
    first, _ = validity(ssl.DER_cert_to_PEM_cert(old))
    assert time.gmtime(first)[:3] == (1999, 12, 31)


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nMAA=\n"])
def test_what_is_no_certificate_has_no_dates(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of the standard library, in its words
        validity(text)


def test_the_doctor_needs_no_extra(tmp_path: Path) -> None:
    (tmp_path / "tasks.db").touch()
    bare = "import sys; sys.modules.update(sqlalchemy=None, alembic=None, jsonschema_rs=None)\n"
    call = "from dlg_engine.cli.main import cli; cli(prog_name='dlg')"
    checks = ("--check", "software", "--check", "databases", "--database", "tasks.db")
    done = subprocess.run(
        [sys.executable, "-c", bare + call, "doctor", *checks],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "tasks.db: SQLAlchemy is needed here: install it" in done.stdout
    assert not done.stderr


def test_databases_are_opened_and_none_is_made(tmp_path: Path) -> None:
    there, absent = tmp_path / "there.db", tmp_path / "absent.db"
    there.touch()
    with socket.create_server(("127.0.0.1", 0)) as one:
        nobody = f"postgresql://u:geheim@127.0.0.1:{one.getsockname()[1]}/eas"
    scope = Scope(databases=[str(there), str(absent), nobody])
    fine, missing, refused = databases.CHECK.run(scope)
    assert fine.says == f"{there} answers"
    assert "not there yet" in missing.says
    assert not absent.exists()
    assert "nobody answers there" in refused.says
    assert "geheim" not in refused.says


def test_settings_of_the_task_system_are_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLG_ROOT", str(tmp_path))
    assert databases.measure(Scope()) == []
    folder = tmp_path / "tasks" / "configuration"
    folder.mkdir(parents=True)
    (folder / "a.conf").write_text(
        "db_engine: postgresql\ndb_port: 1\ndb_passwd: geheim\nqueue_implementation: amqp\n"
        "mq_port: 1\n"
    )
    found = databases.measure(Scope())
    assert [one.what for one in found] == ["postgresql://127.0.0.1/eas", "amqp://127.0.0.1"]
    assert all(one.error for one in found)
    (folder / "b.conf").write_text("db_engine: sqlite3\nqueue_implementation: sql\n")
    (one,) = databases.measure(Scope())
    assert one.absent
    assert one.what.endswith("sqlite3_eas.db")


def test_a_directory_in_which_nothing_can_be_written_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("DLG_ROOT", str(file))
    verdicts = resources.DISKS.run(Scope())
    assert {verdict.outcome for verdict in verdicts} == {"problem"}
    assert "Not a directory" in verdicts[0].says


def test_the_whole_command_says_what_it_found(tmp_path: Path) -> None:
    environment: dict[str, Any] = {"DLG_ROOT": str(tmp_path / "root"), "PATH": "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-m", "dlg_engine.cli", "doctor", "--json"], env=environment,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert done.returncode == int(told["problems"])
    assert len(told["checks"]) == 14
    assert not (tmp_path / "root").exists()
