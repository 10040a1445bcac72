"""How the documentation is built: `make docs`, in which every warning is an error."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

project = "dlg"
author = "the dlg developers"
copyright = f"2026, {author}"  # noqa: A001  the name is sphinx's
version = release = installed_version("dlg")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    # ours, in _ext
    "api_pages",
    "docstrings",
    "rest_pages",
    "state_pages",
]

# Several classes may have a name: autodoc links a bare `type` to any of them, and says so.
suppress_warnings = ["ref.python"]
exclude_patterns = ["_build", "changes"]
default_role = "literal"  # docstrings and pages write `code` alike

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_preserve_defaults = True

html_theme = "pydata_sphinx_theme"
html_title = "dlg"
html_static_path = ["_static"]
html_css_files = ["dlg.css"]
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False
