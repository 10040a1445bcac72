"""What may be wrong with a host or a cluster, and what to do about it."""
