"""What a component says it needs: read from a spec, wherever it stands there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlg.exceptions import UsageError

CPU_KEYS = ("num_cpus", "cpus", "cores")
MEMORY_KEYS = ("mem_usage", "memory", "mem")
GPU_KEYS = ("num_gpus", "gpus", "gpu", "num_gpu")

_UNITS = {"": 1.0, "b": 1e-9}
_UNITS |= {f"{p}b": 1000.0 ** (k - 3) for k, p in enumerate("kmgtp", 1)}
_UNITS |= {f"{p}ib": 1024.0**k / 1e9 for k, p in enumerate("kmgtp", 1)}
_UNITS |= {p: _UNITS[f"{p}b"] for p in "kmgtp"}


class AmountError(UsageError):
    """An amount of something is not a number of at least 0, or its unit is unknown."""


def stated(spec: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    """Return what a spec says under one of `keys`, itself or among its constraints, or None."""
    for place in (spec, spec.get("constraintParams")):
        if isinstance(place, Mapping):
            for key in keys:
                if key in place:
                    value = place[key]
                    return value.get("value") if isinstance(value, Mapping) else value
    return None


def amount(value: Any) -> float:
    """Return a number of at least 0, which may be a text; none is 0. Raises `AmountError`."""
    return _parsed(value, {"": 1.0}, "a number of at least 0")


def size_in_gb(value: Any) -> float:
    """Return a size such as 16, "16 GB" or "16GiB" in GB; none is 0. Raises `AmountError`."""
    return _parsed(value, _UNITS, "a size such as '16 GB'")


def _parsed(value: Any, units: Mapping[str, float], wanted: str) -> float:
    if value is None or value == "":
        return 0.0
    text = "" if isinstance(value, bool) else str(value).strip()
    number = text.rstrip("bBiIkKmMgGtTpP ")
    try:
        found = float(number) * units[text[len(number) :].strip().lower()]
    except (KeyError, ValueError):
        found = -1.0
    if not 0 <= found < float("inf"):
        raise AmountError(f"expected {wanted}, not {value!r}")
    return found
