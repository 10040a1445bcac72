"""Graphs in repositories of GitHub and GitLab, fetched as single files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.error import URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from dlg.exceptions import UsageError
from dlg.http.site import LOOPBACK

TIMEOUT_S = 60.0
MOST_BYTES = 1 << 28
_PLACE = re.compile(
    r"(?P<owner>[\w.-]+)/(?P<repo>[\w.-]+)/(?P<path>[^@?#\s]+)(?:@(?P<ref>[\w./-]+))?"
)


class Place(NamedTuple):
    """A file of a repository."""

    owner: str
    repo: str
    path: str
    ref: str
    """A branch, tag or commit."""


def _on_github(place: Place) -> str:
    path = quote(place.path)
    return f"https://raw.githubusercontent.com/{place.owner}/{place.repo}/{place.ref}/{path}"


def _on_gitlab(place: Place) -> str:
    project, path = quote(f"{place.owner}/{place.repo}", safe=""), quote(place.path, safe="")
    ref = quote(place.ref, safe="")
    return f"https://gitlab.com/api/v4/projects/{project}/repository/files/{path}/raw?ref={ref}"


SERVICES: Mapping[str, Callable[[Place], str]] = {"github": _on_github, "gitlab": _on_gitlab}


def read_place(text: str) -> Place:
    """Return the file that OWNER/REPO/PATH@REF names, at HEAD without a ref; UsageError else."""
    found = _PLACE.fullmatch(text)
    parts = PurePosixPath(found["path"]).parts if found else ()
    if found is None or {".", ".."} & {*parts, found["owner"], found["repo"]}:
        raise UsageError(f"{text!r} names no file of a repository, as OWNER/REPO/PATH@REF does")
    return Place(found["owner"], found["repo"], found["path"], found["ref"] or "HEAD")


def fetch_graph(service: str, text: str, folder: Path) -> Path:
    """Fetch the file of a repository that `text` names into a folder, and return where it is.

    Raises UsageError if it cannot be had.
    """
    place = read_place(text)
    content = read_url(SERVICES[service](place))
    path = folder / PurePosixPath(place.path).name
    path.write_bytes(content)
    return path


def read_url(url: str) -> bytes:
    """Return what is at an address, which must be one of HTTPS; UsageError if it is not there."""
    _check(url)
    request = Request(url, headers={"User-Agent": "dlg"})  # noqa: S310  the scheme was checked
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  likewise
            _check(answer.url)  # it may have been sent elsewhere
            content: bytes = answer.read(MOST_BYTES + 1)
    except (URLError, HTTPException, OSError) as error:
        raise UsageError(f"{url} cannot be fetched: {getattr(error, 'reason', error)}") from error
    if len(content) > MOST_BYTES:
        raise UsageError(f"{url} has more than {MOST_BYTES >> 20} MiB")
    return content


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise UsageError(f"{url} is not asked: only what comes by https is what its owner wrote")
