"""The `dlg` command: the one place that stands on all parts of the project."""
