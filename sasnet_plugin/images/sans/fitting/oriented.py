"""An image with a direction as a problem for bumps: a body, and how its axes lie about a director.

The form factor is sasmodels' own 2D calculation (`simulation.form_factors`), its axes are distributed as by
Maier and Saupe about a director in the plane of the detector; resolution and pixels are the image's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ....arrays import Floats
from ..reading.geometry import SmallAngle
from ..simulation.form_factors import Q, compute_legendre, pars_of
from ..simulation.orientation import DEGREES, maier_saupe, strength_of
from ..simulation.patterns import pattern
from .cells import Cells
from .oriented_settings import FAULTS, SETTINGS
from .unevenness import Whitening

BODIES = ("cylinder", "ellipsoid")
BODY = ("radius", "aspect", "radius_pd", "p2", "director")
_FAULT_LIMITS = {
    "centre_x": (-2.0, 2.0),
    "centre_y": (-2.0, 2.0),
    "lost": (0.0, 0.97),
    "rim_0": (0.0, 0.9),
    "rim_1": (0.0, 0.9),
}
#: Of an instrument whose file says nothing of its resolution, pixels.
_BLUR, _DEFAULTS = {"blur": (0.1, 10.0)}, {"blur": SETTINGS.blur}


@dataclass
class OrientedImage:
    """The problem: what bumps asks of one (its protocol `Fitness`)."""

    cells: Cells
    body: str  #: "cylinder" or "ellipsoid".
    start: dict[str, float]  #: ``radius``, ``aspect``, ``radius_pd``, ``p2``, ``director`` in degrees.
    #: Of residuals of a detector that counts unevenly; default: by counting alone.
    whitening: Whitening | None = None
    #: (n,), `brightness` of each cell: with it, the instrument's `FAULTS` are fitted too.
    bright: Floats | None = None

    @cached_property
    def limits(self) -> dict[str, tuple[float, float]]:
        low, high = SETTINGS.aspects
        # A cylinder shorter than wide is a disc and another body to the eye; rods alone are meant here.
        return (
            {
                "radius": SETTINGS.radius,
                "aspect": (max(low, 1.0) if self.body == "cylinder" else low, high),
                "radius_pd": SETTINGS.spread,
                "p2": SETTINGS.p2,
                "director": (self.start["director"] - 90, self.start["director"] + 90),
            }
            | ({} if self.bright is None else _FAULT_LIMITS)
            | ({} if self.cells.sharp else _BLUR)
        )

    def list_at_limit(self) -> tuple[str, ...]:
        """Parameters that stand at an end of their range, but for the spread of radii being none."""
        names = []
        for name in BODY:
            low, high = self.limits[name]
            close = 0.01 * (high - low)
            value = self.values()[name]
            if value > high - close or (value < low + 1e-3 * close and name not in ("radius_pd",)):
                names.append(name)
        return tuple(names)

    @cached_property
    def pars(self) -> dict[str, Any]:
        from bumps.parameter import Parameter

        return {
            name: Parameter(
                value=float(np.clip(self.start.get(name, _DEFAULTS.get(name, 0.0)), *span)), name=name
            ).range(*span)
            for name, span in self.limits.items()
        }

    def parameters(self) -> dict[str, Any]:
        return self.pars

    def values(self) -> dict[str, float]:
        return {name: float(parameter.value) for name, parameter in self.pars.items()}

    def update(self) -> None:
        """For bumps: values have changed."""

    def numpoints(self) -> int:
        return int(self.cells.counts.size)

    def compute_expected(self) -> Floats:
        """(n,) counts expected of each cell."""
        return self.amplitudes()[1]

    def amplitudes(self) -> tuple[Floats, Floats]:
        """Amplitudes of `terms`, and counts expected."""
        return self.cells.amplitudes(self.terms(), self.whitening)

    def terms(self) -> Floats:
        """Counts at amplitudes of one, as of `Cells.terms`."""
        values, cells = self.values(), self.cells
        if not cells.sharp:
            cells = cells.blur(values["blur"])
        if self.bright is not None:
            # Of m neutrons a cell counts m/(1 + τm) = m (1 - τn), where the counts n are what is seen.
            rim = cells.rim @ [values["rim_0"], values["rim_1"]]
            share_kept = (1 - values["lost"] * self.bright) * np.maximum(1 - rim, 0.05)
            cells = cells.move_beam((values["centre_x"], values["centre_y"]), share_kept)
        averages = maier_saupe(strength_of(values["p2"]))
        row = row_at(self.body, values, self.cells.geometry)
        found_pattern = pattern(row, cells.geometry, averages, np.radians(values["director"]), cells.blunted)[
            0
        ]
        return cells.terms(found_pattern / cells.scale)

    def residuals(self) -> Floats:
        """Signed roots of the Poisson deviance, whose squares add up to it, or whitened residuals."""
        # Followed by the instrument's values over their prior standard deviations.
        counts, expected = self.cells.counts, self.compute_expected()
        if self.whitening is None:
            roots = deviance_roots(counts, expected)
        else:
            roots = self.whitening.apply(counts - expected)
        values = self.values()
        return np.concatenate([roots, [values[name] / FAULTS[name] for name in FAULTS if name in values]])

    def nllf(self) -> float:
        """Half of the sum of squared residuals."""
        return 0.5 * float(np.sum(self.residuals() ** 2))

    def chisq(self) -> float:
        """Deviance over degrees of freedom: cells less the values and amplitudes that are fitted."""
        amplitudes, expected = self.amplitudes()
        fitted = len(self.pars) + len(amplitudes)
        deviance = float(np.sum(deviance_roots(self.cells.counts, expected) ** 2))
        return deviance / max(self.numpoints() - fitted, 1)


def brightness(cells: Cells, expected: Floats) -> Floats:
    """Counts of a pixel in each cell over those in the brightest, (n,)."""
    expected_each = expected / cells.pixels
    return np.asarray(expected_each / expected_each.max())


def deviance_roots(counts: Floats, expected: Floats) -> Floats:
    """sign(n − m) √(2 (m − n + n ln n/m)) of counts n about m expected."""
    ratio = np.divide(counts, expected, out=np.ones_like(expected), where=counts > 0)
    terms = expected - counts + counts * np.log(ratio)
    return np.asarray(np.sign(counts - expected) * np.sqrt(2 * np.maximum(terms, 0.0)))


_kept: dict[Any, dict[str, Floats]] = {}


def row_at(body: str, values: dict[str, float], geometry: SmallAngle) -> dict[str, Floats]:
    """ln I and Legendre coefficients over it on `Q`, computed where the image lies and one spread beyond."""
    # The last are kept: a change of directions alone needs no new form factor.
    low, high = float(geometry.q.min()) / 2, float(geometry.q.max()) * 1.5
    span = slice(max(int(np.searchsorted(Q, low)) - 1, 0), int(np.searchsorted(Q, high)) + 2)
    key = (body, *(values[name] for name in ("radius", "aspect", "radius_pd")), span.start, span.stop)
    if key not in _kept:
        pars = pars_of(body, values["radius"], values["aspect"], values["radius_pd"])
        legendre = compute_legendre(body, pars, Q[span])
        whole = np.pad(legendre, ((span.start, Q.size - span.start - len(legendre)), (0, 0)), mode="edge")
        while len(_kept) >= 8:
            _kept.pop(next(iter(_kept)))
        mean = np.maximum(whole[:, :1], 1e-300)
        _kept[key] = {"log_intensity": np.log(mean[:, 0]), "directed": whole[:, 1:] / mean}
    assert _kept[key]["directed"].shape[1] == len(DEGREES) - 1
    return _kept[key]
