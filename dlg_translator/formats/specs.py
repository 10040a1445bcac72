"""Lists of dropspecs to files, piece by piece: a graph of a million drops is never one text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from dlg_translator.model.spec_texts import text_of, texts_of

Spec = Mapping[str, Any]


def pieces(
    specs: Iterable[Spec], *, indent: bool = False, last: Spec | None = None
) -> Iterator[bytes]:
    """Yield the JSON list of `specs`, a line each, with the object `last` behind if there is one.

    It is indented if people are to read it. Specs that know their texts, as those of templates
    do, are written without making a dictionary of each.
    """
    lead, between = "[\n", "},\n"
    for texts in texts_of(specs):
        if indent:
            lines = [msgspec.json.format(f"{text}}}", indent=1) for text in texts]
            yield (lead + ",\n".join(lines)).encode()
        else:
            yield f"{lead}{between.join(texts)}}}".encode()
        lead = ",\n"
    if last is not None:
        yield f"{lead}{text_of(last)}".encode()
        lead = ",\n"
    yield b"\n]\n" if lead == ",\n" else b"[]\n"
