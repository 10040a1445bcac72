"""Run experiments with BEAT's packages, block after block, and say what came of each.

Run it with the Python of their environment:

    PYTHON run_experiments.py PREFIX CACHES local|subprocess|PROGRAMS [EXPERIMENT ...]

PROGRAMS is a Python beside which there are programs to be used.

Without names, all experiments of the prefix that are valid. Each gets a folder of its own in
CACHES. Prints one line of JSON an experiment: `experiment`, `folder`, and for each block `status`,
the errors, and the values of analyzers.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

EXCEPTIONS = (Exception,)


def core(name: str) -> Any:
    return importlib.import_module(f"beat.core.{name}")


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    return [plain(one) for one in value] if isinstance(value, list) else value


def values(cache: Path, path: str, prefix: str) -> list[Any]:
    source = core("data").CachedDataSource()
    source.setup(str(cache / (path + ".data")), prefix)
    return [[plain(data.as_dict()), start, end] for data, start, end in source]


def run_block(name: str, configuration: Any, kind: str, where: tuple[str, Path]) -> dict[str, Any]:
    execution, (prefix, cache) = core("execution"), where
    kinds = {"local": execution.LocalExecutor, "subprocess": execution.SubprocessExecutor}
    programs = {} if kind in kinds else {"python_path": kind}
    told: dict[str, Any] = {"block": name, "status": -1}
    try:
        made = kinds.get(kind, execution.SubprocessExecutor)
        executor = made(prefix=prefix, data=configuration, cache=str(cache), **programs)
        with executor:
            result = executor.process()
        told |= {k: result[k] for k in ("status", "user_error", "system_error")}
        if result["status"] == 0 and executor.analysis:
            told["values"] = values(cache, configuration["result"]["path"], prefix)
    except EXCEPTIONS as error:
        told["exception"] = f"{type(error).__name__}: {error}"
    return told


def run(prefix: str, label: str, kind: str, cache: Path) -> list[dict[str, Any]] | None:
    hashes = core("hash")
    experiment = core("experiment").Experiment(prefix, label)
    if not experiment.valid:
        return None
    cache.mkdir(parents=True)
    for dataset in experiment.datasets.values():
        database, protocol, name = dataset["database"], dataset["protocol"], dataset["set"]
        path = hashes.toPath(hashes.hashDataset(database.name, protocol, name), suffix=".db")
        database.view(protocol, name).index(str(cache / path))
    told = []
    for name, block in experiment.setup().items():
        told.append(run_block(name, block["configuration"], kind, (prefix, cache)))
        if told[-1]["status"] != 0:
            break
    return told


def main(prefix: str, caches: str, kind: str, labels: list[str]) -> None:
    """Run experiments and print what came of them."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    sys.argv[0] = str(Path(sys.executable).with_name("x"))  # the programs are looked for beside it
    root = Path(prefix, "experiments")
    names = sorted(str(f.relative_to(root).with_suffix("")) for f in root.rglob("*.json"))
    for label in labels or names:
        folder = Path(caches, label.replace("/", "."))
        try:
            blocks = run(prefix, label, kind, folder)
        except EXCEPTIONS as error:
            blocks = [{"block": "", "status": -1, "exception": f"{type(error).__name__}: {error}"}]
        if blocks is not None:
            told = {"experiment": label, "folder": folder.name, "blocks": blocks}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()
    os._exit(0)  # threads of theirs may wait for ever


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).absolute()), sys.argv[2], sys.argv[3], sys.argv[4:])
