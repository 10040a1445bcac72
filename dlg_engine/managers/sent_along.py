"""Contents that go along with the news of them: they are so small that fetching costs more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from dlg.drops.live import LiveGraph
from dlg.drops.surroundings import Courier
from dlg.exceptions import DaliugeException, InvalidDropException
from dlg_engine.managers import cargo
from dlg_engine.managers.news import News

logger = logging.getLogger(__name__)


def small_contents(live: LiveGraph, oid: str) -> tuple[str, bytes]:
    """Return form and contents of a completed drop if they can go along, or nothing."""
    try:
        return cargo.small(live.drop(live.row_of(oid))) or ("", b"")
    except (DaliugeException, OSError) as error:  # whoever fetches it is told the same
        logger.warning("%s cannot be read to be sent along: %s", oid, error)
        return "", b""


class SentAlong:
    """What has come with news, until it is asked for; anything else `courier` brings."""

    def __init__(self, courier: Courier | None, brought: Callable[[str, str], None]) -> None:
        """Tell `brought` the node and the oid of what had to be brought from there."""
        self._courier, self._brought = courier, brought
        self._kept: dict[tuple[str, str], tuple[str, bytes]] = {}

    def keep(self, news: News) -> None:
        """Keep what came with news.

        Anybody may have written it, so only forms are taken that open without running anything.
        """
        if news.form in cargo.OPEN_SAFELY:
            self._kept[news.oid, news.source] = news.form, news.contents

    def bring(self, source: str, session_id: str, oid: str, into: Any) -> None:
        """Write what data `oid` of a session holds on node `source` into the drop `into`."""
        found = self._kept.pop((oid, source), None)
        if found is not None:
            form, contents = found
            cargo.receive(into, form, [contents])
        elif self._courier is None:
            raise InvalidDropException(into, "there are no other nodes to fetch data from")
        else:
            self._courier.bring(source, session_id, oid, into)
            self._brought(source, oid)
