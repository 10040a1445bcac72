"""Graphs that grow while they run: what follows from a decision joins them when it is taken.

A front end that knows such a graph gives, beside the whole with all that may come to be, this form
of it. An engine that can let a running graph grow begins with less, and never makes what is not to
be done; others run the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Specs = Sequence[Mapping[str, Any]]


class Growing(Protocol):
    """One run of a graph that grows. Its drops link to those that are there by their oids."""

    def begin(self) -> Specs:
        """Return the dropspecs to begin with."""

    def decide(self, decision: str, taken: bool) -> Specs:
        """Return the dropspecs that follow from a decision, which is named by a key of its own."""
