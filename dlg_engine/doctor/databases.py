"""The databases and the broker that settings or the user name: whether they can be reached."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from dlg.exceptions import MissingExtraError, UsageError
from dlg.support.database import database_url, make_engine, need_sqlalchemy
from dlg_engine.doctor.contract import Check, Scope
from dlg_engine.doctor.verdicts import Verdict, ok, problem, warning

TIMEOUT_S = 5.0
PORTS: Mapping[str, int] = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "amqp": 5672}


@dataclass(frozen=True)
class Reached:
    """A database or broker, and whether it was reached."""

    what: str
    """Its address without a password."""
    error: str = ""
    absent: bool = False
    """It is a file that is not there yet."""


def measure(scope: Scope) -> Sequence[Reached]:
    """Open each, as a worker would."""
    return [_open(url) for url in (*_of_settings(), *scope.databases)]


def _of_settings() -> Iterator[str]:
    """Yield the addresses in the settings of the task system; nothing where there are none."""
    try:
        # Here, since the task system cannot be imported without its extra.
        from dlg_engine.tasks.settings import DEFAULTS, Settings  # noqa: PLC0415
    except MissingExtraError:
        return  # nobody uses these settings; what is not installed is said by `software`
    settings = Settings()
    info = settings.installation_info
    if info == DEFAULTS:
        return
    engine, name = str(info["db_engine"]), str(info["db_database"])
    if engine == "sqlite3":
        folder = Path(settings.settings["localDataPath"])
        yield name if "/" in name else str(folder / f"sqlite3_{name}.db")
    else:
        yield _url(engine, info, "db") + f"/{quote(name)}"
    if info["queue_implementation"] == "amqp":
        yield _url("amqp", info, "mq")


def _url(kind: str, info: Mapping[str, Any], prefix: str) -> str:
    login = ":".join(quote(str(info[f"{prefix}_{key}"]), safe="") for key in ("user", "passwd"))
    port = info.get(f"{prefix}_port") or PORTS.get(kind, 0)
    return f"{kind}://{login}@{info[f'{prefix}_host']}:{port}"


def _open(where: str) -> Reached:
    url = database_url(where)
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        file = Path(url.removeprefix("sqlite:///"))
        if not file.exists():
            return Reached(str(file), absent=True)
        return Reached(str(file), _refusal(url))
    kind = parts.scheme.partition("+")[0]
    shown = f"{kind}://{parts.hostname or ''}{parts.path}"
    try:
        port = parts.port or PORTS.get(kind, 0)
        # A driver would wait for minutes where nobody answers.
        socket.create_connection((parts.hostname or "localhost", port), TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        return Reached(shown, f"nobody answers there: {error}")
    return Reached(shown) if kind == "amqp" else Reached(shown, _refusal(url))


def _refusal(url: str) -> str:
    """Return why a database cannot be opened; "" if it can."""
    try:
        need_sqlalchemy()
        make_engine(url).dispose()
    except UsageError as error:
        return str(error)
    return ""


def judge(found: Sequence[Reached]) -> Iterator[Verdict]:
    """Say whether the databases of the settings can be reached, and those that were named."""
    if not found:
        yield ok("settings name no database, and none was named")
    for one in found:
        if one.absent:
            yield warning(
                f"{one.what} is not there yet",
                "it is made by the first who uses it, or name another",
            )
        elif one.error:
            yield problem(
                f"{one.what}: {one.error}",
                "start it, or mend its address, user and password in the settings",
            )
        else:
            yield ok(f"{one.what} answers")


CHECK = Check("databases", measure, judge)
