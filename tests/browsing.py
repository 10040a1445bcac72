"""A real browser for tests of pages, and what somebody in front of it does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

PATIENCE_S = 30
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # WebGL without a graphics card.
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
)  # fmt: skip


@dataclass
class Tab:
    """A page in a browser, as somebody in front of it uses it."""

    browser: Chrome
    address: str
    shots: Path

    def until(self, test: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
        """Wait until something is so, and return it; what is being drawn anew is not so yet."""
        from selenium.common.exceptions import (
            NoSuchElementException,
            StaleElementReferenceException,
        )
        from selenium.webdriver.support.ui import WebDriverWait

        drawing = (NoSuchElementException, StaleElementReferenceException)
        wait = WebDriverWait(self.browser, patience_s, 0.05, ignored_exceptions=drawing)
        return wait.until(lambda _: test())

    def find(self, selector: str) -> WebElement:
        return self.browser.find_element("css selector", selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements("css selector", selector)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def write(self, selector: str, text: str) -> None:
        element = self.find(selector)
        element.clear()
        element.send_keys(text)

    def shot(self, name: str) -> None:
        """Keep a picture of the page with the other files of the test."""
        self.shots.mkdir(parents=True, exist_ok=True)
        file = self.shots / f"{name}.png"
        assert self.browser.save_screenshot(str(file))
        assert file.stat().st_size > 10_000, "the picture is empty"

    def resize(self, width: int, height: int) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def complaints(self) -> list[str]:
        """Return what the browser says against the page: scripts, styles, policies."""
        found: Any = self.browser
        return [entry["message"] for entry in found.get_log("browser")]


def browse(profile: Path) -> Iterator[Chrome]:
    """Yield a browser with a profile of its own; skip the test where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()
