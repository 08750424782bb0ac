"""An image with a direction fitted by bumps from the network's answer on, simulated again and compared."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.digits import NORMAL_90, significant, with_error

from ...data.sans.anisotropy import anisotropy
from ...data.sans.features import images_of
from ...data.sans.geometry import SmallAngle
from ...data.sans.polar import N_RINGS, N_SECTORS, polar
from ...predict import Answer
from ...predict.classes import ClassesFinding
from ...predict.findings import DistributionFinding, QuantitiesFinding, Value
from ...predict.sans import OrientationFinding, most_counted
from ...simulate.sans.orientation import maier_saupe, strength_of
from ...simulate.sans.patterns import pattern
from ...types import Image
from .area_errors import area_errors
from .oriented import BODIES, SETTINGS, Cells, OrientedImage, cells_of, row_at
from .starts import Start, screened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UNITS = {"radius": "Å", "director": "degrees"}
ALIKE = "The image is alike all around, so that it is a curve: 'sasnet fit' fits its average."


@dataclass(frozen=True)
class OrientedFit:
    """A fit, simulated again.

    Parameters
    ----------
    body : str
    values : mapping of str to Value
        ``radius``, ``aspect``, ``radius_pd``, ``p2``, ``director``.
    cells : Cells
    expected : (n,) array
        Counts of each cell.
    chisq : float
        Poisson deviance over degrees of freedom.
    misfit : float
        Root mean square of what is off beyond counting, over the mean.
    at_limit : tuple of str
        Parameters that stand at an end of their range.
    amplitudes : (float, float)
        Scale of the body, and flat background.
    other : (float, float) or None
        Order parameter and director, degrees, of a fit a quarter turn from this that is as good.
    """

    body: str
    values: Mapping[str, Value]
    cells: Cells
    expected: NDArray[np.float64]
    chisq: float
    misfit: float
    at_limit: tuple[str, ...] = ()
    amplitudes: tuple[float, float] = (1.0, 0.0)
    other: tuple[float, float] | None = None
    title = "Simulated again"

    def intensity(self, geometry: SmallAngle) -> NDArray[np.float64]:
        """What the fit scatters into each pixel, per solid angle of one in the beam, (rows, columns)."""
        now = {name: one.value for name, one in self.values.items()}
        averages = maier_saupe(strength_of(now["p2"]))
        row = row_at(self.body, now, geometry)
        scale, flat = self.amplitudes
        return scale * pattern(row, geometry, averages, float(np.radians(now["director"]))) + flat

    @property
    def verified(self) -> bool:
        """Whether the image simulated again is the measured one, within counting or the detector's faults."""
        good = self.chisq <= SETTINGS.chisq or self.misfit <= SETTINGS.misfit
        return good and not self.at_limit

    def as_dict(self) -> dict[str, Any]:
        """``fit``."""
        numbers = {
            name: {"value": float(f"{v.value:.5g}"), "error": float(f"{v.error:.2g}"), "unit": v.unit}
            for name, v in self.values.items()
        }
        verdict: dict[str, Any] = {
            "reduced_chi2": float(f"{self.chisq:.4g}"),
            "misfit": float(f"{self.misfit:.3g}"),
        }
        if self.other is not None:
            verdict["or"] = {"p2": round(self.other[0], 4), "director_deg": round(self.other[1], 2)}
        return {"fit": {"model": self.body, "parameters": numbers, **verdict, "verified": self.verified}}

    def rows(self) -> list[list[str]]:
        """A row for each value."""
        return [
            [f"fitted {self.body}", "value", "unit"],
            *([k, with_error(v.value, v.error), v.unit] for k, v in self.values.items()),
        ]

    def sentences(self) -> tuple[str, ...]:
        """Whether the fit holds, and why."""
        verdict = "Verified" if self.verified else "Not verified"
        ends = ""
        if self.at_limit:
            ends = f" {', '.join(self.at_limit)} stands at the end of its range: another body is likely."
        elif not self.verified:
            ends = (
                " Neither a cylinder nor an ellipsoid with axes about a director is all that scatters here."
            )
        if self.other is not None:
            ends += f" ⟨P₂⟩ = {self.other[0]:.2f} about {self.other[1]:.0f}° fits as well."
        return (
            f"{verdict}: simulated again, the image has a Poisson deviance of {significant(self.chisq, 3)}"
            f" per degree of freedom over {self.cells.counts.size} cells, and is off by"
            f" {self.misfit:.1%} beyond counting.{ends}",
        )

    def notes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def draw(self, axes: Axes) -> None:
        """Residuals by ring and sector, in standard deviations."""
        table = np.full(N_RINGS * N_SECTORS, np.nan)
        table[self.cells.where] = (self.cells.counts - self.expected) / np.sqrt(self.expected)
        shown = table.reshape(N_RINGS, N_SECTORS)
        seen = np.flatnonzero(np.isfinite(shown).any(axis=1))
        drawn = axes.imshow(
            shown[seen[0] : seen[-1] + 1], origin="lower", aspect="auto", vmin=-5, vmax=5, cmap="RdBu_r"
        )
        axes.figure.colorbar(drawn, ax=axes, label="standard deviations")
        axes.set(xlabel="sector of 10 degrees", ylabel="ring of q")

    def silenced(self) -> OrientedFit:
        """A fit says the same in any case."""
        return self


