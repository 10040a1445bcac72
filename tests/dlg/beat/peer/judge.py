"""Ask BEAT's existing packages for verdicts; run with the Python they are installed for.

Each line that comes in is a JSON object: the `kind`, the `prefix`, and either a `name` or a
`declaration`. Beside a declaration goes what is `beside` it (the toolchain of an experiment), or
else, where the kind has code, code of no meaning. Each line that goes out says `valid`, how many
`errors`, and the `hash` of a named asset; or what was `raised`.
"""

from __future__ import annotations

import json
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")

CODE = "# nothing\n"
# The class of each kind, and how a declaration is given to it: alone, or beside code.
CLASSES = {
    "dataformats": ("dataformat", "DataFormat", False),
    "libraries": ("library", "Library", True),
    "algorithms": ("algorithm", "Algorithm", True),
    "plotters": ("plotter", "Plotter", True),
    "plotterparameters": ("plotterparameter", "Plotterparameter", False),
    "protocoltemplates": ("protocoltemplate", "ProtocolTemplate", False),
    "databases": ("database", "Database", True),
    "toolchains": ("toolchain", "Toolchain", False),
    "experiments": ("experiment", "Experiment", False),
}


def judged(package: str, request: dict[str, Any], **how: Any) -> dict[str, Any]:
    """Return what `package` says to a request; `how` goes to the class of the kind."""
    module, name, coded = CLASSES[request["kind"]]
    made_by = getattr(__import__(f"{package}.{module}", fromlist=[name]), name)
    given = request.get("name", request.get("declaration"))
    if "name" not in request and (coded or "beside" in request):
        given = (given, request.get("beside", CODE))
    asset = made_by(request["prefix"], given, **how)
    told = {"valid": asset.valid, "errors": len(asset.errors)}
    if "name" in request:
        told["hash"] = asset.hash()
    return told


def main() -> None:
    for line in sys.stdin:
        try:
            answer = judged("beat.core", json.loads(line))
        except Exception as error:  # noqa: BLE001  raising is one of its answers
            answer = {"raised": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
