"""What images are built of where nothing can be pulled: a Debian root file system, and wheels."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTEXT = ("dlg", "dlg_engine", "dlg_translator", "deploy", "graphs", "LICENSE", "README.md",
           "pyproject.toml", ".dockerignore")  # fmt: skip
INCLUDE = "python3,python3-venv,tini,openssl"
NEEDED = (".[metrics,partition,beat,postgres,tasks]", "hatchling>=1.27")
UNNEEDED = ("./var/cache/apt/*", "./var/lib/apt/lists/*", "./usr/share/doc/*", "./usr/share/man/*")
PATIENCE_S = 600


class MissingError(Exception):
    """Something that is needed is not here, and cannot be had."""


def call(command: Sequence[str], **how: object) -> str:
    """Return what a command prints; raise MissingError with its last words if it fails."""
    try:
        done = subprocess.run(  # type: ignore[call-overload]
            command, capture_output=True, text=True, check=False, timeout=PATIENCE_S, **how
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise MissingError(f"{command[0]}: {error}") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip())[-800:]
        raise MissingError(f"{' '.join(command[:3])} ... failed: {last}")
    return str(done.stdout)


def debian(folder: Path, image: str) -> str:
    """Make a root file system of the Debian of this host and import it; return its Python."""
    suite, mirror, components = _debian_here()
    root = folder / "root"
    try:
        call(["debootstrap", "--variant=minbase", f"--include={INCLUDE}",
              f"--components={components}", suite, str(root), mirror])  # fmt: skip
        archive = folder / "root.tar"
        skip = [f"--exclude={one}" for one in UNNEEDED]
        call(["tar", "-C", str(root), "--one-file-system", *skip, "-cf", str(archive), "."])
    finally:
        shutil.rmtree(root, ignore_errors=True)
    call(["docker", "import", str(archive), image])
    archive.unlink()
    version = "import sys; print('%d.%d' % sys.version_info[:2])"
    return call(["docker", "run", "--rm", image, "python3", "-c", version]).strip()


def _debian_here() -> tuple[str, str, str]:
    """Return release, source and components of packages, as apt of this host has them."""
    said = Path("/etc/os-release").read_text() if Path("/etc/os-release").exists() else ""
    about = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    suite = about.get("VERSION_CODENAME", "").strip('"')
    told = call(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)",
                 "Created-By: Packages"])  # fmt: skip
    sources: dict[str, list[str]] = {}
    for line in told.splitlines():
        uri, release, component = line.rsplit(" ", 2)
        if release == suite and component in {"main", "universe"}:
            sources.setdefault(uri, []).append(component)
    if not suite or not sources:
        raise MissingError("no packages of this release are known to apt")
    mirror, components = next(iter(sources.items()))
    return suite, mirror, ",".join(sorted(set(components)))


def wheels(python: str, folder: Path) -> None:
    """Fetch all wheels that the images need, for a version of Python, as pip is set up here."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    call([*pip, "--only-binary=:all:", f"--python-version={python}", "--dest", str(folder),
          *NEEDED], cwd=ROOT)  # fmt: skip


def context(folder: Path) -> Path:
    """Copy what images are built of, so that nothing is written into the checkout."""
    for name in CONTEXT:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            unneeded = shutil.ignore_patterns("__pycache__", "frontend", "*.whl", "cache")
            shutil.copytree(source, target, ignore=unneeded)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return folder


def compose() -> list[str]:
    """Return the command for compose: the plug-in of docker, or the program of its own."""
    for command in (["docker", "compose"], ["docker-compose"]):
        try:
            call([*command, "version"])
        except MissingError:
            continue
        return command
    raise MissingError("needs docker compose, or docker-compose")
