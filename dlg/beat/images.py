"""Which docker images are environments of BEAT, and which of them an experiment asks for.

An image says what it is by labels (`beat.env.type` and others), or else by its program `describe`.
Pure: the host asks the engine and hands over what it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dlg.beat.utils import build_env_name
from dlg.exceptions import InvalidAssetError, UsageError

__all__ = ["Image", "Images", "UnknownEnvironmentError", "described", "labelled"]

LABEL = "beat.env."
EXECUTION, DATABASE = "execution", "database"


class UnknownEnvironmentError(UsageError, KeyError, IndexError):
    """No image is the environment asked for; both kinds of errors that programs may expect."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is an environment."""

    image: str
    name: str
    version: str
    revision: str = ""
    databases: tuple[str, ...] = ()
    """The databases that are in it; none for an environment that only runs algorithms."""
    capabilities: tuple[str, ...] = ()
    custom_tmpfs: Mapping[str, str] | None = None
    for_databases: bool = False

    @property
    def key(self) -> str:
        """The name by which experiments ask for it."""
        return str(build_env_name({"name": self.name, "version": self.version}))

    @property
    def age(self) -> list[tuple[int, int | str]]:
        """What is greater for a newer one of the same key."""
        parts = re.split(r"[^0-9A-Za-z]+", f"{self.version}.{self.revision}")
        return [(1, int(part)) if part.isdecimal() else (0, part) for part in parts]

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


class Images:
    """The environments that were found, by their keys."""

    def __init__(self) -> None:
        self.processing: dict[str, Image] = {}
        self.databases: dict[str, Image] = {}

    def add(self, found: Image, strict: bool) -> None:
        """Add an image; of two with one key the newer counts, or, if `strict`, that is refused."""
        table = self.databases if found.for_databases else self.processing
        known = table.get(found.key)
        if known is None or known.image == found.image:
            table[found.key] = found
            return
        if strict:
            raise InvalidAssetError(
                f"two images are the environment {found.key}: {known.image} and {found.image}; "
                "remove one of them"
            )
        table[found.key] = max(known, found, key=lambda image: image.age)

    def __contains__(self, key: object) -> bool:
        return key in self.processing or key in self.databases

    def of(self, key: str) -> Image:
        """Return the environment for algorithms of this key."""
        return _found(self.processing, key, "environment")

    def of_databases(self, key: str) -> Image:
        """Return the environment for databases of this key."""
        return _found(self.databases, key, "environment of databases")

    def with_databases(self, names: Collection[str]) -> Image:
        """Return the first image that has all of these databases."""
        for image in self.databases.values():
            if set(names) <= set(image.databases):
                return image
        raise UnknownEnvironmentError(f"no image has all of the databases {', '.join(names)}")

    def called(self, image: str) -> Image | None:
        """Return what is known of an image by its own name; None if it is no environment."""
        for known in (*self.processing.values(), *self.databases.values()):
            if known.image == image:
                return known
        return None

    def full_name(self, name: str) -> str | None:
        """Return the key of an environment by its name without version; None if unknown."""
        for image in (*self.processing.values(), *self.databases.values()):
            if image.name == name:
                return image.key
        return None


def _found(table: Mapping[str, Image], key: str, what: str) -> Image:
    if key not in table:
        known = ", ".join(sorted(table)) or "none"
        raise UnknownEnvironmentError(f"no image is the {what} {key}: there is {known}")
    return table[key]


def labelled(image: str, labels: Mapping[str, str]) -> Image | None:
    """Return what the labels of an image say; None if it is no environment."""
    said = {
        key.removeprefix(LABEL): value for key, value in labels.items() if key.startswith(LABEL)
    }
    if said.get("type") not in {EXECUTION, DATABASE} or "name" not in said:
        return None
    return Image(
        image=image,
        name=said["name"],
        version=said.get("version", ""),
        revision=said.get("revision", ""),
        databases=tuple(_listed(said.get("databases", ""))),
        capabilities=tuple(_listed(said.get("capabilities", ""))),
        custom_tmpfs=_sizes(said.get("custom_tmpfs", "")),
        for_databases=said["type"] == DATABASE,
    )


def described(image: str, text: str) -> Image | None:
    """Return what the program `describe` of an image printed; None if that is of no use."""
    try:
        said = json.loads(text)
        databases = said.get("databases", ())
        names = tuple(databases) if isinstance(databases, Iterable) else ()
        return Image(
            image=image,
            name=str(said["name"]),
            version=str(said["version"]),
            revision=str(said.get("revision", "")),
            databases=tuple(str(name) for name in names),
            capabilities=tuple(map(str, said.get("capabilities", ()))),
            for_databases=bool(names),
        )
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


def _listed(text: str) -> list[str]:
    """Return the words of a label: a list of JSON, or words with commas or blanks between."""
    try:
        words = json.loads(text)
    except ValueError:
        words = text.replace(",", " ").split()
    return [str(word) for word in words] if isinstance(words, list) else [str(words)]


def _sizes(text: str) -> dict[str, str] | None:
    """Return paths and sizes of file systems in memory: JSON, or `path=size` with commas."""
    if not text:
        return None
    try:
        said = json.loads(text)
        if isinstance(said, dict):
            return {str(path): str(size) for path, size in said.items()}
    except ValueError:
        pass
    pairs = (part.partition("=") for part in text.split(",") if part)
    return {path: size for path, _, size in pairs}
