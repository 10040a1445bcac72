"""Server-sent events: how one is written, and a queue that brings them from threads to a client.

An event may have an id; a client whose stream broke off names the last one it got when it asks
again (`Asked.last_event`), and whoever answers can begin after it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

logger = logging.getLogger(__name__)

MOST_WAITING = 10_000
KEEP_ALIVE = b": still here\n\n"
"""A comment, which clients skip: it keeps proxies from cutting a stream that is silent."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a client is told."""

    data: Any
    """A text, or anything that JSON can hold."""
    name: str = ""
    id: str = ""

    def __post_init__(self) -> None:
        if any(c in text for text in (self.name, self.id) for c in "\r\n\0"):
            raise ValueError("the name and the id of an event are one line each")

    def encoded(self) -> bytes:
        """Return the event as it is sent."""
        text = self.data if isinstance(self.data, str) else msgspec.json.encode(self.data).decode()
        lines = [f"event: {self.name}"] if self.name else []
        lines += [f"id: {self.id}"] if self.id else []
        # A line may end in any of three ways; an empty text is still an event.
        whole = text.replace("\r\n", "\n").replace("\r", "\n")
        lines += [f"data: {line}" for line in whole.split("\n")]
        return ("\n".join(lines) + "\n\n").encode()


class EventQueue:
    """Events on their way to one client: any thread may put, the event loop takes.

    A client that takes them too slowly loses its stream, not single events: it asks again with
    the last id it got. `on_close` is called once, whoever ends the stream, and must not block.
    """

    def __init__(
        self, on_close: Callable[[], None] | None = None, *, most_waiting: int = MOST_WAITING
    ) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Event] = deque()
        self._most = most_waiting
        self._on_close = on_close
        self._ended = False
        self._wake: Callable[[], object] | None = None

    def put(self, event: Event) -> bool:
        """Send `event`; return whether anybody is still listening."""
        with self._lock:
            if self._ended:
                return False
            if len(self._waiting) < self._most:
                self._waiting.append(event)
            else:
                logger.warning(
                    "a client is too slow for its events", extra={"action": "events_cut"}
                )
                self._waiting.clear()
                self._ended = True
            self._stir()
            return not self._ended

    def end(self) -> None:
        """Let the stream end after what waits."""
        with self._lock:
            self._ended = True
            self._stir()

    async def aclose(self) -> None:
        """End the stream at once: nobody takes what waits."""
        with self._lock:
            self._ended, self._wake = True, None
            self._waiting.clear()
            on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield the events as they come; to be iterated once."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            self._wake = lambda: loop.call_soon_threadsafe(woken.set)
        try:
            while True:
                with self._lock:
                    found, ended = list(self._waiting), self._ended
                    self._waiting.clear()
                    woken.clear()
                for event in found:
                    yield event
                if ended:
                    return
                await woken.wait()
        finally:
            await self.aclose()

    def _stir(self) -> None:
        """Wake the taker; called under the lock, so that its loop cannot be gone meanwhile."""
        if self._wake is not None:
            self._wake()
