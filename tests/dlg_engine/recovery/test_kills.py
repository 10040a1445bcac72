"""`kill -9` of runs at random moments, and going on after it."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dlg_engine.recovery.about import About
from dlg_engine.recovery.journal import read_journal
from dlg_engine.recovery.planning import past_of

FILE = "dlg.data.file.FileDROP"
MEMORY = "dlg.data.memory.InMemoryDROP"
BASH = "dlg.apps.bash.BashShellApp"
FUNCTION = "dlg.apps.python_function.PyFuncApp"
BRANCH = "dlg.apps.branch.Branch"
LANES = 4
PATIENCE_S = 60
Spec = dict[str, Any]

CODE = """
import os, time
def f({names}):
    with open({log!r}, "a") as file:
        file.write("{oid}\\n")
    time.sleep({seconds})
    {body}
"""


class Work:
    """A graph of all sorts of apps, each of which adds its name to a file when it runs."""

    def __init__(self, root: Path) -> None:
        self.root, self.log = root, root / "effects"
        self.specs: list[Spec] = []
        self._make()
        self.graph = root / "work.json"
        self.graph.write_text(json.dumps(self.specs))

    def _make(self) -> None:
        self.command("start", "seq 4000 >> %o0", [], ["seed"])
        self.file("seed")
        for i in range(LANES):
            # Each adds to its output, so what was left of an earlier try would be seen.
            self.command(
                f"cut{i}", f"awk 'NR % {LANES} == {i}' %i0 >> %o0", ["seed"], [f"cut_{i}"]
            )
            # One of them is outside of the session.
            self.file(f"cut_{i}", filepath=str(self.root / "outside") if i == 1 else "")
            body = "x = x.split(); return [int(n) * 3 for n in x] * (40 if names_last else 1)"
            body = body.replace("names_last", str(i == 2))
            self.function(f"work{i}", body, [f"cut_{i}"], [f"list_{i}"], parser="utf-8")
            self.data(f"list_{i}")
            self.function(f"sum{i}", "return sum(x)", [f"list_{i}"], [f"sum_{i}"], parser="pickle")
            self.data(f"sum_{i}")
        self.function("noted", "return None", ["sum_0"], [], parser="pickle")
        first = f"m = {str(self.root / 'tried')!r}; new = not os.path.exists(m); open(m, 'a'); "
        self.function("tries", first + "assert not new; return x + 1", ["sum_1"], ["tried_1"],
                      parser="pickle", n_tries=3)  # fmt: skip
        self.data("tried_1")
        self.function("decide", "return x > 0", ["tried_1"], [{"yes": "true"}, {"no": "false"}],
                      parser="pickle", dropclass=BRANCH)  # fmt: skip
        self.data("yes")
        self.data("no")
        self.function("never", "return 0", ["no"], ["nothing"], parser="pickle")
        self.data("nothing")
        named = [f"sum_{i}" for i in range(LANES)] + ["yes"]
        self.specs.append(
            {"oid": "all", "categoryType": "Application", "dropclass": FUNCTION,
             "func_code": CODE.format(names="**x", log=str(self.log), oid="all", seconds=0.02,
                                      body="return repr(sorted(x.items()))"),
             "inputs": [{name: name} for name in named], "outputs": ["result"]}
        )  # fmt: skip
        self.file("result", filepath="result.txt")

    def command(self, oid: str, line: str, inputs: list[str], outputs: list[str]) -> None:
        line = f"echo {oid} >> {self.log}; {line}; sleep 0.02; echo {oid} >> %o0"
        self.specs.append(
            {"oid": oid, "categoryType": "Application", "dropclass": BASH, "command": line,
             "inputs": inputs, "outputs": outputs}
        )  # fmt: skip

    def function(
        self, oid: str, body: str, inputs: list[str], outputs: list[Any], **more: Any
    ) -> None:
        parser = more.pop("parser")
        if parser == "utf-8":
            body = f"x = '\\n'.join(n for n in x.split() if n.isdigit()); {body}"
        code = CODE.format(names="x", log=str(self.log), oid=oid, seconds=0.02, body=body)
        self.specs.append(
            {"oid": oid, "categoryType": "Application", "dropclass": FUNCTION, "func_code": code,
             "inputs": [{name: "x"} for name in inputs], "outputs": outputs,
             "input_parser": parser, **more}
        )  # fmt: skip

    def file(self, oid: str, filepath: str = "") -> None:
        self.specs.append(
            {"oid": oid, "categoryType": "Data", "dropclass": FILE, "filepath": filepath}
        )

    def data(self, oid: str) -> None:
        self.specs.append({"oid": oid, "categoryType": "Data", "dropclass": MEMORY})

    # -- runs -----------------------------------------------------------------------------

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def session(self) -> Path:
        (found,) = self.runs.iterdir()
        return found

    def start(self) -> subprocess.Popen[str]:
        """Return a run of the graph that is under way."""
        return self._dlg("run", str(self.graph), "--resumable")

    def resume(self) -> subprocess.Popen[str]:
        return self._dlg("resume", self.session.name)

    def _dlg(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "dlg_engine.cli", *words, "-q", "--workdir", str(self.runs),
             "--workers", "2"],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def effects(self) -> Counter[str]:
        return Counter(self.log.read_text().split() if self.log.exists() else ())

    def done(self) -> set[str]:
        """Return the apps whose completion stands in the journal."""
        past = past_of(read_journal(About(self.session).journal))
        return {self.specs[row]["oid"] for row in past.done}

    def result(self) -> str:
        files = [self.session / "result.txt", self.root / "outside", self.session / "seed"]
        return " ".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in files)

    def has_begun(self) -> bool:
        return self.runs.exists() and any(self.runs.iterdir()) and About(self.session).is_there


def wait(run: subprocess.Popen[str]) -> int:
    try:
        _, said = run.communicate(timeout=PATIENCE_S)
    finally:
        run.kill()
    if run.returncode:
        sys.stderr.write(said)
    return run.returncode


def killed(run: subprocess.Popen[str], after_s: float) -> None:
    with suppress(subprocess.TimeoutExpired):  # it may have finished
        run.wait(after_s)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=PATIENCE_S)


class Reference:
    """What an undisturbed run makes, and how long it takes."""

    def __init__(self, root: Path) -> None:
        root.mkdir()
        work = Work(root)
        begun = time.perf_counter()
        assert wait(work.start()) == 0
        self.seconds = time.perf_counter() - begun
        self.effects, self.result = work.effects(), work.result()
        assert self.effects.pop("tries") == 2
        assert set(self.effects.values()) == {1}
        assert "never" not in self.effects


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return Reference(tmp_path_factory.mktemp("kills") / "reference")


def go_through(root: Path, reference: Reference, moments: Iterable[float]) -> None:
    """Kill a run at `moments`, each time going on from there; at last let it finish."""
    work = Work(root)
    done: set[str] = set()
    before: Counter[str] = Counter()
    for moment in moments:
        killed(go_on(work), moment)
        if work.has_begun():
            now, counted = work.done(), work.effects()
            assert done <= now
            assert {oid: counted[oid] for oid in done} == {oid: before[oid] for oid in done}
            done, before = now, counted
    assert wait(go_on(work)) == 0
    after = work.effects()
    assert {oid: after[oid] for oid in done} == {oid: before[oid] for oid in done}
    assert after.keys() - {"tries"} == reference.effects.keys()
    assert work.result() == reference.result


def go_on(work: Work) -> subprocess.Popen[str]:
    """Resume the session, or start it if the last one was killed before it had begun."""
    if work.has_begun():
        return work.resume()
    assert not work.effects()
    if work.runs.exists():
        shutil.rmtree(work.runs)
    return work.start()


def moments(reference: Reference, seed: int, count: int) -> Iterator[float]:
    chance = random.Random(seed)
    return (chance.uniform(0, 1.1 * reference.seconds) for _ in range(count))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_run_that_is_killed_at_any_moment_goes_on(
    tmp_path: Path, reference: Reference, seed: int
) -> None:
    go_through(tmp_path, reference, moments(reference, seed, 2))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 120))
def test_one_kill_at_each_of_twenty_moments(
    tmp_path: Path, reference: Reference, seed: int
) -> None:
    go_through(tmp_path, reference, moments(reference, seed, 1))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200, 205))
def test_a_session_that_is_killed_again_and_again_comes_to_its_end(
    tmp_path: Path, reference: Reference, seed: int
) -> None:
    go_through(tmp_path, reference, moments(reference, seed, 6))
