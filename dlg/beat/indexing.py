"""The indices of the sets of databases, made where they are missing.

A view is code of users: it is asked for its rows in a watched process, like all such code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dlg.beat.database import Database
from dlg.beat.processes.limits import Limits
from dlg.exceptions import RunError

INDEX = "dlg.beat.indexing:index_one"


class IndexingError(RunError):
    """The view of a set cannot tell its rows."""


def missing_sets(configuration: Mapping[str, Any], cache: str | Path) -> list[dict[str, str]]:
    """Return the sets that a block reads and that have no index in the cache, each once."""
    found: dict[str, dict[str, str]] = {}
    for one in _inputs(configuration):
        if "database" in one and not Path(cache, one["path"]).exists():
            found[one["path"]] = {key: one[key] for key in ("database", "protocol", "set", "path")}
    return list(found.values())


def _inputs(configuration: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from configuration.get("inputs", {}).values()
    if "loop" in configuration:
        yield from _inputs(configuration["loop"])


def index_sets(
    configuration: Mapping[str, Any],
    prefix: str | Path,
    cache: str | Path,
    roots: Mapping[str, str] | None = None,
) -> int:
    """Make the indices that a block needs and that are missing; return how many that were.

    Raises RunError if a view fails. Several processes may do the same at once: each writes the
    index whole.
    """
    # Loaded here: whoever only asks what is missing starts no processes.
    from dlg.beat.execution.wardens import pool  # noqa: PLC0415
    from dlg.beat.processes.calls import Call  # noqa: PLC0415

    wanted = missing_sets(configuration, cache)
    for one in wanted:
        root = (roots or {}).get(one["database"])
        payload = {**one, "prefix": str(prefix), "cache": str(cache), "root": root}
        outcome = pool().run([Call(Limits(), function=INDEX, payload=payload)])
        if outcome.answer != "indexed":
            text = outcome.answer or outcome.stderr.strip() or f"exit code {outcome.code}"
            where = f"{one['database']}, protocol {one['protocol']}, set {one['set']}"
            raise IndexingError(f"database {where} cannot be indexed: {text}")
    return len(wanted)


def index_one(payload: Mapping[str, Any], _links: object) -> str:
    """Write the index of one set; called in a process of its own."""
    database = Database(payload["prefix"], payload["database"], checked=False)
    target = Path(payload["cache"], payload["path"])
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        runner = database.view(
            payload["protocol"], payload["set"], exc=RuntimeError, root_folder=payload["root"]
        )
        runner.index(str(target))
    except RuntimeError as error:
        return f"{type(error).__name__}: {error}"
    return "indexed"
