"""What controllers and workers of BEAT say to each other, and what ours say in addition. Pure.

A message is a word and its arguments, each a frame. Workers of ours put a JSON object behind `rdy`
and are told their terms behind `ack`; from then on they say at intervals, by `hbt`, that they live
and what they run, and are answered by `ack`. Those who do not, and those to whom nobody says
terms, hear and say nothing but what the existing system has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

READY, EXIT, RECEIVED = b"rdy", b"ext", b"rcv"
DONE, JOB_ERROR, ERROR, CANCELLED = b"don", b"erj", b"err", b"cld"
EXECUTE, CANCEL, ACK, SHUTDOWN = b"exe", b"cnl", b"ack", b"shd"
BEAT = b"hbt"
"""A worker lives; ours only."""

ABOUT_A_JOB = frozenset({RECEIVED, DONE, JOB_ERROR, CANCELLED})
"""Words whose first argument is the number of a job."""
MOST_DIGITS = 18
"""Of the number of a job."""
WORDS = frozenset({READY, EXIT, BEAT, ERROR}) | ABOUT_A_JOB
"""All that workers say."""

Outcome = tuple[bytes, bytes, int | None, list[bytes]]
"""Who says what about which job, and the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How often a worker says that it lives, and for how long it is believed to."""

    heartbeat_s: float = 2.5
    lease_s: float = 15.0
    return_s: float = 10.0
    """How long beyond its lease a worker may take to come to a scheduler that takes over."""

    def told(self, serial: int, beat: int) -> bytes:
        """Return the terms as they are sent.

        `serial` numbers the answers to a worker, `beat` is the number of what is answered: all
        that was said before has been heard, and dealt with.
        """
        found = {
            "heartbeat_s": self.heartbeat_s, "lease_s": self.lease_s,
            "serial": serial, "beat": beat,
        }  # fmt: skip
        return json.dumps(found).encode()


def outcome_of(worker: bytes, word: bytes, rest: Sequence[bytes]) -> Outcome:
    """Return a message of a worker; raise ValueError if a number of a job is none."""
    arguments = list(rest)
    numbered = word in ABOUT_A_JOB or (word == ERROR and len(arguments) > 1)
    if not numbered:
        return worker, word, None, arguments
    if not arguments or not is_number(arguments[0]):
        raise ValueError(f"{word!r} of {worker!r} names no job: {arguments[:1]!r}")
    return worker, word, int(arguments[0]), arguments[1:]


def read_facts(frames: Sequence[bytes]) -> dict[str, Any]:
    """Return the JSON object in the first frame; {} where there is none."""
    if not frames:
        return {}
    try:
        found = json.loads(frames[0])
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def running_of(facts: Mapping[str, Any]) -> set[int]:
    """Return the numbers of the jobs that a worker says it runs."""
    return _numbers(facts.get("running"))


def is_number(frame: bytes) -> bool:
    """Return whether a frame is the number of a job."""
    return frame.isdigit() and len(frame) <= MOST_DIGITS


def held_of(facts: Mapping[str, Any]) -> set[int]:
    """Return the numbers of those, and of the jobs whose results nobody may have heard yet."""
    return running_of(facts) | _numbers(facts.get("kept"))


def _numbers(found: Any) -> set[int]:
    if not isinstance(found, list):
        return set()
    return {one for one in found if type(one) is int and 0 <= one < 10**MOST_DIGITS}


def number_of(facts: Mapping[str, Any], name: str) -> int:
    """Return a whole number that somebody else has told, 0 where there is none."""
    found = facts.get(name)
    return found if type(found) is int else 0


def seconds_of(facts: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number of seconds that somebody else has told, within reason."""
    found = facts.get(name)
    return min(max(float(found), 0.05), 3600.0) if isinstance(found, int | float) else default


def as_bytes(name: str | bytes) -> bytes:
    """Return the name of a worker as it stands in frames."""
    return name if isinstance(name, bytes) else name.encode()
