"""Write what the existing packages make of values of data formats (their Python runs this).

    PYTHON make_format_vectors.py ../vectors/formats.json

Each case is a declaration, a value for its one field `f` and how it is set; the outcome is the
field as plain JSON and the packed bytes in hex, or the name of the error.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

values = importlib.import_module("data_values")  # beside this program
decoded, encoded = values.decoded, values.encoded

ONE: dict[str, Any] = {"$np": ["int16", 1]}
CASES: list[tuple[Any, list[Any]]] = [
    *(
        (kind, [0, 1, True, None, 1.0, 1.5, -3, {"$np": [kind, 1]}, {"$np": ["int8", -1]}])
        for kind in ("int8", "int16", "int32", "int64", "float32", "float64", "bool")
    ),
    *(
        (kind, [0, 1, {"$np": [kind, 200]}, {"$np": ["uint8", 255]}, {"$np": ["int8", 3]}])
        for kind in ("uint8", "uint16", "uint32", "uint64")
    ),
    ("int32", ["", "3", "abc", 2**40, [], [1], {}, {"$np": ["int32", [3]]}, {"$complex": [1, 0]}]),
    ("int32", [{"$np": ["uint32", 3]}, {"$np": ["uint16", 3]}, {"$np": ["float32", 0]}, 0.0]),
    ("float32", [{"$np": ["float16", 0.5]}, {"$np": ["float64", 0.5]}, {"$np": ["int32", 7]}]),
    ("float64", ["1", 2**40, -0.0, {"$np": ["float32", 0.1]}]),
    ("complex64", [{"$complex": [0, 1]}, 1.5, ONE, {"$np": ["complex64", 2]}, 0]),
    ("complex128", [{"$complex": [0.5, -1]}, 1.5, 3, ONE, None]),
    ("string", ["", "text", "\u00e9\u20ac", 5, None, 1.5, ["a"], {"$bytes": "78"}, True]),
    ([0, "int8"], [[], None, [1, 2], [1.9, -2], {"$np": ["int64", [5]]}, 5, [[1]], ["a"], ["3"]]),
    ([0, "float32"], [[0.1], [1, 2], {"$np": ["float64", [0.1, 1e300]]}, [None], "x"]),
    ([2, 0, "float32"], [[[1], [2]], [[1, 2, 3]], None, [], {"$np": ["float32", [[], []]]}]),
    ([0, 2, "uint16"], [[], "", 0, {}, False, {"$np": ["float64", []]}]),
    ([2, 3, "uint16"], [[[1, 2, 3], [4, 5, 6]], [[1, 2], [3, 4]], [1, 2, 3, 4, 5, 6]]),
    ([1, 1, 1, 1, 1, "bool"], [[[[[[True]]]]], [[[[True]]]]]),
    ([0, "bool"], [[True, False], [1, 0], []]),
    ([0, "complex64"], [[1, {"$complex": [0, 2]}], []]),
    ([0, "complex128"], [[1.5], [{"$complex": [1, 2]}]]),
    ([0, "string"], [[], None, ["a", ""], ["\u00e9"], ["a", 1], "x", 1, [["a"]]]),
    ([0, "string"], [{"$np": ["str", ["a", "bc"]]}, {"$np": ["object", ["a"]]}]),
    ([2, "string"], [None, ["a"], ["a", "b"]]),
    ([0, 2, "string"], [[["a", "b"]], [["a"]], None]),
    ([0, {"q": "int16"}], [[], None, [{"q": ONE}], [{"q": 1}], [{}], [{"z": 1}], {"q": 1}]),
    ([0, {"q": "int16"}], [[{"q": ONE}, {"q": {"$np": ["int16", -2]}}]]),
    ([2, {"q": "int16"}], [[{"q": ONE}, {"q": ONE}], [{"q": ONE}]]),
    ([0, 1, {"q": [0, "string"]}], [[[{"q": ["x"]}], [{"q": []}]]]),
    ({"x": "int8", "y": "string"}, [None, {}, {"x": 0, "y": "z"}, {"x": 0}, {"x": 1, "y": ""}]),
    ({"x": "int8", "y": "string"}, [{"x": 0, "y": "", "z": 1}, {"x": 0, "y": "", "__type__": 1}]),
    ({"b": "float64", "a": {"c": "uint8", "B": "bool"}}, [{"b": 1, "a": {"c": 0, "B": True}}]),
    ({}, [{}, None, {"x": 1}]),
    (
        {"z": "int8", "A": "int16", "a": "int64", "_": "bool"},
        [{"z": 0, "A": 0, "a": 9, "_": True}],
    ),
]


def outcome(kind: Any, how: str, value: Any) -> dict[str, Any]:
    """Return what becomes of a value."""
    try:
        if how == "safe":
            instance = kind().from_dict({"f": decoded(value)})
        elif how == "defaults":
            instance = kind().from_dict({"f": decoded(value)}, add_defaults=True)
        elif how == "unsafe":
            instance = kind(f=decoded(value))
        else:
            instance = kind()
            instance.f = decoded(value)
        return {"value": encoded(instance.as_dict()["f"]), "bytes": instance.pack().hex()}
    except (TypeError, AttributeError, ValueError, OverflowError) as error:
        return {"error": type(error).__name__}


def main(target: Path) -> None:
    """Write all cases, or say which one the packages cannot be asked."""
    dataformat = importlib.import_module("beat.core.dataformat").DataFormat
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as prefix:
        for declaration, given in CASES:
            asset = dataformat(prefix, {"f": declaration})
            if asset.errors:
                raise SystemExit(f"{declaration}: {asset.errors}")
            kind = asset.type
            found.extend(
                {"type": declaration, "how": how, "given": value, **outcome(kind, how, value)}
                for value in given
                for how in ("safe", "set", "defaults", "unsafe")
            )
    lines = ",\n".join(json.dumps(case) for case in found)
    target.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
