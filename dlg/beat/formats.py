"""Finds the classes of data by the names of their formats, as files and messages give them."""

from __future__ import annotations

from typing import TypeAlias

from dlg.beat.baseformat import baseformat
from dlg.beat.dataformat import DataFormat, DataFormatCache
from dlg.beat.declarations import read
from dlg.beat.storage import split_name, stem_of
from dlg.exceptions import InvalidAssetError

Formats: TypeAlias = DataFormatCache

ANALYSIS = "analysis:"
"""Begins the name of the format of an analyzer's results; the name of the algorithm follows."""


def type_named(prefix: str, name: str, cache: Formats | None = None) -> type[baseformat]:
    """Return the class of a format in a prefix, or of the results of an analyzer in it.

    Raises `InvalidAssetError` if it is not valid, or its name is none, and `DeclarationError` if
    the algorithm of an analysis cannot be read.
    """
    known: Formats = {} if cache is None else cache
    found = known.get(name)
    if found is None:
        found = known[name] = _loaded(prefix, name, known)
    return found.type


def _loaded(prefix: str, name: str, cache: Formats) -> DataFormat:
    if not name.startswith(ANALYSIS):
        return DataFormat(prefix, name, dataformat_cache=cache, checked=False)
    algorithm = name.removeprefix(ANALYSIS)
    split_name("algorithm", algorithm)
    declared = read(stem_of(prefix, "algorithms", algorithm) + ".json")
    try:
        fields = {key: result["type"] for key, result in declared["results"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidAssetError(
            f"{algorithm} is no analyzer: each of its `results' needs a `type'"
        ) from error
    return DataFormat(prefix, fields, dataformat_cache=cache, checked=False)
