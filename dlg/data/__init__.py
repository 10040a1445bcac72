"""Data drops, one file a storage with its drop and its I/O; none knows of another."""
