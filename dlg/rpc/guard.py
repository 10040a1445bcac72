"""What arrives at a zerorpc server is looked at before zerorpc believes it.

zerorpc takes the header of a message as it is: one with a list where a name should stand ends its
dispatcher, and with it the server. It also writes what it cannot read into the log, with all that
stands in it. So messages that are no calls are dropped here, and only that is told.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping
from typing import Any

logger = logging.getLogger(__name__)

METHOD = "call"
"""The only method that a server has."""
FLOW = "_zpc_"
"""What the names begin with by which zerorpc tells that more may be sent."""


def guard(server: Any, passed_on: type[BaseException]) -> None:
    """Let a server get only what has the form of calls; errors of class `passed_on` are raised."""
    events = server._events  # noqa: SLF001  zerorpc has no other way
    open_calls = server._multiplexer.active_channels  # noqa: SLF001  likewise
    receive = events.recv

    def recv(timeout: float | None = None) -> Any:
        while True:
            try:
                event = receive(timeout=timeout)
            except passed_on:
                raise
            except Exception as error:  # noqa: BLE001  whatever it is, it is about one message
                _tell(type(error).__name__)
                continue
            if follows(event.header, event.name, open_calls):
                return event
            if is_call(event.header, event.name, event.args, open_calls):
                return event
            if not str(event.name).startswith(FLOW):  # else it came after the end of its call
                _tell("it has not the form of one")

    events.recv = recv


def is_call(header: Mapping[str, Any], name: Any, args: Any, open_calls: Container[Any]) -> bool:
    """Return whether a message is a call, with bytes that we have packed, and a new one."""
    if not isinstance(header.get("v", 1), int) or "response_to" in header:
        return False
    if name != METHOD or not isinstance(args, list | tuple):
        return False
    packed = len(args) == 1 and isinstance(args[0], bytes)
    number = header.get("message_id")
    return packed and isinstance(number, str | bytes) and number not in open_calls


def follows(header: Mapping[str, Any], name: Any, open_calls: Container[Any]) -> bool:
    """Return whether a message is zerorpc's own, about a call that is being answered."""
    number = header.get("response_to")
    about = isinstance(number, str | bytes) and number in open_calls
    return about and isinstance(name, str) and name.startswith(FLOW)


def _tell(why: str) -> None:
    logger.warning(
        "a message that is no call was dropped: %s", why, extra={"action": "bad-message"}
    )
