"""Shipped tests and fakes for what stands on the engine."""
