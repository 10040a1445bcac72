"""The page of a session in a real browser, over real managers."""

from __future__ import annotations

import itertools
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from tests.dlg_engine.web.conftest import BYTES, FAILING, FUNCTION, PICTURE, Page, night
from tests.passage import Passage

pytestmark = [
    pytest.mark.browser, pytest.mark.timeout(240), pytest.mark.usefixtures("no_complaints"),
]  # fmt: skip


def test_twelve_drops_are_watched_live_to_their_end(page: Page) -> None:
    name = page.start("m31-first-light", night(2, page.nodes, seconds=1.2))
    page.watch(name)
    assert page.text("#state") == "running"
    assert page.text("#where") == "on 3 nodes"
    seen: set[int] = set()

    def completed() -> int:
        seen.add(int(page.text("#chip-2 b")))
        return max(seen)

    page.until(lambda: completed() >= 7)
    assert len(seen) > 2, "the numbers do not grow step by step"
    page.until(lambda: page.text("#chip-1 b") == "2")
    page.shot("session")
    page.wait_for_state("finished")
    page.until(lambda: page.text("#done") == "13 of 13 drops, 100 %")
    assert page.text("#status").startswith("ended")
    assert "100 %" in page.group("make image").text
    assert page.find("#cancel").get_property("disabled")


def test_two_thousand_drops_are_drawn_one_by_one(page: Page) -> None:
    name = page.start("survey-2026-11", night(498, page.nodes, seconds=0.12))
    page.watch(name)
    page.until(lambda: int(page.text("#chip-2 b").replace(",", "")) > 900)
    page.shot("session_2000")
    page.click("#tab-timeline")
    page.until(lambda: "on 3 nodes" in page.text("#timeline p"))
    page.shot("timeline")
    page.click("#tab-graph")
    page.wait_for_state("finished")
    page.until(lambda: page.text("#done") == "1,997 of 1,997 drops, 100 %")


@pytest.mark.slow
def test_a_hundred_thousand_drops_are_drawn_as_groups_which_open(page: Page) -> None:
    name = page.start("all-sky", night(25_000, page.nodes))
    page.watch(name)
    assert len(page.all("#groups-body tr")) == 9
    page.wait_for_state("finished", 120)
    page.until(lambda: page.text("#done") == "100,005 of 100,005 drops, 100 %")
    page.shot("session_100000")
    page.group("calibrate").find_element("css selector", "button").click()
    page.until(lambda: page.text("#opened") == "calibrate: 25,000 drops")
    page.shot("session_100000_opened")
    page.click("#all")
    page.until(lambda: not page.find("#all").is_displayed())
    page.write("#search", "4_cal/24999")
    page.until(lambda: page.text("#found") == "1 found")
    page.click("#tab-drops")
    page.until(lambda: len(page.all("#drops-body tr")) == 1)


def test_a_failed_run_says_why_first(page: Page) -> None:
    name = page.start("m31-bad-beam", night(12, page.nodes, image=FAILING))
    page.watch(name)
    page.wait_for_state("failed")
    title = "12 drops failed, all for the same reason; 14 more could not be made"
    page.until(lambda: page.text("#failures-title") == title)
    assert len(page.all("#failures-list li")) == 1
    assert "ValueError: beam is not finite" in page.text("#failures-list")
    page.click("#failures-list button.link")
    page.until(lambda: page.find("#panel .failure").is_displayed())
    panel = page.text("#panel-body")
    assert "beam is not finite: check the primary beam model" in panel
    assert "Traceback" in panel
    assert "make_image" in panel
    page.shot("session_failed")


def test_a_drop_shows_its_contents_and_leads_to_its_neighbours(page: Page) -> None:
    image = {"dropclass": FUNCTION, "func_code": PICTURE, **BYTES}
    name = page.start("m31-images", night(3, page.nodes, image=image))
    page.watch(name)
    page.wait_for_state("finished")
    page.click("#tab-drops")
    page.until(lambda: page.all('[data-oid="6_img/1"]'))
    page.click('[data-oid="6_img/1"]')
    page.until(lambda: page.text("#panel-title") == "make image")
    assert page.texts("#panel .links button") == ["5_ch/1", "7_map/1"]
    page.click("#panel .links ~ .links button")
    page.until(lambda: page.text("#panel-title") == "image")
    page.until(lambda: page.all("#panel .preview img"))
    page.until(lambda: page.run("return document.querySelector('#panel img').naturalWidth") == 160)
    page.click("#tab-graph")
    page.shot("drop_panel")
    page.click("#panel-close")
    assert not page.find("#panel").is_displayed()


