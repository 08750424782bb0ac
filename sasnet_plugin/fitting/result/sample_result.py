"""What a joint fit says: models ranked over all curves of a sample, as data and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...data.sample.kind import CALIBRATION, MOST_CALIBRATION
from ...data.sample.sample import Sample
from ...data.sample.sectors import Magnetism
from ...types import Shown, Suggestion, product_name
from ..settings import ASSESSMENT
from .fit_result import FitResult
from .model_fit import ModelFit, Parameter, explains
from .reported_values import correlations, covariance, parameter_as_dict
from .residuals import SharedError
from .verdict import Verdict

if TYPE_CHECKING:
    from ..task import Contrast

#: A parameter and the curve that has it of its own; None: all share it.
Key = tuple[str, int | None]


@dataclass(frozen=True)
class JointFit:
    """One model, fitted to all curves of a sample."""

    model: str
    structure_factor: str | None
    #: That all curves have in common, the common scale and what was not fitted among them.
    parameters: Mapping[str, Parameter]
    #: Of each curve: scale, background, and what the kind of sample leaves to each.
    own: tuple[Mapping[str, Parameter], ...]
    chisq: tuple[float, ...]  #: Of each curve.
    reduced_chisq: float  #: Of all together, their calibration included.
    minus_two_log: float  #: -2 ln of the marginal likelihood of all curves, which the BIC approximates.
    probability: float  #: Of the network, all curves together.
    theories: tuple[NDArray[np.float64], ...]  #: Shape (n,).
    distributions: Mapping[str, str]  #: Kinds of size distribution.
    shared_errors: tuple[SharedError, ...]  #: What neighbouring residuals of each curve share.
    #: Of each curve: as `Verification` has them; below -3 the residuals are not random.
    runs: tuple[float, ...] = ()
    per_decade: int | None = None  #: As of a `ModelFit`.
    weight: float = 0.0  #: Share of the evidence among the joint fits, 0..1.
    seconds: float = 0.0  #: Evaluations.
    #: Shape (n + m,). Of the residuals of all curves, those of what is known besides at the end, by parameter
    #: and place of the curve that has it of its own, None of what all share; per unit of each.
    derivatives: Mapping[Key, NDArray[np.float64]] = field(default_factory=dict)
    one_intensity: bool = False  #: All curves have one, as settings do.
    #: Of each curve's scale, to the common one; None: the scales have nothing to do with each other.
    factors: tuple[float, ...] | None = None
    #: The scale that the curves have in common; not a number where they have none.
    common: float = float("nan")
    #: Standard deviation of what is known of each curve's background beforehand, about none.
    background_deviation: float = float("inf")
    fitter: str = ""  #: As of a `ModelFit`.
    alike: bool = False  #: Its evidence is neither strongly less nor strongly more than that of the first.

    @property
    def total(self) -> float:
        """χ² of all curves, and what calibrations and backgrounds cost besides."""
        return sum(self.chisq) + self.prior

    @property
    def prior(self) -> float:
        """What calibrations and backgrounds cost."""
        if self.factors is None:
            return 0.0
        calibrations = zip(self.own, self.factors, strict=True)
        scaled = [
            (curve_parameters["scale"].value / (f * self.common) - 1) / CALIBRATION
            for curve_parameters, f in calibrations
        ]
        levels = [
            curve_parameters["background"].value / self.background_deviation for curve_parameters in self.own
        ]
        return float(np.sum(np.square([*scaled, *levels])))

    @property
    def relative_scales(self) -> tuple[float, ...]:
        """Scale of each curve over the middle one, as it is expected; none where they go apart."""
        if self.factors is None:
            return ()
        scales = [own["scale"].value / factor for own, factor in zip(self.own, self.factors, strict=True)]
        middle = sorted(scales)[len(scales) // 2]
        return tuple(scale / middle for scale in scales)

    @property
    def name(self) -> str:
        return product_name(self.model, self.structure_factor)

    def lacking(self) -> list[int]:
        """Places of the curves that it explains neither to their errors nor within a usual slow error."""
        # Residuals that are random but larger than the errors by no more than usual say that the errors are
        # too small. A setting whose intensity is another than that of the others is none of the same sample.
        return [i for i in range(len(self.shared_errors)) if self._is_off(i) or not self._follows(i)]

    def _is_off(self, i: int) -> bool:
        scales = self.relative_scales if self.one_intensity else ()
        return bool(scales) and abs(np.log(scales[i])) > MOST_CALIBRATION

    def _follows(self, i: int) -> bool:
        """Whether a curve is explained to its errors, or within what measurements are off by."""
        return (
            explains(self.per_point(i), self.theories[i].size)
            or self.shared_errors[i].excuses(ASSESSMENT.small_systematic)
            or self.noisy(i)
        )

    def per_point(self, i: int) -> float:
        return self.chisq[i] / self.theories[i].size

    def noisy(self, i: int) -> bool:
        """Whether a curve's residuals are random, but larger than its errors."""
        usual = not explains(self.per_point(i), self.theories[i].size) and self.shared_errors[i].relative == 0
        random = bool(self.runs) and self.runs[i] > -ASSESSMENT.significant
        return usual and random and self.per_point(i) < ASSESSMENT.too_small

    @property
    def excusing_error(self) -> float:
        """The largest slow error, as a share of I, that excuses a curve; 0 where none is needed."""
        needed = [
            error.relative
            for i, error in enumerate(self.shared_errors)
            if not explains(self.per_point(i), self.theories[i].size)
        ]
        return max(needed, default=0.0)

    def parameters_by_key(self) -> dict[Key, Parameter]:
        """Return what all curves have in common, and what each has of its own."""
        shared: dict[Key, Parameter] = {(name, None): p for name, p in self.parameters.items()}
        return shared | {
            (name, i): p for i, parameters in enumerate(self.own) for name, p in parameters.items()
        }

    def replace_parameters(self, parameters: Mapping[Key, Parameter]) -> JointFit:
        """Return the fit with these parameters instead of its own of the same keys."""
        shared = {name: parameters.get((name, None), p) for name, p in self.parameters.items()}
        own = [
            {name: parameters.get((name, i), p) for name, p in curve_parameters.items()}
            for i, curve_parameters in enumerate(self.own)
        ]
        return replace(self, parameters=shared, own=tuple(own))

    def find_largest_change(self, name: str) -> tuple[float, float]:
        """Return the largest difference of an own parameter between two curves and its standard deviation
        (infinite if unknown). Errors common to the curves, as of a shared width, do not count.
        """
        values = [curve_parameters[name].value for curve_parameters in self.own]
        first, last = int(np.argmin(values)), int(np.argmax(values))
        difference = values[last] - values[first]
        low, high = self.own[first][name].error, self.own[last][name].error
        if low is None or high is None:
            return difference, float(np.inf)
        common = self._correlate((name, first), (name, last))
        return difference, float(np.sqrt(max(low**2 + high**2 - 2 * common * low * high, 0.0)))

    def find_error(self, name: str, widened_as: str) -> float:
        """Standard deviation of a shared parameter whose value depends on others, by its slopes, and widened
        as that of another one is.
        """
        keys = list(self.derivatives)
        if not {(name, None), (widened_as, None)} <= set(keys):
            return 0.0
        plain = np.sqrt(np.diag(covariance(self.derivatives)))
        wide = (self.parameters[widened_as].error or 0.0) / plain[keys.index((widened_as, None))]
        return float(plain[keys.index((name, None))] * wide)

    def find_error_of_difference(self, name: str, other_name: str) -> float:
        """Standard deviation of a shared parameter less another one."""
        errors = [self.parameters[n].error or 0.0 for n in (name, other_name)]
        common = self._correlate((name, None), (other_name, None)) * errors[0] * errors[1]
        return float(np.sqrt(max(errors[0] ** 2 + errors[1] ** 2 - 2 * common, 0.0)))

    def _correlate(self, key: Key, other_key: Key) -> float:
        """Correlation coefficient of two parameters; 0 where it is not known."""
        keys = list(self.derivatives)
        if not {key, other_key} <= set(keys):
            return 0.0
        r = float(correlations(self.derivatives)[keys.index(key), keys.index(other_key)])
        return r if np.isfinite(r) else 0.0

    def make_curve_fit(self, i: int) -> ModelFit:
        """Return the fit of one of the curves, for plots, exports and notebooks of single curves."""
        parameters = {**self.parameters, **self.own[i]}
        free = sum(not p.fixed for p in parameters.values())
        points = self.theories[i].size
        return ModelFit(
            self.model, self.structure_factor, parameters, self.distributions, self.chisq[i],
            self.chisq[i] / max(points - free, 1), self.chisq[i] + free * float(np.log(points)),
            self.probability, self.seconds, self.theories[i], self.weight, per_decade=self.per_decade,
            fitter=self.fitter,
        )  # fmt: skip

    def as_dict(self, files: list[str]) -> dict[str, Any]:
        return {
            "model": self.model,
            "structure_factor": self.structure_factor,
            "fitter": self.fitter or None,
            "weight": self.weight,
            "reduced_chisq": self.reduced_chisq,
            "bic": self.minus_two_log,
            "parameters": _as_dict(self.parameters),
            "own": {
                file: _as_dict(curve_parameters)
                for file, curve_parameters in zip(files, self.own, strict=True)
            },
            "chisq": dict(zip(files, self.chisq, strict=True)),
            "systematic_error": {
                file: error.as_dict() if error.relative else None
                for file, error in zip(files, self.shared_errors, strict=True)
            },
        }


