"""What a fit of one curve says: models ranked and verified, as data, as JSON and for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...data.no_structure import Constant, constant
from ...model_free import ModelFree, PairDistances, Refused
from ...predict.sample_kinds import PROTEIN
from ...types import Curve, SasnetError, Shown, Suggestion
from .model_fit import ModelFit, Posterior, Verification
from .reported_values import parameter_as_dict
from .verdict import Verdict

if TYPE_CHECKING:
    from ...protein.particles import Particles
    from ...protein.results import ProteinResult
    from ..task import Contrast


@dataclass(frozen=True, repr=False)
class FitResult(Shown):
    """All that was fitted to one curve, the best explanation first.

    Parameters
    ----------
    dintensity : (n,) float array
        The uncertainties used, as stated or estimated.
    fits : tuple of ModelFit
        The one that leads first, then by falling weight; empty where no model could be fitted.
    verified : bool
        The best fit agrees with the data: the verdict is not `DOES_NOT`.
    verification : Verification or None
        How the best fit was verified; None where there is none.
    unanswered : tuple of str
        What could not be fitted for a technical reason (a process was killed, a model could not be compiled),
        so that the answer is incomplete; the notes say why.
    alike : tuple of str
        Names of the fits that these data do not distinguish from the best one.
    excused : (str, tuple of str)
        An error that neighbouring residuals share, in words, and names of those that only it makes as good.
    explaining : tuple of str
        Names of those that also explain the data to the errors given, where these are not independent.
    limit_met : bool
        The clock on the wall ended the search before its evaluations were spent: another time, or elsewhere,
        the answer may be another.
    unfitted : tuple of str
        Names of the candidates that the time limit, or whoever ended the search, left unfitted.
    unfinished : tuple of str
        Models that the user named and that the time limit left unfitted, or cut short before they fitted.
    ended : bool
        A user has ended the search, as by Ctrl-C.
    expected : Suggestion or None
        What the network says of the curve among all models; None where it was not asked.
    scope_threshold : float
        `in_scope` of that below which no known model is likely.
    distributions : tuple of ModelFit
        The best model with other kinds of size distribution, as far as they were kept.
    artefact : Artefact or None
        What the instrument may have done instead of the sample; None where a simpler model gains nothing.
    mixture : SizeMixture or None
        Hard spheres of several sizes as a mixture; None where they are no rival of the best fit.
    limited : tuple of str
        Parameters for which a user has given a range.
    fitted : tuple of str
        Parameters that the user wanted fitted.
    given : tuple of str
        Parameters of the fitted models whose values a user has given, also as materials (`contrast`).
    described_within : float
        Share of I that was added to the uncertainties of all points, as no model fits within these, but some
        describe the curve within it; 0 where that was not needed.
    sample_kind : str or None
        Kind of sample that the user has given.
    protein : ProteinResult or None
        What holds without a model: of the kind protein, and of separate compact particles that no model fits.
    verdict : Verdict
        What is said of all this.
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    fits: tuple[ModelFit, ...]
    verified: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)
    verification: Verification | None = None
    unanswered: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    excused: tuple[str, tuple[str, ...]] = ("", ())
    explaining: tuple[str, ...] = ()
    limit_met: bool = False
    unfitted: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    ended: bool = False
    expected: Suggestion | None = None
    scope_threshold: float = 0.0
    distributions: tuple[ModelFit, ...] = ()
    artefact: Artefact | None = None
    mixture: SizeMixture | None = None
    limited: tuple[str, ...] = ()
    fitted: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    contrast: Contrast | None = None
    described_within: float = 0.0
    sample_kind: str | None = None
    protein: ProteinResult | None = None
    verdict: Verdict = Verdict()

    @property
    def best(self) -> ModelFit | None:
        """The fit that leads the answer; None where there is none."""
        return self.fits[0] if self.fits else None

    @property
    def headline(self) -> str:
        """What is said first, everywhere: what explains the data, with values and errors."""
        return self.verdict.headline

    @property
    def constant(self) -> Constant | None:
        """The level of a curve that shows nothing but a constant and noise; None of others."""
        return constant(self.curve.q, self.curve.intensity, self.curve.dintensity)

    @property
    def model_free(self) -> ModelFree:
        """What the curve says without a model, with the uncertainties of the fit."""
        return replace(self.curve, dintensity=self.dintensity).model_free()

    @property
    def pair_distances(self) -> PairDistances | Refused:
        """p(r) of the curve with the largest distance, with the uncertainties of the fit."""
        return replace(self.curve, dintensity=self.dintensity).pair_distances()

    @property
    def particles(self) -> Particles | None:
        """Size of the particles whatever the model; None where `protein` holds none."""
        from ...protein.particles import find_particles

        is_neutron = self.contrast is not None and self.contrast.probe == "neutron"
        is_protein = self.sample_kind == PROTEIN
        return find_particles(
            self.protein, is_protein=is_protein, is_neutron=is_neutron or bool(self.curve.spin)
        )

    def table(self) -> list[dict[str, Any]]:
        """One row for each fit, best first."""
        return [
            {
                "model": f.model,
                "structure_factor": f.structure_factor,
                "weight": None if f.given_up else f.weight,
                "reduced_chisq": f.reduced_chisq,
                "bic": f.bic,
                "fitted": len(f.free),
                "probability": f.probability,
            }
            for f in self.fits
        ]

    def corner(self) -> Any:
        """The best fit's posterior, each parameter and each pair, as a matplotlib figure.

        Raises
        ------
        SasnetError
            There is none: fit with ``method="dream"``.
        """
        if self.best is None or self.best.posterior is None:
            raise SasnetError('There are no samples of the posterior; fit with method="dream".')
        from ... import corner_of

        return corner_of(self.best)

    def __rich__(self) -> Any:
        from ... import ranking_of

        return ranking_of(self.fits)

    def as_dict(self) -> dict[str, Any]:
        """As ``sasnet fit --json`` prints it."""
        return {
            "file": self.curve.file,
            "entry": self.curve.entry,
            "q_unit": self.curve.q_unit.as_dict(),
            "intensity_unit": self.curve.intensity_unit,
            **self.verdict.as_dict(),
            "best": self.best.name if self.best else None,
            "fits": [_fit_as_dict(f) for f in self.fits],
            "verified": self.verified,
            **({"described_within": self.described_within} if self.described_within else {}),
            "verification": self.verification.as_dict() if self.verification else None,
            "model_free": self.model_free.as_dict(),
            **({"sample_kind": self.sample_kind} if self.sample_kind else {}),
            **({"protein": self.protein.values_as_dict()} if self.protein else {}),
            "notes": list(self.notes),
            "limit_met": self.limit_met,
            "unfitted": list(self.unfitted),
            "unfinished": list(self.unfinished),
            **({"ended": True} if self.ended else {}),
            **({"unanswered": list(self.unanswered)} if self.unanswered else {}),
        }


