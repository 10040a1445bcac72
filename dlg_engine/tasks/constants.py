"""Constants that descriptions of tasks may use."""

from __future__ import annotations

from dlg.jobs.constants import CONSTANTS


class EASConstants:
    """The constants of expressions as attributes: days, metres, or without a unit."""

    day: float
    month: float
    year: float
    sun_radius: float
    earth_radius: float
    jupiter_radius: float
    phy_AU: float  # noqa: N815  the name that descriptions use
    Rearth: float
    plato_noise: float

    def __init__(self) -> None:
        vars(self).update(CONSTANTS)
