"""Inputs of an algorithm: they advance together, channel by channel.

The inputs of a group belong to one channel and are synchronized by the data indices that their
units cover: a step advances those that end first, so that an input whose units are longer keeps
its unit while the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from dlg.beat.outputs import SynchronizationListener
from dlg.beat.sources import DataSource
from dlg.exceptions import UsageError

__all__ = ["Input", "InputError", "InputGroup", "InputList", "first"]

T = TypeVar("T")


class InputError(UsageError, RuntimeError):
    """An algorithm advanced an input that it may not advance, or that is at its end."""


def first(iterable: Iterable[T], default: T | None = None) -> T | None:
    """Return the first of some things, or the default if there is none."""
    return next(iter(iterable), default)


class Input:
    """One input: its present unit is `data`, from `data_index` to `data_index_end`."""

    def __init__(self, name: str, data_format: Any, data_source: DataSource) -> None:
        self.group: InputGroup | None = None
        self.name, self.data_format, self.data_source = name, data_format, data_source
        self.data: Any = None
        self.data_index = self.data_index_end = -1
        self.data_same_as_previous = True
        self.next_data_index = 0
        """Which unit comes next, as a place in the source."""
        self.nb_data_blocks_read = 0

    def isDataUnitDone(self) -> bool:
        """Tell whether the next step of the group brings another unit."""
        return self.group is not None and self.data_index_end == self.group.last_data_index

    def hasMoreData(self) -> bool:
        """Tell whether there are units that were not read."""
        return self.next_data_index < len(self.data_source)

    def hasDataChanged(self) -> bool:
        """Tell whether the last step of the group brought this unit."""
        return not self.data_same_as_previous

    def next(self) -> None:
        """Read the next unit.

        Raises `InputError` if that is left to the system, or if there is none.
        """
        if self.group is not None and self.group.restricted_access:
            raise InputError(f"Not authorized: the input `{self.name}' is advanced for you")
        self.advance()

    def advance(self) -> None:
        """Read the next unit, whoever may; raise `InputError` if there is none."""
        data, start, end = self.data_source[self.next_data_index]
        if start is None or end is None:
            channel = self.group.channel if self.group is not None else None
            raise InputError(
                f"User algorithm asked for more data for channel `{channel}' on input "
                f"`{self.name}', but it is over (no more data). This normally indicates a "
                "programming error on the user side."
            )
        self.data, self.data_index, self.data_index_end = data, start, end
        self.data_same_as_previous = False
        self.next_data_index += 1
        self.nb_data_blocks_read += 1


class InputGroup:
    """The inputs of one channel; with `restricted_access` only the system advances them."""

    def __init__(
        self,
        channel: str,
        synchronization_listener: SynchronizationListener | None = None,
        restricted_access: bool = True,
    ) -> None:
        self._inputs: list[Input] = []
        self._by_name: dict[str, Input] = {}
        self.channel = channel
        self.synchronization_listener = synchronization_listener
        self.restricted_access = restricted_access
        self.data_index = self.data_index_end = -1
        """All that the present units cover together."""
        self.first_data_index = self.last_data_index = -1
        """What all of them cover."""

    def __getitem__(self, index: str | int) -> Input | None:
        return _found(index, self._by_name, self._inputs)

    def __iter__(self) -> Iterator[Input]:
        return iter(self._inputs)

    def __len__(self) -> int:
        return len(self._inputs)

    def add(self, input_: Input) -> None:
        """Take one more input."""
        input_.group = self
        self._inputs.append(input_)
        self._by_name.setdefault(input_.name, input_)

    def hasMoreData(self) -> bool:
        """Tell whether any of the inputs has."""
        for input_ in self._inputs:  # noqa: SIM110  (any() of a generator takes twice as long)
            if input_.hasMoreData():
                return True
        return False

    def next(self) -> None:
        """Advance the inputs that end first; tell the listener what all units cover.

        Raises `InputError` if that is left to the system, or if one of them is at its end.
        """
        if self.restricted_access:
            raise InputError(f"Not authorized: the channel `{self.channel}' is advanced for you")
        self.advance()

    def advance(self) -> None:
        """Do the same, whoever may."""
        inputs = self._inputs
        if len(inputs) == 1:
            only = inputs[0]
            only.advance()
            self._stand(only.data_index, only.data_index_end, only.data_index, only.data_index_end)
            return
        lowest = min([i.data_index_end for i in inputs], default=-1)
        for input_ in inputs:
            if input_.data_index_end == lowest:
                input_.advance()
            else:
                input_.data_same_as_previous = True
        starts = [i.data_index for i in inputs]
        ends = [i.data_index_end for i in inputs]
        if inputs:
            self._stand(min(starts), max(ends), max(starts), min(ends))

    def _stand(self, index: int, end: int, first_common: int, last_common: int) -> None:
        self.data_index, self.data_index_end = index, end
        self.first_data_index, self.last_data_index = first_common, last_common
        if self.synchronization_listener is not None:
            self.synchronization_listener.onIntervalChanged(first_common, last_common)


class InputList:
    """All inputs of an algorithm, group by group; the main group is the first restricted one."""

    def __init__(self) -> None:
        self._groups: list[InputGroup] = []
        self.main_group: InputGroup | None = None

    def add(self, group: InputGroup) -> None:
        """Take one more group."""
        if self.main_group is None and group.restricted_access:
            self.main_group = group
        self._groups.append(group)

    def __getitem__(self, index: str | int) -> Input | None:
        """Return an input by its name or by its place in all groups; None if there is none."""
        if isinstance(index, str):
            return first(found for group in self._groups if (found := group[index]) is not None)
        return _found(index, {}, list(self))

    def __iter__(self) -> Iterator[Input]:
        for group in self._groups:
            yield from group

    def __len__(self) -> int:
        return sum(map(len, self._groups))

    def nbGroups(self) -> int:
        """Return how many groups there are."""
        return len(self._groups)

    def groupOf(self, input_name: str) -> InputGroup | None:
        """Return the group of an input, or None."""
        return first(group for group in self._groups if group[input_name] is not None)

    def hasMoreData(self) -> bool:
        """Tell whether the main group has."""
        return self.main_group is not None and self.main_group.hasMoreData()

    def group(self, name_or_index: str | int) -> InputGroup | None:
        """Return a group by its channel or place, or None."""
        if isinstance(name_or_index, str):
            return first(group for group in self._groups if group.channel == name_or_index)
        return _found(name_or_index, {}, self._groups)


def _found(index: str | int, by_name: dict[str, T], in_order: list[T]) -> T | None:
    if isinstance(index, str):
        return by_name.get(index)
    return in_order[index] if -len(in_order) <= index < len(in_order) else None
