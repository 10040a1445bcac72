"""Graphs as answers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from dlg.http.answers import JSON, Answer, as_pieces, attachment
from dlg_translator.formats.specs import pieces


def as_document(document: Mapping[str, Any], download: str = "") -> Answer:
    """Return a logical graph."""
    text = json.dumps(document, ensure_ascii=False)
    return Answer(text.encode(), JSON, headers=attachment(download))


def as_specs(specs: Iterable[Mapping[str, Any]], download: str = "") -> Answer:
    """Return a list of dropspecs, which is made while it is sent."""
    return as_pieces(pieces(specs), JSON, download)
