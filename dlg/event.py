"""Events, those who fire them and those who listen.

Delivery is a plain call of `handleEvent` in the firing thread, in the order of subscription. A
listener that raises does not keep the others from hearing; its error is logged.
"""

from __future__ import annotations

import logging
from typing import Any

logger = logging.getLogger(__name__)


class Event:
    """Something that happened; `type` says what, further attributes say the rest."""

    def __init__(self, type: str) -> None:  # noqa: A002  (a name of the published interface)
        self.type = type

    def __repr__(self) -> str:
        facts = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if k != "type")
        return f"<Event {self.type}{' ' + facts if facts else ''}>"


class EventHandler:
    """An object to which events can be delivered."""

    __slots__ = ()

    def handleEvent(self, e: Event) -> None:
        """Take notice of `e`; the default is not to."""


class EventFirer:
    """An object that others can subscribe to.

    Listeners name the type of event they want, or none for all types.
    """

    __slots__ = ("_listeners",)

    _listeners: dict[str | None, list[EventHandler]] | None

    def __init__(self) -> None:
        self._listeners = None

    def subscribe(self, listener: EventHandler, eventType: str | None = None) -> None:
        """Deliver events of `eventType`, or all events, to `listener` from now on."""
        if self._listeners is None:
            self._listeners = {}
        self._listeners.setdefault(eventType, []).append(listener)

    def unsubscribe(self, listener: EventHandler, eventType: str | None = None) -> None:
        """Undo one `subscribe` call with the same arguments, if there was one."""
        known = (self._listeners or {}).get(eventType, [])
        if listener in known:
            known.remove(listener)

    def _fireEvent(self, eventType: str, **attributes: Any) -> None:
        """Deliver an event of `eventType` carrying `attributes` to whoever wants it."""
        listeners = self._listeners
        if not listeners:
            return
        wanted = [*listeners.get(eventType, ()), *listeners.get(None, ())]
        if not wanted:
            return
        event = Event(eventType)
        vars(event).update(attributes)
        for listener in wanted:
            try:
                listener.handleEvent(event)
            except Exception:
                logger.exception(
                    "a listener of %s failed", eventType, extra={"action": "listener_failed"}
                )
