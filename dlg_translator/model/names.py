"""The names that fields have had over the years: each tuple is one meaning, today's name first.

Use with `Node.value`: `node.value(*COPIES)`.
"""

from __future__ import annotations

COPIES = ("num_of_copies", "num_of_splits", "Number of copies", "Number of splits")
ITERATIONS = ("num_of_iter", "Number of Iterations", "Number of iterations", "Number of loops")
GATHER_WIDTH = ("num_of_inputs", "Number of inputs", "gather_width")
GROUP_KEY = ("group_key", "Group key")
GROUP_START = ("group_start", "Group start")
GROUP_END = ("group_end", "Group end")
PROCESSES = ("num_of_procs", "Number of processes", "Num procs")
DROP_CLASS = (
    "dropclass",
    "dataclass",
    "Data class",
    "appclass",
    "Application Class",
    "Application class",
    "Appclass",
)
EXECUTION_TIME = ("execution_time", "Execution time", "Execution Time")
DATA_VOLUME = ("data_volume", "Data volume", "Data Volume")
CPUS = ("num_cpus", "No. of CPUs", "Number of CPUs", "num_CPUs")
STREAMING = ("streaming", "Streaming")
FILE_PATH = ("filepath", "File path", "file_path")
COMMAND = ("command", "Command")
