"""Engines: who runs a physical graph, each behind the contract in `dlg.engines`."""
