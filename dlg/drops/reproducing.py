"""What a drop tells of itself for reproducibility: the part of a drop that components override.

A drop tells something at each basic level; what it tells at the joint ones follows. It is computed
when somebody asks: nothing is kept in the drop.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from dlg.ddap_protocol import DROPStates
from dlg.reproducibility.levels import Level, parse_level
from dlg.reproducibility.merkle import root_of_fields
from dlg.reproducibility.summaries import (
    Summary,
    content_summary,
    status_summary,
    summaries,
    summary_of,
)


class ReproducibleDROP:
    """A drop that can say what it did."""

    __slots__ = ()

    tells_content: ClassVar[bool] = False
    """Whether the hash of the content is told; not where data are big or elsewhere."""

    @property
    def reproducibility_level(self: Any) -> Level:
        """The level that the graph asks for; NOTHING where it asks for none."""
        record = self.spec.get("reprodata") or {}
        return parse_level(record.get("rmode", Level.NOTHING))

    def generate_rerun_data(self: Any) -> Mapping[str, Any]:
        """Return what is told at RERUN: how the drop ended."""
        return status_summary(self.status)

    def generate_repeat_data(self: Any) -> Mapping[str, Any]:
        """Return what is told at REPEAT: how the drop ended."""
        return status_summary(self.status)

    def generate_recompute_data(self: Any) -> Mapping[str, Any]:
        """Return what is told at RECOMPUTE: how the drop ended, unless a class knows more."""
        return status_summary(self.status)

    def generate_reproduce_data(self: Any) -> Mapping[str, Any]:
        """Return what is told at REPRODUCE: the hash of complete data, where it is known."""
        if not self.tells_content or self.status is not DROPStates.COMPLETED:
            return {}
        return content_summary(hashlib.sha3_256(self.contents()).hexdigest())

    def generate_replicate_sci_data(self) -> Summary:
        """Return what is told at REPLICATE_SCI: what RERUN and REPRODUCE tell."""
        return summary_of(self._told, Level.REPLICATE_SCI)

    def generate_replicate_comp_data(self) -> Summary:
        """Return what is told at REPLICATE_COMP: what RECOMPUTE and REPRODUCE tell."""
        return summary_of(self._told, Level.REPLICATE_COMP)

    def generate_replicate_total_data(self) -> Summary:
        """Return what is told at REPLICATE_TOTAL: what REPEAT and REPRODUCE tell."""
        return summary_of(self._told, Level.REPLICATE_TOTAL)

    def generate_merkle_data(self) -> Summary:
        """Return what is told at the level of the graph; at ALL, by the names of the levels."""
        return summaries(self._told, self.reproducibility_level)

    def commit(self: Any) -> None:
        """Say what the drop did, which has ended, to those who listen to `reproducibility`.

        The event has it as `reprodata`, each level with its Merkle root.
        """
        level = self.reproducibility_level
        told = self.generate_merkle_data()
        found: Summary
        if level is Level.ALL:
            found = {n: {**data, "merkleroot": root_of_fields(data)} for n, data in told.items()}
        else:
            found = {**told, "merkleroot": root_of_fields(told)}
        reprodata = {"rmode": str(level.value), "rg_data": found}
        about = {"oid": self.oid, "uid": self.uid, "session_id": self.session_id}
        self._fireEvent("reproducibility", reprodata=reprodata, **about)

    def dropReproComplete(self, uid: str, reprodata: Mapping[str, Any]) -> None:
        """Take note of what drop `uid` said of itself; by default nothing is done with it."""

    def _told(self, level: Level) -> Mapping[str, Any]:
        """Return what is told at a basic level."""
        if level is Level.RERUN:
            return self.generate_rerun_data()
        if level is Level.REPEAT:
            return self.generate_repeat_data()
        if level is Level.RECOMPUTE:
            return self.generate_recompute_data()
        return self.generate_reproduce_data()
