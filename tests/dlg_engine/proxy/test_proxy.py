"""A monitor, a proxy and a manager, each a process: what goes through, and what does not."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dlg.clients import ManagerFailedError, ManagerRefusedError, NodeManagerClient, find_access
from dlg.clients.events import follow
from dlg.clients.http import ManagerUnreachableError, NothingThereError
from dlg.rpc.curve import new_pair
from dlg.support.certificates import new_certificate
from dlg.support.cluster_file import ClusterFile, write_cluster_file
from dlg_engine.proxy.frames import PREFIX, Kind
from dlg_engine.testing.processes import Cluster
from tests.dlg_engine.managers.conftest import app, data
from tests.dlg_engine.proxy.conftest import Site

ADD = "def add(x):\n    return int(x) + 1"
PATIENCE_S = 60.0


def run(client: NodeManagerClient, name: str, node: str, drops: int = 1) -> dict[str, Any]:
    """Run a chain, follow its events, and return the last."""
    specs = [data("d0", node, pydata=0)]
    for i in range(drops):
        specs += [app(f"a{i}", ADD, node, inputs=[f"d{i}"], outputs=[f"d{i + 1}"])]
        specs += [data(f"d{i + 1}", node)]
    client.create_session(name)
    client.append_graph(name, specs)
    client.deploy_session(name)
    *_, last = follow(client.link, name)
    return dict(last.data)


def test_a_session_is_run_and_followed_through_the_proxy(site: Site) -> None:
    assert run(site.client, "night", site.node.name)["state"] == "FINISHED"
    status = site.client.graph_status("night")
    assert status == site.node.client(NodeManagerClient).graph_status("night")


def test_errors_of_the_manager_come_as_they_are(site: Site) -> None:
    with pytest.raises(Exception, match="nobody") as caught:
        site.client.session("nobody")
    assert type(caught.value).__name__ == "NoSessionException"


def test_big_graphs_go_in_and_out_whole(site: Site) -> None:
    drops = [data(f"drop-{i:06}", site.node.name, pydata="x" * 500) for i in range(8000)]
    site.client.create_session("big")
    site.client.append_graph("big", drops)
    assert set(site.client.graph("big")) == {drop["oid"] for drop in drops}


def test_many_ask_at_once_while_others_listen(site: Site) -> None:
    client = site.client
    client.create_session("watched")
    client.append_graph("watched", [data("a", site.node.name)])
    client.deploy_session("watched", completed=[])
    streams = [follow(client.link, "watched") for _ in range(10)]
    for stream in streams:
        next(stream)
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(lambda _: client.session_status("watched"), range(100)))
    assert len(set(found)) == 1
    client.cancel_session("watched")
    for stream in streams:
        *_, last = stream
        assert last.data["state"] == "CANCELLED"


def test_who_leaves_a_stream_leaves_nothing_behind(site: Site) -> None:
    monitor = site.at_monitor()
    for _ in range(5):
        stream = follow(site.client.link, "watched-in-vain")
        with pytest.raises(Exception, match="watched-in-vain"):
            next(stream)
    site.client.create_session("open")
    site.client.append_graph("open", [data("a", site.node.name)])
    site.client.deploy_session("open", completed=[])
    stream = follow(site.client.link, "open")
    next(stream)

    def requests() -> int:
        return int(monitor.link.get("proxies")["proxies"][0]["requests"])

    Cluster.wait_until(requests, lambda n: n == 1)
    assert hasattr(stream, "close")
    stream.close()
    Cluster.wait_until(requests, lambda n: n == 0)
    site.client.cancel_session("open")


def test_each_proxy_is_under_its_id_at_the_port_of_all(site: Site) -> None:
    parts = urlsplit(site.monitor.url)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)) as link:
        for path, status, said in [
            ("/site/", 200, b"<html"), ("/site/static/cluster.js", 200, b""),
            ("/site/api/sessions", 200, b"["), ("/site", 400, b"with a slash"),
            ("/nobody/api", 404, b"no proxy with the id 'nobody'"),
            ("/site/api/nothing", 404, b"there is nothing at /api/nothing"),
            ("/", 404, b"/api/proxies"),
        ]:  # fmt: skip
            link.request("GET", path)
            answer = link.getresponse()
            content = answer.read()
            assert (answer.status, said in content) == (status, True), (path, content)


def test_a_head_is_answered_without_a_body(site: Site) -> None:
    parts = urlsplit(site.proxy.url)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)) as link:
        link.request("HEAD", "/static/cluster.js")
        answer = link.getresponse()
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) > 0
        assert answer.read() == b""
        link.request("GET", "/health")  # on the same connection
        assert link.getresponse().status == 200


def test_pages_of_others_get_no_further_than_at_the_manager(site: Site) -> None:
    parts = urlsplit(site.proxy.url)
    body, kind = b'{"sessionId": "theirs"}', {"Content-Type": "application/json"}
    for headers, status in [
        ({"Origin": f"http://{parts.netloc}"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Host": "evil.example"}, 421),
    ]:
        with closing(http.client.HTTPConnection(parts.netloc, timeout=PATIENCE_S)) as link:
            link.request("POST", "/api/sessions", body, {**kind, **headers})
            assert link.getresponse().status == status


def test_a_proxy_that_died_is_away_until_it_is_there_again(
    tmp_path: Path,
) -> None:
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        monitor = site.at_monitor()
        before = site.proxy.url
        site.proxy.process.kill()
        site.wait_until_connected(monitor, connected=False)
        with pytest.raises(ManagerFailedError, match="the proxy 'site' is not connected"):
            site.client.info()
        site.proxy = site.start_proxy()
        assert site.proxy.url == before
        assert run(site.client, "after", site.node.name)["state"] == "FINISHED"
        ports = (site.proxy_port, int(urlsplit(site.monitor.url).port or 0))
        site.monitor.process.kill()  # the proxy comes back by itself when there is one again
        site.monitor.process.wait(PATIENCE_S)
        site.monitor = site.start_monitor(*ports)
        site.wait_until_connected(monitor)
        found = site.at_monitor().link.get("proxies")["proxies"][0]["url"]
        again = NodeManagerClient("127.0.0.1", urlsplit(found).port, token="")
        assert again.session_summary("after")["state"] == "FINISHED"
        other = site.start_proxy()  # takes the place of the first, which gives up
        assert site.proxy.process.wait(PATIENCE_S) == 1
        assert "give one of them another by --id" in site.proxy.log.read_text()
        assert other.process.poll() is None
        site.node.process.kill()
        site.node.process.wait(PATIENCE_S)
        with pytest.raises(ManagerFailedError, match="does the manager run there"):
            again.info()


def test_who_says_anything_else_than_a_greeting_is_let_go(site: Site) -> None:
    prefix = PREFIX.pack(Kind.GREET, 0, 1 << 30)
    for said in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", prefix, prefix[:3]):
        with socket.create_connection(("127.0.0.1", site.proxy_port), timeout=PATIENCE_S) as link:
            link.sendall(said)
            link.shutdown(socket.SHUT_WR)
            while link.recv(4096):  # the hello of the monitor, and then its end
                pass
    assert site.client.link.get("sessions") is not None


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ClusterFile]:
    folder = tmp_path_factory.mktemp("files")
    return {
        name: write_cluster_file(
            folder / f"{name}.toml", name, new_pair(), new_certificate(name)
        )
        for name in ("inside", "gateway", "stranger")
    }  # fmt: skip


@pytest.fixture(scope="module")
def guarded(
    files: dict[str, ClusterFile], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A site whose manager has the file of one cluster, and whose monitor that of another."""
    inside, gateway = str(files["inside"].path), str(files["gateway"].path)
    with ExitStack() as stack:
        yield Site(
            tmp_path_factory.mktemp("guarded"), stack,
            node_options=("--cluster", inside),
            monitor_options=("--cluster", gateway),
            proxy_options=("--cluster", inside, "--monitor-cluster", gateway),
        )  # fmt: skip


