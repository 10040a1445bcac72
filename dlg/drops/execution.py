"""Running one app drop: its tries, its context for the log, what it failed with."""

from __future__ import annotations

import logging
from typing import Any

from dlg.drops.live import RUNNING, LiveGraph
from dlg.exceptions import ErrorManagerCaughtException, UsageError
from dlg.support import context
from dlg.support.interrupts import is_interrupt

logger = logging.getLogger(__name__)


def run_app(live: LiveGraph, row: int) -> BaseException | None:
    """Run app `row` of `live` in this thread; return what it failed with, or None.

    An app is tried `n_tries` times. A failure that is the user's fault or is marked as permanent
    is not tried again, nor is an app that was cancelled meanwhile or whose outputs cannot be
    taken back.
    """
    try:
        app: Any = live.objects[row]
        if app is None:
            app = live.borrow(row)
            if live.objects[row] is not None and live.flow.exec_status[row] != RUNNING:
                return None  # cancelled before there was an object to tell
        if app._given:
            app.autofill_environment_variables()
    except BaseException as error:  # whatever a component raises is the drop's failure
        if is_interrupt(error):
            raise
        return error
    return _run(live, row, app)


def _run(live: LiveGraph, row: int, app: Any) -> BaseException | None:
    """Run an app as often as it may be tried."""
    context.drop_uid.set(live.uids[row])
    tries = 0
    while True:
        tries += 1
        context.try_number.set(tries)
        try:
            app.run()
        except (UsageError, ErrorManagerCaughtException) as error:
            return error
        except BaseException as error:
            if is_interrupt(error):
                raise
            if tries >= app.n_tries or live.flow.exec_status[row] != RUNNING:
                return error
            if not _take_back(live, row, error):
                return error
            logger.warning(
                "app %s failed and will be tried %d more times",
                app.uid, app.n_tries - tries, exc_info=error, extra={"action": "app_retried"},
            )  # fmt: skip
        else:
            return None


def _take_back(live: LiveGraph, row: int, error: BaseException) -> bool:
    """Forget what app `row`, which failed with `error`, has written; return whether it could be.

    Were it kept, the output would hold what both tries have written.
    """
    made = [live.objects[target] for target in live.flow.after[row]]
    try:
        if all(drop.take_back() for drop in made if drop is not None):
            return True
        why = "others have seen what it wrote, or have written there, too"
    except Exception as trouble:  # noqa: BLE001  a storage may refuse in any way
        why = f"what it wrote could not be taken back: {trouble}"
    error.add_note(f"drop {live.uids[row]} was not tried again: {why}")
    return False
