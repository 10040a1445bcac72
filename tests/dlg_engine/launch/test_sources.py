"""Graphs in repositories."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.exceptions import UsageError
from dlg_engine.launch import sources
from dlg_engine.launch.sources import SERVICES, fetch_graph, read_place, read_url


@pytest.mark.parametrize(
    ("service", "text", "url"),
    [
        ("github", "me/my-graphs/sky/a b.graph@v1".replace(" ", "+"),
         "https://raw.githubusercontent.com/me/my-graphs/v1/sky/a%2Bb.graph"),
        ("github", "me/g/x.graph", "https://raw.githubusercontent.com/me/g/HEAD/x.graph"),
        ("gitlab", "me/g/sky/x.graph@main",
         "https://gitlab.com/api/v4/projects/me%2Fg/repository/files/sky%2Fx.graph/raw?ref=main"),
    ],
)  # fmt: skip
def test_where_a_file_of_a_repository_is(service: str, text: str, url: str) -> None:
    assert SERVICES[service](read_place(text)) == url


@pytest.mark.parametrize(
    "text", ["me", "me/g", "me/g/../../x", "../g/x", "me/g/x@", "me/g/x?y=z", "me/g/a b", "@/g/x"]
)
def test_what_names_no_file_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="names no file of a repository"):
        read_place(text)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "x.graph").write_text("{}")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path / "site"))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(30)


def test_a_graph_is_fetched_under_its_name(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SERVICES, "here", lambda place: f"{site}/{place.path}")
    assert fetch_graph("here", "me/g/x.graph", tmp_path).read_text() == "{}"


def test_what_is_not_there_or_too_big_is_told_with_its_address(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"nothing.graph cannot be fetched: .*ot found"):
        read_url(f"{site}/nothing.graph")
    monkeypatch.setattr(sources, "MOST_BYTES", 1)
    with pytest.raises(UsageError, match=r"x.graph has more than"):
        read_url(f"{site}/x.graph")


@pytest.mark.parametrize(
    "url", ["http://example.org/x", "file:///etc/passwd", "ftp://127.0.0.1/x"]
)
def test_only_what_is_protected_on_its_way_is_asked_for(url: str) -> None:
    with pytest.raises(UsageError, match="only what comes by https"):
        read_url(url)
