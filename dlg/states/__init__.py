"""What may follow what: pure tables and the one loop that applies them to a whole graph."""
