"""Managers: of one node, of the nodes of a data island, and of several islands."""