def _fit_as_dict(fit: ModelFit) -> dict[str, Any]:
    return {
        "model": fit.model,
        "structure_factor": fit.structure_factor,
        "fitter": fit.fitter or None,
        "reduced_chisq": fit.reduced_chisq,
        "bic": fit.bic,
        "weight": None if fit.given_up else fit.weight,
        "given_up": fit.given_up,
        "parameters": {
            name: parameter_as_dict(name, p)
            | ({} if p.at_least is None else {"at_least": p.at_least})
            | _intervals(fit.posterior, name)
            for name, p in fit.parameters.items()
        },
        **({"components": [c.as_dict() for c in fit.components]} if fit.components else {}),
        "seconds": fit.seconds,
        "warnings": list(fit.warnings),
        "correlations": [{"between": list(pair), "r": r} for pair, r in fit.correlations.items()],
    }


def _intervals(posterior: Posterior | None, name: str) -> dict[str, list[float]]:
    if posterior is None or name not in posterior.names:
        return {}
    return {"interval68": list(posterior.interval68[name]), "interval95": list(posterior.interval95[name])}


#: The kinds: a slit that the file does not state; parasitic scattering at the lowest q; no artefact.
SLIT, LOWEST_POINTS, NONE = "slit", "lowest points", "none"


@dataclass(frozen=True)
class Artefact:
    """An artefact with which a simpler model fits than the one that stands first."""

    kind: str  #: `SLIT`, `LOWEST_POINTS`, or `NONE`: the simpler model fits the data as they are.
    model: str  #: Short name of the simpler model.
    reduced_chisq: float  #: Of it.
    q: float  #: Half length of the slit, or the first q that is not affected, Å⁻¹; 0 of `NONE`.
    points: int = 0  #: How many lowest points are affected; 0 of a slit.


@dataclass(frozen=True)
class SizeMixture:
    """Hard spheres of several sizes, each pair of which has its own structure factor."""

    name: str  #: Of the fit with one structure factor for all sizes.
    mean: float  #: Number mean of the radius, Å.
    deviation: float  #: Relative standard deviation of the radius.
    values: Mapping[str, float]  #: Of all parameters that are free in that fit, as sasmodels has them.
    reduced_chisq: float
    bic: float

    def lead_over(self, fit: ModelFit) -> float:
        """BIC of a fit less that of the mixture, in units of the noise that suits the better one."""
        return (fit.bic - self.bic) / max(min(self.reduced_chisq, fit.reduced_chisq), 1.0)
