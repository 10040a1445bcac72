"""Write a page for each table of states, with a picture; the tables in the code are the source."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from state_picture import picture

from dlg.states import app_drop, data_drop
from dlg_engine.sessions import states as session

if TYPE_CHECKING:
    from sphinx.application import Sphinx

Table = Mapping[tuple[IntEnum, StrEnum], IntEnum]

TABLES: dict[str, tuple[str, Any]] = {
    "data_drop": ("Data drops", data_drop),
    "app_drop": ("App drops", app_drop),
    "session": ("Sessions", session),
}

PAGE = """\
# {title}

![The states and what leads from one to another]({name}.svg)

A state is a box, an arrow says which event leads from one to the next. On some events a state
*stays*: they may come and mean nothing any more. Whatever else is refused with an error that names
the state and the event. The table is `{module}.TABLE`.

| in | {events} |
|---|{rules}|
{rows}
"""


def page(name: str, title: str, module: Any) -> str:
    """Return the page for the table of `module`."""
    table: Table = module.TABLE
    events = list(dict.fromkeys(event for _, event in table))
    states = list(dict.fromkeys([*(s for s, _ in table), *table.values()]))
    rows = (
        f"| **{s.name}** | " + " | ".join(_cell(table, s, event) for event in events) + " |"
        for s in states
    )
    return PAGE.format(
        title=title,
        name=name,
        module=module.__name__,
        events=" | ".join(events),
        rules="|".join("---" for _ in events),
        rows="\n".join(rows),
    )


def _cell(table: Table, state: IntEnum, event: StrEnum) -> str:
    after = table.get((state, event))
    if after is None:
        return "refused"
    return "stays" if after == state else after.name


def write_pages(app: Sphinx) -> None:
    """Write all pages and pictures."""
    folder = Path(app.srcdir) / "reference" / "states"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, (title, module) in TABLES.items():
        (folder / f"{name}.md").write_text(page(name, title, module))
        (folder / f"{name}.svg").write_text(picture(module.TABLE))


def setup(app: Sphinx) -> dict[str, Any]:
    """Have the pages written before anything is read."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
