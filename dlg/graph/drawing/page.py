"""Pictures as a web page of one file: to move about in, zoom and search.

The page loads nothing, and its own security policy allows just the one script and the one style
sheet it has, by their sums; texts of the graph are only ever text.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from xml.sax.saxutils import escape

from dlg.graph.drawing.arrange import Picture
from dlg.graph.drawing.svg import to_svg

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src '{style_sum}'; \
script-src '{script_sum}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{note}</p>
<output id="count" for="search"></output>
<input id="search" type="search" placeholder="Search ( / )" aria-label="Search names and classes">
<button id="in" type="button" aria-label="Zoom in">+</button>
<button id="out" type="button" aria-label="Zoom out">&minus;</button>
<button id="fit" type="button">Fit</button>
</header>
<main>
{drawing}<aside id="facts" hidden></aside>
</main>
<script>{script}</script>
</body>
</html>
"""


def to_html(picture: Picture) -> str:
    """Return `picture` as a self-contained page."""
    here = files("dlg.graph.drawing")
    style = here.joinpath("viewer.css").read_text(encoding="utf-8")
    script = here.joinpath("viewer.js").read_text(encoding="utf-8")
    return _PAGE.format(
        title=escape(picture.title or "graph"),
        note=escape(picture.note),
        style=style,
        script=script,
        style_sum=_sum(style),
        script_sum=_sum(script),
        drawing=to_svg(picture),
    )


def _sum(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
