"""A run as W3C PROV, written as PROV-JSON: the one place that uses the library `prov`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from dlg.exceptions import MissingExtraError
from dlg.reproducibility.export.facts import Action, Facts, Item, Program

DCTERMS = "http://purl.org/dc/terms/"
SCHEMA = "http://schema.org/"


def to_prov_json(facts: Facts) -> bytes:
    """Return a run as PROV-JSON; raise `MissingExtraError` without `prov`.

    Apps that ran and the run as a whole are activities, data are entities, programs are agents.
    """
    try:
        from prov.model import ProvDocument  # noqa: PLC0415  slow to import, and optional
    except ImportError as error:
        raise MissingExtraError("prov", "provenance") from error
    document = ProvDocument()
    document.add_namespace("run", f"urn:uuid:{facts.key}#")
    document.add_namespace("dcterms", DCTERMS)
    document.add_namespace("schema", SCHEMA)
    _whole_run(document, facts)
    for program in facts.programs:
        _agent(document, _id("program", program.key), _told_of_program(program))
    for item in facts.items:
        document.entity(_id("data", item.oid), _told_of_data(item))
    for action in facts.actions:
        _add_action(document, action)
    written = json.loads(str(document.serialize(format="json")))
    return json.dumps(written, indent=1, sort_keys=True).encode()


def _whole_run(document: Any, facts: Facts) -> None:
    _agent(document, "run:engine", {"prov:label": "dlg", "schema:version": facts.engine_version})
    told = {"prov:label": facts.session_id, "dcterms:identifier": facts.session_id}
    document.activity("run:session", facts.began, facts.ended, told)
    document.association("run:session", "run:engine")


def _add_action(document: Any, action: Action) -> None:
    own = _id("app", action.oid)
    told = {
        "prov:label": action.name,
        "dcterms:identifier": action.oid,
        "dcterms:description": action.detail,
        "dcterms:isPartOf": document.valid_qualified_name("run:session"),
        "schema:actionStatus": "failed" if action.failed else "completed",
    }
    document.activity(own, action.began, action.ended, _known(told))
    document.association(own, _id("program", action.program.key))
    for oid in action.used:
        document.usage(own, _id("data", oid))
    for oid in action.made:
        document.generation(_id("data", oid), own)


def _agent(document: Any, own: str, told: dict[str, str]) -> None:
    kind = document.valid_qualified_name("prov:SoftwareAgent")
    document.agent(own, {"prov:type": kind, **_known(told)})


def _told_of_program(program: Program) -> dict[str, str]:
    return {"prov:label": program.name, "schema:version": program.version}


def _told_of_data(item: Item) -> dict[str, Any]:
    return _known(
        {
            "prov:label": item.name,
            "dcterms:identifier": item.oid,
            "prov:location": item.path,
            "schema:sha256": item.sha256,
            "run:content": item.content,
        }
    )


def _known(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value}


def _id(kind: str, key: str) -> str:
    """Return a name in the run: all that a name may not hold is written in hexadecimal."""
    return f"run:{kind}-{quote(key, safe='')}"
