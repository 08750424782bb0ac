"""What else a pattern depends on besides the rotation of its lattice, as a vector that a fit can move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ....arrays import Floats
from ....simulate.draws import Prior
from ....types import Image
from ...simulation.measurement import MEASUREMENT
from ..simulation.geometry import N_XI, XI, Geometry
from ..simulation.priors import GEOMETRY
from .settings import INVERSION


@dataclass(frozen=True)
class OrientationGuess:
    """What a network (or the prior alone) says of how a lattice is rotated; a fit can start from it."""

    xi: Floats  #: (120,), angles of rotation, degrees: 0, 0.5, … 59.5; the period is 60.
    p: Floats  #: (120,), share of each angle; sums to 1.
    #: p_low, p_high: (120,), pointwise 90 % band of p.
    p_low: Floats
    p_high: Floats
    #: Value and one standard deviation, by the names and in the units of `images.gisas.simulation.priors`.
    geometry: dict[str, tuple[float, float]]
    in_scope: float = 1.0  #: 0..1; how much the pattern looks like one that the network was trained on.
    file: str = ""
    notes: tuple[str, ...] = ()
    #: Share of patterns with "every angle alike" that look as far from it; NaN where that is not known.
    uniform_p_value: float = float("nan")


@dataclass(frozen=True)
class Parameter:
    """One quantity and the scale on which a pattern is nearly linear in it."""

    name: str  #: As in `images.gisas.simulation.priors`.
    scale: str  #: ``"plain"``, ``"log"``, or ``"square"`` for what blurs or spreads.
    step: float  #: For differences, on that scale.

    @property
    def prior(self) -> Prior:
        return GEOMETRY[self.name] if self.name in GEOMETRY else MEASUREMENT[self.name]

    @property
    def unit(self) -> str:
        return self.prior.unit

    def inner(self, value: float) -> float:
        return float(np.log(value) if self.scale == "log" else value**2 if self.scale == "square" else value)

    def value(self, inner: float) -> float:
        """Back; what blurs is not negative."""
        if self.scale == "log":
            return float(np.exp(inner))
        return float(np.sqrt(max(inner, 0.0))) if self.scale == "square" else float(inner)

    def inner_error(self, value: float, error: float) -> float:
        """Standard deviation on the scale of the fit."""
        if self.scale == "log":
            return error / value
        return float(np.hypot(2 * value * error, np.sqrt(2) * error**2)) if self.scale == "square" else error

    def error(self, inner: float, error: float) -> float:
        """Standard deviation of the value: half of what two deviations span."""
        return abs(self.value(inner + error) - self.value(inner - error)) / 2

    def limits(self) -> tuple[float, float]:
        """Where a fit may go, on its scale."""
        low, high = self.prior.limits()
        low = 0.0 if self.prior.share < 1 and low > 0 else low
        if self.scale == "square":
            return 0.0, self.inner(high * (1 + INVERSION.beyond_prior))
        first, last = self.inner(low), self.inner(high)
        return first - INVERSION.beyond_prior * (last - first), last + INVERSION.beyond_prior * (last - first)

    def broad(self) -> tuple[float, float]:
        """Middle and standard deviation of the prior's values."""
        low, high = self.prior.limits()
        if self.scale == "log":
            middle = float(np.sqrt(low * high))
            return middle, middle * float(np.log(high / low)) / np.sqrt(12)
        low = 0.0 if self.prior.share < 1 and low > 0 else low
        return (low + high) / 2, (high - low) / np.sqrt(12)


PARAMETERS = (
    Parameter("lattice", "plain", 0.1),
    Parameter("width", "log", 0.01),
    Parameter("position_spread", "square", 2.0),
    Parameter("radius", "plain", 0.1),
    Parameter("radius_pd", "square", 1e-4),
    Parameter("oxide", "plain", 0.3),
    Parameter("shift_alpha", "plain", 2e-4),
    Parameter("shift_phi", "plain", 2e-4),
    Parameter("sigma_phi", "square", 1e-5),
    Parameter("sigma_alpha", "square", 1e-5),
    Parameter("diffuse_alpha", "log", 0.02),
    Parameter("diffuse_phi", "log", 0.02),
)
NAMES = tuple(parameter.name for parameter in PARAMETERS)
INDEX = {name: k for k, name in enumerate(NAMES)}


def prior_guess(image: Image) -> OrientationGuess:
    """A guess from the prior alone: every angle alike, every quantity anywhere in its range.

    Parameters
    ----------
    image : Image
        Only its name is taken.
    """
    return OrientationGuess(
        xi=np.array(XI, dtype=np.float64),
        p=np.full(N_XI, 1 / N_XI),
        p_low=np.zeros(N_XI),
        p_high=np.ones(N_XI),
        geometry={parameter.name: parameter.broad() for parameter in PARAMETERS},
        in_scope=1.0,
        file=image.file,
        notes=("No network was used; the geometry was searched in its whole range.",),
    )


@dataclass(frozen=True)
class Guess:
    """A geometry on the fit's scale with one standard deviation of each parameter: a Gaussian prior."""

    at: Floats
    error: Floats

    @property
    def precision(self) -> Floats:
        """(parameters,) 1/σ²."""
        return np.asarray(1 / self.error**2)

    def chisq(self, inner: Floats) -> float:
        return float(np.sum(((inner - self.at) / self.error) ** 2))


def start(guess: Mapping[str, tuple[float, float]]) -> Guess:
    """Return starting values and their uncertainty from a guess, or the prior's."""
    initial, errors = [], []
    for parameter in PARAMETERS:
        broad = parameter.broad()
        value, error = guess.get(parameter.name, broad)
        # No guess is less certain than the prior, and none so certain that the data do not count.
        most = parameter.inner_error(*broad)
        least = 1e-3 * most
        low, high = parameter.limits()
        value = max(value, parameter.value(low)) if parameter.scale == "log" else value
        initial.append(float(np.clip(parameter.inner(value), low, high)))
        errors.append(float(np.clip(parameter.inner_error(value, error), least, most)))
    return Guess(np.array(initial), np.array(errors))


def clip_parameters(inner: Floats) -> Floats:
    """Kept to where a fit may go."""
    limits = np.array([parameter.limits() for parameter in PARAMETERS])
    return np.asarray(np.clip(inner, limits[:, 0], limits[:, 1]))


def values(inner: Floats) -> dict[str, float]:
    return {p.name: p.value(float(x)) for p, x in zip(PARAMETERS, inner, strict=True)}


def geometry_of(inner: Floats, wavelength: float, nominal_alpha_i: float) -> Geometry:
    """Return sample and beam from inner parameters (n,); wavelength in Å, nominal incidence in degrees."""
    value = values(inner)
    return Geometry(
        lattice=value["lattice"],
        width=value["width"],
        position_spread=value["position_spread"],
        radius=value["radius"],
        radius_pd=max(value["radius_pd"], 1e-3),
        wavelength=wavelength,
        alpha_i=nominal_alpha_i + value["shift_alpha"],
        oxide=value["oxide"],
    )
