"""The page in a real browser: what a person does with it, from a file to a running session."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from dlg_translator.testing.services import FakeManager

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

Draw = Callable[[Any], dict[str, Any]]


LOGICAL = 10
"""Boxes of the graph as drawn: eight nodes, two applications of constructs."""


def _drops(channels: int) -> str:
    return str(7 + 3 * channels)


def _unrolled(page: Any, document: dict[str, Any]) -> None:
    page.open()
    page.upload(document)
    page.click("#unroll button.main")


def test_from_a_file_to_a_session_on_a_manager(
    page: Any, pipelines: Draw, manager: FakeManager
) -> None:
    page.open()
    page.shot("1-empty")
    page.upload(pipelines(6))
    assert page.facts("#graph-facts") == {"Nodes": "8", "Constructs": "2", "Links": "9"}
    assert len(page.all("#canvas svg .box")) == LOGICAL
    page.shot("2-logical")

    for name in ("channels: num_of_copies", "all images: num_of_inputs"):
        label = next(e for e in page.all("#parameters label") if e.text == name)
        page.write(f"#{label.get_attribute('for')}", "8")
    assert page.find("#reset").text == "Undo 2 changes"
    page.click("#unroll button.main")
    assert page.facts("#template-facts")["Drops"] == _drops(8)
    assert len(page.all("#canvas svg .box")) == int(_drops(8))
    page.shot("3-template")

    page.click("#algorithm-annealing")
    page.write("#parts", "3")
    page.click("#partition button.main")
    rows = [row.text for row in page.all("#table tbody tr")]
    assert len(rows) == 2
    assert rows[0].startswith("metis")
    assert rows[1].startswith("annealing")
    assert {box.get_attribute("data-parts") for box in page.all("svg .box")} == {"0", "1", "2"}
    assert len({path.get_attribute("fill") for path in page.all("svg .box > path")}) == 3
    page.shot("4-compared")

    page.click("#tab-gantt")
    assert len(page.all("#canvas svg .box")) == 4 + 8
    page.shot("5-timeline")

    page.click("#table tbody tr:first-child input")
    assert page.find("#chosen strong").text == "metis"
    page.write("#session", "first light")
    page.click("#submit button.main")
    assert "first light" in page.find("#submitted").text
    assert len(manager.sessions["first light"]) == int(_drops(8))
    assert {spec["node"] for spec in manager.sessions["first light"]} <= set(manager.nodes)
    assert manager.deployed["first light"] == ["1_observe_0"]
    page.shot("6-submitted")
    assert page.complaints() == []


def test_the_best_figure_of_each_kind_is_marked(page: Any, pipelines: Draw) -> None:
    _unrolled(page, pipelines(8))
    page.click("#algorithm-annealing")
    page.click("#algorithm-chunks")
    page.click("#partition button.main")
    for column in range(5, 9):
        cells = page.all(f"#table tbody td:nth-child({column})")
        numbers = [float(cell.text.split()[-1].replace(",", "")) for cell in cells]
        best = ["best" in cell.get_attribute("class").split() for cell in cells]
        differ = len(set(numbers)) > 1
        assert best == [differ and number == min(numbers) for number in numbers]


def test_mistakes_are_listed_and_lead_to_their_place(page: Any, pipelines: Draw) -> None:
    broken = pipelines("many")
    broken["linkDataArray"].append({"from": "sky", "to": "gone", "fromPort": "", "toPort": ""})
    page.open()
    page.upload(broken)
    assert "errors" in page.find("#h-problems").text
    texts = [item.text for item in page.all("#problem-list li")]
    assert any("dangling-link" in text and "/linkDataArray/9" in text for text in texts)
    place = next(e for e in page.all("#problem-list button") if e.text == "channels")
    place.click()
    assert page.find("svg .frame.chosen").get_attribute("data-id") == "channels"
    page.find("#facts button").click()
    assert page.find("#all-parameters").get_attribute("open") is not None
    page.until(lambda: page.find("#parameters legend").text.startswith("channels"))
    page.shot("mistakes")
    page.click("#unroll button.main")
    assert not page.find("#partition").is_displayed()


def test_what_an_algorithm_refuses_is_told(page: Any, pipelines: Draw) -> None:
    _unrolled(page, pipelines(4))
    page.click("#algorithm-metis")
    page.click("#algorithm-min_parts")
    page.write("#option-min_parts-deadline", "1")
    page.click("#partition button.main")
    assert "deadline" in page.find("#h-problems").text + page.find("#problem-list").text
    assert not page.find("#compare").is_displayed()
    page.write("#option-min_parts-deadline", "500")
    page.click("#partition button.main")
    assert page.find("#table tbody tr").text.startswith("min_parts")
    assert not page.find("#problems").is_displayed()


def test_a_big_template_is_drawn_by_kinds_with_the_shares_of_parts(
    page: Any, pipelines: Draw
) -> None:
    _unrolled(page, pipelines(3000))
    assert page.facts("#template-facts")["Drops"] == "9,007"
    assert len(page.all("svg .box")) == 10
    page.click("#partition button.main")
    assert len(page.all("svg .stripe")) >= 2
    dimmed = []
    for chip in page.all("#legend button"):
        chip.click()
        part = chip.text.split()[0]
        boxes = page.all("svg .box")
        others = [part not in box.get_attribute("data-parts").split() for box in boxes]
        assert ["other" in box.get_attribute("class").split() for box in boxes] == others
        dimmed += others
    # Who starts and who ends the graph is in one part, whichever that is.
    assert 0 < sum(dimmed) < len(dimmed)
    page.shot("big")


def test_a_graph_of_the_server_is_opened_and_a_division_saved(page: Any) -> None:
    page.open()
    page.click("#pick button")
    assert page.find("#summary").text == "stored.graph"
    page.click("#unroll button.main")
    page.click("#partition button.main")
    page.click("#save-box summary")
    page.write("#save-name", "saved.json")
    page.click("#save button")
    assert page.find("#status").text == "Saved as saved.json"
    page.open("/pg_viewer?pgt_view_name=saved.json")
    assert page.facts("#template-facts")["Drops"] == _drops(3)
    assert len(page.all("#table tbody tr")) == 1
    assert page.find("#unroll").is_displayed() is False


def test_a_file_is_dropped(page: Any, pipelines: Draw) -> None:
    page.open()
    script = """
        const files = new DataTransfer();
        files.items.add(new File([arguments[0]], "dropped.graph"));
        for (const kind of ["dragover", "drop"]) {
          const options = { dataTransfer: files, bubbles: true, cancelable: true };
          document.querySelector("#canvas").dispatchEvent(new DragEvent(kind, options));
        }
    """
    page.browser.execute_script(script, json.dumps(pipelines(2)))
    page.until(lambda: page.find("#summary").text == "dropped.graph")
    page.settle()
    assert len(page.all("#canvas svg .box")) == LOGICAL


def test_the_keyboard_does_it_all(page: Any, pipelines: Draw) -> None:
    from selenium.webdriver.common.keys import Keys

    _unrolled(page, pipelines(4))
    page.find("#tab-template").send_keys(Keys.ARROW_LEFT)
    page.settle()
    assert page.find("#tab-logical").get_attribute("aria-selected") == "true"
    assert page.browser.switch_to.active_element.get_attribute("id") == "tab-logical"
    page.find("#search").send_keys("clean", Keys.ENTER)
    assert page.find("#found").text == "1 found"
    assert page.find("svg .box.chosen").get_attribute("data-id") == "clean"
    svg = page.find("#canvas svg")
    before = svg.get_dom_attribute("viewBox")
    svg.send_keys("+")
    closer = svg.get_dom_attribute("viewBox")
    svg.send_keys(Keys.ARROW_RIGHT)
    assert len({before, closer, svg.get_dom_attribute("viewBox")}) == 3
    svg.send_keys(Keys.ESCAPE)
    assert page.all("svg .chosen") == []


def test_every_control_has_a_name(page: Any, pipelines: Draw) -> None:
    _unrolled(page, pipelines(4))
    page.click("#partition button.main")
    page.click("#all-parameters summary")
    nameless = page.browser.execute_script("""
        const label = (e) => e.labels?.length || e.getAttribute("aria-label");
        const named = (e) => label(e) || e.textContent.trim();
        return [...document.querySelectorAll("button, input, select, textarea, a")]
          .filter((e) => !named(e)).map((e) => e.outerHTML);
    """)
    assert nameless == []


def test_a_narrow_window_scrolls_one_way_only(page: Any, pipelines: Draw) -> None:
    page.resize(400, 800)
    _unrolled(page, pipelines(4))
    page.click("#algorithm-annealing")
    page.click("#partition button.main")
    assert page.browser.execute_script("return document.documentElement.scrollWidth") <= 400
    page.browser.execute_script("document.querySelector('#view').scrollIntoView()")
    page.shot("narrow")


def test_texts_of_a_graph_stay_texts(page: Any, pipelines: Draw) -> None:
    document = pipelines(3)
    evil = (
        "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"
    )
    for node in document["nodeDataArray"]:
        node["name"] = evil
    _unrolled(page, document)
    page.click("#partition button.main")
    page.click("#all-parameters summary")
    assert "hacked" not in page.browser.title
    assert page.all("#canvas img, #parameters img, svg script") == []
    assert page.complaints() == []


@contextmanager
def elsewhere(content: str) -> Iterator[str]:
    """Serve one page from another origin, as EAGLE is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()


