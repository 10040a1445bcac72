"""The translator over HTTP: one table of routes, handlers of a few lines, one table of errors."""
