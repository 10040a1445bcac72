"""Random toolchains and experiments on a small prefix, the same for the same number.

Both the environment of the existing packages and this project's run it. About a third of what it
makes is valid; the rest has one of the mistakes that people make.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

Declaration = dict[str, Any]
BLOCKS = {"one": [(1, 1)], "two": [(2, 1)], "split": [(1, 2)], "g2": [(1, 1), (1, 0)]}
BLOCKS |= {"g22": [(2, 2), (1, 0)], "three": [(1, 1), (2, 0)]}
LOOPS = {"a": [(1, 1)], "b": [(1, 1), (1, 0)]}
INTEGER, MORE, REAL = "user/integer/1", "user/more/1", "user/real/1"
OUTPUTS = {"a": INTEGER, "b": MORE, "c": REAL}


def write_prefix(root: Path) -> None:
    """Write the assets that all experiments use."""

    def put(name: str, declaration: Declaration) -> None:
        path = root / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(declaration))
        if name.startswith(("algorithms", "databases", "libraries")):
            path.with_suffix(".py").write_text(f"# {name}\n")

    put("dataformats/user/integer/1", {"value": "int32"})
    put("dataformats/user/real/1", {"value": "float32"})
    put("dataformats/user/more/1", {"#extends": INTEGER, "more": "int8"})
    view = {"name": "set", "template": "t", "view": "View", "outputs": OUTPUTS}
    protocol = {"name": "protocol", "template": "t", "sets": [view]}
    put("databases/data/1", {"root_folder": "/data", "protocols": [protocol]})
    put("libraries/user/tools/1", {"language": "python", "uses": {}})
    for name, groups in BLOCKS.items():
        block = {"splittable": name in {"one", "two"}, "uses": {"tools": "user/tools/1"}}
        put(f"algorithms/user/{name}/1", _algorithm(groups, [0, 9]) | block)
    for name, groups in LOOPS.items():
        for part in ("processor", "evaluator"):
            algorithm = _algorithm(groups, None)
            kind = {"schema_version": 3, "api_version": 2, "type": f"sequential_loop_{part}"}
            answer = REAL if name == "a" or part == "processor" else INTEGER
            algorithm["groups"][0]["loop"] = {
                "request": {"type": INTEGER},
                "answer": {"type": answer},
            }
            splittable = {"splittable": False} if part == "processor" else {}
            put(f"algorithms/user/{part}_{name}/1", algorithm | kind | splittable)
    for name, ends in {"analyzer": ["x"], "analyzer2": ["x", "y"]}.items():
        inputs = [{"inputs": {one: {"type": INTEGER}}} for one in ends]
        results = {"result": {"type": "int32"}}
        put(
            f"algorithms/user/{name}/1",
            {"language": "python", "groups": inputs, "results": results},
        )


def _algorithm(groups: list[tuple[int, int]], limits: list[int] | None) -> Declaration:
    made: list[Declaration] = []
    count = 0
    for inputs, outputs in groups:
        names = [f"i{count + index}" for index in range(inputs)]
        count += inputs
        group: Declaration = {"inputs": {name: {"type": INTEGER} for name in names}}
        if outputs:
            group["outputs"] = {f"o{index}": {"type": INTEGER} for index in range(outputs)}
        made.append(group)
    parameter: Declaration = {"type": "int8", "default": 3}
    if limits:
        parameter["range"] = limits
    return {"language": "python", "groups": made, "parameters": {"p": parameter}}


class _Drawing:
    """An experiment that is being made up."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.datasets = [f"d{index}" for index in range(chance.randint(1, 2))]
        self.toolchain: Declaration = {
            "schema_version": 2,
            "datasets": [
                {"name": name, "outputs": ["a", "b", "c"][: chance.randint(1, 3)]}
                for name in self.datasets
            ],
            "blocks": [],
            "loops": [],
            "analyzers": [],
            "connections": [],
            "representation": {"connections": {}, "blocks": {}, "channel_colors": {}},
        }
        data = {"database": "data/1", "protocol": "protocol", "set": "set"}
        self.experiment: Declaration = {
            "schema_version": 2,
            "datasets": {name: dict(data) for name in self.datasets},
            "blocks": {},
            "loops": {},
            "analyzers": {},
            "globals": {"queue": "queue", "environment": {"name": "here", "version": "1"}},
        }
        self.there = [
            (f"{one['name']}.{output}", one["name"])
            for one in self.toolchain["datasets"]
            for output in one["outputs"]
            if output != "c" or self.now_and_then(0.1)
        ]

    def now_and_then(self, part: float) -> bool:
        return self.chance.random() < part

    def connect(self, target: str, source: tuple[str, str] | None = None) -> str:
        start, channel = source or self.chance.choice(self.there)
        if source is None and self.now_and_then(0.1):
            channel = self.chance.choice(self.datasets)
        self.toolchain["connections"].append({"from": start, "to": target, "channel": channel})
        return channel

    def main_channel(self, channels: list[str]) -> str:
        return self.chance.choice(self.datasets if self.now_and_then(0.05) else channels)

    def block(self, name: str) -> None:
        algorithm = self.chance.choice(list(BLOCKS))
        count = sum(inputs for inputs, _ in BLOCKS[algorithm]) - self.now_and_then(0.03)
        inputs = [f"x{index}" for index in range(max(1, count))]
        outputs = [f"y{index}" for index in range(BLOCKS[algorithm][0][1])]
        channel = self.main_channel([self.connect(f"{name}.{one}") for one in inputs])
        one: Declaration = {
            "algorithm": f"user/{algorithm}/1",
            "inputs": {f"i{index}": each for index, each in enumerate(inputs)},
            "outputs": {f"o{index}": each for index, each in enumerate(outputs)},
        }
        if self.now_and_then(0.03):
            outputs.append("z")
        self.toolchain["blocks"].append(
            {"name": name, "synchronized_channel": channel, "inputs": inputs, "outputs": outputs}
        )
        self._options(one, "")
        self.experiment["blocks"][name] = one
        self.there += [(f"{name}.{output}", channel) for output in outputs]

    def loop(self, name: str) -> None:
        toolchain: Declaration = {"name": name}
        one: Declaration = {}
        channels: list[str] = []
        for part in ("processor", "evaluator"):
            kind = self.chance.choice(list(LOOPS))
            inputs = [f"{part[0]}{index}" for index in range(len(LOOPS[kind]))]
            channels += [self.connect(f"{name}.{each}") for each in inputs]
            toolchain[f"{part}_inputs"] = inputs
            toolchain[f"{part}_outputs"] = [f"{part[0]}o"]
            one[f"{part}_algorithm"] = f"user/{part}_{kind}/1"
            one[f"{part}_inputs"] = {f"i{index}": each for index, each in enumerate(inputs)}
            one[f"{part}_outputs"] = {"o0": f"{part[0]}o"}
            self._options(one, f"{part}_")
        channel = toolchain["synchronized_channel"] = self.main_channel(channels[:1])
        self.toolchain["loops"].append(toolchain)
        self.experiment["loops"][name] = one
        self.there += [(f"{name}.po", channel), (f"{name}.eo", channel)]

    def _options(self, one: Declaration, part: str) -> None:
        if self.now_and_then(0.2):
            values = [1, 7, 2.5, "3"] if self.now_and_then(0.8) else [300, -1, "x"]
            one[f"{part}parameters"] = {"p": self.chance.choice(values)}
        if self.now_and_then(0.1):
            one[f"{part}environment"] = {"name": "there", "version": "2"}
        if self.now_and_then(0.1):
            one["queue"] = "other"
        if self.now_and_then(0.1):
            one["nb_slots"] = self.chance.choice([1, 1, 2])

    def analyzers(self) -> None:
        used = {one["from"] for one in self.toolchain["connections"]}
        left = [one for one in self.there if one[0] not in used]
        while not self.experiment["analyzers"] or (left and not self.now_and_then(0.1)):
            name = f"a{len(self.experiment['analyzers'])}"
            inputs = ["x", "y"] if self.now_and_then(0.1) else ["x"]
            sources = [left.pop() if left else self.chance.choice(self.there) for _ in inputs]
            for one, source in zip(inputs, sources, strict=True):
                self.connect(f"{name}.{one}", source)
            self.toolchain["analyzers"].append(
                {"name": name, "synchronized_channel": sources[0][1], "inputs": inputs}
            )
            kind = "analyzer2" if len(inputs) > 1 else "analyzer"
            self.experiment["analyzers"][name] = {
                "algorithm": f"user/{kind}/1",
                "inputs": {one: one for one in inputs},
            }


def random_experiment(number: int) -> tuple[Declaration, Declaration]:
    """Return the declarations of an experiment and of its toolchain."""
    chance = random.Random(number)
    drawing = _Drawing(chance)
    for index in range(chance.randint(0, 3)):
        drawing.block(f"b{index}")
    if drawing.now_and_then(0.3):
        drawing.loop("loop")
    drawing.analyzers()
    used = {one["algorithm"] for one in drawing.experiment["blocks"].values()}
    for name in sorted(used):
        if drawing.now_and_then(0.3):
            drawing.experiment["globals"][name] = {"p": chance.randint(0, 9)}
    if drawing.now_and_then(0.05):
        drawing.experiment["globals"]["user/one/1"] = {"p": 5}
    if drawing.now_and_then(0.2):
        chance.shuffle(drawing.toolchain["blocks"])
    return drawing.experiment, drawing.toolchain