def _as_dict(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """Return parameters by name; an undetermined one has a reason and the curves' value."""
    return {
        name: parameter_as_dict(name, p)
        if not p.undetermined
        else {
            "value": None, "error": None, "unit": p.unit, "fixed": p.is_given, "reason": p.undetermined,
            "one_of_many": p.value,
        }
        for name, p in parameters.items()
    }  # fmt: skip


def select_alike(fits: Sequence[JointFit]) -> list[JointFit]:
    """Select fits that the curves do not distinguish from the first."""
    return [fit for fit in fits[1:] if fit.alike and (not fit.lacking() or fits[0].lacking())]


@dataclass(frozen=True, repr=False)
class SampleResult(Shown):
    """All that was fitted to one sample, the best explanation first.

    Parameters
    ----------
    dintensities : tuple of (n,) float array
        The uncertainties used.
    suggestion : Suggestion
        Of all curves together, before the fit.
    singles : tuple of FitResult
        Each curve alone; none where `as_one` is there.
    as_one : FitResult or None
        Settings, whose windows of q tell little alone, as one curve.
    against : tuple of int
        Places of curves whose own answer contradicts that of all.
    odd : int or None
        Place of the one curve without which all others are explained.
    changing : str
        The one parameter that the curves do not share, against their kind's custom.
    own_densities : bool
        Against the custom of contrasts, each curve has scattering length densities of its own.
    turned : (float, float) or None
        Order parameter P₂ and direction (degrees) of another orientation that fits sectors as well.
    apart : bool
        Curves that share a shape alone are likelier to be of several samples.
    magnetism : Magnetism or None
        Of sectors in a magnetic field: nuclear and magnetic scattering.
    aligned : JointFit or None
        Aligned particles that fit sectors in a magnetic field without magnetic scattering.
    """

    sample: Sample
    dintensities: tuple[NDArray[np.float64], ...]
    fits: tuple[JointFit, ...]
    suggestion: Suggestion
    singles: tuple[FitResult, ...] = ()
    against: tuple[int, ...] = ()
    odd: int | None = None
    notes: tuple[str, ...] = field(default_factory=tuple)
    verdict: Verdict = Verdict()
    as_one: FitResult | None = None
    changing: str = ""
    own_densities: bool = False
    turned: tuple[float, float] | None = None
    apart: bool = False
    magnetism: Magnetism | None = None
    aligned: JointFit | None = None
    contrast: Contrast | None = None  #: Materials that were given for all curves.

    @property
    def best(self) -> JointFit | None:
        """The fit that leads the answer."""
        return self.fits[0] if self.fits else None

    @property
    def explained(self) -> bool:
        """The best fit explains each curve to its errors, or within a slow error that measurements have."""
        return self.best is not None and not self.best.lacking()

    @property
    def remarks(self) -> list[str]:
        """Notes that are not among the doubts already."""
        return [note for note in self.notes if note not in self.verdict.doubts]

    def as_results(self) -> list[FitResult]:
        """Return one result for each curve, with the joint fits in place of its own."""
        return [
            FitResult(
                curve, dintensity, tuple(fit.make_curve_fit(i) for fit in self.fits), self.explained,
                self.notes,
                verdict=self.verdict,
            )
            for i, (curve, dintensity) in enumerate(zip(self.sample.curves, self.dintensities, strict=True))
        ]  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """As ``sasnet fit --together --json`` prints it."""
        files = self.sample.files
        return {
            "files": files,
            "kind": self.sample.kind,
            "kind_told": self.sample.told,
            **self.verdict.as_dict(),
            "best": self.best.name if self.best else None,
            "fits": [fit.as_dict(files) for fit in self.fits],
            "suggestion": suggestion_as_dict(self.suggestion),
            "singles": [{"file": f, **_single(r)} for f, r in zip(files, self.singles, strict=False)],
            "as_one": None if self.as_one is None else _single(self.as_one),
            "odd": None if self.odd is None else files[self.odd],
            "changing": self.changing or None,
            "apart": self.apart,
            "magnetism": self.magnetism and self.magnetism.as_dict(),
            "against": [files[i] for i in self.against],
            "notes": list(self.notes),
        }


def _single(result: FitResult) -> dict[str, Any]:
    return {"best": result.best.name if result.best else None, "headline": result.headline}


def suggestion_as_dict(suggestion: Suggestion, top: int = 5) -> dict[str, Any]:
    return {
        "models": [
            {
                "model": g.name, "structure_factor": g.structure_factor, "probability": g.probability,
                "group": g.group,
            }
            for g in suggestion.models[:top]
        ],
        "groups": [
            {"name": g.name, "members": list(g.members), "probability": g.probability}
            for g in suggestion.groups[:top]
        ],
        "in_scope": suggestion.in_scope,
    }  # fmt: skip
