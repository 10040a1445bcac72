from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from dlg.clients import DataIslandManagerClient
from dlg_engine.testing.processes import Cluster
from tests.browsing import Tab, browse

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

Specs = list[dict[str, Any]]
READY = "return document.body.classList.contains('ready')"
MEMORY, FILE = "dlg.data.memory.InMemoryDROP", "dlg.data.file.FileDROP"
FUNCTION, SLEEP = "dlg.apps.python_function.PyFuncApp", "dlg.apps.sleep.SleepApp"

PICTURE = '''
import math, struct, zlib

def picture(_):
    """Return a PNG of a few stars."""
    stars = ((50, 40, 60, 1.0), (110, 70, 150, 0.8), (90, 25, 25, 0.9), (30, 85, 40, 0.6))
    width, height = 160, 110
    rows = bytearray()
    for j in range(height):
        rows += b"\\0"
        for i in range(width):
            v = sum(a * math.exp(-((i - x) ** 2 + (j - y) ** 2) / s) for x, y, s, a in stars)
            rows += bytes(min(255, int(part)) for part in (v * 255, v * v * 200, 40 + v * 90))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(rows)))
    return b"\\x89PNG\\r\\n\\x1a\\n" + head + body + chunk(b"IEND", b"")
'''
BROKEN = """
def make_image(channel):
    beam = float("nan")
    if beam != beam:
        raise ValueError("beam is not finite: check the primary beam model")
"""
BYTES = {"input_parser": "binary", "output_parser": "binary"}
FAILING = {"dropclass": FUNCTION, "func_code": BROKEN, **BYTES}


def night(
    channels: int, nodes: list[str], *, seconds: float = 0.0, image: dict[str, Any] | None = None
) -> Specs:
    """Return a graph as an observatory has: flag, calibrate and image each channel, combine.

    It has five drops and four for each channel. Apps take `seconds`; `image` says what makes the
    image of a channel instead.
    """
    place = itertools.cycle(nodes)
    sleep = {"dropclass": SLEEP, "sleep_time": seconds}

    def app(oid: str, name: str, inputs: list[str], outputs: list[str], **more: Any) -> None:
        specs.append({"oid": oid, "name": name, "lg_key": name, "categoryType": "Application",
                      "inputs": inputs, "outputs": outputs, "node": here,
                      **sleep, **more})  # fmt: skip

    def data(oid: str, name: str, **more: Any) -> None:
        specs.append({"oid": oid, "name": name, "lg_key": name, "categoryType": "Data",
                      "dropclass": MEMORY, "node": here, "expireAfterUse": False,
                      **more})  # fmt: skip

    specs: Specs = []
    here = next(place)
    data("1_sky", "observation", pydata={"field": "M 31", "channels": channels, "rms": 0.013})
    app("2_flag", "flag RFI", ["1_sky"], ["3_vis"])
    data("3_vis", "visibilities")
    for k in range(channels):
        here = next(place)
        app(f"4_cal/{k}", "calibrate", ["3_vis"], [f"5_ch/{k}"])
        data(f"5_ch/{k}", "channel")
        app(f"6_img/{k}", "make image", [f"5_ch/{k}"], [f"7_map/{k}"], **(image or {}))
        data(f"7_map/{k}", "image")
    here = nodes[0]
    app("8_join", "combine", [f"7_map/{k}" for k in range(channels)], ["9_cube"])
    data("9_cube", "mosaic")
    return specs


@dataclass
class Page(Tab):
    """The pages of a manager, and the manager itself."""

    client: DataIslandManagerClient
    nodes: list[str]
    names: Iterator[int] = field(default_factory=itertools.count)
    _sessions: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> None:
        self.browser.get(self.address + path)
        self.until(lambda: self.run(READY))

    def start(self, name: str, specs: Specs, *, reuse: bool = False) -> str:
        """Run a graph in a session of this name."""
        self.client.create_session(name)
        self._sessions.append(name)
        self.client.append_graph(name, specs)
        self.client.deploy_session(name, reuse=reuse)
        return name

    def watch(self, name: str) -> None:
        """Open the page of a session."""
        self.open(f"/session?sessionId={quote(name)}")

    def wait_for_state(self, state: str, patience_s: float = 60.0) -> None:
        self.until(lambda: self.text("#state") == state, patience_s)

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all such elements at one moment."""
        script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)"
        return list(self.run(script, selector))

    def click(self, selector: str) -> None:
        """Click what is there; what is live may have been made anew since it was found."""
        from selenium.common.exceptions import StaleElementReferenceException

        def clicked() -> bool:
            try:
                self.find(selector).click()
            except StaleElementReferenceException:
                return False
            return True

        self.until(clicked)

    def group(self, name: str) -> Any:
        """Return the row of a logical node; these rows stay."""
        rows = self.all("#groups-body tr")
        return next(row for row in rows if name in row.text)

    def emulate(self, **features: str) -> None:
        found = [{"name": n.replace("_", "-"), "value": v} for n, v in features.items()]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": found})

    def clear(self) -> None:
        """Forget the sessions of this test."""
        for name in self._sessions:
            if name in [one["sessionId"] for one in self.client.sessions()]:
                self.client.destroy_session(name)


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    yield from browse(tmp_path_factory.mktemp("profile"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(3, tmp_path_factory.mktemp("cluster"), master=True) as found:
        yield found


@pytest.fixture
def page(
    chrome: Chrome, cluster: Cluster, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Page]:
    kept = request.config.getoption("--shots")
    shots = Path(kept) if kept else tmp_path / "shots"
    client = cluster.island.client(DataIslandManagerClient)
    names = [node.name for node in cluster.nodes]
    found = Page(chrome, cluster.island.url, shots, client, names)
    found.resize(1440, 900)
    found.emulate(prefers_color_scheme="light", prefers_reduced_motion="reduce")
    found.complaints()  # those of earlier tests
    yield found
    chrome.get("about:blank")
    found.clear()


@pytest.fixture
def no_complaints(page: Page) -> Iterator[Callable[[], None]]:
    """Check in the end that the browser had nothing to say against the page."""

    def check() -> None:
        assert page.complaints() == []

    yield check
    check()
