"""Where data come from and where they go: sources, sinks, data indices."""

from __future__ import annotations

from dlg.beat.cache_files import getAllFilenames, load_data_index, load_data_index_db
from dlg.beat.cached_source import CachedDataSource
from dlg.beat.indices import foundSplitRanges, mixDataIndices
from dlg.beat.remote_source import RemoteDataSource
from dlg.beat.sinks import CachedDataSink, DataSink, StdoutDataSink
from dlg.beat.sources import DataSource
from dlg.beat.views import DatabaseOutputDataSource

__all__ = [
    "CachedDataSink",
    "CachedDataSource",
    "DataSink",
    "DataSource",
    "DatabaseOutputDataSource",
    "RemoteDataSource",
    "StdoutDataSink",
    "foundSplitRanges",
    "getAllFilenames",
    "load_data_index",
    "load_data_index_db",
    "mixDataIndices",
]
