"""Functions for algorithms: they are called by the name that the algorithm imports this under."""
