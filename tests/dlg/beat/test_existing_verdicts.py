"""The existing packages and ours judge alike, on the prefix of their tests and on changes of it.

`make beat-peer` installs those packages, and the prefix. Where we differ on purpose: they let a
format that extends another put its fields into that one, so a second extension of it clashes.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from dlg.beat.hash import toUserPath
from tests.dlg.beat.composed import mutated
from tests.dlg.beat.peer.judge import CLASSES, judged

HOME = Path("build/beat-peer")
PREFIX, PYTHON = HOME / "prefix", HOME / ".venv/bin/python"
JUDGE = Path(__file__).parent / "peer/judge.py"
BY_NAME_ONLY = {"databases", "protocoltemplates"}
CHANGES = 400
"""How many declarations of each kind are changed."""

pytestmark = [
    pytest.mark.peer,
    pytest.mark.skipif(not PREFIX.exists(), reason="make beat-peer was not run"),
]

Request = dict[str, Any]


def there(requests: Iterable[Request]) -> list[dict[str, Any]]:
    """Return what the existing packages answer."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(
        [str(PYTHON.absolute()), "-B", str(JUDGE)],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")},
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def names(kind: str) -> list[str]:
    root = PREFIX / kind
    return sorted(str(file.relative_to(root).with_suffix("")) for file in root.rglob("*.json"))


def declared(kind: str) -> list[tuple[str, Any]]:
    """Return all declarations of a kind that are JSON, by their names."""
    found = []
    for name in names(kind):
        try:
            found.append((name, json.loads((PREFIX / kind / f"{name}.json").read_bytes())))
        except ValueError:
            continue
    return found


def toolchain_of(experiment: str) -> Any:
    file = PREFIX / "toolchains" / Path(*experiment.split("/")[-4:-1])
    return json.loads(file.with_suffix(".json").read_bytes()) if file.parent.exists() else None


def extends_twice(declaration: Any) -> bool:
    return json.dumps(declaration).count('"#extends"') > 1


def test_all_declarations_of_the_prefix_are_there() -> None:
    assert sum(len(names(kind)) for kind in CLASSES) == 325


@pytest.mark.parametrize("kind", CLASSES)
def test_verdict_number_of_errors_and_hash_of_each_asset_are_the_same(kind: str) -> None:
    prefix = str(PREFIX.absolute())
    requests = [{"kind": kind, "prefix": prefix, "name": name} for name in names(kind)]
    for request, wanted in zip(requests, there(requests), strict=True):
        assert judged("dlg.beat", request, compat=True) == wanted, request["name"]


@pytest.mark.parametrize("kind", CLASSES)
def test_nothing_in_the_prefix_is_judged_more_strictly_by_default(kind: str) -> None:
    for name in names(kind):
        request = {"kind": kind, "prefix": str(PREFIX.absolute()), "name": name}
        strict, compat = judged("dlg.beat", request), judged("dlg.beat", request, compat=True)
        assert strict["valid"] == compat["valid"], name


def changed(kind: str) -> list[Request]:
    chance = random.Random(kind)
    known = declared(kind)
    made: list[Request] = []
    while len(made) < CHANGES:
        name, declaration = chance.choice(known)
        request = {"kind": kind, "prefix": str(PREFIX.absolute())}
        if kind == "experiments":
            if (beside := toolchain_of(name)) is None:
                continue
            request["beside"] = beside
        request["declaration"] = mutated(declaration, chance)
        if not extends_twice(request["declaration"]):
            made.append(request)
    return made


@pytest.mark.parametrize("kind", CLASSES)
def test_verdicts_on_changed_declarations_are_the_same(kind: str) -> None:
    requests = changed(kind)
    for request, wanted in zip(requests, there(requests), strict=True):
        # What raises there is reported here.
        verdict = wanted.get("valid", False)
        said = json.dumps(request["declaration"])
        assert judged("dlg.beat", request, compat=True)["valid"] == verdict, said


def test_a_sharded_prefix_gives_the_same_verdicts_and_hashes(tmp_path: Path) -> None:
    for folder in CLASSES:
        (tmp_path / folder).mkdir()
        for user in (PREFIX / folder).iterdir():
            spread = user.name if folder in BY_NAME_ONLY else toUserPath(user.name)
            (tmp_path / folder / spread).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / spread).symlink_to(user.absolute())
    for kind in CLASSES:
        for name in names(kind):
            plain, sharded = (
                judged("dlg.beat", {"kind": kind, "prefix": str(prefix), "name": name})
                for prefix in (PREFIX, tmp_path)
            )
            assert sharded == plain, name
