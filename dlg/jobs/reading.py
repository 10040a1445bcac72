"""Documents of jobs, as JSON or YAML.

YAML is read by PyYAML, which dask brings anyway, with its safe loader: tags that would make Python
objects are refused, and so are aliases, by which a small text can stand for a huge document. Keys
must not be said twice in either form.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import yaml

from dlg.jobs.errors import JobError

MAX_BYTES = 64 << 20
MAX_NESTING = 100
YAML = (".yaml", ".yml")
_KINDS = (str, int, float, type(None))
_HALF = re.compile("[\ud800-\udfff]")


def read_document(path: str | Path) -> Any:
    """Return the document in a file, which is YAML if its name says so, and else JSON.

    Raises `JobError` if the file cannot be read or is no such document.
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise JobError(f"{path}: a job of more than {MAX_BYTES >> 20} MiB is too large")
        content = file.read_bytes()
    except OSError as error:
        raise JobError(f"{path}: {error.strerror or error}") from error
    return parse_document(content, str(path), is_yaml=file.suffix.lower() in YAML)


def parse_document(content: bytes | str, source: str = "job", *, is_yaml: bool = False) -> Any:
    """Return the document that a text is; `source` is how messages call it."""
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        found = _yaml(text) if is_yaml else _json(text)
        _check_values(found)
    except (ValueError, RecursionError) as error:  # that of the encoding is one, too
        reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        kind = "YAML" if is_yaml else "JSON"
        raise JobError(f"{source}: it cannot be read as {kind}: {reason}") from error
    return found


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_number)


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  a safe one that refuses more
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        double = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {double!r} is said twice")
    return found


def _check_values(value: Any) -> None:
    """Refuse what JSON has not, and what is deep enough to be trouble for those who walk there."""
    level = [value]
    for _ in range(MAX_NESTING):
        below: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                below.extend([*one.keys(), *one.values()])
            elif isinstance(one, list):
                below.extend(one)
            elif isinstance(one, float) and not math.isfinite(one):
                raise ValueError(f"{one} is no number that a job can have")
            elif isinstance(one, str) and _HALF.search(one):
                raise ValueError(f"{one[:60]!r} has half a character, which no file can keep")
            elif not isinstance(one, _KINDS):
                raise ValueError(f"a value of type {type(one).__name__} is nothing JSON has")
        level = below
        if not level:
            return
    raise ValueError("it is nested too deeply")


class _Loader(yaml.SafeLoader):
    """The safe loader, without aliases, without dates, and with keys that are texts, once each."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            reason = "aliases (*name) are not possible in jobs"
            raise yaml.constructor.ConstructorError(None, None, reason, event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        if not isinstance(node, yaml.MappingNode):  # a tag has lied: who is asked next says so
            return super().construct_mapping(node, deep=deep)
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        seen: set[str] = set()
        for key in keys:
            reason = ""
            if not isinstance(key, str):
                reason = f"the key {key!r} is no text; put it in quotes"
            elif key in seen:
                reason = f"the key {key!r} is said twice"
            if reason:
                raise yaml.constructor.ConstructorError(None, None, reason, node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


# A date would become an object that is none of JSON; it stays the text that it is.
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
    for letter, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
