"""Managers as processes: from options to something that listens, and back to silence."""
