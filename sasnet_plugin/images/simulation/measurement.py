"""How patterns under grazing incidence are measured: what is drawn of beam, detector and background."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ...simulate.draws import Prior
from .window import Window


@dataclass(frozen=True)
class Measurement:
    """How one pattern is measured."""

    #: sigma_phi, sigma_alpha: resolution and divergence together, one standard deviation, degrees.
    sigma_phi: float
    sigma_alpha: float
    shift_phi: float  #: What the stated φ is too large, degrees.
    #: What the stated α_f is too large and the stated α_i too small, degrees: a tilt of the sample.
    shift_alpha: float
    #: flat, diffuse: counts of the flat and of the decaying background over those of the pattern.
    flat: float
    diffuse: float
    #: diffuse_alpha, diffuse_phi: length over which the second decays upwards, and its half width to the
    #: sides, degrees.
    diffuse_alpha: float
    diffuse_phi: float
    counts: float  #: Expected counts of the pattern and its background together, in the pixels that count.


MEASUREMENT = {
    "sigma_phi": Prior(
        "loguniform 0.003 0.03", "degrees", "resolution and divergence across, Gaussian σ", 0.9
    ),
    "sigma_alpha": Prior(
        "loguniform 0.003 0.03", "degrees", "resolution and divergence upwards, Gaussian σ", 0.9
    ),
    "shift_phi": Prior("uniform -0.03 0.03", "degrees", "misalignment: stated φ minus true", 0.7),
    "shift_alpha": Prior("uniform -0.015 0.015", "degrees", "misalignment: true α_i minus stated", 0.7),
    "flat": Prior("loguniform 0.0001 0.3", "", "flat background over the pattern, counts", 0.8),
    "diffuse": Prior("loguniform 0.001 0.3", "", "decaying background over the pattern, counts", 0.5),
    "diffuse_alpha": Prior("uniform 0.2 1.5", "degrees", "length of its decay upwards, exponential"),
    "diffuse_phi": Prior("loguniform 0.05 0.6", "degrees", "its half width across, Lorentzian"),
    "counts": Prior("loguniform 1e4 1e8", "", "counts of the image (mask applied), expected"),
}


def sample_measurement(rng: np.random.Generator, *, counts: float | None = None) -> Measurement:
    """Draw how a pattern is measured, with the prior's or the given expected counts."""
    values = {field.name: MEASUREMENT[field.name](rng) for field in fields(Measurement)}
    return Measurement(**(values if counts is None else values | {"counts": counts}))


def describe_training(window: Window, beam: Mapping[str, Prior]) -> dict[str, Any]:
    """Describe training images for the manifest: the window, and beams as stated."""
    # `beam` has ``wavelength`` and true ``alpha_i``, stated less the misalignment.
    shift = MEASUREMENT["shift_alpha"].limits()
    low, high = beam["alpha_i"].limits()
    return {
        "window": asdict(window),
        "stated": {
            "wavelength": list(beam["wavelength"].limits()),
            "alpha_i": [low - shift[1], high - shift[0]],
        },
    }
