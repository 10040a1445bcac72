"""An app that fetches a URL."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dlg.apps.url import UrlRetrieveApp
from dlg.data.memory import InMemoryDROP
from dlg.drops.app_base import BarrierAppDROP
from dlg.exceptions import InvalidDropException, RunError
from dlg.testing.app_contract import AppContract, run


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as the base has it
        """Keep the output of the tests clean."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("site")
    (directory / "page.txt").write_text("what is there")
    handler = functools.partial(_Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


class TestUrl(AppContract):
    @pytest.fixture(autouse=True)
    def place(self, site: str) -> None:
        self.url = f"{site}/page.txt"

    def make(self, **parameters: Any) -> BarrierAppDROP:
        return fetching(self.url, **parameters)


def fetching(url: str, **parameters: Any) -> UrlRetrieveApp:
    app = UrlRetrieveApp("fetch", url=url, **parameters)
    app.addOutput(InMemoryDROP("out"))
    return app


def test_what_is_there_is_the_output(site: str) -> None:
    app = fetching(f"{site}/page.txt")
    run(app)
    assert app.outputs[0].contents() == b"what is there"


def test_a_page_that_is_not_there_is_a_clear_failure(site: str) -> None:
    app = fetching(f"{site}/gone.txt")
    run(app)
    assert isinstance(app.failure, RunError)
    assert f"{site}/gone.txt cannot be fetched" in str(app.failure)
    assert "404" in str(app.failure)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://host/x", "no url"])
def test_nothing_but_the_web_is_fetched(url: str) -> None:
    app = fetching(url)
    run(app)
    assert isinstance(app.failure, InvalidDropException)
    assert "must begin with http:// or https://" in str(app.failure)


def test_a_server_that_does_not_answer_is_a_clear_failure(tmp_path: Path) -> None:
    app = fetching("http://127.0.0.1:9", timeout=2)
    run(app)
    assert isinstance(app.failure, RunError)
