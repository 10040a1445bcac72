"""Apps that sum their input."""

from __future__ import annotations

import zlib
from typing import Any

from dlg.apps.checksum import CRCApp, CRCStreamApp
from dlg.data.memory import InMemoryDROP
from dlg.ddap_protocol import DROPStates
from dlg.drops.app_base import BarrierAppDROP
from dlg.testing.app_contract import AppContract, filled, run
from dlg.testing.expectations import ending

CONTENT = bytes(range(256)) * 20


class TestCRC(AppContract):
    def make(self, **parameters: Any) -> BarrierAppDROP:
        app = CRCApp("crc", **parameters)
        app.addInput(filled("in", CONTENT))
        app.addOutput(InMemoryDROP("out"))
        return app


def streaming() -> tuple[InMemoryDROP, CRCStreamApp, InMemoryDROP]:
    source, app, out = InMemoryDROP("in"), CRCStreamApp("crc"), InMemoryDROP("out")
    app.addStreamingInput(source)
    app.addOutput(out)
    return source, app, out


def test_the_sum_is_that_of_all_bytes_however_they_are_read() -> None:
    for bufsize in (1, 7, 1 << 20):
        app, out = CRCApp("crc", bufsize=bufsize), InMemoryDROP("out")
        app.addInput(filled("in", CONTENT))
        app.addOutput(out)
        run(app)
        assert out.contents() == str(zlib.crc32(CONTENT)).encode()


def test_it_sums_one_input_only() -> None:
    app = CRCApp("crc")
    run(app)
    assert "needs one input, has 0" in str(app.failure)


def test_a_stream_is_summed_while_it_is_written() -> None:
    source, _app, out = streaming()
    with ending(out):
        source.write(b"he")
        source.write(b"llo")
        source.setCompleted()
    assert out.contents() == str(zlib.crc32(b"hello")).encode()


def test_an_empty_stream_has_a_sum_too() -> None:
    source, _app, out = streaming()
    with ending(out):
        source.setCompleted()
    assert out.contents() == b"0"


def test_a_stream_that_fails_fails_the_sum() -> None:
    source, app, out = streaming()
    with ending(out):
        source.write(b"he")
        source.setError(OSError("cut"))
    assert (app.status, out.status) == (DROPStates.ERROR, DROPStates.ERROR)


def test_a_stream_that_is_skipped_skips_the_sum() -> None:
    source, app, out = streaming()
    with ending(out):
        source.skip()
    assert (app.status, out.status) == (DROPStates.SKIPPED, DROPStates.SKIPPED)
