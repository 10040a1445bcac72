"""The page of a database of tasks in a real browser: a job that is over, and one that runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dlg.http.server import in_thread
from dlg_engine.daemon.security import Security
from dlg_engine.daemon.task_pages import TaskPagesOptions, make_server
from dlg_engine.rest.task_service import TaskService
from dlg_engine.tasks.task_database import TaskDatabaseConnection
from tests.browsing import Tab
from tests.dlg_engine.tasks.night import Night
from tests.dlg_engine.web.conftest import READY

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

TOKEN = "only-for-astronomers-0123456789abcdef"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


class TaskPage(Tab):
    """The page, with the database behind it."""

    night: Night

    def open(self, where: str = "") -> None:
        self.browser.get("about:blank")  # what differs only behind the # would not be loaded
        self.browser.get(f"{self.address}/{where}")
        self.until(lambda: self.run(READY))

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all such elements at one moment."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return list(self.run(script, selector))

    def press(self, selector: str, text: str = "") -> None:
        """Press what has this text; what is live may have been made anew since it was found."""
        script = (
            "const [where, text] = arguments;"
            "const found = [...document.querySelectorAll(where)].find("
            "  (e) => e.textContent.includes(text));"
            "found?.dispatchEvent(new MouseEvent('click', {bubbles: true})); return Boolean(found)"
        )
        self.until(lambda: self.run(script, selector, text))

    def wait_for(self, selector: str, text: str) -> None:
        """Wait until one of such elements has this text."""
        self.until(lambda: any(text in one for one in self.texts(selector)))

    def choose(self, selector: str, value: str) -> None:
        """Choose from a list, once it offers that."""
        script = (
            "const e = document.querySelector(arguments[0]);"
            "const o = [...e.options].find((o) => o.textContent.includes(arguments[1]));"
            "if (!o) return false;"
            "e.value = o.value;"
            "for (const n of ['input', 'change']) e.dispatchEvent(new Event(n, {bubbles: true}));"
            "return true"
        )
        self.until(lambda: self.run(script, selector, value))


@pytest.fixture
def page(
    chrome: Chrome, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[TaskPage]:  # fmt: skip
    kept = request.config.getoption("--shots")
    with TaskDatabaseConnection(tmp_path / "store", tmp_path / "tasks.db") as tasks:
        night = Night(tasks, tmp_path / "made")
        service = TaskService(tasks.database, tasks.file_store_path, "sql")
        with in_thread(make_server(TaskPagesOptions(database="", port=0), service)) as server:
            found = TaskPage(chrome, server.url, Path(kept) if kept else tmp_path / "shots")
            found.night = night
            found.resize(1440, 900)
            found.complaints()  # those of earlier tests
            yield found
            assert found.complaints() == []
            chrome.get("about:blank")
            service.changes.close()
        night.close()


@pytest.fixture
def running(page: TaskPage) -> Iterator[Callable[[], None]]:
    """Have a job that is over, with what failed, and one of which a task runs."""
    page.night.submit(planets=48)
    page.night.work("host1:4711", most=60)
    page.night.work("host2:815")
    page.night.submit(name="follow-up", namespace="run 2", planets=8)
    with page.night.held("host2:7") as end:
        yield end


def test_jobs_are_a_tree_and_a_task_has_a_panel(
    page: TaskPage, running: Callable[[], None]
) -> None:
    page.open()
    page.wait_for("#tree-body tr", "follow-up")
    page.wait_for("#elapsed", "1 running")
    page.press('[aria-label="Open transits"]')
    page.wait_for("#tree-body .link", "star 3")
    page.press("#tree-body .link", "star 3")
    page.wait_for("#panel .one.bad pre", "ValueError: the star has gone out: <b>no flux</b>")
    page.wait_for("#panel .crumbs", "run 1")
    assert "task=" in page.browser.current_url
    page.shot("tasks")
    page.press("#panel .neighbours .link", "search 3")
    page.until(lambda: page.texts("#panel-title") == ["search 3"])
    assert "blocked" in page.texts("#panel .facts .badge")


def test_products_are_shown_and_nothing_in_them_runs(
    page: TaskPage, running: Callable[[], None]
) -> None:
    page.open()
    page.write("#search", "star 12")
    page.press("#tree-body .link", "star 12")
    page.press('#panel [aria-label^="Show star_012.svg"]')
    shown = "const e = document.querySelector('#panel img'); return e && e.naturalWidth > 0"
    page.until(lambda: page.run(shown))
    page.shot("task_panel")
    page.write("#search", "search 12")
    page.press("#tree-body .link", "search 12")
    page.press('#panel [aria-label^="Show verdict_012.json"]')
    page.wait_for("#panel .preview pre", '"found": false')
    assert "refused" in " ".join(page.texts("#panel .badge"))


def test_a_product_is_downloaded_under_its_name(
    page: TaskPage, running: Callable[[], None], tmp_path: Path
) -> None:
    folder = tmp_path / "downloads"
    where = {"behavior": "allow", "downloadPath": str(folder)}
    page.browser.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    page.open()
    page.write("#search", "star 12")
    page.press("#tree-body .link", "star 12")
    page.press('#panel [aria-label^="Download star_012.svg"]')
    page.until((folder / "star_012.svg").is_file)
    page.until(lambda: (folder / "star_012.svg").read_bytes().endswith(b"</svg>"))


def test_the_page_follows_what_runs(page: TaskPage, running: Callable[[], None]) -> None:
    page.open("#tab=now")
    page.wait_for("#running-body tr", "host2:7")
    assert "8 queued" not in page.texts("#running-note")[0]
    running()
    page.wait_for("#running-body tr", "none")
    page.wait_for("#recent-body tr:first-child", "host2:7")
    page.press("#tab-types")
    page.until(lambda: any(one.startswith("search") for one in page.texts("#types-body tr")))
    page.shot("task_progress")


def test_the_timeline_has_a_line_for_each_worker(
    page: TaskPage, running: Callable[[], None]
) -> None:
    page.open("#tab=timeline")
    page.wait_for("#timeline-note", "on 3 workers")
    assert len(page.texts("#timeline-box .span")) > 90
    page.press("#timeline-box .span title", "make, task 2,")
    page.choose("#job", "transits")
    page.wait_for("#timeline-note", "on 2 workers")
    page.until(lambda: page.texts("#panel-title") != [""])
    page.press("#panel-close")
    page.shot("task_timeline")


def test_the_map_has_a_place_for_each_value_and_opens_tasks(
    page: TaskPage, running: Callable[[], None]
) -> None:
    page.open("#tab=map&job=transits&namespace=run 1")
    page.choose("#map-type", "search")
    page.choose("#map-x", "task: period")
    page.choose("#map-y", "task: radius")
    page.until(lambda: len(page.texts("#map-box .place")) == 16)
    page.wait_for("#map-box .place title", "period 1.7, radius 1.0: 3 rejected")
    page.wait_for("#map-box .place title", "radius 8.0: 2 passed, 1 blocked")
    page.choose("#map-by", "attempt: found")
    page.wait_for("#map-box .place title", "period 1.7, radius 1.0: 3 rejected")
    page.shot("task_map")
    page.press("#map-box .place", "2 passed, 1 blocked")
    page.until(lambda: page.texts("#panel-title") == ["search 3"])
    page.choose("#map-x", "in order")
    page.until(lambda: len(page.texts("#map-box .place")) == 48)


def test_messages_are_filtered_and_lead_to_their_tasks(
    page: TaskPage, running: Callable[[], None]
) -> None:
    page.open("#tab=log")
    page.wait_for("#log-body tr", "a star with a planet")
    page.choose("#log-level", "error")
    page.until(lambda: len(page.texts("#log-body tr")) == 1)
    page.shot("task_messages")
    page.press("#log-body .link")
    page.until(lambda: page.texts("#panel-title") == ["star 3"])
    page.choose("#log-level", "all")
    page.write("#log-text", "found: true")
    page.wait_for("#log-body tr", "found: True")
    page.until(lambda: all("found: True" in one for one in page.texts("#log-body tr")))


def test_a_service_that_wants_a_token_is_shown_one(chrome: Chrome, tmp_path: Path) -> None:
    with TaskDatabaseConnection(tmp_path / "store", tmp_path / "tasks.db") as tasks:
        service = TaskService(tasks.database, tasks.file_store_path, "sql")
        options = TaskPagesOptions(database="", port=0, security=Security(token=TOKEN))
        with in_thread(make_server(options, service)) as server:
            page = TaskPage(chrome, server.url, tmp_path)
            chrome.get(server.url)
            page.until(lambda: page.all("#token"))
            page.write("#token", TOKEN)
            page.press("dialog button.main")
            page.until(lambda: page.run(READY))
            page.wait_for("#tree-note", "There are no tasks yet")
            assert all("401" in one for one in page.complaints())
            chrome.get("about:blank")
            service.changes.close()


def test_a_failed_task_is_tried_again(page: TaskPage) -> None:
    page.night.submit(planets=4)
    page.night.work()
    page.open()
    page.press("#legend .chip", "failed")
    page.press("#tree-body .link", "star 3")
    page.press('#panel [data-key="retry"]')
    page.press("dialog button.danger")
    page.wait_for("#panel .one", "queued")
    page.night.broken.clear()
    page.night.work()
    page.until(lambda: page.texts("#panel .facts .badge") == ["passed"])
    assert len(page.texts("#panel .one h4")) > 2
