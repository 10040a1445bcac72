"""Serves the databases of a block: `python -m dlg.beat.scripts.databases_provider`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from dlg.beat import messages
from dlg.beat.blocks.assembly import Request
from dlg.beat.blocks.databases import ViewsHere
from dlg.beat.formats import Formats
from dlg.beat.message_handler import MessageHandler
from dlg.beat.scripts.common import FAILED, configuration_in, prefix_in
from dlg.beat.sources import DataSource


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until all is done; return 0, or 1 after an error."""
    options = _options(arguments)
    prefix = prefix_in(options.dir)
    handler = MessageHandler(options.addr, prefix=prefix)
    configuration = configuration_in(options.dir)
    part = configuration[options.section] if options.section else configuration
    handler.data_sources |= sources(part, configuration.get("range"), prefix, options.cache)
    handler.run()
    sys.stdout.flush()
    return FAILED if handler.user_error or handler.system_error else 0


def sources(
    part: Mapping[str, Any], limits: Sequence[int] | None, prefix: str, cache: str
) -> dict[str, DataSource]:
    """Return the sources of the inputs that come from databases, by the names of the inputs.

    Those of the block's own channel have only what lies in its range.
    """
    formats: Formats = {}
    views = ViewsHere(prefix, cache, {}, formats)
    found = {}
    for name, one in part["inputs"].items():
        if "database" not in one:
            continue
        cut = limits and one["channel"] == part["channel"]
        keys = {key: one[key] for key in ("database", "protocol", "set", "output", "path")}
        limit = (int(limits[0]), int(limits[1])) if limits and cut else None
        found[name] = views.source(Request(input=name, format="", range=limit, **keys))
    return found


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="databases_provider", description="Serves the databases of a block."
    )
    parser.add_argument("addr", help="where to be, as host:port")
    parser.add_argument("dir", help="the folder with the configuration and the prefix")
    parser.add_argument("cache", help="the folder of the cache")
    parser.add_argument("section", nargs="?", help="`loop`: serve those of the evaluator")
    parser.add_argument("-d", "--debug", action="store_true", help="accepted, and of no effect")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with messages.delivered():
        sys.exit(main())
