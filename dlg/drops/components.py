"""What authors of components say about theirs, besides its parameters.

Nothing here decides how a graph runs: a description is kept with the class for people and for
palettes, as the components written for the existing system have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class PathBasedDrop(Protocol):
    """A drop whose data is in the file system, as far as its type is concerned."""

    @property
    def path(self) -> str:
        """The absolute path of the data."""


@dataclass(frozen=True, slots=True)
class PortDescription:
    """One kind of input or output of a component."""

    mime_type: str
    drop_classes: tuple[Any, ...] = ()
    """The classes of drops that may be behind the port; none: any."""


@dataclass(frozen=True, slots=True)
class ComponentDescription:
    """The name of a component, what it is for, and its ports."""

    name: str
    description: str
    batch_inputs: tuple[PortDescription, ...] = ()
    batch_outputs: tuple[PortDescription, ...] = ()
    streaming_inputs: tuple[PortDescription, ...] = ()


def dlg_batch_input(mime_type: str, input_drop_classes: Sequence[Any] = ()) -> PortDescription:
    """Describe an input that is read once it is complete."""
    return PortDescription(mime_type, tuple(input_drop_classes))


def dlg_batch_output(mime_type: str, output_drop_classes: Sequence[Any] = ()) -> PortDescription:
    """Describe an output."""
    return PortDescription(mime_type, tuple(output_drop_classes))


def dlg_streaming_input(mime_type: str) -> PortDescription:
    """Describe an input that is read while it is written."""
    return PortDescription(mime_type)


def dlg_component(
    name: str,
    description: str,
    batch_inputs: Sequence[PortDescription] = (),
    batch_outputs: Sequence[PortDescription] = (),
    streaming_inputs: Sequence[PortDescription] = (),
) -> ComponentDescription:
    """Describe a component, for the attribute `component_meta` of its class."""
    return ComponentDescription(
        name, description, tuple(batch_inputs), tuple(batch_outputs), tuple(streaming_inputs)
    )
