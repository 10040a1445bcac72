"""Runs the algorithm of a block: `python -m dlg.beat.scripts.execute`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from dlg.beat import messages
from dlg.beat.blocks.assembly import Databases
from dlg.beat.blocks.databases import ViewsHere
from dlg.beat.blocks.loops import ask
from dlg.beat.blocks.running import Part, Report, do_block, judged
from dlg.beat.formats import Formats
from dlg.beat.processes.child import usage
from dlg.beat.processes.watching import Breach
from dlg.beat.remote_source import RemoteDatabases
from dlg.beat.scripts.common import (
    FAILED,
    become,
    configuration_in,
    ended,
    mark_files,
    prefix_in,
    told,
)
from dlg.beat.scripts.supervised import Note, limits_in, run

USAGE = "usage"
"""In a configuration: what the process has used is to be told with the statistics."""
SIGNALLED = 128
"""Added to the number of a signal where only codes from 0 to 255 can be told."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the algorithm; return 0, or another code after an error that was reported."""
    options = _options(arguments)
    configuration = configuration_in(options.dir)
    note = Note()
    code, breach = run(limits_in(configuration), lambda: _work(options, configuration, note))
    message = note.read()
    if breach is not None:
        code, message = _judged(breach, message)
    if message:
        # Told from here alone, and once: the executor hears one message of one process. A second
        # one would wait for its answer for ever.
        ask(messages.connect(options.addr), *message)
    if code < 0:  # who is the first process of a container cannot kill itself
        return SIGNALLED - code
    return code


def _judged(breach: Breach, message: list[bytes]) -> tuple[int, list[bytes]]:
    """Return code and message of a block that has passed a limit when it had left `message`."""
    if message and message[0] == messages.DONE:
        return 0, message  # it was done, all is written: whom we ended had nothing more to do
    text = ended(breach.text).encode()
    errors = message[2:]
    return FAILED, [messages.ERROR, messages.USER, b"\n".join([text, *errors])]


def _work(options: argparse.Namespace, configuration: dict[str, Any], note: Note) -> int:
    """Run the algorithm, and leave a note of what is to be told of it."""
    database_socket = messages.connect(options.db_addr) if options.db_addr else None
    loop_socket = messages.connect(options.loop) if options.loop else None
    report, parts = Report(), list[Part]()
    prefix = prefix_in(options.dir)
    with judged(report, parts, prefix):
        formats: Formats = {}
        become(configuration)
        mark_files(configuration)
        databases: Databases = ViewsHere(prefix, options.cache, {}, formats)
        if database_socket is not None:
            databases = RemoteDatabases(database_socket, prefix, formats)
        where = (prefix, options.cache, formats)
        do_block(configuration, databases, where, (report, parts), loop_socket)
    sys.stdout.flush()
    if report.status:
        note.write([messages.ERROR, *told(report)])
        return report.status
    more = {USAGE: usage()} if USAGE in configuration else {}  # others would stumble over it
    statistics = json.dumps({**report.statistics, **more}).encode()
    if database_socket is not None:
        ask(database_socket, messages.DONE, statistics)
    note.write([messages.DONE, statistics])
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="execute", description="Runs the algorithm of a block.")
    parser.add_argument("addr", help="where the executor is")
    parser.add_argument("dir", help="the folder with the configuration and the prefix")
    parser.add_argument("db_addr", nargs="?", help="where databases are served")
    parser.add_argument("-c", "--cache", default="/cache", help="the folder of the cache")
    parser.add_argument("--loop", metavar="ADDR", help="where the evaluator of the loop is")
    parser.add_argument("-d", "--debug", action="store_true", help="accepted, and of no effect")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
