"""Write what the existing packages make of toolchains and experiments (their Python runs this).

    build/beat-peer/.venv/bin/python tests/dlg/beat/peer/make_composed_vectors.py

writes `vectors/composed.json`: results of the functions that hash and draw, for arguments made up
here; for each experiment of their test prefix, the order to run it in and a digest of the
configuration of each block; for experiments made by chance, whether they are valid and the same.
"""

from __future__ import annotations

import copy
import hashlib
import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PREFIX = HERE.parents[3] / "build/beat-peer/prefix"
TRIES = 400
H = "0123456789abcdef" * 4
sys.path.insert(0, str(HERE.parent))

CALLS: list[tuple[str, str, list[Any]]] = [
    ("hash", "hash", ["text"]),
    ("hash", "hash", ["\u00e9\u20ac"]),
    ("hash", "hash", [{}]),
    ("hash", "hash", [{"b": 1, "a": "x", "c": [1, 2.5], "d": {"e": None}, "f": True}]),
    ("hash", "hash", [{"a": "1"}]),
    ("hash", "hash", [{"a": 1}]),
    ("hash", "hash", [{"a": 1.0}]),
    ("hash", "hashDataset", ["data/1", "protocol", "set"]),
    ("hash", "hashDataset", ['d"/1', "p\\", "\u00e9"]),
    ("hash", "hashJSONStr", ['{"b": [1, {"d": 2, "c": 3}], "a": "\u00e9"}', "description"]),
    ("hash", "hashJSONStr", ['{"a": 1, "description": "d"}', "description"]),
    ("hash", "hashJSONStr", ['{"a": 1, "description": "d"}', "#description"]),
    ("hash", "hashJSONStr", ['{"a": 1, "a": 2}', "description"]),
    ("hash", "hashJSONStr", ["{bad", "description"]),
    ("hash", "hashJSONStr", ["[1, 2]", "description"]),
    ("hash", "hashJSON", [{"x": 1e300, "y": [None, True]}, "x"]),
    ("hash", "toPath", [H]),
    ("hash", "toPath", [H, ".db"]),
    ("hash", "toPath", [H, ""]),
    ("hash", "toUserPath", ["user"]),
    ("hash", "toUserPath", ["a-b_c"]),
    *(
        ("hash", "hashBlockOutput", ["b", "u/a/1", H, parameters, environment, inputs, "out"])
        for parameters in ({}, {"p": 1}, {"p": 1.0}, {"q": "x", "p": True})
        for environment in ({"name": "n", "version": "1"}, {})
        for inputs in ({"i": H}, {"j": H[::-1], "i": H})
    ),
    ("hash", "hashAnalyzer", ["b", "u/a/1", H, {"p": 2}, {"name": "n", "version": "1"}, {"i": H}]),
    *(
        ("drawing", name, [color])
        for name in ("text_color", "lighten_color")
        for color in ("#000000", "#ffffff", "#7f7f7f", "#808080", "#123456", "#FE00a0")
    ),
    *(
        ("drawing", "create_port_table", [kind, names, "#123456"])
        for kind in ("input", "output", "result")
        for names in ([], ["a"], ["a", "b-c", "no port"])
    ),
    *(
        ("drawing", "create_layout_ports_table", ["#5555ff", inputs, outputs])
        for inputs in ([], ["a"], ["a", "b"])
        for outputs in ([], ["x"], ["x", "y", "z"])
    ),
    *(
        ("drawing", name, [inputs, "block", outputs, "#eeaa00"])
        for name in ("make_label", "make_layout_label")
        for inputs in ([], ["a", "b"])
        for outputs in ([], ["x"])
    ),
]


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def told(experiment: Any) -> Any:
    """Return the blocks in their order, each with what feeds it and a digest of the rest."""
    return [
        [name, sorted(one["dependencies"]), digest(one["configuration"])]
        for name, one in experiment.setup().items()
    ]


def in_prefix(experiments: Any) -> dict[str, Any]:
    """Return what is told of each experiment of the test prefix, None if it is not valid."""
    root = PREFIX / "experiments"
    names = sorted(f.relative_to(root).with_suffix("").as_posix() for f in root.rglob("*.json"))
    loaded = {name: experiments.Experiment(str(PREFIX), name) for name in names}
    return {name: told(one) if one.valid else None for name, one in loaded.items()}


def drawn(toolchains: Any) -> dict[str, str]:
    """Return the text of each valid toolchain of the test prefix that has all colours."""
    root = PREFIX / "toolchains"
    found = {}
    for file in sorted(root.rglob("*.json")):
        name = file.relative_to(root).with_suffix("").as_posix()
        toolchain = toolchains.Toolchain(str(PREFIX), name)
        if not toolchain.valid:
            continue
        try:
            found[name] = digest(toolchain.dot_diagram().source)
        except KeyError as error:
            found[name] = str(error.args[0])
    return found


def by_chance(experiments: Any) -> list[Any]:
    """Return what is told of experiments made by chance: None if not valid, or an error's name."""
    chance = importlib.import_module("random_experiments")
    found: list[Any] = []
    with tempfile.TemporaryDirectory() as root:
        chance.write_prefix(Path(root))
        caches: list[dict[str, Any]] = [{}, {}, {}, {}]
        for number in range(TRIES):
            pair = copy.deepcopy(chance.random_experiment(number))
            try:
                one = experiments.Experiment(root, pair, *caches)
                found.append(told(one) if one.valid else None)
            except Exception as error:  # noqa: BLE001  which one is the result
                found.append(type(error).__name__)
    return found


def main() -> None:
    """Write the vectors anew."""
    modules = {
        name: importlib.import_module(f"beat.core.{name}")
        for name in ("hash", "drawing", "toolchain", "experiment")
    }
    made = {
        "calls": [
            [module, name, arguments, getattr(modules[module], name)(*copy.deepcopy(arguments))]
            for module, name, arguments in CALLS
        ],
        "toolchains": drawn(modules["toolchain"]),
        "experiments": in_prefix(modules["experiment"]),
        "by_chance": by_chance(modules["experiment"]),
    }
    lines = [f"{json.dumps(key)}: {rows(value)}" for key, value in made.items()]
    file = HERE.parent / "vectors/composed.json"
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def rows(value: Any) -> str:
    """Return a list or a dictionary with an entry a line."""
    if isinstance(value, dict):
        entries = [f"{json.dumps(key)}: {json.dumps(one)}" for key, one in value.items()]
        return "{\n" + ",\n".join(entries) + "\n}"
    return "[\n" + ",\n".join(json.dumps(one) for one in value) + "\n]"


if __name__ == "__main__":
    main()
