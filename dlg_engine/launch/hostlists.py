"""The hosts of a job, as batch systems write them. Pure.

Slurm folds names that differ in numbers, `gpu[01-03,7],login`; LSF says each host with how many
processes it may have; PBS has a file with a host a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from dlg.exceptions import UsageError

_PIECE = re.compile(r"\[([^\[\]]*)\]|([^\[\],\s]+)")
_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
MOST = 100_000
"""How many hosts a list may have: it may be a mistake, and would fill the memory."""


def unfold(text: str) -> list[str]:
    """Return the hosts that Slurm's short form means, in its order; UsageError if it is none."""
    hosts: list[str] = []
    for one in _between_commas(text):
        pieces = list(_pieces(one))
        many = 1
        for piece in pieces:
            many *= len(piece)
        if many + len(hosts) > MOST:
            raise UsageError(f"{text[:60]!r} means more than {MOST:,} hosts")
        hosts += map("".join, product(*pieces))
    return hosts


def _between_commas(text: str) -> Iterator[str]:
    """Yield what stands between the commas outside brackets."""
    depth = begin = 0
    for place, letter in enumerate(text):
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            yield text[begin:place]
            begin = place + 1
    if text[begin:]:
        yield text[begin:]


def _pieces(one: str) -> Iterator[list[str]]:
    """Yield for each piece of a name what may stand there."""
    end = 0
    for found in _PIECE.finditer(one):
        if found.start() != end:
            break
        end = found.end()
        yield [found[2]] if found[2] else _numbers(found[1], one)
    if end != len(one) or not one:
        raise UsageError(f"{one!r} is no list of hosts")


def _numbers(text: str, whole: str) -> list[str]:
    """Return the numbers in brackets, with as many digits as they are written with."""
    numbers: list[str] = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise UsageError(f"{whole!r} is no list of hosts: {part!r} is no range of numbers")
        low, high = int(found[1]), int(found[2] or found[1])
        if high < low or high - low >= MOST:
            raise UsageError(f"{whole!r} is no list of hosts: the range {part!r} is wrong")
        numbers += [f"{n:0{len(found[1])}d}" for n in range(low, high + 1)]
    return numbers


def of_lsf(text: str) -> list[str]:
    """Return the hosts in `host1 4 host2 4`, as LSB_MCPU_HOSTS has them."""
    words = text.split()
    if len(words) % 2 or not all(count.isdecimal() for count in words[1::2]):
        raise UsageError(f"{text!r} is no list of hosts with their numbers of processes")
    return words[::2]


def once(hosts: Iterable[str]) -> list[str]:
    """Return hosts in their order, each once."""
    return list(dict.fromkeys(host.strip() for host in hosts if host.strip()))


def hosts_of(variables: Mapping[str, str], node_file: str | None = None) -> list[str]:
    """Return the hosts of a job, from the variables that its batch system has set.

    `node_file` is what stands in the file that PBS_NODEFILE names. Empty where nothing is said.
    """
    if variables.get("SLURM_JOB_NODELIST"):
        return once(unfold(variables["SLURM_JOB_NODELIST"]))
    if variables.get("LSB_MCPU_HOSTS"):
        return once(of_lsf(variables["LSB_MCPU_HOSTS"]))
    return once((node_file or "").splitlines())
