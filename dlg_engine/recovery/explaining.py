"""Why a drop of a session was made again, or was not.

What the session was made of stands beside it (`about`), or in the evidence that it has left. It is
compared with an earlier session: what differs before the drop is why its results could not be
those that were known.
"""

from __future__ import annotations

import difflib
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlg.ddap_protocol import DROPStates
from dlg.exceptions import NoDropException, UsageError
from dlg.graph.dropspec import entries
from dlg.graph.physical import DropKind
from dlg.reproducibility.compare import Difference, differences_before
from dlg.reproducibility.evidence import STRICT, Run, run_of
from dlg.reproducibility.levels import Level
from dlg.reproducibility.strict import Evidence, Signer
from dlg_engine.recovery.about import About, How, Outcome

EVIDENCE = "reprodata.out"
_DOWN, _UP = (
    ("consumers", "streamingConsumers", "outputs"),
    ("inputs", "streamingInputs", "producers"),
)
_GOOD = {DROPStates.COMPLETED, DROPStates.EXPIRED, DROPStates.DELETED}


@dataclass(frozen=True)
class Known:
    """What a session has left to be looked at."""

    directory: Path
    run: Run
    how: How | None = None
    outcome: Outcome | None = None
    files: Mapping[str, Any] | None = None
    """What the system knew of files from outside, by drop."""

    @property
    def name(self) -> str:
        """What the session is called."""
        return self.directory.name

    def row(self, oid: str) -> int:
        """Return the row of a drop."""
        return list(self.run.drops).index(oid)


@dataclass(frozen=True)
class Cause:
    """Something that is not what it was, and how one comes from there to the drop."""

    drop: str
    what: str
    before: Any
    now: Any
    way: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """Why a drop was made again, or was not."""

    drop: str
    """The app: that which makes the data, if that was asked for."""
    what: str
    """What became of it: it ran, was reused, ..."""
    why: str
    earlier: str
    """The session that it was compared with; empty for none."""
    causes: tuple[Cause, ...]


def known_of(directory: Path) -> Known:
    """Return what the session in `directory` has left; raise `UsageError` if that is nothing."""
    about = About(directory)
    evidence = directory / EVIDENCE
    if about.is_there:
        run, files = _made(about)
        return Known(directory, run, about.how(), about.outcome(), files)
    if evidence.is_file():
        try:
            return Known(directory, run_of(json.loads(evidence.read_bytes())))
        except ValueError as error:
            raise UsageError(f"{evidence} is no JSON: {error}") from error
    raise UsageError(
        f"{directory} has left nothing to look at: run it with --reuse, --resumable or --repro"
    )


def _made(about: About) -> tuple[Run, dict[str, Any]]:
    """Return what was written down of a session, in the form of evidence."""
    graph, made, signer = about.graph(runs_here=False), about.made(), Signer()
    drops: dict[str, Mapping[str, Any]] = {}
    files: dict[str, Any] = {}
    for row, (oid, spec) in enumerate(zip(graph.oids, graph.specs, strict=True)):
        code = made.codes[made.code_of[row]]
        if row in made.contents:
            code = code | {"input": made.contents[row]}
        if row in made.stamps:
            files[oid] = made.stamps[row]
        own = signer.own(graph, row, Evidence(codes={row: code}))._asdict()
        drops[oid] = {**spec, "reprodata": {STRICT: own}}
    if made.variables:
        files[""] = made.variables
    return Run(drops, {"rmode": str(Level.RECOMPUTE.value), "mode": STRICT}), files


def earlier_than(session: Known, oid: str) -> Known | None:
    """Return the last session before `session`, beside it, that had the drop; None if none had."""
    began = _began(session.directory)
    others = sorted(
        (when, other)
        for other in session.directory.parent.iterdir()
        if other.is_dir() and other != session.directory and (when := _began(other)) < began
    )
    for _, other in reversed(others):
        try:
            found = known_of(other)
        except UsageError:
            continue
        if oid in found.run.drops and found.run.is_strict == session.run.is_strict:
            return found
    return None


def _began(directory: Path) -> float:
    """Return when a session began, or an end of time for a directory that is none."""
    about = About(directory)
    try:
        if about.is_there:
            return about.how().began
        return (directory / EVIDENCE).stat().st_mtime
    except (OSError, UsageError):
        return float("inf")


def explain(session: Known, drop: str, other: Known | None) -> Explanation:
    """Return why `drop` was made again in `session`, compared with an earlier one, or was not.

    Raises `NoDropException` if there is no such drop.
    """
    oid = _app_of(session.run, drop)
    other = other or earlier_than(session, oid)
    what = _became(session, oid)
    causes = () if other is None else tuple(_causes(session, other, oid))
    why = _why(session, other, oid, changed=bool(causes))
    return Explanation(oid, what, why, "" if other is None else other.name, causes)


