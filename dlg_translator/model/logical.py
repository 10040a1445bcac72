"""A logical graph as plain records, whatever generation of file it came from.

Readers in `dlg_translator.formats` make these, `dlg_translator.unroll` consumes them. Nothing is
thrown away: what the records have no attribute for stays in `raw`, under the key names of today's
files, so that a graph can be written back.

Where the generations differ, one form was chosen:

* ids are strings, also where a file has integer keys;
* a link to or from an embedded application ends at the *construct* that holds it, with the id of a
  field of that application as port;
* `category` and `category_type` are today's words ("Memory", not "memory"; "Scatter", not
  "SplitData"); the names of fields are those of the file (`dlg_translator.model.names` has the
  groups of names that mean the same);
* global variables, the active configuration and parameters have been applied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlg.graph.problems import Problem

INPUT_USAGES = frozenset({"InputPort", "InputOutput"})
OUTPUT_USAGES = frozenset({"OutputPort", "InputOutput"})
PLACEHOLDERS = frozenset({"UnknownApplication", "None", ""})


@dataclass(slots=True)
class Field:
    """One entry of a node's `fields`: a parameter, a port, or both."""

    id: str
    name: str
    value: Any = ""
    """As the file has it: integers often come as text, "" means that `default` holds."""
    default: Any = ""
    type: str = "String"
    parameter_type: str = "ApplicationArgument"
    """ComponentParameter, ApplicationArgument, ConstraintParameter or ConstructParameter."""
    usage: str = "NoPort"
    """NoPort, InputPort, OutputPort or InputOutput."""
    encoding: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    """The whole field with today's key names, unknown keys kept."""
    pointer: str = ""
    """JSON pointer of the field in the source file."""

    @property
    def effective(self) -> Any:
        """Return the value, or the default where the value was left empty."""
        return self.default if self.value is None or self.value == "" else self.value

    @property
    def is_input(self) -> bool:
        """Whether links may end at this field."""
        return self.usage in INPUT_USAGES

    @property
    def is_output(self) -> bool:
        """Whether links may start at this field."""
        return self.usage in OUTPUT_USAGES

    def set(self, value: Any) -> None:
        """Give it another value; what `raw` was made from is left alone."""
        self.value = value
        self.raw = {**self.raw, "value": value}


@dataclass(slots=True)
class EmbeddedApp:
    """The input or output application of a construct."""

    name: str
    """Its own name; drops made from it bear that of the construct."""
    category: str
    """The kind of application: PythonApp, DALiuGEApp, DynlibApp, ..."""
    fields: list[Field]
    id: str | None = None
    """Its own id, in files that give one; links never use it."""
    pointer: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    """The node it was in the file, where it was one."""

    def field(self, *names: str) -> Field | None:
        """Return the field with the first of `names` that there is."""
        return first_field(self.fields, names)

    def value(self, *names: str, default: Any = None) -> Any:
        """Return the effective value of the field with the first of `names` that there is."""
        found = first_field(self.fields, names)
        return default if found is None else found.effective

    @property
    def is_placeholder(self) -> bool:
        """Whether it only holds ports and nothing is to be run."""
        return self.category in PLACEHOLDERS

    def has_port(self, port: str) -> bool:
        """Whether a field with the id `port` is one of this application's."""
        return any(f.id == port for f in self.fields)


@dataclass(slots=True)
class Node:
    """A data node, an application, a construct, a comment, ..."""

    id: str
    name: str
    category: str
    category_type: str
    """Data, Application, Construct, Control, Service, Global, Other or Unknown."""
    is_group: bool = False
    parent: str | None = None
    """The id of the construct it stands in."""
    fields: list[Field] = field(default_factory=list)
    input_app: EmbeddedApp | None = None
    output_app: EmbeddedApp | None = None
    pointer: str = ""
    """JSON pointer of the node in the source file."""
    raw: dict[str, Any] = field(default_factory=dict)
    """All other keys of the node, with today's key names."""

    def field(self, *names: str) -> Field | None:
        """Return the field with the first of `names` that there is."""
        return first_field(self.fields, names)

    def value(self, *names: str, default: Any = None) -> Any:
        """Return the effective value of the field with the first of `names` that there is.

        Earlier names win, not earlier fields; `default` is for a node without any of them.
        """
        found = first_field(self.fields, names)
        return default if found is None else found.effective

    def apps(self) -> Iterator[EmbeddedApp]:
        """Return the embedded applications there are, input first."""
        if self.input_app is not None:
            yield self.input_app
        if self.output_app is not None:
            yield self.output_app

    def all_fields(self) -> Iterator[Field]:
        """Return its own fields, then those of its embedded applications."""
        yield from self.fields
        for app in self.apps():
            yield from app.fields


@dataclass(slots=True)
class Link:
    """A line someone drew from one node to another."""

    src: str
    dst: str
    src_port: str = ""
    """Id of the field of `src` (or of its embedded application) it starts at; "" if unknown."""
    dst_port: str = ""
    src_port_name: str = ""
    dst_port_name: str = ""
    loop_aware: bool = False
    """Entering a loop: only for the first iteration; leaving one: only from the last."""
    closes_loop: bool = False
    streaming: bool = False
    """The data are to be read while they are written: the link or the data node says so."""
    pointer: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    """All keys of the link, with today's key names."""


@dataclass(slots=True)
class LogicalGraph:
    """Nodes in file order, links in file order, and what the file says about itself."""

    nodes: dict[str, Node]
    links: list[Link]
    name: str = ""
    source: str = "<graph>"
    """Where the graph came from, for messages."""
    model_data: dict[str, Any] = field(default_factory=dict)
    configurations: dict[str, Any] = field(default_factory=dict)
    active_config: str = ""
    problems: list[Problem] = field(default_factory=list)
    """Warnings found while reading and checking."""
    raw: dict[str, Any] = field(default_factory=dict)
    """Top-level keys of the file that have no attribute above."""

    def children(self) -> dict[str | None, list[Node]]:
        """Return the nodes inside each construct (None: those in none), in file order."""
        inside: dict[str | None, list[Node]] = {}
        for node in self.nodes.values():
            inside.setdefault(node.parent, []).append(node)
        return inside


def first_field(fields: list[Field], names: tuple[str, ...]) -> Field | None:
    """Return the field with the first of `names` that any has, or None."""
    for name in names:
        for candidate in fields:
            if candidate.name == name:
                return candidate
    return None
