"""A physical graph template as text that a person can check: one line a drop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Spec = Mapping[str, Any]

TAKES = {"inputs": "", "streamingInputs": "~"}


def readable(specs: Sequence[Spec]) -> str:
    """Return dropspecs as text.

    A data drop is its name; an app is `name: inputs -> outputs`, each in its order, with the port
    of the app in parentheses. Behind a slash stand the indices of the instance, behind `@` the
    iterations of the loops around it, and `~` marks an input that is read while it is written.
    """
    names = _names(specs)
    n_data = sum(spec["categoryType"] == "Data" for spec in specs)
    n_links = sum(len(spec.get(key, ())) for spec in specs for key in (*TAKES, "outputs"))
    lines = [f"{n_data} data, {len(specs) - n_data} apps, {n_links} links", ""]
    for spec in specs:
        if spec["categoryType"] == "Data":
            lines.append(f"data {names[spec['oid']]}")
            continue
        takes = [t for key, mark in TAKES.items() for t in _ends(spec.get(key, ()), names, mark)]
        gives = _ends(spec.get("outputs", ()), names, "")
        lines.append(f"app  {names[spec['oid']]}: {', '.join(takes)} -> {', '.join(gives)}")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _names(specs: Sequence[Spec]) -> dict[str, str]:
    """Return the name of each drop; drops that cannot be told apart otherwise are numbered."""
    plain = [_name(spec) for spec in specs]
    often = {name for name, count in Counter(plain).items() if count > 1}
    seen: Counter[str] = Counter()
    names = {}
    for spec, name in zip(specs, plain, strict=True):
        names[spec["oid"]] = f"{name}#{seen[name]}" if name in often else name
        seen[name] += 1
    return names


def _name(spec: Spec) -> str:
    name, iid = str(spec["name"]), str(spec.get("iid", ""))
    loops = spec.get("loop_ctx") or ""
    return name + (f"/{iid}" if iid not in {"", "0"} else "") + (f"@{loops}" if loops else "")


def _ends(links: Sequence[Any], names: Mapping[str, str], mark: str) -> list[str]:
    found = []
    for link in links:
        for oid, port in link.items() if isinstance(link, Mapping) else [(link, "")]:
            found.append(f"{mark}{names[oid]}" + (f" ({port})" if port else ""))
    return found
