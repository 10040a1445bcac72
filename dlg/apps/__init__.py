"""App drops, one file each; none knows of another."""
