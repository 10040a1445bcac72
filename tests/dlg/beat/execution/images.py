"""An image for containers, made of the files of this Python: nothing is fetched."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import dlg

NAME = "dlg-beat-test"
ENVIRONMENT = {"name": "Python", "version": "3"}
PROGRAMS = ("execute", "databases_provider", "loop_execute")
LIBRARIES = ("numpy", "numpy.libs", "zmq", "pyzmq.libs")
UNNEEDED = {"__pycache__", "test", "tests", "site-packages", "idlelib", "tkinter", "ensurepip"}
SITE = "/opt/site"
PREFIX = "beat.env."


def labels(kind: str, **more: str) -> list[str]:
    """Return the changes to an image that say what it is."""
    said = {"type": kind, **ENVIRONMENT, "revision": "1", **more}
    return [part for k, v in said.items() for part in ("--change", f'LABEL {PREFIX}{k}="{v}"')]


def make(tag: str, changes: list[str]) -> str:
    """Import an image with this Python, numpy, ZeroMQ and this package; return its name."""
    name = f"{NAME}:{tag}"
    with subprocess.Popen(
        ["docker", "import", *changes, "-", name], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as engine:
        assert engine.stdin is not None
        with engine.stdin, tarfile.open(fileobj=engine.stdin, mode="w|") as tar:
            fill(tar)
    assert engine.returncode == 0
    return name


def fill(tar: tarfile.TarFile) -> None:
    site = Path(sysconfig.get_paths()["purelib"])
    stdlib = Path(sysconfig.get_paths()["stdlib"])
    python = Path(sys.executable).resolve()
    add(tar, python, str(python))
    add(tar, stdlib, str(stdlib))
    for library in LIBRARIES:
        if (site / library).exists():
            add(tar, site / library, f"{SITE}/{library}")
    add(tar, Path(dlg.__file__).parent, f"{SITE}/dlg")
    add(tar, Path("/bin/sh").resolve(), "/bin/sh")
    binaries = [python, Path("/bin/sh").resolve(), *stdlib.rglob("*.so")]
    binaries += [f for library in LIBRARIES for f in (site / library).rglob("*.so*")]
    for needed in sorted(set(libraries_of(binaries))):
        add(tar, Path(needed).resolve(), needed)
    for program in PROGRAMS:
        script = f'#!/bin/sh\nexec {python} -m dlg.beat.scripts.{program} "$@"\n'
        add_text(tar, f"/usr/bin/{program}", script)
    for folder in ("tmp", "run", "beat", "databases"):
        info = tarfile.TarInfo(folder)
        info.type, info.mode = tarfile.DIRTYPE, 0o777
        tar.addfile(info)


def add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    def wanted(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = Path(info.name).parts
        return None if UNNEEDED & set(parts[len(Path(name).parts) - 1 :]) else info

    tar.add(path, name.lstrip("/"), filter=wanted)


def add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    info = tarfile.TarInfo(name.lstrip("/"))
    info.size, info.mode = len(text.encode()), 0o755
    tar.addfile(info, BytesIO(text.encode()))


def libraries_of(binaries: list[Path]) -> Iterator[str]:
    """Yield the paths of the shared libraries that programs need, and their loader."""
    done = subprocess.run(
        ["ldd", *map(str, binaries)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        check=False,
    )  # fmt: skip
    for line in done.stdout.splitlines():
        words = line.split()
        if not line.startswith("\t"):
            continue
        path = words[2] if len(words) > 2 and words[1] == "=>" else words[0]
        if path.startswith("/") and "site-packages" not in path:
            yield path


def environment() -> list[str]:
    """Return the changes to an image without which its programs do not run."""
    threads = [f"{name}_NUM_THREADS=1" for name in ("OPENBLAS", "OMP")]
    variables = ["PATH=/usr/bin:/bin", f"PYTHONPATH={SITE}", "PYTHONDONTWRITEBYTECODE=1", *threads]
    return [part for one in variables for part in ("--change", f"ENV {one}")]


def needs_engine() -> str:
    """Return why containers cannot be run here; nothing if they can."""
    try:
        done = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=60)
    except FileNotFoundError:
        return "needs the docker command"
    return "" if done.returncode == 0 else "needs a running docker engine"
