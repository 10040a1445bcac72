"""Print what the public validator finds wrong of a crate: a JSON list of sentences.

    python validate_crate.py CRATE PROFILE

Run by the Python of an environment of its own, which `make crate-validator` makes. The terms of
RO-Crate 1.1 are those that a release of the library `rocrate` ships: nobody asks the web for them.
"""

from __future__ import annotations

import importlib.resources
import json
import sys
import warnings
from typing import Any, ClassVar


class Context:
    """The terms of RO-Crate, in place of those on the web."""

    status_code = 200
    headers: ClassVar = {"Content-Type": "application/ld+json"}
    text = importlib.resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_text()

    def json(self) -> Any:
        return json.loads(self.text)


def main(crate: str, profile: str) -> None:
    """Validate what the profile, and those it is built on, require."""
    warnings.simplefilter("ignore")  # of what the validator uses
    from rocrate_validator import services  # type: ignore[import-not-found,unused-ignore]
    from rocrate_validator.utils import (  # type: ignore[import-not-found,unused-ignore]
        document_loader,
    )
    from rocrate_validator.utils.http import (  # type: ignore[import-not-found,unused-ignore]
        HttpRequester,
    )

    # It hands `get` on to a session by __getattr__, so that the class has none of its own.
    HttpRequester.get = lambda *_, **_options: Context()
    document_loader.install_document_loader()
    found = services.validate(
        {
            "rocrate_uri": crate,
            "profile_identifier": profile,
            "requirement_severity": "REQUIRED",
            "skip_availability_check": True,
        }
    )
    sys.stdout.write(json.dumps([str(issue.message) for issue in found.get_issues()]))


if __name__ == "__main__":
    main(*sys.argv[1:])
