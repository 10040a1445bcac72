"""What the handlers share: folders, settings, what is kept between requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dlg.http import site
from dlg.http.asking import Asked
from dlg.http.errors import BadRequestError
from dlg_translator.rest.library import Library, unpacked
from dlg_translator.rest.shelf import Shelf

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8084


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(site.Options):
    """How a service is set up."""

    lg_dir: Path | None = None
    """Where logical graphs are; None for none but those that are sent."""
    pgt_dir: Path | None = None
    """Where physical graph templates are, and are saved."""
    port: int = DEFAULT_PORT
    manager: str = ""
    """The address of the manager that the page proposes."""


@dataclass(frozen=True, slots=True)
class Service:
    """The translator, as the handlers see it."""

    options: Options
    graphs: Library
    templates: Library
    shelf: Shelf = field(default_factory=Shelf)

    def content(self, asked: Asked, what: str) -> tuple[bytes, str]:
        """Return the graph that a request means, and its name: `*_name` xor `*_content`.

        `what` is `lg` or `pgt`. Raises `BadRequestError` for both or neither.
        """
        name, content = asked.text(f"{what}_name"), asked.text(f"{what}_content")
        if bool(name) == bool(content):
            raise BadRequestError(f"give either {what}_name or {what}_content")
        library = self.graphs if what == "lg" else self.templates
        if name:
            return library.read(name), name
        return unpacked(content.encode(), self.options.most_bytes), ""


def make_service(options: Options) -> Service:
    """Return a service with nothing kept yet."""
    most = options.most_bytes
    return Service(options, Library(options.lg_dir, most), Library(options.pgt_dir, most))