def fit_oriented(image: Image, guess: Mapping[str, Any], seconds: float = 30.0) -> OrientedFit:
    """Fit cylinders and ellipsoids whose axes are distributed about a director.

    Parameters
    ----------
    image : Image
        With a direction.
    guess : mapping
        ``director`` in degrees; ``body``, ``radius``, ``aspect``, ``p2`` where the network says them.
    seconds : float
        After these no other start is refined.

    Raises
    ------
    DataError
        Too little of the image holds counts.
    """
    until = time.monotonic() + seconds
    cells = cells_of(image)
    starts = screened(image, BODIES, dict(guess))
    said = [name for name in ("radius", "aspect", "p2") if name in guess]
    if guess.get("body") in BODIES and len(said) == 3:
        values = {**starts[0].values, **{name: float(guess[name]) for name in (*said, "director")}}
        starts.insert(0, Start(0.0, str(guess["body"]), values))
    kept = [s for body in BODIES for s in [s for s in starts if s.body == body][: SETTINGS.starts]]
    kept.sort(key=lambda one: one.distance)
    problems: list[tuple[float, OrientedImage, dict[str, float]]] = []
    for one in kept:
        if problems and time.monotonic() > until:
            break
        problem = OrientedImage(cells, one.body, one.values)
        errors = run(problem)
        problems.append((problem.nllf(), problem, errors))
        if problem.chisq() <= 1 + 2 * np.sqrt(2 / problem.numpoints()):
            break
    _, problem, errors = min(problems, key=lambda one: one[0])
    # Axes spread across a direction look much like axes along the one a quarter turn from it.
    other = OrientedImage(cells, problem.body, turned(problem.values()))
    both = [(problem, errors), (other, run(other))]
    if other.nllf() < problem.nllf():
        both.reverse()
    best, second = both[0][0], both[1][0]
    found = done(*both[0])
    if (second.nllf() - best.nllf()) > SETTINGS.as_good * max(best.chisq(), 1.0):
        return found
    return replace(found, other=(second.values()["p2"], second.values()["director"] % 180))


def turned(values: Mapping[str, float]) -> dict[str, float]:
    """The same body with its axes across the direction that they lie along, or the other way round."""
    p2 = -0.25 if values["p2"] > 0 else 0.4
    return {**values, "p2": p2, "director": (values["director"] + 90) % 180}


def run(problem: OrientedImage) -> dict[str, float]:
    """Bumps' Levenberg-Marquardt from where a problem stands; standard deviations by name."""
    from bumps.fitproblem import FitProblem
    from bumps.fitters import fit

    from ..problem.experiment import silent

    whole = FitProblem(problem)
    names = [p.name for p in whole._parameters]
    with silent():
        found = fit(whole, method="lm", steps=SETTINGS.steps, ftol=1e-5, xtol=1e-4)
    whole.setp(found.x)
    return dict(zip(names, map(float, found.dx), strict=True))


def done(problem: OrientedImage, errors: Mapping[str, float]) -> OrientedFit:
    """What a problem says where it stands.

    Errors grow with the root of χ² where that is above 1, and to those by areas of the detector.
    """
    amplitudes, expected = problem.cells.amplitudes(problem.intensity())
    counts = problem.cells.counts
    beyond = float(np.sum((counts - expected) ** 2 - expected))
    chisq = problem.chisq()
    values: dict[str, Value] = {}
    by_area = area_errors(problem, errors)
    for name, value in problem.values().items():
        error = float(np.fmax(errors.get(name, np.nan) * max(1.0, chisq) ** 0.5, by_area[name]))
        value = value % 180 if name == "director" else value
        half = NORMAL_90 * error
        values[name] = Value(value, error, value - half, value + half, _UNITS.get(name, ""))
    misfit = float(np.sqrt(max(beyond, 0.0) / np.sum(expected**2)))
    return OrientedFit(
        problem.body,
        values,
        problem.cells,
        expected,
        chisq,
        misfit,
        problem.at_limit(),
        (float(amplitudes[0]), float(amplitudes[1])),
    )


def refined(measurement: Any, answer: Answer, seconds: float = 30.0) -> Answer:
    """The answer with a fit in the place of the network's orientation; of an image without one, as it is.

    Parameters
    ----------
    measurement : Image or data.sans.features.Settings
        Of several settings, the image with the most counts is fitted.
    answer : Answer
    seconds : float
    """
    image = most_counted(images_of(measurement))
    assert image is not None
    around = anisotropy([polar(image)])
    if not around.directed:
        return replace(answer, notes=(*answer.notes, ALIKE))
    guess: dict[str, Any] = {"director": around.axis}
    named, oriented = answer.finding(ClassesFinding), answer.finding(OrientationFinding)
    if named is not None and named.classes[0].name == "bragg_glass":
        return replace(answer, notes=(*answer.notes, "Spots of a lattice have no form factor to be fitted."))
    if named is not None:
        guess["body"] = next((one.name for one in named.classes if one.name in BODIES), "")
    quantities = answer.finding(QuantitiesFinding)
    if quantities is not None:
        guess |= {k: v.value for k, v in quantities.known.items() if k in ("radius", "aspect")}
    if oriented is not None:
        guess["director"] = oriented.director.value
        guess |= {} if oriented.p2 is None else {"p2": oriented.p2.value}
    found = fit_oriented(image, guess, seconds)
    findings: list[Any] = [
        replace(one, p2=found.values["p2"], director=found.values["director"])
        if isinstance(one, OrientationFinding)
        else one
        for one in answer.findings
        if not isinstance(one, DistributionFinding)
    ]
    return replace(answer, findings=(*findings, found), keys=(*answer.keys, "fit"))
