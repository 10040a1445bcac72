from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from dlg_translator.rest.service import Options
from dlg_translator.testing.drawing import Drawing
from dlg_translator.testing.services import FakeManager, running


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def codes(self) -> list[str]:
        return [problem["code"] for problem in self.json["problems"]]


@dataclass(frozen=True)
class Site:
    """A running service and the folders it serves."""

    port: int
    lg_dir: Path
    pgt_dir: Path

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            link.request(method, path, body, dict(headers or {}))
            answer = link.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            link.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: Any) -> Reply:
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path, None, headers)

    def form(self, path: str, headers: Mapping[str, str] | None = None, **fields: Any) -> Reply:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.call("POST", path, urlencode(fields), {**kind, **(headers or {})})

    def post(self, path: str, headers: Mapping[str, str] | None = None, **values: Any) -> Reply:
        kind = {"Content-Type": "application/json"}
        return self.call("POST", path, json.dumps(values), {**kind, **(headers or {})})

    def partitioned(self, document: Any, **how: Any) -> str:
        """Return the id of a division of a graph."""
        graph = self.post("/api/graphs", lg_content=json.dumps(document), name="night.graph").json
        template = self.post(f"/api/graphs/{graph['id']}/templates").json
        how = {"algorithm": "chunks", "parts": 2, **how}
        return str(self.post(f"/api/templates/{template['id']}/partitions", **how).json["id"])


Start = Callable[..., Site]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return what starts a service with other options."""
    lg_dir, pgt_dir = tmp_path / "graphs", tmp_path / "templates"
    lg_dir.mkdir()
    pgt_dir.mkdir()
    with ExitStack() as stack:

        def begin(**changes: Any) -> Site:
            options = replace(Options(lg_dir=lg_dir, pgt_dir=pgt_dir), **changes)
            return Site(stack.enter_context(running(options)), lg_dir, pgt_dir)

        yield begin


@pytest.fixture
def site(start: Start) -> Site:
    return start()


@pytest.fixture
def manager() -> Iterator[FakeManager]:
    with FakeManager().listening() as found:
        yield found


@pytest.fixture
def graph() -> dict[str, Any]:
    """A scatter of four short pipelines: two drops before, two in each copy."""
    return scattered(4)


@pytest.fixture
def broken() -> dict[str, Any]:
    """A graph with two mistakes: a link to nothing, and a scatter without a number."""
    document = scattered("many")
    document["linkDataArray"].append({"from": "in", "to": "gone", "fromPort": "", "toPort": ""})
    return document


def scattered(copies: Any) -> dict[str, Any]:
    drawing = Drawing()
    drawing.data("in")
    drawing.app("load")
    drawing.data("all")
    split = drawing.scatter("split", copies)
    drawing.embed(split, "splitter")
    drawing.data("part", inside=split)
    drawing.app("work", inside=split, execution_time=7)
    drawing.data("out", inside=split)
    for src, dst in (
        ("in", "load"), ("load", "all"), ("all", split), (split, "part"), ("part", "work"),
        ("work", "out"),
    ):  # fmt: skip
        drawing.link(src, dst)
    return drawing.document()