def access(site: Site, file: ClusterFile) -> dict[str, Any]:
    """Return how one gets in at the port of the proxy with the file of a cluster."""
    parts = urlsplit(site.proxy.url)
    found = find_access(str(parts.hostname), int(parts.port or 0), cluster=file.path)
    return {"token": found.token, "tls": found.tls}


def test_clients_show_the_token_of_the_monitor_and_managers_that_of_the_cluster(
    guarded: Site, files: dict[str, ClusterFile]
) -> None:
    client = guarded.through(NodeManagerClient, **access(guarded, files["gateway"]))
    assert run(client, "secret", guarded.node.name)["state"] == "FINISHED"
    tls = client.link.tls
    for wrong in ("", files["inside"].token):
        with pytest.raises(ManagerRefusedError, match="the token"):
            guarded.through(NodeManagerClient, token=wrong, tls=tls).info()
    with pytest.raises(ManagerUnreachableError, match="another certificate"):
        guarded.through(NodeManagerClient, **access(guarded, files["inside"])).info()


def test_pages_are_given_without_the_token_and_nothing_else_is(
    guarded: Site, files: dict[str, ClusterFile]
) -> None:
    tls = access(guarded, files["gateway"])["tls"]
    for url, prefix in ((guarded.proxy.url, ""), (guarded.monitor.url, "/site")):
        netloc = urlsplit(url).netloc
        with closing(http.client.HTTPSConnection(netloc, context=tls)) as link:
            for path, status in [
                ("/", 200), ("/session?sessionId=a", 200), ("/static/cluster.js", 200),
                ("/api", 401), ("/static/../api", 401), ("/static/%2e%2e/api", 401),
                ("//api", 401), ("/session/../api", 401), ("/metrics", 401),
            ]:  # fmt: skip
                link.request("GET", prefix + path)
                answer = link.getresponse()
                answer.read()
                assert answer.status == status, path
            link.request("POST", f"{prefix}/", b"")
            assert link.getresponse().status == 401


