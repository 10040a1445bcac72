"""Write the page of the REST routes of managers, from the same tables that describe them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlg.http.openapi import describe_routes
from dlg_engine.rest.describing import TAGS, TITLES, document_of
from dlg_engine.rest.tables import routes_of

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGE = """\
# REST of the managers

Every manager gives this description to programs at `GET /api/openapi.json` (OpenAPI 3.1), with
what each route takes and answers. *N* is a node manager, *I* a data island, *M* a master.

`GET /metrics` (for Prometheus) and `POST /api/stop` are at every manager too.

An error is a JSON object: `error` is a sentence, `problems` lists all that is wrong, `type` and
`args` are the exception as clients of the existing system expect it. Its status:

{statuses}

{sections}
"""
SECTION = """\
## {title}

| | route | what it does |
|---|---|---|
{rows}
"""


def rows() -> dict[str, dict[tuple[str, str], tuple[str, str]]]:
    """Return by tag what there is at each path and method: for whom, and what it does."""
    found: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
    for level in TITLES:
        paths = describe_routes(routes_of(level), document_of(level))["paths"]
        for path, methods in paths.items():
            for method, operation in methods.items():
                places = found.setdefault(operation["tags"][0], {})
                who, _ = places.get((path, method.upper()), ("", ""))
                places[path, method.upper()] = (who + level[0].upper(), operation["summary"])
    return found


def page() -> str:
    """Return the page."""
    document = document_of("master")
    answers = describe_routes(routes_of("master"), document)["paths"]["/api"]["get"]["responses"]
    statuses = "\n".join(
        f"* `{status}` {answer['description']}" for status, answer in answers.items()
        if status != "200"
    )  # fmt: skip
    sections = []
    for tag, places in rows().items():
        lines = [
            f"| {who} | `{method} {path}` | {what} |"
            for (path, method), (who, what) in sorted(places.items())
        ]
        title = TAGS.get(tag, tag).rstrip(".")
        sections.append(SECTION.format(title=title, rows="\n".join(lines)))
    return PAGE.format(statuses=statuses, sections="\n".join(sections))


def write_page(app: Sphinx) -> None:
    """Write it anew."""
    (Path(app.srcdir) / "reference" / "rest.md").write_text(page())


def setup(app: Sphinx) -> dict[str, Any]:
    """Have the page written before anything is read."""
    app.connect("builder-inited", write_page)
    return {"parallel_read_safe": True}
