"""What pages are told of a database of tasks: bounded queries, whose answers are frozen records.

Nothing here changes anything but `retrying`. Lists come page by page, and an answer has the same
size whether the database has a hundred tasks or a million.
"""
