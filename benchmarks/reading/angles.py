"""Curves against an angle: under every name that it has, with and without the wavelength in the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from .samples import File, Measurement
from .units import text

WAVELENGTH = 1.5418
ANGLE = ("angle", "2θ", "wavelength")
#: Names of 2θ, and what degrees are multiplied by.
NAMES = (
    ("2theta", 1.0), ("2-Theta", 1.0), ("TwoTheta", 1.0), ("2θ", 1.0), ("2θ (°)", 1.0), ("tth", 1.0),
    ("2th_deg", 1.0), ("Two-Theta (deg)", 1.0), ("2Theta/deg", 1.0), ("Position [°2Th.]", 1.0),
    ("scattering angle (deg)", 1.0), ("angle_2theta[degrees]", 1.0), ("2theta (mrad)", np.pi / 0.18),
    ("2theta [rad]", np.pi / 180), ("$2\\theta$ ($^\\circ$)", 1.0),
)  # fmt: skip
#: How a file states the wavelength.
STATED = (
    "# wavelength = 1.5418 A\n", "# Wavelength: 0.15418 nm\n", "# lambda (Angstrom): 1.5418\n",
    "# Wavelength: 1.5418e-10 m\n", "# energy = 8.0415 keV\n", "# λ = 1.5418 Å\n",
)  # fmt: skip


def against(name: str, scale: float, stated: str, given: bool, m: Measurement) -> File:
    """I and dI against 2θ; right only where the wavelength is in the file or given on reading."""
    t = m.truth.pinhole_less
    tth = np.degrees(2 * np.arcsin(t.q * WAVELENGTH / (4 * np.pi))) * scale
    content = (stated + f"{name}\tI\tsigma\n" + text([tth, t.intensity, t.error], "%.8e", "\t")).encode()
    options = (("wavelength", WAVELENGTH),) if given else ()
    known = given or bool(stated)
    return File(".dat", content, ((t,),) if known else (), () if given else ANGLE, options=options)


def ways() -> dict[str, Callable[[Measurement], File]]:
    bare = {f"`{name}`": partial(against, name, scale, "", False) for name, scale in NAMES}
    given = {
        f"`{name}`, the wavelength given": partial(against, name, scale, "", True)
        for name, scale in NAMES
    }  # fmt: skip
    stated = {
        f"2theta below `{line[2:].strip()}`": partial(against, "2theta (deg)", 1.0, line, False)
        for line in STATED
    }
    return {f"angles: {title}": way for title, way in (bare | given | stated).items()}
