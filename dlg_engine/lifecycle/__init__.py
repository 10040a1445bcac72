"""How long data lives: dates at which it expires, copies on a slower store, data that vanished."""
