"""The constants that expressions know by name, in SI units where they have one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

CONSTANTS: Mapping[str, float] = MappingProxyType(
    {
        # Days. A month is one of four weeks.
        "day": 1.0,
        "month": 28.0,
        "year": 365.25,
        # Metres: the nominal values of resolution B3 of the IAU, 2015, and B2, 2012.
        "sun_radius": 6.957e8,
        "earth_radius": 6.3781e6,
        "jupiter_radius": 7.1492e7,
        "phy_AU": 149_597_870_700.0,
        # The radius of the Earth in those of Jupiter, and the noise of an hour of PLATO.
        "Rearth": 0.08911486,
        "plato_noise": 0.000315,
        "pi": math.pi,
        "e": math.e,
        "tau": math.tau,
    }
)
BARE = ("pi", "e", "tau")
"""Those that are known without `constants` before them, too."""
