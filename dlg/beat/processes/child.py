"""A process forked ahead of time: waits for one call, makes it, answers, and ends.

It has what its warden had loaded, none of the warden's descriptors, a session of its own, and
ends when its warden ends.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Any

from dlg.beat.processes import frames
from dlg.beat.processes.limits import Limits, apply_here
from dlg.beat.processes.surroundings import Surroundings, peak_b, reset_peak, seed_anew

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
FAILED = 1
_CALLS = 200
"""Calls that one process answers at most, whatever it is left like."""
_NEUTRAL = "/"
_DEFAULTS = (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP)


def live(sock: socket.socket, rehearse: Callable[[], None] | None = None) -> int:
    """Do what comes over `sock`; return the exit code of the process.

    What takes time and can be done before is done before; `rehearse` makes the memory our own
    that will be written to, which otherwise happens page by page when it matters. A call whose
    answer says `again` may be followed by another one, if it has left everything as it was.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash need not fill the disk
    json.loads(json.dumps({"a": [1, 2.5, None, "text"]}))
    if rehearse is not None:
        rehearse()
    for _ in range(_CALLS):
        seed_anew()
        reset_peak()
        before = Surroundings()
        try:
            call, descriptors = frames.receive(sock)
        except EOFError:
            return 0  # there is nothing to do any more
        if "command" in call:
            return _become(call)
        if not _answer(sock, call, descriptors, before):
            return 0
    return 0


def _answer(
    sock: socket.socket, call: dict[str, Any], descriptors: list[int], before: Surroundings
) -> bool:
    """Make a call and send the answer; tell whether this process may be called again."""
    spent, children = _spent(), resource.getrusage(resource.RUSAGE_CHILDREN)
    again = False
    try:
        if "directory" in call:
            os.chdir(call["directory"])  # noqa: TID251  a process of the user's code alone
        links = [socket.socket(fileno=number) for number in descriptors]
        answer = _make(call, links)
        for link in links:
            link.close()
        if "directory" in call:
            os.chdir(_NEUTRAL)  # noqa: TID251  likewise
        again = isinstance(answer, dict) and bool(answer.pop("again", False))
    except Exception:  # noqa: BLE001  what is wrong here is no user's fault
        answer = {"failed": traceback.format_exc()}
    _flush()
    calm = _is_childless(children)
    again = again and calm and not call["limits"]["memory_b"] and _unchanged(before)
    used = {key: value - spent[key] for key, value in _spent().items()}
    told = {"answer": answer, "usage": {**used, "memory_b": peak_b()}, "calm": calm}
    frames.send(sock, {**told, "again": again})
    return again


def _is_childless(before: resource.struct_rusage) -> bool:
    """Tell whether this process has no children, and has had none since `before`."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return resource.getrusage(resource.RUSAGE_CHILDREN) == before
    return False


def _unchanged(before: Surroundings) -> bool:
    if Surroundings() == before:
        return True
    gc.collect()  # files may be open for what nobody has any more
    return Surroundings() == before


def _make(call: dict[str, Any], links: list[socket.socket]) -> Any:
    try:
        apply_here(Limits(**call["limits"]))
    except MemoryError as error:
        return {"user_error": str(error)}
    module, _, name = call["call"].partition(":")
    function: Callable[[Any, list[socket.socket]], Any]
    function = getattr(importlib.import_module(module), name)
    return function(call["payload"], links)


def _become(call: dict[str, Any]) -> int:
    """Let another program take this process over."""
    if "directory" in call:
        os.chdir(call["directory"])  # noqa: TID251  as above
    apply_here(Limits(**call["limits"]))
    command = call["command"]
    try:
        if "environment" in call:
            os.execvpe(command[0], command, call["environment"])  # noqa: S606  no shell is wanted
        os.execvp(command[0], command)  # noqa: S606  likewise
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201  it is shown
        return FAILED


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            continue  # the user's code has closed or replaced it
    _LIBC.fflush(None)  # what libraries in C have printed


def usage() -> dict[str, float]:
    """Return what this process and those that it waited for have used: seconds, bytes, counts."""
    return {**_spent(), "memory_b": peak_b()}


def _spent() -> dict[str, float]:
    parts = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    spent = summed(*parts)
    del spent["memory_b"]
    return spent


def summed(*parts: resource.struct_rusage) -> dict[str, float]:
    """Return `parts` as one: sums of times and counts, the largest memory."""
    return {
        "user_s": sum(p.ru_utime for p in parts),
        "system_s": sum(p.ru_stime for p in parts),
        "voluntary": sum(p.ru_nvcsw for p in parts),
        "involuntary": sum(p.ru_nivcsw for p in parts),
        "memory_b": max(p.ru_maxrss for p in parts) * 1024,
    }


def adopt_orphans() -> None:
    """Make this process the parent of all that descend from it when their own parents end."""
    _control_process(_PR_SET_CHILD_SUBREAPER, 1)


def _control_process(option: int, value: int) -> None:
    prctl = getattr(_LIBC, "prctl", None)
    if prctl is not None:  # Linux
        prctl(option, value, 0, 0, 0)


def fork(keep: tuple[int, int, int], rehearse: Callable[[], None] | None) -> int:
    """Return the number of a new process that lives by `live`.

    `keep` are its socket, its standard output and its standard error.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = FAILED
    try:
        _control_process(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return 0  # never, as the process ends below: the parent ended before that was said
        os.setsid()
        for number in _DEFAULTS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(_NEUTRAL)  # noqa: TID251  as above
        sock = _only(keep)
        code = live(sock, rehearse)
    finally:
        os._exit(code)


def _only(keep: tuple[int, int, int]) -> socket.socket:
    """Close all descriptors but these; return the socket."""
    sock, out, err = keep
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.closerange(3, sock)
    os.closerange(sock + 1, os.sysconf("SC_OPEN_MAX"))
    return socket.socket(fileno=sock)
