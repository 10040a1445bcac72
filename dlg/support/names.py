"""Names made from other names, and names made safe."""

from __future__ import annotations

from pathlib import PurePath


def fname_to_pipname(fname: str) -> str:
    """Return the name of the pipeline in graph file `fname`: without folder and ending.

    The endings are .json and .graph, each perhaps followed by .gz; other names stay whole.
    """
    name = PurePath(fname).name
    whole = name
    for ending in (".gz", ".graph", ".json"):
        name = name.removesuffix(ending)
    return name or whole


# The names and arguments here are those of the published interface.
def escapeQuotes(s: str, singleQuotes: bool = True, doubleQuotes: bool = True) -> str:
    """Return `s` with a backslash before each quote of the chosen kinds.

    This is for text inside quotes, in a shell or elsewhere; a whole word of a shell command is
    made safe by `shlex.quote`.
    """
    if doubleQuotes:
        s = s.replace('"', r"\"")
    if singleQuotes:
        s = s.replace("'", r"\'")
    return s
