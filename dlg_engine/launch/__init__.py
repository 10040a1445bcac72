"""A whole cluster inside the job of a batch system: for one graph, and gone with it."""
