"""BornAgain 25, the only source of physics of the scattering under grazing incidence.

Nothing else in the package imports it. Lengths go in in Å and angles in degrees; BornAgain counts in nm and
radians. One thread, and the materials of the layers as they are (`setUseAvgMaterials(False)`): averaged with
the particles', they would depend on the coverage, and a mixture of domains would not be the sum of its parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import SimulationError, describe_install
from ..units import convert
from .simulation import Geometry, Window

#: Index of refraction 1 − delta + i beta of the particles (CoFe2O4), as the seed of this work has it. Without
#: averaged materials it scales the patterns and does nothing else.
PARTICLE = (2.03e-5, 1.5e-6)
#: Formula and density in g/cm³ of the film and of what it lies on.
FILM, SUBSTRATE = ("SiO2", 2.2), ("Si", 2.33)
_GREY = (0.5, 0.5, 0.5)


@cache
def version() -> str:
    """Return BornAgain's version. Raises SimulationError if it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("bornagain")
    except PackageNotFoundError:
        raise SimulationError(f"BornAgain is not installed; run {describe_install('gisas')}") from None


def incoherent(geometry: Geometry, window: Window) -> NDArray[np.float64]:
    """The pattern ⟨|F|²⟩ of as many particles without order, (rows, columns), arbitrary scale."""
    return _dilute(_particles(geometry), geometry, window)


def coherent(geometry: Geometry, window: Window) -> NDArray[np.float64]:
    """The pattern |⟨F⟩|² of the mean particle, (rows, columns), in the scale of `incoherent`."""
    # The mean particle is made of all sizes inside each other, each with its share of the contrast.
    ba = _bornagain()
    delta, beta = PARTICLE
    contrast = complex(1 - delta, beta) ** 2 - 1
    mean = ba.Compound()
    for radius, share in zip(*geometry.radii(), strict=True):
        index = np.sqrt(1 + share * contrast)
        material = ba.RefractiveMaterial("part", _GREY, float(1 - index.real), float(index.imag))
        mean.addComponent(ba.Particle(material, ba.Sphere(_nm(radius))))
    return _dilute(mean, geometry, window)


def _dilute(particle: Any, geometry: Geometry, window: Window) -> NDArray[np.float64]:
    ba = _bornagain()
    top = ba.Layer(ba.Vacuum())
    density = 2 / (np.sqrt(3) * _nm(geometry.lattice) ** 2)
    top.deposit2D(ba.Dilute2D(float(density), particle))
    return _simulate(top, geometry, window)


def _particles(geometry: Geometry) -> Any:
    ba = _bornagain()
    material = ba.RefractiveMaterial("CoFe2O4", _GREY, *PARTICLE)
    spheres = [ba.Particle(material, ba.Sphere(_nm(radius))) for radius in geometry.radii()[0]]
    if len(spheres) == 1:
        return spheres[0]
    mixture = ba.Mixture()
    for sphere, share in zip(spheres, geometry.radii()[1], strict=True):
        mixture.addParticle(sphere, float(share))
    return mixture


def _simulate(top: Any, geometry: Geometry, window: Window) -> NDArray[np.float64]:
    film = (*refraction(*FILM, geometry.wavelength), geometry.oxide)
    substrate = refraction(*SUBSTRATE, geometry.wavelength)
    return _simulate_layers(top, [film], substrate, geometry.wavelength, geometry.alpha_i, window)


def _simulate_layers(
    top: Any,
    layers: Sequence[tuple[float, float, float]],
    substrate: tuple[float, float],
    wavelength: float,
    alpha_i: float,
    window: Window,
) -> NDArray[np.float64]:
    """What a detector sees of particles on layers on a substrate."""
    ba = _bornagain()
    sample = ba.Sample()
    sample.addLayer(top)
    for number, (delta, beta, thickness) in enumerate(layers):
        material = ba.RefractiveMaterial(f"layer {number}", _GREY, delta, beta)
        sample.addLayer(ba.Layer(material, _nm(thickness)))
    sample.addLayer(ba.Layer(ba.RefractiveMaterial("substrate", _GREY, *substrate)))
    beam = ba.Beam(1.0, _nm(wavelength), float(np.radians(alpha_i)))
    phi, alpha = np.radians(window.phi), np.radians(window.alpha_f)
    detector = ba.SphericalDetector(
        window.columns, float(phi[0]), float(phi[1]), window.rows, float(alpha[0]), float(alpha[1])
    )
    simulation = ba.ScatteringSimulation(beam, sample, detector)
    simulation.options().setUseAvgMaterials(False)
    simulation.options().setNumberOfThreads(1)
    return np.array(simulation.simulate().intensities(), dtype=np.float64)


@lru_cache(maxsize=64)
def refraction(formula: str, density: float, wavelength: float) -> tuple[float, float]:
    """Return delta and beta of a material for X-rays (periodictable); density in g/cm³, wavelength in Å."""
    from periodictable import xsf

    index = complex(xsf.index_of_refraction(formula, density=density, wavelength=wavelength))
    return 1 - index.real, abs(index.imag)


def _nm(length: float) -> float:
    return float(convert(float(length), "Å", "nm", "length"))


def _bornagain() -> Any:
    version()
    import bornagain

    return bornagain
