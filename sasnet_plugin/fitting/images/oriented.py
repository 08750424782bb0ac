"""An image with a direction as a problem for bumps: a body, and how its axes lie about a director.

The form factor is sasmodels' own 2D calculation (`simulate.sans.form_factors`), its axes are distributed as
by Maier and Saupe about a director in the plane of the detector; resolution and pixels are the image's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.sans.geometry import SmallAngle
from ...data.sans.polar import N_RINGS, N_SECTORS, cells, polar
from ...simulate.sans.form_factors import Q, directed
from ...simulate.sans.orientation import DEGREES, maier_saupe, strength_of
from ...simulate.sans.patterns import pattern
from ...simulate.sans.samples import pars_of
from ...types import DataError, Image
from ..settings import setting

FloatArray = NDArray[np.float64]
BODIES = ("cylinder", "ellipsoid")


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
    radius: tuple[float, float] = setting((3.0, 2000.0), "Å; radii that a body may have.")
    spread: tuple[float, float] = setting((0.01, 0.5), "Relative spreads of radii.")
    aspects: tuple[float, float] = setting((0.005, 60.0), "Length over diameter, or polar over equatorial.")
    starts: int = setting(3, "Start values of each body that are refined, best first by screening.")
    as_good: float = setting(3.0, "Half of the deviance by which a fit is no worse than another.")
    steps: int = setting(60, "Steps of bumps' Levenberg-Marquardt at most.")
    block_degrees: float = setting(45.0, "Areas whose residuals are taken together for errors: their angle.")
    block_ln_q: float = setting(0.5, "And their extent in ln q.")


SETTINGS = OrientedSettings()


@dataclass(frozen=True)
class Cells:
    """An image in rings and sectors as a fit sees it.

    Parameters
    ----------
    geometry : SmallAngle
        (1, n): the mean q of each cell's pixels, and what they see.
    counts : (n,) array
        Of reduced data as many as have their relative error.
    scale : (n,) array
        Intensity that one count over one of exposure stands for.
    where : (n,) int array
        Ring · N_SECTORS + sector.
    """

    geometry: SmallAngle
    counts: FloatArray
    scale: FloatArray
    where: NDArray[np.intp]

    @property
    def exposure(self) -> FloatArray:
        """(n,) what each cell sees."""
        return np.asarray(self.geometry.weight[0])

    def amplitudes(self, intensity: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Scale and flat background of an intensity that fit best, and the counts expected then.

        Weighted least squares with neither below zero, twice with the variances of the counts expected.
        """
        from scipy.optimize import nnls

        basis = np.stack([intensity, 1 / self.scale], axis=1) * self.exposure[:, None]
        size = np.maximum(basis.sum(axis=0), 1e-300)
        variance = np.maximum(self.counts, 1.0)
        for _ in range(3):
            root = 1 / np.sqrt(variance)
            found = nnls(basis / size * root[:, None], self.counts * root)[0] / size
            expected = basis @ found
            variance = np.maximum(expected, 0.3)
        return found, np.maximum(expected, 1e-9)


def cells_of(image: Image) -> Cells:
    """Sort an image into rings and sectors.

    Raises
    ------
    DataError
        Too few hold counts.
    """
    found = polar(image)
    geometry: SmallAngle = image.geometry
    used, cell = cells(geometry, image.mask)
    size = N_RINGS * N_SECTORS
    number = np.bincount(cell, minlength=size)
    there = np.flatnonzero((number > 0) & (found.exposure.ravel() > 0))
    if there.size < SETTINGS.fewest_cells or found.counts.sum() <= 0:
        raise DataError(f"{image.file}: too little of the image holds counts to fit it; check its mask.")

    def mean(values: FloatArray) -> FloatArray:
        return (np.bincount(cell, values.ravel()[used], size)[there] / number[there])[None]

    spread = None if geometry.setting is not None else geometry.spread()
    along, across = (None, None) if spread is None else map(mean, spread)
    # Both of one scale: an intensity over counts and exposure of one ring.
    scale = np.repeat(found.scale, N_SECTORS)[there]
    small = SmallAngle(
        mean(geometry.qx), mean(geometry.qy), found.exposure.ravel()[there][None], along, across,
        setting=geometry.setting,
    )  # fmt: skip
    counts = np.maximum(found.counts.ravel()[there], 0.0)
    return Cells(small, counts, np.ones_like(scale) if geometry.error is None else scale, there)


