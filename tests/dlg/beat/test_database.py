"""Databases and protocol templates: sets and views, mistakes, copies."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlg.beat.database import Database, Storage, get_first_procotol_template
from dlg.beat.declarations import schema_errors, version_of
from dlg.beat.prefixes import names_in
from dlg.beat.protocoltemplate import ProtocolTemplate
from dlg.exceptions import InvalidAssetError
from tests.dlg.beat.composed import mutated
from tests.dlg.beat.random_experiments import INTEGER, write_prefix

Declaration = dict[str, Any]
TEMPLATE: Declaration = {
    "schema_version": 1,
    "sets": [
        {"name": "train", "outputs": {"value": INTEGER, "label": INTEGER}},
        {"name": "test", "outputs": {"value": INTEGER}},
    ],
}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("prefix")
    write_prefix(root)
    for version in ("9", "10"):
        file = root / f"protocoltemplates/halves/{version}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(TEMPLATE))
    return str(root)


def by_template() -> Declaration:
    return {
        "schema_version": 2,
        "root_folder": "/data",
        "environment": {"name": "views", "version": "1"},
        "protocols": [
            {
                "name": "main",
                "template": "halves/10",
                "views": {
                    "train": {"view": "Train", "parameters": {"seed": 3}},
                    "test": {"view": "Test"},
                },
            }
        ],
    }


def test_the_sets_of_a_database_come_from_its_protocol_template(prefix: str) -> None:
    database = Database(prefix, by_template())
    assert database.errors == []
    assert (database.protocol_names, database.set_names("main")) == (["main"], ["train", "test"])
    assert database.set("main", "test") == TEMPLATE["sets"][1]
    assert database.view_definition("main", "train") == {
        **TEMPLATE["sets"][0], "view": "Train", "parameters": {"seed": 3},
    }  # fmt: skip
    assert database.environment == {"name": "views", "version": "1"}
    assert not database.is_database_rawdata_access_enabled
    assert list(database.dataformats) == [INTEGER]


def test_the_sets_of_an_older_declaration_stand_in_it(prefix: str) -> None:
    database = Database(prefix, "data/1")
    assert database.errors == []
    assert database.view_definition("protocol", "set")["view"] == "View"
    assert database.schema_version == 1
    assert database.code == b"# databases/data/1\n"
    assert database.hash() == Storage(prefix, "data/1").hash()


@pytest.mark.parametrize("protocol", ["none", ""])
def test_a_protocol_that_is_not_there_is_a_key_error(prefix: str, protocol: str) -> None:
    with pytest.raises(KeyError):
        Database(prefix, "data/1").sets(protocol)


def test_mistakes_are_told_with_their_places(prefix: str) -> None:
    declaration = by_template()
    declaration["protocols"].append(
        {"name": "main", "template": "none/1", "views": {"x": {"view": "X"}}}
    )
    declaration["protocols"][0]["views"] = {"other": {"view": "X"}, "test": {}}
    errors = Database(prefix, declaration).errors
    assert errors[0].startswith(
        "/protocols/1/template: protocol template `none/1' is not valid:\n"
        "Protocoltemplate declaration file not found"
    )
    assert errors[1:] == [
        "found different protocols with the same name: ['main', 'main']",
        "/protocols/0/views: there is no view for the set `train'",
        "/protocols/0/views: there is no view for the set `test'",
        "/protocols/0/views/other: protocol template `halves/10' has no such set: it has train, "
        "test",
    ]
    declaration["protocols"].pop()
    assert Database(prefix, declaration, compat=True).errors == []


def test_a_format_that_is_not_there_is_told_with_its_output(prefix: str) -> None:
    declaration = json.loads(Path(prefix, "databases/data/1.json").read_text())
    declaration["protocols"][0]["sets"][0]["outputs"]["a"] = "user/none/1"
    (error,) = Database(prefix, declaration).errors
    assert error.startswith(
        "found error validating data format `user/none/1' for output `a' on set `set' of protocol "
        "`protocol': "
    )


def test_sets_of_the_same_name_are_refused(prefix: str) -> None:
    declaration = json.loads(Path(prefix, "databases/data/1.json").read_text())
    sets = declaration["protocols"][0]["sets"]
    sets.append(sets[0] | {"view": "Other"})
    assert Database(prefix, declaration).errors == [
        "found different sets with the same name at protocol `protocol': ['set', 'set']"
    ]


def test_a_new_database_follows_the_newest_protocol_template(prefix: str) -> None:
    assert get_first_procotol_template(prefix) == "halves/10"
    database = Database(prefix, None)
    assert database.errors == []
    assert database.set_names("main") == ["train", "test"]
    assert database.code is not None
    assert "class View" in (
        database.code if isinstance(database.code, str) else database.code.decode()
    )


def test_without_protocol_templates_there_is_nothing_to_begin_with(tmp_path: Path) -> None:
    with pytest.raises(InvalidAssetError, match="no valid protocol template"):
        get_first_procotol_template(str(tmp_path))
    assert not Database(str(tmp_path), None).valid


@pytest.mark.parametrize("name", ["data", "a/b/c", "../x", "/1"])
def test_what_cannot_be_a_name_is_refused(prefix: str, name: str) -> None:
    with pytest.raises(InvalidAssetError, match="invalid database name"):
        Database(prefix, name)


def test_a_database_is_copied_with_formats_and_templates(prefix: str, tmp_path: Path) -> None:
    database = Database(prefix, (by_template(), "x = 1\n"))
    database.name = "copied/1"
    database.export(str(tmp_path))
    copied = Database(str(tmp_path), "copied/1")
    assert (copied.errors, copied.code) == ([], b"x = 1\n")
    assert names_in(tmp_path, "protocoltemplate") == ["halves/10"]
    with pytest.raises(InvalidAssetError, match="same prefix"):
        copied.export(str(tmp_path))


def test_a_template_knows_its_sets_and_its_mistakes(prefix: str) -> None:
    template = ProtocolTemplate(prefix, "halves/9")
    assert (template.errors, template.sets()) == ([], TEMPLATE["sets"])
    assert template.set("test") == TEMPLATE["sets"][1]
    assert template.set("none") is None
    wrong = {
        "schema_version": 1,
        "sets": [
            {"name": "a", "outputs": {"x": "user/none/1"}},
            {"name": "a", "outputs": {"y": INTEGER}},
        ],
    }
    errors = ProtocolTemplate(prefix, wrong).errors
    assert errors[0] == "/sets: 2 sets have the name `a'"
    assert errors[1].startswith("/sets/0/outputs/x: data format `user/none/1' is not valid:\n")
    assert ProtocolTemplate(prefix, wrong, compat=True).valid


@given(st.integers(0), st.booleans())
def test_no_change_of_a_declaration_makes_loading_raise(
    prefix: str, change: int, of_template: bool
) -> None:
    kind = ProtocolTemplate if of_template else Database
    declaration = mutated(TEMPLATE if of_template else by_template(), random.Random(change))
    strict, compat = (kind(prefix, declaration, compat=judged) for judged in (False, True))
    assert compat.valid or not strict.valid
    against = schema_errors(kind.kind, declaration, version=version_of(declaration))
    assert not against or strict.errors == against
