"""Types of tasks, and the containers that can run each, as a registry in XML lists them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from xml.etree import ElementTree as Xml

from dlg_engine.tasks.errors import NoSuchEntryError, TaskSystemError
from dlg_engine.tasks.settings import Settings

ALL = "all"
"""The name that stands for all containers."""


class TaskTypesError(TaskSystemError):
    """A registry of types of tasks is not one."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a container gets, or asks for: cores, GPUs, and memory in GB."""

    cpu: float = 1.0
    gpu: int = 0
    memory_gb: float = 1.0


class TaskTypeList:
    """Types of tasks and the containers that can run them."""

    def __init__(self) -> None:
        self.worker_containers: dict[str, Resources] = {}
        self.task_list: dict[str, list[str]] = {}

    def containers_for_task(self, task_type_name: str) -> list[str]:
        """Return the containers that can run a type of tasks."""
        if task_type_name not in self.task_list:
            raise NoSuchEntryError("type of tasks", task_type_name)
        names = self.task_list[task_type_name]
        return self.worker_container_names() if ALL in names else list(names)

    def tasks_for_container(self, container_name: str) -> list[str]:
        """Return the types of tasks that a container can run."""
        if container_name not in self.worker_containers:
            raise NoSuchEntryError("container", container_name)
        return [n for n in self.task_list if container_name in self.containers_for_task(n)]

    def task_type_names(self) -> list[str]:
        """Return the types of tasks."""
        return list(self.task_list)

    def worker_container_names(self) -> list[str]:
        """Return the containers."""
        return list(self.worker_containers)

    def add(self, task_type_name: str, containers: Iterable[str] = (ALL,)) -> None:
        """Add a type of tasks; raise NoSuchEntryError for a container that is not there."""
        names = list(containers)
        for name in names:
            if name != ALL and name not in self.worker_containers:
                raise NoSuchEntryError("container", name, f"task type {task_type_name!r} needs it")
        self.task_list[task_type_name] = names

    @classmethod
    def read_from_xml(cls, input_xml_filename: str | Path | None = None) -> Self:
        """Return what a file lists, `task_type_registry.xml` of the installation by default.

        Raises TaskTypesError, with the place, for a file that is not such a list.
        """
        default = Path(Settings().settings["pythonPath"]) / "task_type_registry.xml"
        file = Path(input_xml_filename) if input_xml_filename else default
        try:
            text = file.read_text()
            if "<!DOCTYPE" in text or "<!ENTITY" in text:  # entities could grow without bound
                raise TaskTypesError(f"{file}: a registry declares no document type or entities")
            root = Xml.fromstring(text)  # noqa: S314  has no entities
        except (OSError, ValueError, Xml.ParseError) as error:
            raise TaskTypesError(f"{file}: {error}") from error
        found = cls()
        for element in root.iterfind("containers/container"):
            name = _text(file, element, "name")
            needs = element.find("resourceRequirements")
            found.worker_containers[name] = _resources(file, name, needs)
        for element in root.iterfind("tasks/task"):
            names = [(each.text or "").strip() for each in element.iterfind("container")]
            found.add(_text(file, element, "name"), names or [ALL])
        if not found.task_list:
            raise TaskTypesError(f"{file}: there is no tasks/task in it")
        return found


def _text(file: Path, element: Xml.Element, name: str) -> str:
    text = (element.findtext(name) or "").strip()
    if not text:
        raise TaskTypesError(f"{file}: a {element.tag} has no {name}")
    return text


def _resources(file: Path, name: str, element: Xml.Element | None) -> Resources:
    if element is None:
        return Resources()
    try:
        return Resources(
            cpu=float(element.findtext("cpu") or 1),
            gpu=int(float(element.findtext("gpu") or 0)),
            memory_gb=float(element.findtext("memory_gb") or 1),
        )
    except ValueError as error:
        raise TaskTypesError(f"{file}: resources of container {name}: {error}") from error
