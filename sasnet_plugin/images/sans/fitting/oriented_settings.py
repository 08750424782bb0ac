"""What decides in fits of images."""

from __future__ import annotations

from dataclasses import dataclass

from ....fitting.settings import setting


@dataclass(frozen=True)
class OrientedSettings:
    """What decides in fits of images."""

    fewest_cells: int = setting(60, "Cells of rings and sectors below which nothing is fitted.")
    misfit: float = setting(
        0.03,
        "Off by this share beyond counting a fit still holds: efficiencies are no better known.",
    )
    chisq: float = setting(1.25, "Deviance over degrees of freedom to which a fit holds by counting alone.")
    p2: tuple[float, float] = setting((-0.4, 0.95), "Order parameters that axes may have.")
    radius: tuple[float, float] = setting((3.0, 2000.0), "Å; radii that a particle may have.")
    spread: tuple[float, float] = setting((0.01, 0.5), "Relative spreads of radii.")
    aspects: tuple[float, float] = setting((0.005, 60.0), "Length over diameter, or polar over equatorial.")
    starts: int = setting(3, "Starting values of each shape that are refined, best first by screening.")
    as_good: float = setting(3.0, "Half of the deviance by which a fit is no worse than another.")
    steps: int = setting(60, "Steps of bumps' Levenberg-Marquardt at most.")
    refits: int = setting(2, "Fits with residuals whitened by what the one before left.")
    penumbra: float = setting(2.5, "Where cells that lack half of their counts are the beamstop's.", "pixels")
    selector: float = setting(
        0.04, "Spread of wavelengths that is taken where a file says nothing, σ over mean."
    )
    blur: float = setting(2.0, "And blur by slits, σ, from which one is fitted.", "pixels")
    powers: tuple[float, ...] = setting(
        (2.0, 3.0, 4.0), "Powers of 1/q that slits and windows scatter with; a sum of them is any between."
    )


SETTINGS = OrientedSettings()
#: What an instrument does to all counts and only the image tells, with prior standard deviations about none:
#: the beam off its stated place, pixels; the share of counts that the brightest cell loses by dead time, and
#: that the outermost pixels lack, over each length of `cells.RIM`.
FAULTS = {"centre_x": 0.5, "centre_y": 0.5, "lost": 0.2, "rim_0": 0.3, "rim_1": 0.3}
