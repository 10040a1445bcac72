"""Processes that run users' code: warm, limited, watched, and gone when their work is done.

A *warden* (`warden`) is a process that has everything loaded that a block needs and no user's
code in it. It forks a child for each job ahead of time, so that a job starts at once in a fresh
process; it watches the child with all that the child starts (`watching`, `tree`), ends them when a
limit is passed, and tells what became of them. `pool` is the side of those who have jobs.
"""
