"""What is in a database of tasks, for people: progress, timings, failures, trees, queues.

Each function looks at one state of the database, holds up nobody who works, and returns frozen
values. Without `database` it is that of the settings.
"""
