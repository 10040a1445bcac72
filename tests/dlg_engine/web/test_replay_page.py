"""The pages of a record in a real browser: to look at, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlg.http.server import in_thread
from dlg.testing import graphs
from dlg_engine.daemon.replaying import make_server
from dlg_engine.managers.records import record_of_existing
from tests.dlg_engine.web.conftest import Page

pytestmark = [
    pytest.mark.browser, pytest.mark.timeout(120), pytest.mark.usefixtures("no_complaints"),
]  # fmt: skip

LINES = [
    {"d0": {"status": 2}, "a0": {"status": 0, "execStatus": 1}},
    {"a0": {"status": 2, "execStatus": 2}, "d1": {"status": 2}},
    {"a1": {"status": 3, "execStatus": 3}, "d2": {"status": 3}},
]


def test_a_record_can_be_looked_at_and_not_be_changed(page: Page, tmp_path: Path) -> None:
    graph, states = tmp_path / "night.pg", tmp_path / "states.txt"
    graph.write_text(json.dumps(graphs.chain(2)))
    states.write_text("\n".join(map(json.dumps, LINES)))
    with in_thread(make_server(record_of_existing(graph, states), "127.0.0.1", 0)) as server:
        page.address = server.url
        page.open()
        page.until(lambda: len(page.all("#sessions-body tr")) == 1)
        assert not [button for button in page.all("button") if button.is_displayed()]
        assert page.text("#name").startswith("record of")
        page.click("#sessions-body a")
        page.until(lambda: page.all("#groups-body tr"))
        page.until(lambda: page.text("#done") == "5 of 5 drops, 100 %")
        assert not page.find("#cancel").is_displayed()
        assert not page.find("#delete").is_displayed()
        page.browser.get("about:blank")
