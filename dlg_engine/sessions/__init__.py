"""A session: one graph being run on one node."""
