"""`python -m dlg_engine.cli` is `dlg`, for where the script is not on the path."""

from __future__ import annotations

from dlg_engine.cli.main import main

if __name__ == "__main__":
    main()
