"""One fitted model: parameters with uncertainties, how well it explains the data, how that was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, isfinite, log
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...digits import align_columns, chisq_text, format_with_error, unit_text
from ...types import product_name
from ..settings import ASSESSMENT, PROBLEM
from .components import Component
from .fit_warning import FitWarning

#: Instead of the weight of a fit that was given up.
STOPPED = "stopped early"


@dataclass(frozen=True)
class Posterior:
    """Samples of the fitted parameters, each as probable as the data make it.

    The prior is uniform within the range of each parameter, the likelihood exp(-χ²/2) with the stated (or
    estimated) uncertainties.
    """

    names: tuple[str, ...]
    samples: NDArray[np.float64]  #: Shape (n, k). At most 2000, in the parameters' units.
    #: `interval68`, `interval95`: credible intervals with equal tails, of all draws.
    interval68: Mapping[str, tuple[float, float]]
    interval95: Mapping[str, tuple[float, float]]
    gelman_rubin: float  #: Largest R of a parameter; 1 where the chains agree.
    draws: int  #: From which the intervals are.

    @property
    def converged(self) -> bool:
        """The chains agree with each other (Vrugt et al., Int. J. Nonlinear Sci. Num. 10 (2009) 273)."""
        return self.gelman_rubin < 1.2


@dataclass(frozen=True)
class Parameter:
    """One parameter of a fitted model.

    Parameters
    ----------
    value : float
        In `unit`.
    error : float or None
        One standard deviation, from the curvature of χ² at the best fit; None where it was not fitted. Of
        the first fit over what it holds as well (`assessment.error_estimates`).
    unit : str
        As sasmodels has it; empty for a number.
    fixed : bool
        Not fitted at the end.
    low, high : float
        Range allowed in the fit; both the value where it was not fitted.
    undetermined : str
        Why other values give the very same curves, of which this is one; empty where they do not.
    at_least : float or None
        For a length longer than the data show: the longest that they do, Å. How long it is they do not say.
    """

    value: float
    error: float | None
    unit: str
    fixed: bool
    low: float
    high: float
    undetermined: str = ""
    at_least: float | None = None

    @property
    def is_given(self) -> bool:
        """Whether it was fixed from the beginning, not because the curves do not determine it."""
        return self.fixed and not self.low < self.high

    def __str__(self) -> str:
        said = "not determined" if self.undetermined else format_with_error(self.value, self.error)
        return f"{said} {unit_text(self.unit)}".rstrip() + (" (fixed)" if self.is_given else "")


@dataclass(frozen=True, repr=False)
class ModelFit:
    """One model, fitted.

    Parameters
    ----------
    model : str
        sasmodels' name of the form model.
    parameters : mapping of str to Parameter
        By sasmodels' names, widths of size distributions (``radius_pd``) included. Parameters that are not
        fitted are in it, too; ``radius_effective`` of a product is the radius that its particle gives.
    distributions : mapping of str to str
        Kind of size distribution of each polydisperse parameter.
    chisq : float
        Sum of squared residuals over the stated (or estimated) uncertainty.
    reduced_chisq : float
        χ² over the number of points less that of fitted parameters.
    bic : float
        Bayesian information criterion, χ² + k ln n.
    weight : float
        Share of the evidence among the fits of this curve, 0..1.
    probability : float
        What the network gave the model before the fit, 0..1.
    seconds : float
        Of evaluations, as `costs` counts them.
    theory : (n,) float array
        I(q) of the fit at the curve's points, resolution included.
    posterior : Posterior or None
        Samples of the fitted parameters, where DREAM drew them.
    correlations : mapping of (str, str) to float
        Correlation coefficients of pairs of fitted parameters, the strong ones (0.95 and more) alone.
    derivatives : mapping of str to (n,) float array
        Of the residuals by fitted parameters, per unit of each; empty where a curve is expensive.
    per_decade : int or None
        Points of q a decade at which the model was calculated for smearing; None: the measured points.
    pd_points : int
        Points of each of its size distributions.
    components : tuple of Component
        Shares of the components of a sum; empty for one model.
    cut : bool
        Its time was up before it was at its minimum.
    power_law_parts : tuple of int
        Places of components of which the data show a power law alone: their lengths are not determined.
    log_evidence : float
        ln of the marginal likelihood, to a constant of the curve; not a number before fits are compared.
    fitter : str
        Program, version and fitter of the values, ``bumps 1.0.5, lm``; empty where they are of the search.
    start_chisq : float
        χ² where that fitter began; not a number where none did.
    apart : mapping of str to float
        What equally good fits with other kinds of size distribution add to errors, standard deviations.
    given_up : bool
        Stopped early, as it was far worse than other fits from all starting values: it has no weight, and
        says nothing against the model.
    """

    model: str
    structure_factor: str | None
    parameters: Mapping[str, Parameter]
    distributions: Mapping[str, str]
    chisq: float
    reduced_chisq: float
    bic: float
    probability: float
    seconds: float
    theory: NDArray[np.float64]
    weight: float = 0.0
    warnings: tuple[FitWarning, ...] = ()
    posterior: Posterior | None = None
    correlations: Mapping[tuple[str, str], float] = field(default_factory=dict)
    derivatives: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    per_decade: int | None = None
    pd_points: int = 35
    components: tuple[Component, ...] = ()
    cut: bool = False
    power_law_parts: tuple[int, ...] = ()
    log_evidence: float = float("nan")
    fitter: str = ""
    start_chisq: float = float("nan")
    apart: Mapping[str, float] = field(default_factory=dict)
    given_up: bool = False

    @property
    def weight_text(self) -> str:
        """`weight` for people."""
        return STOPPED if self.given_up else f"{100 * self.weight:.0f} %"

    @property
    def name(self) -> str:
        """sasmodels' name, ``sphere`` or ``sphere@hardsphere``."""
        return product_name(self.model, self.structure_factor)

    @property
    def short_model(self) -> str:
        """The form model for people: of a plugin file its own name, as nobody needs to know the folder."""
        return PurePath(self.model).stem if self.model.endswith(".py") else self.model

    @property
    def short_name(self) -> str:
        """`name` for people."""
        return product_name(self.short_model, self.structure_factor)

    def __repr__(self) -> str:
        chisq = chisq_text(self.reduced_chisq)
        share = STOPPED if self.given_up else f"{100 * self.weight:.3g} %"
        title = f"ModelFit of {self.short_name}, reduced χ² {chisq}, weight {share}:"
        shown = drop_unused(self.parameters)
        return "\n".join([title, *align_columns([(k, str(p)) for k, p in shown.items()])])

    def __getitem__(self, name: str) -> Parameter:
        """The parameter of this name, as in ``result.best["radius"]``.

        Raises
        ------
        KeyError
            There is none of this name; the message names those that exist.
        """
        if name not in self.parameters:
            raise KeyError(
                f"{self.short_name} has no parameter {name!r}; it has {', '.join(self.parameters)}."
            )
        return self.parameters[name]

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the fitted parameters."""
        return tuple(k for k, p in self.parameters.items() if not p.fixed)


def drop_unused(parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
    """Drop an effective radius that sasmodels calculates from the particle: the value given has no effect."""
    modes = {name: parameters.get(f"{name}_mode") for name in parameters}
    return {name: p for name, p in parameters.items() if (mode := modes[name]) is None or mode.value == 0}


def explains(reduced_chisq: float, points: int) -> bool:
    """Whether χ² is within its own scatter, by `significant` standard deviations and by `margin` at least."""
    return bool(
        reduced_chisq < 1 + max(ASSESSMENT.significant * np.sqrt(2 / max(points, 1)), ASSESSMENT.margin)
    )


def doubtful(reduced_chisq: float, points: int) -> bool:
    """Whether χ² is larger than expected by its scatter: one right fit in six is, and many wrong ones."""
    # One that is not a number is doubtful, too.
    return not reduced_chisq < 1 + np.sqrt(2 / max(points, 1))


@dataclass(frozen=True)
class Replicates:
    """The network's answers for parametric bootstrap replicates of a fit, and for the measurement itself."""

    count: int  #: Of replicates; 0 where the measurement alone shows that it is like them.
    #: Of models, that the fitted model belongs to; empty where the network does not know the model.
    group: str
    taken: int  #: Replicates whose likeliest group is that one.
    measured_taken: bool  #: The measurement's likeliest group is that one.
    #: `probability`, `median_probability`: of that group: for the measurement, and for the middle one of the
    #: replicates, 0..1; None without any.
    probability: float
    median_probability: float | None
    #: Share of the replicates that give the group less than the measurement does, 0..1.
    probability_quantile: float | None
    #: `in_scope`, `median_in_scope`, `in_scope_quantile`: the same for looking like any known model.
    in_scope: float
    median_in_scope: float | None
    in_scope_quantile: float | None
    sentences: tuple[str, ...] = ()  #: For people; empty where the measurement is like them.

    def as_dict(self) -> dict[str, object]:
        return {k: v for k, v in vars(self).items() if k != "sentences"}


