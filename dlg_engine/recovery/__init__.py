"""Go on after a failure or a kill: what a run writes down as it goes, and what becomes of it."""
