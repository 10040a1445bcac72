"""How apps find light curves in data, and put them there.

In memory a light curve is kept as the object it is. Anywhere else it is the file that `to_file`
makes: compressed text, with the metadata that JSON knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from dlg.drops.app_base import BarrierAppDROP
from dlg.exceptions import InvalidDropException
from dlg.lightcurves import Lightcurve, LightcurveArbitraryRaster, files
from dlg.support import serialize

K = TypeVar("K")


def inputs_of(app: BarrierAppDROP, count: int, what: str) -> list[Any]:
    """Return the inputs of `app`, of which there must be `count`: `what` they are."""
    found = app.inputs
    if len(found) != count:
        raise InvalidDropException(app, f"needs {count} inputs ({what}), not {len(found)}")
    return found


def value_of(drop: Any) -> Any:
    """Return the object in data, or what its bytes are: a light curve, JSON, or a pickle."""
    value = drop.value()
    if not isinstance(value, bytes | bytearray | memoryview):
        return value
    data = bytes(value)
    if data.startswith((files.GZIP, files.NUMPY)):
        columns, metadata = files.from_bytes(data, drop.uid)
        return LightcurveArbitraryRaster(
            columns.times, columns.fluxes, columns.uncertainties, columns.flags, metadata
        )
    try:
        return json.loads(data)
    except ValueError:
        return drop.load()


def lightcurve_of(app: BarrierAppDROP, drop: Any) -> Lightcurve:
    """Return the light curve in an input of `app`; raise `InvalidDropException` for others."""
    value = value_of(drop)
    if not isinstance(value, Lightcurve):
        kind = type(value).__name__
        raise InvalidDropException(app, f"input {drop.uid} holds no light curve but {kind}")
    return value


def mapping_of(app: BarrierAppDROP, drop: Any) -> Mapping[str, Any]:
    """Return the mapping in an input of `app`, which may be the only one of a list."""
    value = value_of(drop)
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
        value = value[0]
    if not isinstance(value, Mapping):
        kind = type(value).__name__
        raise InvalidDropException(app, f"input {drop.uid} holds no mapping but {kind}")
    return value


def pick(app: BarrierAppDROP, kind: type[K], what: str) -> K:
    """Return the value of the first input that is a `kind`: `what` that is, in whatever order."""
    for drop in app.inputs:
        value = value_of(drop)
        if isinstance(value, kind):
            return value
    raise InvalidDropException(app, f"needs an input with {what}")


def deliver(app: BarrierAppDROP, value: Any) -> None:
    """Put a value into all outputs of `app`: a light curve, metadata, bytes or another object."""
    if not app.outputs:
        raise InvalidDropException(app, "needs at least one output")
    for output in app.outputs:
        if isinstance(value, bytes):
            output.write(value)
        elif type(output).volatile:
            output.store(value)
        elif isinstance(value, Lightcurve):
            columns = files.Columns(
                value.get_times(), value.get_fluxes(), value.get_flags(), value.get_uncertainties()
            )
            output.write(files.to_bytes(columns, value.metadata))
        elif isinstance(value, Mapping):
            output.write(json.dumps(value, indent=1, default=str).encode())
        else:
            output.write(serialize.encode(value, serialize.DEFAULT))