def _nearest(run: Run, drop: str) -> str:
    known = {*run.drops, *(str(spec["name"]) for spec in run.drops.values() if "name" in spec)}
    near = difflib.get_close_matches(drop, sorted(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _app_of(run: Run, drop: str) -> str:
    """Return the app that makes a drop, or the drop itself; it may be given by its name."""
    if drop not in run.drops:
        named = [oid for oid, spec in run.drops.items() if spec.get("name") == drop]
        if len(named) != 1:
            why = f"{len(named) or 'no'} drops of the run are called so"
            raise NoDropException(drop, why + _nearest(run, drop))
        drop = named[0]
    if _kind(run, drop) == DropKind.APP.name.lower():
        return drop
    makers = [oid for oid, after in _after(run).items() if drop in after]
    return makers[0] if makers else drop


def _kind(run: Run, oid: str) -> str:
    record = run.drops[oid].get("reprodata", {}).get(STRICT, {})
    return str(record.get("structure", {}).get("kind", ""))


def _after(run: Run) -> dict[str, list[str]]:
    """Return for each drop those after it."""
    found: dict[str, list[str]] = {oid: [] for oid in run.drops}
    for oid, spec in run.drops.items():
        for key in (*_DOWN, *_UP):
            for name, _ in entries(spec.get(key) or ()):
                source, target = (oid, name) if key in _DOWN else (name, oid)
                if source in found and target not in found[source][-1:]:
                    found[source].append(target)
    return found


# -- what became of it -----------------------------------------------------------------------


def _became(session: Known, oid: str) -> str:
    outcome, row = session.outcome, session.row(oid)
    if outcome is None:
        return "was not heard of: the session has not ended by itself" if session.how else "ran"
    if row in outcome.reused:
        return "was reused"
    if row in outcome.restored:
        return "was done before the session was resumed"
    state = DROPStates(outcome.statuses[row])
    if row in outcome.errors:
        return f"failed with {outcome.errors[row]}"
    if state in _GOOD:
        return "ran" if _kind(session.run, oid) == "app" else "was there"
    return f"did not run: it is {state.name}"


def _why(session: Known, other: Known | None, oid: str, *, changed: bool) -> str:
    row, outcome, how = session.row(oid), session.outcome, session.how
    if outcome is not None and row in outcome.reused:
        return "nothing that it hangs on has changed since the store got what it makes"
    if outcome is not None and oid in outcome.again:
        return outcome.again[oid]
    if outcome is not None and row in outcome.restored:
        return "nothing that it hangs on has changed since"
    if outcome is not None and row in outcome.left_alone:
        return f"it is always run: {outcome.left_alone[row]}"
    if changed:
        return "what it hangs on is not what it was"
    if other is None:
        return "there is no earlier session beside it that had it"
    if how is None or not how.store:
        return "nothing has changed, but the session took no results from a store: see --reuse"
    return f"nothing has changed, {_no_entry(how, other, oid)}"


def _no_entry(how: How, other: Known, oid: str) -> str:
    """Return why a store has not got what another session has made of the same."""
    if other.how is None or other.how.store != how.store:
        return f"but {other.name} has kept nothing in this store"
    if other.outcome is None:
        return f"but {other.name} was broken off"
    state = DROPStates(other.outcome.statuses[other.row(oid)])
    if state not in _GOOD:
        return f"but in {other.name} it was {state.name}"
    return "but the store has not got any more what it makes: it was cleared away, or damaged"


# -- what has changed ------------------------------------------------------------------------


def _causes(session: Known, other: Known, oid: str) -> Iterator[Cause]:
    here, there = _comparable(session, other), _comparable(other, session)
    steps = _steps(session.run, oid)
    for found in differences_before(here, there, oid):
        way = tuple(_way(steps, found.drop))
        yield Cause(found.drop, _said(found), found.right, found.left, way)
    one, two = session.files or {}, other.files or {}
    if session.files is not None and other.files is not None and one.get("") != two.get(""):
        yield Cause("", "variables", two.get("", {}), one.get("", {}), ())


def _said(found: Difference) -> str:
    if (found.layer, found.field) == ("code", "input"):
        return "content of the file from outside"
    return f"{found.layer} {found.field}"


def _comparable(session: Known, other: Known) -> Run:
    """Return the run of a session with what both know of files from outside."""
    drops = dict(session.run.drops)
    for oid, spec in session.run.drops.items():
        code = spec.get("reprodata", {}).get(STRICT, {}).get("code", {})
        hashed = "input" in code, "input" in _code(other.run, oid)
        if hashed[0] != hashed[1] or not any(hashed):
            files = (session.files or {}).get(oid) if (other.files or {}).get(oid) else None
            known = {k: v for k, v in code.items() if k != "input"}
            if files is not None:
                known["input"] = files
            if known != code:
                drops[oid] = _with_code(spec, known)
    return Run(drops, session.run.data)


def _code(run: Run, oid: str) -> Mapping[str, Any]:
    record = run.drops.get(oid, {}).get("reprodata", {}).get(STRICT, {})
    found: Mapping[str, Any] = record.get("code", {})
    return found


def _with_code(spec: Mapping[str, Any], code: Mapping[str, Any]) -> Mapping[str, Any]:
    record = spec.get("reprodata", {})
    return {**spec, "reprodata": {**record, STRICT: {**record.get(STRICT, {}), "code": code}}}


def _steps(run: Run, oid: str) -> dict[str, str]:
    """Return for each drop before `oid` the one after it on a shortest way to there."""
    before: dict[str, list[str]] = {name: [] for name in run.drops}
    for source, after in _after(run).items():
        for target in after:
            if target in before:
                before[target].append(source)
    steps: dict[str, str] = {oid: ""}
    waiting = deque([oid])
    while waiting:
        here = waiting.popleft()
        for source in before[here]:
            if source not in steps:
                steps[source] = here
                waiting.append(source)
    return steps


def _way(steps: Mapping[str, str], drop: str) -> Iterator[str]:
    while drop in steps:
        yield drop
        drop = steps[drop]
