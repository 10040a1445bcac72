"""The data of databases, made by their views in this very process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlg.beat.blocks.assembly import Request
from dlg.beat.database import Database
from dlg.beat.formats import Formats
from dlg.beat.sources import DataSource


class ViewsHere:
    """Sets views up, one for each set (and range) that is asked for.

    `roots` are the folders of databases that lie elsewhere than their declarations say.
    """

    def __init__(
        self, prefix: str, cache: str, roots: Mapping[str, str], formats: Formats
    ) -> None:
        self._prefix, self._cache, self._roots, self._formats = prefix, cache, roots, formats
        self._databases: dict[str, Database] = {}
        self._views: dict[tuple[Any, ...], Any] = {}

    def source(self, request: Request) -> DataSource:
        """Return the source of an input, which makes its data when they are asked for."""
        which = (request.database, request.protocol, request.set, request.range)
        view = self._views.get(which)
        if view is None:
            view = self._views[which] = self._view(request)
        found: DataSource = view.data_sources[request.output]
        return found

    def _view(self, request: Request) -> Any:
        name = request.database
        database = self._databases.get(name)
        if database is None:
            database = Database(self._prefix, name, self._formats, checked=False)
            self._databases[name] = database
        view = database.view(request.protocol, request.set, root_folder=self._roots.get(name))
        view.dataformat_cache = self._formats
        start, end = request.range or (None, None)
        view.setup(str(Path(self._cache, request.path)), start, end, pack=False)
        return view

    def format_of(self, request: Request) -> str:
        """Return the name of the data format that an output of a set is declared to have."""
        database = self._databases[request.database]
        name: str = database.set(request.protocol, request.set)["outputs"][request.output]
        return name