@dataclass(frozen=True)
class Misfit:
    """What a fit misses and what neighbouring points scatter by, whatever uncertainties are stated."""

    relative: float  #: Root mean square of the residuals over the fitted intensity, of the clearer points.
    scatter: float  #: Standard deviation of these without what is smooth along q.
    #: Scatter of neighbouring points over the uncertainties that the fit used; 1 where these are right.
    over_stated: float


@dataclass(frozen=True)
class Verification:
    """The measurement among what its fitted model would give."""

    chisq_quantile: float  #: Share of simulated measurements of the fit with a smaller χ², 0..1.
    runs: float  #: Standardised number of runs of residuals of one sign; below -3 they hang together.
    #: q range, Å⁻¹, of the tenth of the points with the largest mean squared residual.
    worst: tuple[float, float]
    #: The fit explains the curve: χ² among simulated ones, or too large by what uncertainties are mis-stated
    #: by, without structure in the residuals.
    explained: bool
    sentences: tuple[FitWarning, ...]
    #: Size of the residuals over the stated uncertainty, all over the curve: its root mean square.
    noise: float = 1.0
    #: What the network says of bootstrap replicates; None where it was not asked.
    replicates: Replicates | None = None
    #: Size and reach of an error that neighbouring residuals share; None where there is none.
    systematic: Mapping[str, float] | None = None
    misfit: Misfit | None = None  #: Of the first fit.

    @property
    def structured(self) -> bool:
        """Residuals of one sign hang together."""
        return self.runs < -ASSESSMENT.significant

    def describe(self) -> str:
        """One sentence: where χ² lies, and what the network says."""
        share_text = _share_of_all(100 * (1 - self.chisq_quantile))
        text = f"{share_text} simulated measurements of this fit have a larger χ²"
        if self.replicates is None or not self.replicates.group:
            return f"{text}."
        replicates = self.replicates
        group = f"in the group of this model, “{replicates.group}” (similar curves)"
        measured = "the measured curve" if replicates.measured_taken else "not the measured one"
        if not replicates.count:
            return f"{text}. The classifier places {measured} {group}."
        differ = 2 * replicates.taken > replicates.count and not replicates.measured_taken
        share = f"{replicates.taken} of {replicates.count} simulated curves"
        return f"{text}. The classifier places {share} {'but' if differ else 'and'} {measured} {group}."

    def as_dict(self) -> dict[str, Any]:
        return {
            "chisq_quantile": self.chisq_quantile,
            "runs": self.runs,
            "worst_q": list(self.worst),
            "twins": self.replicates.as_dict() if self.replicates else None,
            "systematic_error": dict(self.systematic) if self.systematic else None,
            "misfit": vars(self.misfit) if self.misfit else None,
        }


def _share_of_all(percent: float) -> str:
    if percent > 99.5:
        return "Nearly all"
    return "Hardly any" if percent < 0.5 else f"{percent:.0f} % of the"


def end_of_range(p: Parameter) -> str:
    """Name the end of its range at which a fitted value is; empty if at none."""
    if p.fixed or not p.low < p.high:
        return ""
    first, last = _ends(p)
    return "lower" if p.value <= first else "upper" if p.value >= last else ""


def _ends(p: Parameter) -> tuple[float, float]:
    """Where the ends of a range begin; on a logarithmic scale where it is long and positive."""
    low, high = p.low, p.high
    if low > 0 and isfinite(high) and high > 10 * low:
        step = exp(PROBLEM.alike * log(high / low))
        return low * step, high / step
    width = high - low
    tiny = PROBLEM.alike * width if isfinite(width) else 1e-9 * max(abs(p.value), 1.0)
    return low + tiny, high - tiny
