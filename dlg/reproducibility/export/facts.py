"""What a run tells of itself, in the terms that all exports share: actions, programs and data."""

from __future__ import annotations

import datetime
import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlg.ddap_protocol import DROPStates
from dlg.graph import read_physical_graph
from dlg.graph.physical import DropKind, PhysicalGraph
from dlg.reproducibility.evidence import STRICT, Run
from dlg.support.content import sha256_of_file

THERE = frozenset({DROPStates.COMPLETED, DROPStates.EXPIRED, DROPStates.DELETED})
"""How data end that have come to be, whether they are still there or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What an app ran."""

    key: str
    name: str
    version: str
    """The digest of its code, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Data that were there: read from outside or made by an action."""

    oid: str
    name: str
    path: str
    """Where the file or directory was; empty for data in memory and the like."""
    content: str
    """The hash of what is in it, with the algorithm in front; empty if nobody took it."""
    sha256: str
    """... by SHA-256, of a file that is still there as it was."""
    is_made: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One app that ran."""

    oid: str
    name: str
    detail: str
    """The command or the function."""
    program: Program
    began: datetime.datetime | None
    ended: datetime.datetime | None
    failed: bool
    used: tuple[str, ...]
    made: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that an export tells of a run."""

    session_id: str
    key: uuid.UUID
    """The same for each export of one run."""
    began: datetime.datetime | None
    ended: datetime.datetime | None
    engine_version: str
    workflow: str
    """The name of the file that the graph came from, in the folder `workflow`; "" for none."""
    workflow_content: str
    """Its hash."""
    actions: tuple[Action, ...]
    items: tuple[Item, ...]

    @property
    def inputs(self) -> list[Item]:
        """Return the data that no action made."""
        return [item for item in self.items if not item.is_made]

    @property
    def outputs(self) -> list[Item]:
        """Return the data that were made, and that no action used."""
        used = {oid for action in self.actions for oid in action.used}
        return [item for item in self.items if item.is_made and item.oid not in used]

    @property
    def programs(self) -> list[Program]:
        """Return each program that was run, once."""
        return list({action.program.key: action.program for action in self.actions}.values())


def facts_of(run: Run) -> Facts:
    """Return what `run` tells; raise `InvalidGraphException` if its drops are no graph."""
    graph = read_physical_graph([dict(spec) for spec in run.drops.values()])
    told = run.data.get("run", {})
    workflow = told.get("workflow") or {}
    session_id = str(told.get("session_id", "run"))
    text = json.dumps([dict(told), run.data], sort_keys=True, default=repr)
    items = tuple(_items(graph))
    return Facts(
        session_id=session_id,
        key=uuid.uuid5(uuid.NAMESPACE_OID, text),
        began=_moment(told.get("began")),
        ended=_moment(told.get("ended")),
        engine_version=str(told.get("version", "")),
        workflow=Path(str(workflow.get("file", ""))).name,
        workflow_content=str(workflow.get("content", "")),
        actions=tuple(_actions(graph, frozenset(item.oid for item in items))),
        items=items,
    )


def _items(graph: PhysicalGraph) -> Iterator[Item]:
    for row, spec in enumerate(graph.specs):
        state = _outcome(spec)
        if graph.kinds[row] != DropKind.DATA or state not in THERE:
            continue
        content = str(_strict(spec).get("content", ""))
        path = str(_record(spec).get("path", ""))
        yield Item(
            oid=graph.oids[row],
            name=str(spec.get("name") or graph.oids[row]),
            path=path,
            content=content,
            sha256=_sha256(path, content),
            is_made=any(graph.kinds[r] != DropKind.DATA for r in graph.neighbours[1][row]),
        )


def _sha256(path: str, content: str) -> str:
    """Return what others know a file by, who do not know our hash; empty if it has changed."""
    if not path or not content:
        return ""
    try:
        return sha256_of_file(Path(path), content)
    except OSError:  # it is gone, or on another host, or a directory
        return ""


def _actions(graph: PhysicalGraph, there: frozenset[str]) -> Iterator[Action]:
    after, before = graph.neighbours
    for row, spec in enumerate(graph.specs):
        if graph.kinds[row] == DropKind.DATA:
            continue
        began, ended = (_moment(moment) for moment in _record(spec).get("times", (None, None)))
        state = _outcome(spec)
        if began is None and state is not DROPStates.COMPLETED:
            continue  # it never ran
        yield Action(
            oid=graph.oids[row],
            name=str(spec.get("name") or graph.oids[row]),
            detail=_detail(spec),
            program=_program(spec),
            began=began,
            ended=ended,
            failed=state is not DROPStates.COMPLETED,
            used=tuple(o for o in (graph.oids[r] for r in before[row]) if o in there),
            made=tuple(o for o in (graph.oids[r] for r in after[row]) if o in there),
        )


def _program(spec: Mapping[str, Any]) -> Program:
    """Return what `spec` runs: a function by its name, or else the class of the app."""
    strict = _strict(spec)
    component = str(strict.get("structure", {}).get("class") or spec.get("dropclass") or "")
    name = str(spec.get("func_name") or component)
    code = strict.get("code", {})
    version = _digest(code) if code else ""
    # Functions of one name may have different code, and without a version only names differ.
    return Program(key=_digest([component, name, version]), name=name, version=version)


def _detail(spec: Mapping[str, Any]) -> str:
    found = spec.get("command") or spec.get("func_name") or ""
    return found if isinstance(found, str) else json.dumps(found, default=repr)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=repr).encode()).hexdigest()


def _record(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    found = spec.get("reprodata")
    return found if isinstance(found, Mapping) else {}


def _strict(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    found = _record(spec).get(STRICT)
    return found if isinstance(found, Mapping) else {}


def _outcome(spec: Mapping[str, Any]) -> DROPStates:
    return DROPStates(_strict(spec).get("structure", {}).get("outcome", DROPStates.INITIALIZED))


def _moment(seconds: object) -> datetime.datetime | None:
    if not isinstance(seconds, int | float):
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
