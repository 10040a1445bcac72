from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from dlg_translator.rest.service import Options
from dlg_translator.testing.drawing import Drawing
from dlg_translator.testing.services import FakeManager, running
from tests.browsing import Tab, browse

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

READY = "return document.body.matches('.ready:not(.busy)')"


@dataclass
class Page(Tab):
    """The page of the translator."""

    files: Path

    def open(self, path: str = "/") -> None:
        self.browser.get(self.address + path)
        self.settle()

    def settle(self) -> None:
        """Wait until the page has done what it was told."""
        self.until(lambda: self.run(READY))

    def click(self, selector: str) -> None:
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()
        self.settle()

    def upload(self, document: Any, name: str = "night.graph") -> None:
        file = self.files / name
        file.write_text(json.dumps(document))
        self.find("#file").send_keys(str(file))
        self.until(lambda: name in self.find("#summary").text)
        self.settle()

    def facts(self, selector: str) -> dict[str, str]:
        """Return what a list of facts says, by name."""
        pairs = (row.text.partition("\n") for row in self.all(f"{selector} > div"))
        return {name: value for name, _, value in pairs}


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    yield from browse(tmp_path_factory.mktemp("profile"))


@pytest.fixture
def manager() -> Iterator[FakeManager]:
    with FakeManager().listening() as found:
        yield found


@pytest.fixture
def page(chrome: Chrome, manager: FakeManager, tmp_path: Path) -> Iterator[Page]:
    folders = {name: tmp_path / name for name in ("graphs", "templates", "shots", "files")}
    for folder in folders.values():
        folder.mkdir()
    (folders["graphs"] / "stored.graph").write_text(json.dumps(_pipelines(3)))
    options = Options(lg_dir=folders["graphs"], pgt_dir=folders["templates"], manager=manager.url)
    with running(options) as port:
        found = Page(chrome, f"http://127.0.0.1:{port}", folders["shots"], folders["files"])
        found.resize(1280, 800)
        found.complaints()  # those of earlier tests
        yield found
        chrome.get("about:blank")


@pytest.fixture
def pipelines() -> Callable[[Any], dict[str, Any]]:
    """Return what draws a graph with so many channels."""
    return _pipelines


def _pipelines(copies: Any) -> dict[str, Any]:
    """Return a graph: so many copies of a pipeline between one start and one end."""
    drawing = Drawing()
    drawing.app("observe", execution_time=20)
    drawing.data("sky", data_volume=80)
    split = drawing.scatter("channels", copies)
    drawing.embed(split, "split")
    drawing.data("channel", inside=split, data_volume=20)
    drawing.app("clean", inside=split, execution_time=30)
    drawing.data("image", inside=split, data_volume=6)
    join = drawing.gather("all images", copies)
    drawing.embed(join, "join")
    drawing.data("cube", data_volume=40)
    drawing.app("catalogue", execution_time=12)
    drawing.data("sources", data_volume=1)
    for src, dst in (
        ("observe", "sky"), ("sky", split), (split, "channel"), ("channel", "clean"),
        ("clean", "image"), ("image", join), (join, "cube"), ("cube", "catalogue"),
        ("catalogue", "sources"),
    ):  # fmt: skip
        drawing.link(src, dst)
    return drawing.document()
