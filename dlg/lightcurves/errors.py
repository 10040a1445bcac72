"""What can be wrong with a light curve."""

from __future__ import annotations

from dlg.exceptions import UsageError


class LightcurveError(UsageError, ValueError):
    """A light curve, or a file with one, is not as it must be."""
