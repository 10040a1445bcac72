"""The graph of tasks that have not begun, as a dictionary: each id with what it requires.

>>> from dlg.taskgraph import Graph, Task
>>> tasks = {f"tid{n}": Task(f"tid{n}", {"msg": f"hello{n}"}, "say") for n in (1, 2, 3, 4)}
>>> for needed in ("tid2", "tid3", "tid4"):
...     tasks["tid1"].add_require(needed)
>>> tasks["tid2"].add_require("tid4")
>>> graph = Graph(tasks)
>>> graph
{'tid1': ['tid2', 'tid3', 'tid4'], 'tid2': ['tid4'], 'tid3': [], 'tid4': []}
>>> list(graph.edges())[:4]
[('tid1', 'tid2'), ('tid1', 'tid3'), ('tid1', 'tid4'), ('tid2', 'tid4')]
>>> list(graph.edges())[4:]
[('tid3', 'tid3'), ('tid4', 'tid4')]
>>> list(graph.isolated_vertices())
['tid3', 'tid4']
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dlg.taskgraph.task import Task


class Graph(dict[str, list[str]]):
    """The requirements of fresh tasks, by their ids.

    A task that requires itself is there without that; a manager refuses it.
    """

    def __init__(self, tasks: Mapping[str, Task]) -> None:
        super().__init__()
        self.size = len(tasks)
        """How many tasks there were, begun or not."""
        for tid, task in tasks.items():
            if task.state == Task.STATE_INIT:
                self[tid] = [needed for needed in task.require or () if needed != tid]

    def __setitem__(self, vertex: str, required: list[str]) -> None:
        """Let `vertex` require `required`; raise `ValueError` if that is no list."""
        if not isinstance(required, list):
            raise ValueError("Value must be a list")  # noqa: TRY004  as the interface has it
        super().__setitem__(vertex, required)

    def edges(self) -> Iterator[tuple[str, str]]:
        """Yield `(a, b)` for each a that requires b, `(a, a)` for each that requires nothing."""
        for vertex, required in self.items():
            for needed in required or (vertex,):
                yield vertex, needed

    def isolated_vertices(self) -> Iterator[str]:
        """Yield the tasks that require nothing, or nothing any more."""
        return (vertex for vertex, required in self.items() if not required)

    def remove_vertex(self, vertex: str) -> None:
        """Remove a task and others' requirement of it; raise `KeyError` if it is not there."""
        del self[vertex]
        for required in self.values():
            if vertex in required:
                required.remove(vertex)
