"""Services over HTTP: a table of routes is checked, served, described and guarded the same way."""
