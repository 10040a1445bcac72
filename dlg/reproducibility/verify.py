"""Whether what a run has left behind is still what it was.

Every hash that stands in the files of a run is computed once more from what it is the hash of: the
file of the evidence as a whole, what counts of each drop, the signatures of the graph at all
levels, and the contents that are in files. What is not so any more is named, drop by drop.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dlg.exceptions import DaliugeException, UsageError
from dlg.graph.physical import PhysicalGraph
from dlg.graph.reading import read_physical_graph
from dlg.reproducibility.evidence import STRICT, Ended, Run, level_of, results_signature, run_of
from dlg.reproducibility.levels import Level, basic_levels, levels_kept
from dlg.reproducibility.merkle import root_of_fields
from dlg.reproducibility.running import init_runtime_repro_data
from dlg.reproducibility.strict import Evidence, Signer, signature_at
from dlg.support.content import ALGORITHM, hash_of_directory, hash_of_file

DIGEST = "digest"
"""The key, in the data of the graph, of the hash of all the rest of the file."""
INEXACT = "inexact"
"""The key, there, that says that JSON could not hold all values: they cannot be hashed again."""
_LAYERS = ("structure", "parameters", "code")


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is not what it was."""

    drop: str
    """Its oid; empty for what concerns the run as a whole."""
    what: str
    file: str
    reason: str


@dataclass(slots=True)
class Checked:
    """How much has been looked at."""

    hashes: int = 0
    """Hashes that were computed once more."""
    not_kept: int = 0
    """Contents that are in no file, or were hashed in a way that is not known here."""


def with_digest(document: list[dict[str, Any]]) -> bytes:
    """Return what a run leaves behind as the bytes of its file, with a hash that proves them.

    A value that JSON does not know stands there as people would read it.
    """
    unknown: list[object] = []

    def told(value: object) -> str:
        unknown.append(value)
        return repr(value)

    *drops, data = document
    parts = [msgspec.json.encode(part, enc_hook=told) for part in drops]
    data = data | ({INEXACT: True} if unknown else {})
    parts.append(msgspec.json.encode(data, enc_hook=told))
    last = msgspec.json.encode(data | {DIGEST: _digest(parts)}, enc_hook=told)
    return b"[" + b",".join([*parts[:-1], last]) + b"]"


def _digest(parts: list[bytes]) -> str:
    found = hashlib.sha256(usedforsecurity=False)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return f"sha256:{found.hexdigest()}"


def verify_run(path: Path, checked: Checked) -> Iterator[Wrong]:
    """Yield what is wrong with the run that the file at `path` tells of.

    Raises `UsageError` if it cannot be read as one at all and nothing in it says why.
    """
    raw = path.read_bytes()
    whole = _is_whole(raw)
    checked.hashes += whole is not None
    if whole is False:
        yield Wrong("", "evidence", str(path), "the file is not what was written")
    try:
        run = run_of(msgspec.json.decode(raw))
    except (msgspec.MsgspecError, ValueError, UsageError, KeyError) as error:
        if whole is False:
            return
        raise UsageError(f"{path} is no evidence of a run: {error}") from error
    if whole is None and run.is_strict:
        yield Wrong("", "evidence", str(path), "the hash of the file is missing in it")
    try:
        if not run.data.get(INEXACT):
            yield from (_strict if run.is_strict else _compat)(run, str(path), checked)
        yield from _contents(run, checked)
    except (DaliugeException, LookupError, TypeError, ValueError, AttributeError) as error:
        # Anything may stand in a file that is not what was written.
        yield Wrong("", "graph", str(path), f"it cannot be read: {error}")


def _is_whole(raw: bytes) -> bool | None:
    """Return whether a file is what was written; None if it does not say what that was."""
    try:
        *parts, last = msgspec.json.decode(raw, type=list[msgspec.Raw])
        data = msgspec.json.decode(last)
    except (msgspec.MsgspecError, ValueError):
        return False
    if not isinstance(data, dict) or DIGEST not in data:
        return None
    told = data.pop(DIGEST)
    return bool(told == _digest([*map(bytes, parts), msgspec.json.encode(data)]))


