"""Alias: the encodings of ports, for components that have a parameter for one."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any


class DropParser(StrEnum):
    """How data becomes a value and back; the encodings are those of `dlg.support.serialize`."""

    RAW = "raw"
    PICKLE = "pickle"
    EVAL = "eval"
    NPY = "npy"
    DILL = "dill"
    PATH = "path"
    DATAURL = "dataurl"
    BINARY = "binary"
    UTF8 = "utf-8"


def get_port_reader_function(input_parser: DropParser) -> Callable[[Any], Any]:
    """Return a function that reads the value of a completed drop as `input_parser` says."""
    encoding = DropParser(input_parser).value

    def read(drop: Any) -> Any:
        return drop.load(encoding)

    return read


__all__ = ["DropParser", "get_port_reader_function"]