def test_apps_that_were_reused_are_told(page: Page) -> None:
    specs = night(2, page.nodes[:1])
    for name in ("made", "reused"):
        page.watch(page.start(name, specs, reuse=True))
        page.wait_for_state("finished")
    page.until(lambda: page.text("#done") == "13 of 13 drops, 100 %, 6 apps reused")
    page.click("#tab-drops")
    page.until(lambda: page.all('[data-oid="6_img/1"]'))
    page.click('[data-oid="6_img/1"]')
    page.until(lambda: page.text("#panel-title") == "make image")
    page.until(lambda: "reused" in page.text("#panel .facts"))


def test_a_session_is_cancelled_after_a_question(page: Page) -> None:
    name = page.start("too-long", night(2, page.nodes, seconds=600))
    page.watch(name)
    page.until(lambda: page.find("#cancel").is_enabled())
    page.click("#cancel")
    page.find("dialog button[value=no]").click()
    assert page.text("#state") == "running"
    page.click("#cancel")
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait_for_state("cancelled")
    assert page.client.session_summary(name)["status"] == 5


def test_drops_are_filtered_by_state_and_found_by_name(page: Page) -> None:
    name = page.start("filters", night(4, page.nodes, image=FAILING))
    page.watch(name)
    page.wait_for_state("failed")
    page.click("#tab-drops")
    page.until(lambda: len(page.all("#drops-body tr")) == 21)
    page.click("#chip-3")
    page.until(lambda: set(page.texts("#drops-body .badge")) == {"failed"})
    page.write("#search", "6_img")
    page.until(lambda: len(page.all("#drops-body tr")) == 4)
    assert page.text("#found") == "4 found"
    page.find("#search").send_keys(Keys.ESCAPE)
    page.click("#chip-3")
    page.until(lambda: len(page.all("#drops-body tr")) == 21)


def test_the_keyboard_is_enough(page: Page) -> None:
    name = page.start("keys", night(2, page.nodes))
    page.watch(name)
    page.wait_for_state("finished")

    def active() -> str:
        return str(
            page.run("return document.activeElement.id || document.activeElement.dataset.oid")
        )

    page.find("#tab-graph").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert active() == "tab-drops"
    page.until(lambda: len(page.all("#drops-body tr")) == 13)
    first = page.find("#drops-body button")
    first.send_keys(Keys.ARROW_DOWN)
    assert active() == "2_flag"
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.until(lambda: page.text("#panel-title") == "flag RFI")
    assert active() == "panel-title"
    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not page.find("#panel").is_displayed()
    assert active() == "2_flag"
    page.find("body").send_keys("/")
    assert active() == "search"
    page.find("#tab-drops").send_keys(Keys.HOME)
    canvas = page.find("#canvas")
    canvas.send_keys("+", Keys.ARROW_LEFT, "0")
    assert page.find("#canvas").is_displayed()


def test_a_drop_in_the_drawing_is_clicked(page: Page) -> None:
    from selenium.webdriver import ActionChains

    name = page.start("clicks", [{**night(1, page.nodes)[0]}])
    page.watch(name)
    page.wait_for_state("finished")
    ActionChains(page.browser).move_to_element(page.find("#canvas")).click().perform()
    page.until(lambda: page.text("#panel-title") == "observation")


