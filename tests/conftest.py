"""What holds for all tests."""

from __future__ import annotations

import signal

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes depends on what else the machine does; that is for the benchmarks.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# What a shell starts in the background ignores interrupts, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let pictures that browser tests take be kept, and tests be as large as they can be."""
    parser.addoption(
        "--shots", default="", metavar="DIR", help="keep pictures of pages in this directory"
    )
    parser.addoption(
        "--full-size", action="store_true", help="torture queues with all 10,000 items"
    )
