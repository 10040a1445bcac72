"""Views of databases: the code of users that makes data, and what runs it.

A view tells once, in `index`, which rows a set has; the runner keeps these as JSON in the cache.
Rows that follow one another and are equal in a column make one unit of data of that column's
output, which `get` then makes.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from dlg.beat import loader
from dlg.beat.baseformat import baseformat, fill, new, packed
from dlg.beat.cache_files import CacheError, read_rows, write_whole
from dlg.beat.declarations import NumpyJSONEncoder
from dlg.beat.formats import Formats, type_named
from dlg.beat.indices import intervals_of
from dlg.beat.sources import DataSource
from dlg.exceptions import RunError

__all__ = ["DatabaseOutputDataSource", "Runner", "View", "ViewError"]


class ViewError(RunError, RuntimeError):
    """A view did not do what a view has to do."""


class View:
    """The base of the views of databases, which users write.

    `output_member_map` tells for outputs that cannot be names in Python which column they are.
    """

    def __init__(self) -> None:
        self.output_member_map: dict[str, str] = {}

    def index(self, root_folder: str, parameters: Mapping[str, Any]) -> list[Any]:
        """Return a named tuple for each data index, with an attribute for each output."""
        raise NotImplementedError

    def setup(
        self,
        root_folder: str,
        parameters: Mapping[str, Any],
        objs: Sequence[Any],
        start_index: int | None = None,
        end_index: int | None = None,
    ) -> None:
        """Keep what `get` needs: of the rows those from the start to the end index."""
        self.root_folder = root_folder
        self.parameters = parameters
        self.start_index = start_index or 0
        self.end_index = len(objs) - 1 if end_index is None else end_index
        self.objs = objs[self.start_index : self.end_index + 1]

    def get(self, output: str, index: int) -> Any:
        """Return the data of an output for `self.objs[index]`, as a dictionary."""
        raise NotImplementedError

    def get_output_mapping(self, output: str) -> str:
        """Return the name of the column that an output has."""
        # A subclass may define __init__ without calling this one's.
        members: dict[str, str] = getattr(self, "output_member_map", {})
        return members.get(output, output)


class Runner:
    """Runs the view of a set; what goes wrong in the user's code is raised as an `exc`.

    `definition` is what `Database.view_definition` returns. Once set up, `data_sources` has a
    source for each output. Data indices are those of the whole set, also when only a range is
    served: the view itself always gets all rows, so that what it finds at an index stays true.
    """

    def __init__(
        self,
        module: ModuleType,
        definition: Mapping[str, Any],
        prefix: str,
        root_folder: str,
        exc: type[Exception] | None = None,
    ) -> None:
        view = getattr(module, definition["view"], None)
        if view is None:
            raise ViewError(f"{module.__name__} has no view of the name {definition['view']}")
        self.exc: type[Exception] = exc or RuntimeError
        self.obj = loader.run(view, "__new__", exc)
        self.ready = False
        self.prefix, self.root_folder, self.definition = prefix, root_folder, definition
        self.data_sources: dict[str, DataSource] = {}
        self.dataformat_cache: Formats | None = None
        """Formats that were loaded already, if the caller has any."""
        self.start_index = 0
        self._rows: list[Any] = []

    @property
    def _parameters(self) -> Mapping[str, Any]:
        return self.definition.get("parameters") or {}

    def index(self, filename: str) -> None:
        """Write the rows of the set into a file, as JSON."""
        rows = loader.run(self.obj, "index", self.exc, self.root_folder, self._parameters)
        if not isinstance(rows, list):
            raise self.exc(f"index() returned a {type(rows).__name__} and not a list")
        try:
            content = json.dumps([_fields(row) for row in rows], cls=NumpyJSONEncoder)
        except (TypeError, ValueError) as error:
            raise self.exc(f"index() returned what cannot be kept as JSON: {error}") from error
        write_whole(filename, content.encode())

    def setup(
        self,
        filename: str,
        start_index: int | None = None,
        end_index: int | None = None,
        pack: bool = True,
    ) -> None:
        """Read the rows and make the sources, which hand out bytes or, without `pack`, objects.

        Only units in the range, if one is given, are served. Raises `CacheError` if the rows
        cannot be read, and `exc` for what fails in the view.
        """
        if self.ready:
            return
        rows = _as_tuples(filename, read_rows(filename))
        loader.run(
            *(self.obj, "setup", self.exc, self.root_folder, self._parameters),
            *(rows, 0, len(rows) - 1),
        )
        self._rows = rows
        self.start_index = start_index or 0
        self._end_index = len(rows) - 1 if end_index is None else end_index
        self.ready = True
        for output, dataformat in self.definition["outputs"].items():
            source = DatabaseOutputDataSource()
            source.setup(
                *(self, output, dataformat, self.prefix, start_index, end_index, pack),
                dataformat_cache=self.dataformat_cache,
            )
            self.data_sources[output] = source

    def get(self, output: str, index: int) -> Any:
        """Return what the view returns for an output at an index of the whole set."""
        if not self.ready:
            raise self.exc("this view of a database was not set up: call setup() first")
        return loader.run(self.obj, "get", self.exc, output, index)

    def get_output_mapping(self, output: str) -> str:
        """Return the name of the column that an output has."""
        column: str = loader.run(self.obj, "get_output_mapping", self.exc, output)
        return column

    def objects(self) -> list[Any]:
        """Return the rows in the range that is served; none before `setup`."""
        return self._rows[self.start_index : self._end_index + 1] if self.ready else []

    def rows(self) -> list[Any]:
        """Return all rows of the set."""
        return self._rows


class DatabaseOutputDataSource(DataSource):
    """The units of one output of a view."""

    def __init__(self) -> None:
        super().__init__()
        self.pack = False
        self.output_name = ""
        self._view: Any = None
        self._ask: Callable[[str, int], Any] = _nobody

    def setup(  # noqa: PLR0913, PLR0917  (the arguments are those published)
        self,
        view: Any,
        output_name: str,
        dataformat_name: str,
        prefix: str,
        start_index: int | None = None,
        end_index: int | None = None,
        pack: bool = False,
        *,
        dataformat_cache: Formats | None = None,
    ) -> bool:
        """Serve an output of a runner that is set up, in a range, as objects or as bytes.

        Raises `ViewError` if the rows do not have the column of the output.
        """
        self.pack, self.output_name = pack, output_name
        self.kind = type_named(prefix, dataformat_name, dataformat_cache)
        self._view, self._ask = view, view.get
        rows = view.rows() if hasattr(view, "rows") else view.objects()
        column = view.get_output_mapping(output_name)
        try:
            intervals = intervals_of([getattr(row, column) for row in rows])
        except AttributeError as error:
            raise ViewError(
                f"the view has no column {column!r} for the output {output_name}: {error}"
            ) from error
        low = 0 if start_index is None else start_index
        high = len(rows) if end_index is None else end_index
        self._has([(a, b) for a, b in intervals if a >= low and b <= high])
        return True

    def close(self) -> None:
        """Let go of the view."""
        super().close()
        self._view, self._ask = None, _nobody

    def _get(self, index: int) -> tuple[Any, int]:
        data = self._made(index)
        content = packed(data)
        return (content if self.pack else data), len(content)

    def _packed(self, index: int) -> bytes:
        return packed(self._made(index))

    def _made(self, index: int) -> baseformat:
        data = self._ask(self.output_name, self._starts[index])
        if self.kind is not None and not isinstance(data, baseformat):
            return fill(new(self.kind), data, "safe", False)
        made: baseformat = data
        return made


def _nobody(_output: str, _index: int) -> Any:
    raise ViewError("this source was closed, or never set up")


def _fields(row: Any) -> dict[str, Any]:
    if isinstance(row, Mapping):
        return dict(row)
    if not hasattr(row, "_asdict"):
        raise TypeError(f"a row is a named tuple, not {row!r:.80}")
    fields: dict[str, Any] = row._asdict()
    return fields


def _as_tuples(filename: str, rows: list[dict[str, Any]]) -> list[Any]:
    if not rows:
        return []
    names = sorted(rows[0])
    try:
        entry = namedtuple("Entry", names)  # type: ignore[misc]  # columns of the user
    except ValueError as error:
        raise CacheError(f"{filename}: columns that are no names: {error}") from error
    return [entry(*[row[name] for name in names]) for row in rows]
