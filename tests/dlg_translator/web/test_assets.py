"""The files of the page fit together, without a browser."""

from __future__ import annotations

import re

import pytest

from dlg_translator import web

SOURCES = {name: asset.content.decode() for name, asset in web.assets().items()}
SCRIPTS = [name for name in SOURCES if name.endswith(".js")]


def test_all_that_the_page_loads_is_there_and_from_here() -> None:
    page = web.page({})
    loaded = re.findall(r'(?:src|href)="([^"#]+)"', page)
    files = [name.removeprefix("static/") for name in loaded if name.startswith("static/")]
    assert set(files) >= {"app.js", "style.css", "icon.svg"}
    assert set(files) <= set(SOURCES)
    assert not [name for name in loaded if "//" in name]


@pytest.mark.parametrize("name", SCRIPTS)
def test_modules_import_what_there_is(name: str) -> None:
    source = SOURCES[name]
    for names, origin in re.findall(r'import \{([^}]+)\} from "\./([^"]+)"', source):
        exported = re.findall(r"export (?:async )?(?:const|function|class) (\w+)", SOURCES[origin])
        assert {word.strip() for word in names.split(",")} <= set(exported)
    assert source.count("import ") == len(re.findall(r'^import .* from "\./', source, re.M))


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_is_read_as_markup_or_as_code(name: str) -> None:
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "://"):
        allowed = word == "://" and name == "dom.js"  # the name of the SVG name space
        assert allowed or word not in SOURCES[name]


def test_every_element_a_module_looks_for_is_in_the_page() -> None:
    there = set(re.findall(r'\bid="([\w-]+)"', web.page({})))
    for name in SCRIPTS:
        sought = set(re.findall(r'byId\("([\w-]+)"\)', SOURCES[name]))
        assert sought <= there, name


def test_what_the_page_begins_with_cannot_leave_its_attribute() -> None:
    evil = "\"'></body><script>alert(1)</script>"
    page = web.page({"open": evil})
    assert "<script>alert" not in page
    assert page.count("<script") == 1


def test_no_file_of_the_page_is_too_long() -> None:
    for name, source in SOURCES.items():
        assert source.count("\n") <= 500, name
        assert name.endswith((".svg", ".css")) or max(map(len, source.splitlines())) <= 112, name