@dataclass
class OrientedImage:
    """The problem: what bumps asks of one (its protocol `Fitness`).

    Parameters
    ----------
    cells : Cells
    body : str
        "cylinder" or "ellipsoid".
    start : mapping of str to float
        ``radius``, ``aspect``, ``radius_pd``, ``p2``, ``director`` in degrees.
    """

    cells: Cells
    body: str
    start: dict[str, float]

    @cached_property
    def limits(self) -> dict[str, tuple[float, float]]:
        """Of each parameter."""
        low, high = SETTINGS.aspects
        # A cylinder shorter than wide is a disc and another body to the eye; rods alone are meant here.
        return {
            "radius": SETTINGS.radius,
            "aspect": (max(low, 1.0) if self.body == "cylinder" else low, high),
            "radius_pd": SETTINGS.spread,
            "p2": SETTINGS.p2,
            "director": (self.start["director"] - 90, self.start["director"] + 90),
        }

    def at_limit(self) -> tuple[str, ...]:
        """Parameters that stand at an end of their range, but for the spread of radii being none."""
        found = []
        for name, (low, high) in self.limits.items():
            close = 0.01 * (high - low)
            value = self.values()[name]
            if value > high - close or (value < low + 1e-3 * close and name not in ("radius_pd",)):
                found.append(name)
        return tuple(found)

    @cached_property
    def pars(self) -> dict[str, Any]:
        """bumps' parameters by name."""
        from bumps.parameter import Parameter

        return {
            name: Parameter(value=float(np.clip(self.start[name], *span)), name=name).range(*span)
            for name, span in self.limits.items()
        }

    def parameters(self) -> dict[str, Any]:
        """For bumps."""
        return self.pars

    def values(self) -> dict[str, float]:
        """The parameters' values now."""
        return {name: float(one.value) for name, one in self.pars.items()}

    def update(self) -> None:
        """For bumps: values have changed."""

    def numpoints(self) -> int:
        """Cells."""
        return int(self.cells.counts.size)

    def expected(self) -> FloatArray:
        """(n,) counts expected of each cell."""
        return self.cells.amplitudes(self.intensity())[1]

    def intensity(self) -> FloatArray:
        """(n,) of the body alone, arbitrary scale."""
        now = self.values()
        averages = maier_saupe(strength_of(now["p2"]))
        row = row_at(self.body, now, self.cells.geometry)
        director = np.radians(now["director"])
        found = pattern(row, self.cells.geometry, averages, director)[0]
        return np.asarray(found / self.cells.scale)

    def residuals(self) -> FloatArray:
        """Signed roots of the Poisson deviance, whose squares add up to it."""
        return deviance_roots(self.cells.counts, self.expected())

    def nllf(self) -> float:
        """Half of the deviance."""
        return 0.5 * float(np.sum(self.residuals() ** 2))

    def chisq(self) -> float:
        """Deviance over degrees of freedom: five values of the body, a scale and a background."""
        return 2 * self.nllf() / max(self.numpoints() - 7, 1)


def deviance_roots(counts: FloatArray, expected: FloatArray) -> FloatArray:
    """sign(n − m) √(2 (m − n + n ln n/m)) of counts n about m expected."""
    ratio = np.divide(counts, expected, out=np.ones_like(expected), where=counts > 0)
    terms = expected - counts + counts * np.log(ratio)
    return np.asarray(np.sign(counts - expected) * np.sqrt(2 * np.maximum(terms, 0.0)))


_kept: dict[Any, dict[str, FloatArray]] = {}


def row_at(body: str, values: dict[str, float], geometry: SmallAngle) -> dict[str, FloatArray]:
    """ln I and Legendre coefficients over it on `Q`, computed where the image lies and one spread beyond.

    The last are kept: a change of directions alone needs no new form factor.
    """
    low, high = float(geometry.q.min()) / 2, float(geometry.q.max()) * 1.5
    span = slice(max(int(np.searchsorted(Q, low)) - 1, 0), int(np.searchsorted(Q, high)) + 2)
    key = (body, *(values[name] for name in ("radius", "aspect", "radius_pd")), span.start, span.stop)
    if key not in _kept:
        pars = pars_of(body, values["radius"], values["aspect"], values["radius_pd"])
        some = directed(body, pars, Q[span])
        whole = np.pad(some, ((span.start, Q.size - span.start - len(some)), (0, 0)), mode="edge")
        while len(_kept) >= 8:
            _kept.pop(next(iter(_kept)))
        mean = np.maximum(whole[:, :1], 1e-300)
        _kept[key] = {"log_intensity": np.log(mean[:, 0]), "directed": whole[:, 1:] / mean}
    assert _kept[key]["directed"].shape[1] == len(DEGREES) - 1
    return _kept[key]