def test_an_app_in_the_timeline_is_clicked(page: Page) -> None:
    from selenium.webdriver import ActionChains

    page.start("times", night(1, [page.nodes[0]], seconds=0.2))
    page.watch("times")
    page.wait_for_state("finished")
    page.click("#tab-timeline")
    page.until(lambda: page.text("#timeline p").startswith("4 apps on 1 node"))
    cells = page.texts("#timeline tbody td")
    assert cells[0] == "4"
    canvas = page.find("#timeline canvas")
    steps = itertools.cycle((180, 182))

    def pointed() -> bool:
        """Point at the first app, which begins where the names of the nodes end."""
        x, y = next(steps) - canvas.size["width"] // 2, 38 - canvas.size["height"] // 2
        ActionChains(page.browser).move_to_element_with_offset(canvas, x, y).perform()
        return page.text("#timeline .tip").startswith("flag RFI")

    page.until(pointed)
    ActionChains(page.browser).click().perform()
    page.until(lambda: page.text("#panel-title") == "flag RFI")
    page.click("#zoom-in")


def test_a_lost_connection_is_told_and_mended(page: Page) -> None:
    name = page.start("offline", night(2, page.nodes, seconds=600))
    parts = urlsplit(page.address)
    with Passage(str(parts.hostname), int(parts.port or 0)) as passage:
        page.address = f"http://127.0.0.1:{passage.port}"
        page.watch(name)
        page.until(lambda: page.text("#status").startswith("live"))
        passage.cut()
        page.until(lambda: page.text("#status").startswith("Connection lost, trying again"))
        page.client.cancel_session(name)
        passage.mend()
        page.wait_for_state("cancelled")
        page.until(lambda: page.text("#status").startswith("ended"))
    page.complaints()  # that it could not connect, which is so


def test_a_session_may_be_watched_before_it_is_deployed(page: Page) -> None:
    page.client.create_session("early")
    page.watch("early")
    assert page.text("#state") == "pristine"
    assert page.find("#empty").is_displayed()
    page.client.append_graph("early", night(2, page.nodes))
    page.client.deploy_session("early")
    page.wait_for_state("finished")
    page.until(lambda: page.text("#done") == "13 of 13 drops, 100 %")
    assert len(page.all("#groups-body tr")) == 9
    page.client.destroy_session("early")


def test_a_session_that_is_not_there_is_told(page: Page) -> None:
    page.watch("nobody")
    assert "nobody" in page.text("#complaint-text")
    page.complaints()  # that the answer was 404
    assert page.text("#status") == "not connected"
    page.click("#complaint-text a")
    page.until(lambda: page.all("#sessions-body") or page.all("table"))


def test_every_control_has_a_name(page: Page) -> None:
    name = page.start("names", night(2, page.nodes))
    page.watch(name)
    page.wait_for_state("finished")
    nameless = page.run("""
        const label = (e) => e.labels?.length || e.getAttribute("aria-label");
        const named = (e) => label(e) || e.textContent.trim();
        return [...document.querySelectorAll("button, input, a")]
          .filter((e) => !named(e)).map((e) => e.outerHTML);
    """)
    assert nameless == []


def test_texts_of_a_graph_stay_texts(page: Page) -> None:
    evil = "<img src=x onerror=\"document.title='hacked'\">"
    specs = night(2, page.nodes)
    for spec in specs:
        spec["name"] = evil
    name = page.start("evil", specs)
    page.watch(name)
    page.wait_for_state("finished")
    page.click("#tab-drops")
    page.until(lambda: page.all("#drops-body button"))
    page.click("#drops-body button")
    page.until(lambda: page.text("#panel-title") == evil)
    assert "hacked" not in page.browser.title
    assert page.all("#groups img, #drops img, #panel img") == []


def test_dark_is_dark_and_a_narrow_window_scrolls_one_way_only(page: Page) -> None:
    page.emulate(prefers_color_scheme="dark", prefers_reduced_motion="reduce")
    name = page.start("m31-at-night", night(2, page.nodes))
    page.watch(name)
    page.wait_for_state("finished")
    page.shot("session_dark")
    colours = page.run("return getComputedStyle(document.body).backgroundColor")
    assert max(int(part) for part in colours[4:-1].split(",")) < 60
    page.resize(400, 800)
    page.watch(name)
    assert page.run("return document.documentElement.scrollWidth") <= 400
    page.shot("session_narrow")