# -- what was signed strictly ----------------------------------------------------------------


def _strict(run: Run, file: str, checked: Checked) -> Iterator[Wrong]:
    bare = [_bare(spec) for spec in run.drops.values()]
    graph = read_physical_graph(bare, file, runs_here=False)
    records = [run.drops[oid]["reprodata"][STRICT] for oid in graph.oids]
    evidence = Evidence(
        outcomes={row: r["structure"]["outcome"] for row, r in enumerate(records)
                  if "outcome" in r["structure"]},
        codes={row: r["code"] for row, r in enumerate(records) if "code" in r},
    )  # fmt: skip
    signer = Signer()
    for row, record in enumerate(records):
        own = signer.own(graph, row, evidence)._asdict()
        for layer in _LAYERS:
            if layer in record:
                checked.hashes += 1
                if record[layer] != own[layer]:
                    names = ", ".join(_apart(record[layer], own[layer]))
                    text = f"what it says of {names} is not what the dropspec says"
                    yield Wrong(graph.oids[row], layer, file, text)
    yield from _signatures(run, graph, evidence, file, checked)


def _signatures(
    run: Run, graph: PhysicalGraph, evidence: Evidence, file: str, checked: Checked
) -> Iterator[Wrong]:
    level = level_of(run)
    signer, wanted = Signer(), basic_levels(level)
    known: dict[Level, str] = {
        basic: signer.sign(graph, basic, evidence).graph
        for basic in wanted
        if basic is not Level.REPRODUCE
    }
    contents = {
        row: record["content"]
        for row, oid in enumerate(graph.oids)
        if "content" in (record := run.drops[oid]["reprodata"][STRICT])
    }
    results = results_signature(graph, Ended((), contents))
    for kept in levels_kept(level):
        told, found = run.signature(kept), signature_at(kept, known, results)
        if told is not None:
            checked.hashes += 1
            if told != found:
                text = "it is not that of the drops, or not of what they are linked to"
                yield Wrong("", f"signature at {kept.name}", file, text)


def _bare(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key != "reprodata"}


def _apart(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[str]:
    return sorted(n for n in left.keys() | right.keys() if left.get(n) != right.get(n))


# -- what the existing system computes -------------------------------------------------------


def _compat(run: Run, file: str, checked: Checked) -> Iterator[Wrong]:
    for oid, drop in run.drops.items():
        for level, own in drop.get("reprodata", {}).items():
            for layer, fields in own.items() if isinstance(own, Mapping) else ():
                if isinstance(fields, Mapping) and "merkleroot" in fields:
                    checked.hashes += 1
                    values = {k: v for k, v in fields.items() if k != "merkleroot"}
                    if root_of_fields(values) != fields["merkleroot"]:
                        text = "its root is another one than that of what is below it"
                        yield Wrong(oid, f"{layer} at {level}", file, text)
    found = init_runtime_repro_data(copy.deepcopy(dict(run.drops)), run.data)
    for kept in levels_kept(level_of(run)):
        told = run.signature(kept)
        if told is not None:
            checked.hashes += 1
            if found[kept.name]["signature"] != told:
                text = "it is not that of the drops"
                yield Wrong("", f"signature at {kept.name}", file, text)


# -- contents --------------------------------------------------------------------------------


def _contents(run: Run, checked: Checked) -> Iterator[Wrong]:
    for oid, drop in run.drops.items():
        record = drop.get("reprodata", {})
        told, path = record.get(STRICT, {}).get("content"), record.get("path")
        if not isinstance(told, str) or told.startswith("none:"):
            continue
        if not path or told.partition(":")[0] != ALGORITHM:
            checked.not_kept += 1
            continue
        checked.hashes += 1
        reason = what_is_wrong(Path(path), told)
        if reason:
            yield Wrong(oid, "content", str(path), reason)


def what_is_wrong(path: Path, told: str) -> str:
    """Return what is wrong with a file or directory that had the hash `told`; else nothing."""
    try:
        found = hash_of_directory(path) if path.is_dir() else hash_of_file(path)
    except FileNotFoundError:
        return "it is not there any more"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return "" if found == told else "the content is another one than that of the run"
