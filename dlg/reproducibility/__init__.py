"""Data of reproducibility: what a run was made of, and whether two runs are the same."""
