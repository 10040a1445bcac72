"""The page of a scheduler of experiments in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlg.http.server import in_thread
from dlg_engine.daemon.scheduling import SchedulingOptions, make_server
from dlg_engine.rest.beat_service import BeatService
from dlg_engine.scheduling.binding import SchedulingDatabase
from dlg_engine.scheduling.executing import Workplace
from dlg_engine.scheduling.submitting import Site
from tests.browsing import Tab, browse
from tests.dlg_engine.scheduling.plans import BAD, Desk
from tests.dlg_engine.scheduling.prefixes import NAME, SUM, Prefix
from tests.dlg_engine.scheduling.workers import FakePlace, scheduling, working
from tests.dlg_engine.web.conftest import READY

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


class BeatPage(Tab):
    """The page, with a scheduler and its database behind it."""

    desk: Desk
    site: Site

    def open(self) -> None:
        self.browser.get(self.address)
        self.until(lambda: self.run(READY))

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all such elements at one moment."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return list(self.run(script, selector))

    def press(self, selector: str) -> None:
        """Press a button; what is live may have been made anew since it was found."""
        self.until(lambda: self.run("return document.querySelector(arguments[0])", selector))
        self.run("document.querySelector(arguments[0]).click()", selector)


@pytest.fixture
def page(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[BeatPage]:
    (tmp_path / "site").mkdir()
    prefix = Prefix(tmp_path / "site")
    prefix.cache.mkdir()
    database = SchedulingDatabase(tmp_path / "jobs.db")
    site = Site(prefix=prefix.path, cache=prefix.cache)
    service = BeatService(database, site, "tcp://127.0.0.1:8601", "main")
    kept = request.config.getoption("--shots")
    options = SchedulingOptions(site=site, database="", port=0)
    browser = browse(tmp_path / "profile")
    with in_thread(make_server(options, service)) as server:
        found = BeatPage(next(browser), server.url, Path(kept) if kept else tmp_path / "shots")
        found.desk, found.site = Desk(database, prefix.cache), site
        found.resize(1440, 1000)
        yield found
        assert found.complaints() == []
        found.browser.get("about:blank")
        service.changes.close()
    for _ in browser:
        pass
    database.close()


def test_workers_queues_and_experiments_are_shown_as_they_are(page: BeatPage) -> None:
    place = FakePlace(page.site.cache)
    place.set(result=BAD)
    page.desk.add_queue()
    with scheduling(page.desk.database) as scheduler, working(scheduler.address, place, "host1"):
        page.open()
        page.until(lambda: "host1" in "".join(page.texts("#workers .card h4")))
        page.desk.add({"one": (), "two": ("one",)}, author="ann")
        page.until(lambda: any("failed" in row for row in page.texts("#experiments-body tr")))
        assert any(row.startswith("queue") for row in page.texts("#queues-body tr"))
        page.press("button.name")
        page.until(
            lambda: any("ValueError: no good" in row for row in page.texts("#blocks-body tr"))
        )
        assert "ValueError: no good" in page.texts("#one-failure")[0]


def test_an_experiment_is_scheduled_and_its_results_are_shown(page: BeatPage) -> None:
    (page.site.prefix.parent / "open").touch()
    place = Workplace(prefix=page.site.prefix, cache=page.site.cache)
    page.open()
    with scheduling(page.desk.database) as scheduler, working(scheduler.address, place, "host1"):
        page.write("#new-name", NAME)
        page.press("#submit button")
        page.until(lambda: any("3 of 3 done" in row for row in page.texts("#experiments-body tr")))
        page.press("button.name")
        page.until(lambda: f"total{SUM}" in "".join(page.texts("#results tr")))
        page.shot("experiments")


def test_what_is_refused_is_said(page: BeatPage) -> None:
    page.open()
    page.write("#new-name", "t/t/nothing/1/all")
    page.press("#submit button")
    page.until(lambda: "declaration file not found" in page.texts("#complaint-text")[0])
    # The browser logs the refusal; that is no complaint about the page.
    assert all("400" in one for one in page.complaints())


def test_an_experiment_is_cancelled(page: BeatPage) -> None:
    held = FakePlace(page.site.cache, held=True)
    page.desk.add_queue()
    page.open()
    with scheduling(page.desk.database) as scheduler, working(scheduler.address, held):
        page.desk.add({"one": ()})
        assert held.begun.acquire(timeout=30)
        page.press('[data-what="Cancel"]')
        page.press("dialog button.danger")
        page.until(lambda: any("pending" in row for row in page.texts("#experiments-body tr")))