def _form(action: str, **fields: Any) -> str:
    inputs = "".join(
        f'<input name="{name}" value="{escape(str(value))}">' for name, value in fields.items()
    )
    return f'<form method="post" action="{action}">{inputs}<button>send</button></form>'


def test_a_form_posted_by_eagle_opens_the_divided_graph(page: Any, pipelines: Draw) -> None:
    content = _form(
        f"{page.address}/gen_pgt", lg_name="eagle.graph", json_data=json.dumps(pipelines(4)),
        algo="metis", num_par=2, num_islands=0, par_label="Partition", max_load_imb=100,
        max_cpu=8, num_parallel_task_streams=1, rmode=0, test="false",
    )  # fmt: skip
    with elsewhere(content) as address:
        page.browser.get(address)
        page.find("button").click()
        page.until(lambda: page.browser.current_url.endswith("/gen_pgt"))
        page.settle()
    assert page.find("#summary").text == "eagle.graph"
    assert page.facts("#template-facts")["Drops"] == _drops(4)
    assert page.find("#table tbody tr").text.startswith("metis")
    assert {box.get_attribute("data-parts") for box in page.all("svg .box")} == {"0", "1"}
    assert page.complaints() == []


def test_a_wrong_graph_posted_by_eagle_opens_with_what_is_wrong(
    page: Any, pipelines: Draw
) -> None:
    fields = {"lg_name": "a.graph", "json_data": json.dumps(pipelines("many")), "algo": "metis"}
    with elsewhere(_form(f"{page.address}/gen_pgt", **fields)) as address:
        page.browser.get(address)
        page.find("button").click()
        page.until(lambda: page.browser.current_url.endswith("/gen_pgt"))
        page.settle()
    assert "num_of_copies" in page.find("#problem-list").text
    assert len(page.all("#canvas svg .box")) == LOGICAL


def test_a_page_of_others_cannot_submit(page: Any, pipelines: Draw, manager: FakeManager) -> None:
    page.open()
    page.upload(pipelines(2))
    page.click("#unroll button.main")
    page.click("#partition button.main")
    division = page.find("#table .actions a").get_attribute("href").split("/")[-2]
    form = _form(f"{page.address}/api/partitions/{division}/submit", manager=manager.url)
    with elsewhere(form) as address:
        page.browser.get(address)
        page.find("button").click()
        page.until(lambda: "may not do this" in page.find("body").text)
    assert manager.calls == []
