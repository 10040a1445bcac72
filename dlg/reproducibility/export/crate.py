"""A run as an RO-Crate, a directory: the one place that uses the library `rocrate`.

A run of a graph from a file is a Workflow Run Crate: the file is the workflow, and the run as a
whole is an action, too. Of other runs it is known what each app did: a Process Run Crate.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dlg.exceptions import MissingExtraError, UsageError
from dlg.graph.documents import is_logical_graph, read_document
from dlg.reproducibility.export.facts import Action, Facts, Item, Program
from dlg.support.content import hash_of_file

PROCESS = ("https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5")
WORKFLOWS = (
    ("https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"),
    ("https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"),
)
"""The profiles of a crate with a workflow, besides the first one."""
LANGUAGE = "https://daliuge.readthedocs.io/"
VERSION = "4"
"""Of the form of graphs."""
COMPLETED = "http://schema.org/CompletedActionStatus"
FAILED = "http://schema.org/FailedActionStatus"
UNLICENSED = "No licence is stated: ask who gave you this how it may be used"
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
"""What the profile names and the terms of RO-Crate 1.1 do not."""


def write_crate(facts: Facts, evidence: Path, target: Path, licence: str = UNLICENSED) -> None:
    """Write a run, and the file that tells of it, as a crate into the new directory `target`.

    Data stay where they are; the crate names their files by `file:` addresses. `licence` is an
    address, or says how the crate may be used. Raises `MissingExtraError` without `rocrate`, and
    `UsageError` if there is something already.
    """
    try:
        from rocrate.rocrate import ROCrate  # noqa: PLC0415  slow to import, and optional
    except ImportError as error:
        raise MissingExtraError("rocrate", "provenance") from error
    if target.exists():
        raise UsageError(f"{target} exists already: a crate is written into a new directory")
    crate = ROCrate(version="1.1")
    workflow = _kept_workflow(facts, evidence)
    _describe(crate, facts, workflow=workflow is not None)
    crate.license = licence
    told = {"name": "What the run left behind", "encodingFormat": "application/json"}
    crate.add_file(evidence, evidence.name, properties=told)
    programs = {program.key: _add_program(crate, program) for program in facts.programs}
    items = {item.oid: _add_item(crate, item) for item in facts.items}
    if workflow is not None:
        _add_run(crate, facts, _add_workflow(crate, workflow), items)
    for action in facts.actions:
        _add_action(crate, action, programs[action.program.key], items)
    try:
        crate.write(target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}") from error


def _kept_workflow(facts: Facts, evidence: Path) -> Path | None:
    """Return the file that the graph of a run came from, if it was kept with the evidence."""
    if not facts.workflow:
        return None
    path = evidence.parent / "workflow" / facts.workflow
    try:
        same = hash_of_file(path) == facts.workflow_content
    except OSError:
        return None  # it was not brought along
    if not same:
        raise UsageError(f"{path} was changed since the run: it is not what was run")
    return path


def _add_workflow(crate: Any, path: Path) -> Any:
    from rocrate.model.computerlanguage import ComputerLanguage  # noqa: PLC0415  as above

    kind = "logical" if is_logical_graph(read_document(path)[0]) else "physical"
    told = {"name": f"DALiuGE {kind} graph", "url": {"@id": LANGUAGE}, "version": VERSION}
    language = crate.add(ComputerLanguage(crate, f"#daliuge-{kind}-graph", properties=told))
    return crate.add_workflow(
        path, f"workflow/{path.name}", main=True, lang=language, properties={"name": path.name}
    )


def _add_run(crate: Any, facts: Facts, workflow: Any, items: dict[str, Any]) -> None:
    """Tell of the run as a whole: an action of the workflow."""
    failed = any(action.failed for action in facts.actions)
    told = {
        "@type": "CreateAction",
        "name": f"Run {facts.session_id}",
        "identifier": facts.session_id,
        "startTime": _time(facts.began),
        "endTime": _time(facts.ended),
        "actionStatus": FAILED if failed else COMPLETED,
    }
    added = _context(crate, "#run", told)
    added["instrument"] = workflow
    for role, found in (("object", facts.inputs), ("result", facts.outputs)):
        _name(added, role, [items[item.oid] for item in found])
    crate.root_dataset.append_to("mentions", added)


def _name(entity: Any, role: str, found: list[Any]) -> None:
    """Let an entity refer to others; one alone stands without a list, as is recommended."""
    if found:
        entity[role] = found[0] if len(found) == 1 else found


def _describe(crate: Any, facts: Facts, *, workflow: bool) -> None:
    crate.metadata.extra_terms.update(TERMS)
    crate.name = f"Run {facts.session_id}"
    crate.description = f"What the apps of the run {facts.session_id} read, made and took in time"
    if facts.ended is not None:
        crate.datePublished = facts.ended
    profiles = [
        _context(crate, own, {"@type": "CreativeWork", "name": name, "version": version})
        for own, name, version in (PROCESS, *(WORKFLOWS if workflow else ()))
    ]
    _name(crate.root_dataset, "conformsTo", profiles)
    if facts.began is not None and facts.ended is not None:
        crate.root_dataset["temporalCoverage"] = f"{_time(facts.began)}/{_time(facts.ended)}"


def _add_program(crate: Any, program: Program) -> Any:
    told = {
        "@type": "SoftwareApplication",
        "name": program.name,
        "softwareVersion": program.version,
    }
    return _context(crate, f"#program-{program.key}", told)


def _add_item(crate: Any, item: Item) -> Any:
    told = {"name": item.name, "identifier": item.oid, "sha256": item.sha256}
    if item.content and not item.sha256:
        told["description"] = f"Its content was {item.content}"
    known = {key: value for key, value in told.items() if value}
    if not item.path:
        known["@type"] = "PropertyValue"
        return _context(crate, f"#data-{quote(item.oid, safe='')}", known)
    address = Path(item.path).as_uri()
    if Path(item.path).is_dir():
        return crate.add_dataset(f"{address}/", properties=known)
    return crate.add_file(address, properties=known)


def _add_action(crate: Any, action: Action, program: Any, items: dict[str, Any]) -> None:
    told = {
        "@type": "CreateAction",
        "name": action.name,
        "identifier": action.oid,
        "description": action.detail,
        "startTime": _time(action.began),
        "endTime": _time(action.ended),
        "actionStatus": FAILED if action.failed else COMPLETED,
    }
    added = _context(crate, f"#app-{quote(action.oid, safe='')}", told)
    added["instrument"] = program
    for role, oids in (("object", action.used), ("result", action.made)):
        _name(added, role, [items[oid] for oid in oids])
    crate.root_dataset.append_to("mentions", added)


def _context(crate: Any, own: str, told: dict[str, Any]) -> Any:
    from rocrate.model import ContextEntity  # noqa: PLC0415  as above

    known = {key: value for key, value in told.items() if value}
    return crate.add(ContextEntity(crate, own, properties=known))


def _time(moment: datetime.datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="milliseconds")
