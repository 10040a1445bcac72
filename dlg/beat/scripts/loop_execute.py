"""Is the evaluator of a loop: `python -m dlg.beat.scripts.loop_execute`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from dlg.beat import messages
from dlg.beat.blocks.assembly import Databases
from dlg.beat.blocks.databases import ViewsHere
from dlg.beat.blocks.running import Part, Report, evaluator, judged
from dlg.beat.formats import Formats
from dlg.beat.message_handler import LoopMessageHandler
from dlg.beat.remote_source import RemoteDatabases
from dlg.beat.scripts.common import FAILED, become, configuration_in, mark_files, prefix_in, told


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer the processor until it is done; return 0, or 1 after an error."""
    options = _options(arguments)
    prefix = prefix_in(options.dir)
    handler = LoopMessageHandler(options.addr, prefix=prefix)
    report, parts = Report(), list[Part]()
    with judged(report, parts, prefix):
        formats: Formats = {}
        whole = configuration_in(options.dir)
        configuration = whole["loop"]
        become(configuration)
        mark_files(whole)
        databases: Databases = ViewsHere(prefix, options.cache, {}, formats)
        if options.db_addr:
            databases = RemoteDatabases(messages.connect(options.db_addr), prefix, formats)
        where = (prefix, options.cache, formats)
        handler.set_evaluator(evaluator(configuration, databases, where, (report, parts)))
    if report.status:
        # The first question gets the error for an answer.
        handler.refuse(*told(report))
    handler.run()
    if handler.user_error or handler.system_error:
        for part in parts:
            if part.made is not None:
                part.made.abort()
    sys.stdout.flush()
    return FAILED if handler.user_error or handler.system_error else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="loop_execute", description="Is the evaluator of a loop."
    )
    parser.add_argument("addr", help="where to be, as host:port")
    parser.add_argument("dir", help="the folder with the configuration and the prefix")
    parser.add_argument("cache", help="the folder of the cache")
    parser.add_argument("db_addr", nargs="?", help="where databases are served")
    parser.add_argument("-d", "--debug", action="store_true", help="accepted, and of no effect")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with messages.delivered():
        sys.exit(main())
