"""Write down what the existing translator makes of the graphs of the package `eagle-test-graphs`.

    python tests/dlg_translator/unroll/record_existing.py PYTHON

PYTHON is that of an environment with `daliuge-translator`, `daliuge-common` and `setuptools`; the
package of graphs is in the environment of this program. Only counts and fingerprints are written,
to `existing.json` beside this program.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from dlg_translator.testing.fingerprint import fingerprint
from dlg_translator.testing.packaged import logical_graphs

TIMEOUT_S = 120


def unrolled(python: str, path: Path) -> list[object]:
    """Return the dropspecs the other translator makes; raise `ValueError` with its complaint."""
    command = [str(Path(python).with_name("dlg")), "unroll", "-L", str(path)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd="/"
    )
    try:
        specs: list[object] = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise ValueError(re.sub(r"['\"].*", "", last)[:60].strip()) from None
    return specs


def main() -> None:
    """Write for each graph its fingerprint, or how the other translator refused it."""
    found: dict[str, dict[str, object]] = {}
    for name, path in logical_graphs().items():
        try:
            found[name] = fingerprint(unrolled(sys.argv[1], path))
        except ValueError as refusal:
            found[name] = {"refused": str(refusal)}
    text = json.dumps(found, indent=1, sort_keys=True)
    Path(__file__).with_name("existing.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
