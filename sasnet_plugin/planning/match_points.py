"""Match points: the solvent in which a particle, as a whole, does not scatter at q = 0.

I(0) is proportional to the square of the difference between the solvent's scattering length density and the
particle's mean one, with what differs between particles added: a parabola in the solvent's density (H. B.
Stuhrmann & A. Miller, J. Appl. Cryst. 11 (1978) 325).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from ..arrays import Floats
from ..fitting.result.components import bare
from ..types import Curve, SasnetError
from .measurements import Measurement, exchanged_density, water_share
from .rivals import Rival

#: Solvents at which a model's I(0) is calculated, 1e-6/Å²: three are enough for a parabola.
_SOLVENTS = (-0.5, 3.0, 6.3)
#: q times the longest length of a model where I(q) is I(0), and step of slopes, in the errors of parameters.
_FORWARD, _STEP = 1e-3, 0.1


@dataclass(frozen=True)
class MatchPoint:
    """Where I(0) is least."""

    density: float  #: Of the solvent, 1e-6/Å².
    error: float  #: Standard deviation, 1e-6/Å².

    @property
    def fraction(self) -> float:
        """Volume fraction of D2O in such a mixture with H2O; outside of 0..1 there is none."""
        return water_share(self.density)

    @property
    def fraction_error(self) -> float:
        """Its standard deviation."""
        return water_share(self.density + self.error) - self.fraction


def match_point_of_series(solvents: ArrayLike, intensities: ArrayLike, errors: ArrayLike) -> MatchPoint:
    """The match point of I(0) with errors in three or more solvents, densities in 1e-6/Å².

    Raises SasnetError where fewer than three solvents differ, or I(0) has no minimum.
    """
    x, y, s = (np.asarray(values, dtype=float) for values in (solvents, intensities, errors))
    if np.unique(x).size < 3:
        raise SasnetError("A match point needs I(0) in at least three different solvents.")
    matrix = np.stack([np.ones_like(x), x, x**2], axis=1) / s[:, None]
    covariance = np.linalg.inv(matrix.T @ matrix)
    _, slope, bend = covariance @ (matrix.T @ (y / s))
    if bend <= 0:
        raise SasnetError("I(0) has no minimum among these solvents, so there is no match point.")
    by = np.array([0.0, -0.5 / bend, 0.5 * slope / bend**2])
    return MatchPoint(float(-0.5 * slope / bend), float(np.sqrt(by @ covariance @ by)))


def match_point_of_models(rivals: Sequence[Rival], exchange: Mapping[str, str]) -> MatchPoint | None:
    """The match point of the likeliest model; its error contains what the others say. None where it has none.

    `exchange` has the materials of parts that exchange hydrogen with water, by their parameter.
    """
    each = [(rival.weight, match_point_of_model(rival, exchange)) for rival in rivals]
    best = each[0][1]
    if best is None:
        return None
    known = [(weight, point) for weight, point in each if point is not None]
    squares = [weight * (point.error**2 + (point.density - best.density) ** 2) for weight, point in known]
    return replace(best, error=float(np.sqrt(sum(squares) / sum(weight for weight, _ in known))))


def match_point_of_model(rival: Rival, exchange: Mapping[str, str]) -> MatchPoint | None:
    """The match point of a fitted model, with the error that follows from those of its parameters."""
    # Of a density that nobody has given, a prior alone would decide.
    is_unknown = any(coordinate.all_contrasts for coordinate in rival.coordinates)
    if is_unknown or not any("sld_solvent" in name for name in rival.fit.parameters):
        return None
    waters = [_forward_scattering(rival, solvent, exchange) for solvent in _SOLVENTS]

    def vertex(z: Floats) -> float:
        forward = [float(rival.predict(z, water)[0]) for water in waters]
        bend, slope, _ = np.polyfit(_SOLVENTS, forward, 2)
        return float(-0.5 * slope / bend) if bend > 0 else float("nan")

    here, moves = rival.before.z, _STEP * np.eye(rival.before.z.size)
    slopes = np.array([(vertex(here + move) - vertex(here - move)) / (2 * _STEP) for move in moves])
    density, variance = vertex(here), float(slopes @ rival.reported_covariance() @ slopes)
    return MatchPoint(density, float(np.sqrt(variance))) if np.isfinite(density + variance) else None


def _forward_scattering(rival: Rival, solvent: float, exchange: Mapping[str, str]) -> Measurement:
    """The measurement of I at q = 0, but for what is far below its error, in a solvent."""
    longest = max((p.value for p in rival.fit.parameters.values() if p.unit == "Ang"), default=1.0)
    q = _FORWARD / longest * np.array([1.0, 1.1])
    densities = {name: exchanged_density(material, solvent) for name, material in exchange.items()}
    return Measurement(
        "forward", "forward", Curve(q, np.ones(q.size)), np.ones(q.size), solvent=solvent, densities=densities
    )


def match_points_of_parts(
    rival: Rival, known: Collection[str], exchange: Mapping[str, str]
) -> dict[str, MatchPoint]:
    """The match points of a particle's parts by their parameters, where there are several and one is known.

    `known` are parameters that a user has given, `exchange` materials of parts that exchange hydrogen with
    water. A density that was fitted beside none that is known has no value of its own.
    """
    parts = {n: p for n, p in rival.fit.parameters.items() if "sld" in bare(n) and "solvent" not in n}
    if len(parts) < 2 or not parts.keys() & {*known, *exchange}:
        return {}
    return {
        name: MatchPoint(_match_exchanging(exchange[name]) if name in exchange else p.value, p.error or 0.0)
        for name, p in parts.items()
        if name in exchange or name in known or p.error
    }


def _match_exchanging(material: str) -> float:
    """Density of the water that a material has in that water itself, which is linear in its D2O."""
    at = [exchanged_density(material, water) - water for water in _SOLVENTS[:2]]
    return float(_SOLVENTS[0] + (_SOLVENTS[1] - _SOLVENTS[0]) * at[0] / (at[0] - at[1]))
