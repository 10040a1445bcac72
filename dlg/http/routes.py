"""What a route is: a method, a path, a handler, and what it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from dlg.http.answers import JSON, Answer
from dlg.http.asking import Asked, Param

S = TypeVar("S")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
PLACE = re.compile(r"\{(\w+)(\*?)\}")
"""`{name}`, or `{name*}` for what may have slashes in it."""


class Takes(StrEnum):
    """What a route does with the body of a request."""

    FIELDS = "fields"
    """A form or a JSON object is read by the table of parameters."""
    JSON = "json"
    """Any JSON value is read, whatever it is said to be: `Asked.document`."""
    RAW = "raw"
    """It is only unpacked: `Asked.body`."""


@dataclass(frozen=True)  # no slots: `Route[Service](...)` would fail on Python 3.11
class Route(Generic[S]):
    """One thing the service does."""

    method: str
    path: str
    """With `{name}` for what is filled in; `{name*}` in the end takes slashes too."""
    do: Callable[[S, Asked], Answer]
    params: Sequence[Param] = ()
    tag: str = "page"
    kind: str = JSON
    """What a good answer is."""
    more: bool = False
    """Whether it takes parameters beyond the table: the options of an algorithm."""
    from_anywhere: bool = False
    """Whether pages of others may post to it; only where nothing is written or submitted."""
    takes: Takes = Takes.FIELDS
    media: Sequence[str] = ()
    """The types a body may be said to have; all others are refused with 415. () for any."""

    @property
    def summary(self) -> str:
        """What it does, in the words of its handler."""
        return (self.do.__doc__ or "").strip().partition("\n")[0]


def by_path(routes: Iterable[Route[S]]) -> Mapping[str, Mapping[str, Route[S]]]:
    """Return the routes by path, and those of a path by method."""
    found: dict[str, dict[str, Route[S]]] = {}
    for route in routes:
        if route.method not in METHODS:
            raise ValueError(f"{route.method} is no method of ours")
        found.setdefault(route.path, {})[route.method] = route
    return found


def precedence(path: str) -> list[int]:
    """Return a key that puts paths before those that would take their requests."""
    kinds = {None: 0, "": 1, "*": 2}
    found = (PLACE.fullmatch(segment) for segment in path.split("/"))
    return [kinds[match[2] if match else None] for match in found]


def pattern(path: str) -> str:
    """Return the expression that addresses of a route match, as they are sent.

    A slash that is written as %2F is no slash yet, so that it may stand in what is filled in.
    """
    parts: list[str] = []
    end = 0
    for match in PLACE.finditer(path):
        inside = ".+" if match[2] else "[^/]+"
        parts += [re.escape(path[end : match.start()]), f"(?P<{match[1]}>{inside})"]
        end = match.end()
    return "".join(parts) + re.escape(path[end:])
