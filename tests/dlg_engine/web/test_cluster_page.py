"""The page of a manager in a real browser: who is there, and the sessions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from dlg.clients import NodeManagerClient
from dlg_engine.testing.processes import Cluster, Process
from tests.dlg_engine.web.conftest import FAILING, Page, night

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

TOKEN = "only-for-astronomers-0123456789abcdef"


def sessions(page: Page) -> list[str]:
    return page.texts("#sessions-body tr")


@pytest.mark.usefixtures("no_complaints")
def test_nodes_and_sessions_are_shown_as_they_are(page: Page) -> None:
    page.start("m31-first-light", night(8, page.nodes))
    page.start("m31-beam-test", night(12, page.nodes, image=FAILING))
    page.start("ngc-7331-mosaic", night(40, page.nodes, seconds=0.9))
    page.start("survey-2026-11", night(400, page.nodes, seconds=0.2))
    page.open()
    page.until(lambda: len(page.all("#nodes .card")) == 3)
    assert page.text("#level") == "Data island"
    page.until(lambda: "3 nodes alive" in page.text("#nodes-note"))
    page.until(lambda: any("m31-beam-test" in row and "failed" in row for row in sessions(page)))
    page.until(lambda: any("m31-first" in row and "finished" in row for row in sessions(page)))
    share = "#sessions-body tr .progress small"
    page.until(lambda: int(page.text(share).strip("< %")) >= 40)
    assert any("survey-2026-11" in row and "running" in row for row in sessions(page))
    page.shot("cluster")
    page.write("#search", "m31")
    page.until(lambda: len(sessions(page)) == 2)


@pytest.mark.usefixtures("no_complaints")
def test_a_session_is_opened_cancelled_and_deleted(page: Page) -> None:
    page.start("doomed", night(1, page.nodes, seconds=600))
    page.open()
    page.until(lambda: any("running" in row for row in sessions(page)))
    page.click('[aria-label="Cancel doomed"]')
    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.until(lambda: page.all("dialog") == [])
    page.click('[aria-label="Cancel doomed"]')
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.until(lambda: any("cancelled" in row for row in sessions(page)))
    page.click('a[data-of="doomed"]')
    page.until(lambda: "session" in page.browser.current_url)
    page.wait_for_state("cancelled")
    page.browser.back()
    page.until(lambda: page.all('[aria-label="Delete doomed"]'))
    page.click('[aria-label="Delete doomed"]')
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.until(lambda: not any("doomed" in row for row in sessions(page)))
    assert page.client.sessions() == []


@pytest.mark.usefixtures("no_complaints")
@pytest.mark.parametrize(
    ("level", "title", "cards"), [("master", "Master", 3), ("node", "Node", 1)]
)
def test_each_level_says_what_it_is(
    page: Page, cluster: Cluster, level: str, title: str, cards: int
) -> None:
    manager = cluster.master if level == "master" else cluster.nodes[0]
    page.address = manager.url
    page.open()
    assert page.text("#level") == title
    page.until(lambda: len(page.all("#nodes .card")) == cards)


@pytest.mark.usefixtures("no_complaints")
def test_a_node_that_is_lost_is_told(page: Page, tmp_path: Path) -> None:
    with Cluster(2, tmp_path) as own:
        page.address = own.island.url
        page.open()
        page.until(lambda: page.text("#nodes-note") == "2 nodes alive")
        own.nodes[1].process.kill()
        page.until(lambda: page.text("#nodes-note") == "1 node alive, 1 lost")
        assert len(page.all("#nodes .card.lost")) == 1
        page.shot("lost")


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Process]:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    found = Process(
        "nm", "-P", "0", "--rpc-port", "0", "--event-port", "0", "-w", str(tmp_path / "work"),
        "--token-file", str(token), workdir=tmp_path / "node",
    )  # fmt: skip
    yield found
    found.end()


def test_a_token_is_asked_for_once_and_kept_for_the_tab(page: Page, guarded: Process) -> None:
    parts = urlsplit(guarded.url)
    client = NodeManagerClient(str(parts.hostname), parts.port, token=TOKEN)
    client.create_session("secret")
    client.append_graph("secret", night(1, [guarded.name]))
    client.deploy_session("secret")
    page.address = guarded.url
    page.browser.get(guarded.url)
    page.until(lambda: page.all("#token"))
    page.find("#token").send_keys("wrong", Keys.ENTER)
    page.until(lambda: page.all("dialog .wrong"))
    page.shot("token")
    page.find("#token").send_keys(TOKEN, Keys.ENTER)
    page.until(lambda: len(page.all("#sessions-body tr")) == 1)
    page.click('a[data-of="secret"]')
    page.wait_for_state("finished")
    assert page.all("dialog") == []
    assert page.run("return localStorage.length") == 0
    assert "only-for" not in page.browser.current_url
    page.run("sessionStorage.clear()")
    page.complaints()  # that answers were 401
