"""Makes `import dlg.runtime.delayed` give the function, as the published interface has it."""

from __future__ import annotations

import sys

from dlg.runtime.expressions import delayed

sys.modules[__name__] = delayed  # type: ignore[assignment]  # the import system binds this name
