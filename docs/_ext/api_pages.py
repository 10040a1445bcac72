"""Write a page for each module, under reference/api; autodoc fills them from the docstrings."""

from __future__ import annotations

import importlib
import pkgutil
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlg
import dlg_engine
import dlg_translator

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PACKAGES = (dlg, dlg_translator, dlg_engine)

NOT_IMPORTED = "dlg_engine.tasks.migrations."
"""What is below is run by alembic, and cannot be imported."""

PAGE = """\
# {name}

```{{eval-rst}}
.. automodule:: {name}
{options}
```
"""
# What a module re-exports is described where it is defined, and only pointed to.
OPTIONS = "   :ignore-module-all:"
FROM_ELSEWHERE = """
Re-exported:

{names}
"""
TREE = """
```{{toctree}}
:maxdepth: 1
:hidden:

{children}
```
"""


def modules() -> Iterator[str]:
    """Yield the dotted name of each package and module that is not private."""
    for package in PACKAGES:
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            private = any(part.startswith("_") for part in found.name.split("."))
            if not private and not found.name.startswith(NOT_IMPORTED):
                yield found.name


def from_elsewhere(name: str) -> str:
    """Return a list of what module `name` re-exports, with links to where it is described."""
    module = importlib.import_module(name)
    lines = []
    for public in getattr(module, "__all__", ()):
        found = getattr(module, public)
        home, inner = getattr(found, "__module__", name), getattr(found, "__qualname__", public)
        if home != name:
            lines.append(f"* {{py:obj}}`{public} <{home}.{inner}>`")
    return FROM_ELSEWHERE.format(names="\n".join(lines)) if lines else ""


def write_pages(app: Sphinx) -> None:
    """Write all pages anew, so that those of modules that are gone go too."""
    folder = Path(app.srcdir) / "reference" / "api"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    names = list(modules())
    for name in names:
        depth = name.count(".") + 1
        children = [n for n in names if n.startswith(name + ".") and n.count(".") == depth]
        tree = TREE.format(children="\n".join(children)) if children else ""
        (folder / f"{name}.md").write_text(
            PAGE.format(name=name, options=OPTIONS) + from_elsewhere(name) + tree
        )


def setup(app: Sphinx) -> dict[str, Any]:
    """Have the pages written before anything is read."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
