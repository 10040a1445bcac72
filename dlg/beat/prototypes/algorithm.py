"""An algorithm: what it does with the data of a block."""

from typing import Any


class Algorithm:
    """Called for the data of a block, unit by unit."""

    def setup(self, parameters: dict[str, Any]) -> bool:
        """Take the values of the parameters; return whether they are of use."""
        return True

    def process(self, inputs: Any, data_loaders: Any, outputs: Any) -> bool:
        """Read the present unit of the inputs, write to the outputs; return whether it worked."""
        return True
