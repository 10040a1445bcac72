"""The pages of an island behind a firewall, in a browser that can only reach the monitor."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.web.conftest import Page, night

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.mark.usefixtures("no_complaints")
def test_a_session_is_watched_live_through_a_proxy(
    page: Page, cluster: Cluster, tmp_path: Path
) -> None:
    ports = ("-o", "0", "-c", "0", "-p", "0")
    monitor = Process("monitor", *ports, workdir=tmp_path / "monitor")
    where = ("-o", str(json.loads(monitor.said)["proxy_port"]))
    manager = ("-f", str(urlsplit(cluster.island.url).port), "-i", "site")
    proxy = Process("proxy", "-m", "127.0.0.1", *where, *manager, workdir=tmp_path / "proxy")
    try:
        for address in (proxy.url.rstrip("/"), f"{monitor.url}/site"):
            name = f"seen-{len(address)}"
            page.address = address
            page.open()
            page.until(lambda: len(page.all("#nodes .card")) == 3)
            page.start(name, night(6, page.nodes, seconds=1.0))
            page.watch(name)
            page.wait_for_state("running")
            page.wait_for_state("finished")
    finally:
        page.browser.get("about:blank")
        proxy.end()
        monitor.end()
