"""Algorithms on a weighted directed graph given as plain arrays; they know no drops."""
