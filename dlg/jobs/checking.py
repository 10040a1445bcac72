"""Values of a document, each of the kind that is expected, or told to be wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from dlg.jobs.errors import ExpressionError, JobProblem
from dlg.jobs.language import is_expression, parse

Document = Mapping[str, Any]


class Checker:
    """Takes values out of documents, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[JobProblem] = []

    def say(self, pointer: str, message: str) -> None:
        """Note a problem."""
        self.problems.append(JobProblem(pointer, message))

    def only(self, document: Document, pointer: str, known: tuple[str, ...]) -> None:
        """Say which keys of a document nobody knows."""
        for key in document:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, 1)
                hint = f" (did you mean {near[0]!r}?)" if near else ""
                self.say(f"{pointer}/{escaped(key)}", f"nothing of this name is known{hint}")

    def text(self, document: Document, pointer: str, key: str) -> str:
        """Return a text; an empty one if there is none."""
        found = document.get(key, "")
        if isinstance(found, str):
            return found
        self.say(f"{pointer}/{key}", f"a text is expected, not {kind_of(found)}")
        return ""

    def flag(self, document: Document, pointer: str, key: str) -> bool:
        """Return true or false; false if nothing is said."""
        found = document.get(key, False)
        if not isinstance(found, bool):
            self.say(f"{pointer}/{key}", f"true or false is expected, not {kind_of(found)}")
        return bool(found)

    def identifier(self, document: Document, pointer: str, key: str) -> str:
        """Return a name that expressions can use."""
        found = document.get(key)
        if isinstance(found, str) and found.isidentifier() and not found.startswith("__"):
            return found
        self.say(f"{pointer}/{key}", "a name of letters, digits and _ is expected")
        return "nothing"

    def mapping(self, document: Document, pointer: str, key: str) -> Mapping[str, Any]:
        """Return an object; an empty one if there is none."""
        found = document.get(key, {})
        if isinstance(found, Mapping):
            return found
        self.say(f"{pointer}/{key}", f"an object is expected, not {kind_of(found)}")
        return {}

    def names(self, document: Document, pointer: str, key: str) -> tuple[Any, ...]:
        """Return a list of names; an empty one if there is none."""
        found = document.get(key, [])
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self.say(f"{pointer}/{key}", "a list of names is expected")
            return ()
        self.expressions(found, f"{pointer}/{key}")
        return tuple(found)

    def criterion(self, document: Document, pointer: str, key: str) -> Any:
        """Return something that is true or false once it is evaluated."""
        found = document.get(key)
        if not isinstance(found, bool | int | float) and not is_expression(found):
            self.say(f"{pointer}/{key}", "an expression is expected, in quotes or brackets")
            return False
        self.expressions(found, f"{pointer}/{key}")
        return found

    def expressions(self, value: Any, pointer: str) -> None:
        """Say which expressions in a value cannot even be read."""
        waiting = [(value, pointer)]
        while waiting:
            one, where = waiting.pop()
            if isinstance(one, Mapping):
                for key, item in one.items():
                    waiting += [(key, where), (item, f"{where}/{escaped(key)}")]
            elif isinstance(one, list):
                waiting += [(item, f"{where}/{place}") for place, item in enumerate(one)]
            elif is_expression(one):
                try:
                    parse(one)
                except ExpressionError as error:
                    self.say(where, str(error))


def escaped(key: object) -> str:
    """Return a key as a part of a JSON pointer."""
    return str(key).replace("~", "~0").replace("/", "~1")


def kind_of(value: object) -> str:
    """Return what a value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return names.get(type(value), "nothing" if value is None else "a number")
