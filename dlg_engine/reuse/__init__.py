"""Do not run again what has not changed: a store of completed data, and its use in a run."""