def test_an_unknown_id_is_told_only_to_who_may_ask(
    guarded: Site, files: dict[str, ClusterFile]
) -> None:
    how = access(guarded, files["gateway"])
    with pytest.raises(NothingThereError, match="no proxy with the id"):
        guarded.at_monitor(**how).link.__class__(
            "127.0.0.1", urlsplit(guarded.monitor.url).port or 0, how["token"], how["tls"],
            root="/nobody/api",
        ).get()  # fmt: skip
    with pytest.raises(ManagerRefusedError, match="the token"):
        guarded.at_monitor(tls=how["tls"]).link.get("proxies")


def refused(*command: str, folder: Path) -> tuple[int, str]:
    """Return with what a command ends, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "dlg_engine.cli", *command],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=folder,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_proxy_with_another_token_is_refused_by_the_monitor(site: Site, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("some-other-token-0123456789")
    how = ("-m", "127.0.0.1", "-o", str(site.proxy_port), "-f", "1")
    code, said = refused("proxy", *how, "--monitor-token-file", str(token), folder=tmp_path)
    assert code == 2
    assert "it has another token" in said


def test_a_monitor_with_another_certificate_is_refused_by_the_proxy(
    guarded: Site, files: dict[str, ClusterFile], tmp_path: Path
) -> None:
    how = ("-m", "127.0.0.1", "-o", str(guarded.proxy_port), "-f", "1")
    file = str(files["stranger"].path)
    code, said = refused("proxy", *how, "--monitor-cluster", file, folder=tmp_path)
    assert code == 2
    assert "another certificate" in said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("monitor", "-H", "0.0.0.0", "-o", "0", "-c", "0"), "dlg keys new"),
        (("proxy", "-m", "192.0.2.1", "-f", "8000"), "could be anybody"),
        (("proxy", "-m", "192.0.2.1", "-f", "8000", "--monitor-token-file", "t"), "without TLS"),
        (("monitor", "-H", "0.0.0.0", "-o", "0", "-c", "0", "--token-file", "t"), "without TLS"),
        (("proxy", "-m", "localhost", "-f", "8000", "-i", "a/b"), "cannot be the id"),
    ],
    ids=["open monitor", "unknown monitor", "plain link", "plain monitor", "bad id"],
)  # fmt: skip
def test_what_would_not_be_safe_is_refused_at_once(
    command: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    (tmp_path / "t").write_text("a-token-of-some-letters")
    code, told = refused(*command, folder=tmp_path)
    assert code == 2
    assert said in told
