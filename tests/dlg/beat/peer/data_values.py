"""What the programs that make vectors and the tests that read them share: values as JSON.

    {"$np": [dtype, lists]}   an array or, without lists, a scalar of numpy
    {"$complex": [re, im]}    a complex number
    {"$bytes": hex}           bytes

Both the environment of the existing packages and this project's run it.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def decoded(value: Any) -> Any:
    """Return the value that is written as JSON."""
    if isinstance(value, list):
        return [decoded(v) for v in value]
    if not isinstance(value, dict):
        return value
    if "$np" in value:
        dtype, content = value["$np"]
        return np.array(decoded(content), dtype)[()]
    if "$complex" in value:
        return complex(*value["$complex"])
    if "$bytes" in value:
        return bytes.fromhex(value["$bytes"])
    return {key: decoded(v) for key, v in value.items()}


def encoded(value: Any) -> Any:
    """Return a value as JSON; scalars and arrays lose their types."""
    if isinstance(value, np.ndarray | np.generic):
        return encoded(value.tolist())
    if isinstance(value, list | tuple):
        return [encoded(v) for v in value]
    if isinstance(value, dict):
        return {key: encoded(v) for key, v in value.items()}
    if isinstance(value, complex):
        return {"$complex": [value.real, value.imag]}
    return value
