"""The pages: a cluster with its sessions, one session, experiments, tasks; all of them live.

The sources are in `frontend` and are built by `make web`; what is built of them is in `static`,
and is all that is served. The pages talk to REST and to nothing else, so they are the same for
managers of all levels.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from dlg.http.answers import HTML, Answer
from dlg.http.asking import Asked, Param
from dlg.http.assets import FileAsset, read_assets
from dlg.http.routes import Route

OPEN_PATHS = frozenset({"/", "/session", "/static/*"})
"""What is served without a token: the pages have no secrets and ask for the token themselves."""


@functools.cache
def assets() -> Mapping[str, FileAsset]:
    """Return all files the pages may load, by name; read once."""
    return read_assets("dlg_engine.web")


@functools.cache
def page(name: str) -> bytes:
    """Return the page `name` as it is."""
    return files("dlg_engine.web").joinpath("static", f"{name}.html").read_bytes()


def cluster(_service: Any, _asked: Asked) -> Answer:
    """Give the page of the nodes and the sessions."""
    return Answer(page("cluster"), HTML)


def session(_service: Any, _asked: Asked) -> Answer:
    """Give the page of a session."""
    return Answer(page("session"), HTML)


SESSION_ID = Param("sessionId", help="The session that the page shows.")
ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/", cluster, kind=HTML),
    Route("GET", "/session", session, (SESSION_ID,), kind=HTML),
)


def beat(_service: Any, _asked: Asked) -> Answer:
    """Give the page of queues, workers and experiments."""
    return Answer(page("beat"), HTML)


BEAT_ROUTES: tuple[Route[Any], ...] = (Route("GET", "/", beat, kind=HTML),)
"""The page of a scheduler of experiments."""


def tasks(_service: Any, _asked: Asked) -> Answer:
    """Give the page of jobs, tasks, products and messages."""
    return Answer(page("tasks"), HTML)


TASK_ROUTES: tuple[Route[Any], ...] = (Route("GET", "/", tasks, kind=HTML),)
"""The page of a database of tasks."""
