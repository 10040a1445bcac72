"""A plotter: how it draws what analyzers found."""

from typing import Any


class Plotter:
    """Called once for all that is to be in one picture."""

    def setup(self, parameters: dict[str, Any]) -> bool:
        """Take the values of the parameters; return whether they are of use."""
        return True

    def process(self, inputs: list[tuple[str, Any]]) -> bytes:
        """Return a picture, as the bytes of a file, of data with their labels."""
        raise NotImplementedError
