"""Telling an interrupt from the keyboard from everything else that code of users may raise."""

from __future__ import annotations

import threading


def is_interrupt(error: BaseException) -> bool:
    """Return whether `error` is for whoever runs the program, and not the failure of a drop.

    Python delivers an interrupt from the keyboard to the main thread. What is raised anywhere
    else, be it `SystemExit`, the cancellation of a coroutine or a `KeyboardInterrupt` that a
    component made itself, would only end the thread of a worker, and the graph would wait for it.
    """
    main = threading.current_thread() is threading.main_thread()
    return main and isinstance(error, KeyboardInterrupt)
