"""From what a caller has (a path, JSON text, bytes, a dictionary) to a JSON document.

Compressed files are recognised by their first bytes, not by their names.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dlg.exceptions import InvalidGraphException
from dlg.graph.problems import Problem, summary
from dlg_translator.checks.kinds import problem

GZIP_MAGIC = b"\x1f\x8b"

NAMELESS = "<graph>"
"""How messages call a graph that was handed over without a name."""
STANDARD_INPUT = "standard input"

Source = str | bytes | Path | Mapping[str, Any]
"""A path, JSON text, the bytes of either kind of file, or a document read already."""


def label_of(source: Source) -> str:
    """Return how messages call `source`."""
    if isinstance(source, Path):
        return str(source)
    if isinstance(source, str) and not is_json_text(source):
        return source
    return NAMELESS


@contextmanager
def called(name: str) -> Iterator[None]:
    """Within it, what is refused about a graph without a name calls it `name`."""
    try:
        yield
    except InvalidGraphException as error:
        if error.source != NAMELESS:
            raise
        text = str(error).replace(NAMELESS, name, 1)
        raise InvalidGraphException(text, error.problems, name) from error


def is_json_text(text: str) -> bool:
    """Whether `text` is JSON rather than a path."""
    return text.lstrip("\ufeff \t\r\n")[:1] in {"{", "["}


def read_text(source: str | bytes | Path) -> str:
    """Return the JSON text of a path, of bytes or of text, decompressed.

    Raises `InvalidGraphException` where a file cannot be read or is not text.
    """
    if isinstance(source, str) and is_json_text(source):
        return source
    label = label_of(source)
    try:
        content = source if isinstance(source, bytes) else Path(source).read_bytes()
        if content.startswith(GZIP_MAGIC):
            content = gzip.decompress(content)
        if not content.strip():
            raise refusal([problem("unreadable-file", "the file is empty")], label)
        return content.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, UnicodeDecodeError):
            reason = "it is no text (UTF-8 is expected)"
        raise refusal([problem("unreadable-file", f"cannot read it: {reason}")], label) from error


def parse(text: str, label: str = NAMELESS) -> Any:
    """Return the document that `text` is.

    Raises `InvalidGraphException` with line and column where it is not JSON.
    """
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        is_template = error.doc[error.pos : error.pos + 1] == "~"
        hint = "a parameter stands here: fill it in first" if is_template else ""
        found = problem("invalid-json", f"{error.msg.removesuffix(' at')} at {place}", hint=hint)
        raise refusal([found], label) from error
    except RecursionError as error:
        raise refusal([problem("invalid-json", "nested too deeply")], label) from error


def load(source: Source) -> Any:
    """Return the document of `source`; refuses what cannot be read or is not JSON."""
    if isinstance(source, str | bytes | Path):
        return parse(read_text(source), label_of(source))
    return source


def repeated_keys(text: str) -> list[str]:
    """Return the keys that stand more than once in one and the same object of `text`."""
    repeated: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            seen: set[str] = set()
            for key, _ in pairs:
                if key in seen:
                    repeated.append(key)
                seen.add(key)

    json.loads(text.removeprefix("\ufeff"), object_pairs_hook=look)
    return repeated


def refusal(problems: list[Problem], label: str) -> InvalidGraphException:
    """Return the exception that tells all `problems` of the graph called `label`."""
    return InvalidGraphException(summary(problems, label), problems, label)
