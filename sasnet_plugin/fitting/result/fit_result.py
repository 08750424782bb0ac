"""What a fit says: parameters with uncertainties, how well models explain the data, and what to doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from sasnet_plugin.fitting.result import display
from sasnet_plugin.fitting.result.posterior import Posterior
from sasnet_plugin.types import Curve, SasnetError, product_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sasnet_plugin.fitting.assessment.goodness_of_fit import Verification


@dataclass(frozen=True)
class Parameter:
    """One parameter of a fitted model.

    Parameters
    ----------
    value : float
        In `unit`.
    error : float or None
        One standard deviation, from the curvature of χ² at the best fit; None where it was not fitted.
    unit : str
        As sasmodels has it; empty for a number.
    fixed : bool
        Not fitted.
    low, high : float
        Range allowed in the fit; both the value where it was not fitted.
    """

    value: float
    error: float | None
    unit: str
    fixed: bool
    low: float
    high: float


@dataclass(frozen=True)
class ModelFit:
    """One model, fitted.

    Parameters
    ----------
    model : str
        sasmodels' name of the form model.
    structure_factor : str or None
    parameters : mapping of str to Parameter
        By sasmodels' names, widths of size distributions (``radius_pd``) included.
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
        Of CPU time.
    theory : (n,) float array
        I(q) of the fit at the curve's points, resolution included.
    warnings : tuple of str
        Plain sentences.
    posterior : Posterior or None
        Samples of the fitted parameters, where DREAM drew them.
    correlations : mapping of (str, str) to float
        Correlation coefficients of pairs of fitted parameters, the strong ones (0.95 and more) alone.
    per_decade : int or None
        Points of q a decade at which the model was calculated for smearing; None: the measured points.
    pd_points : int
        Points of each of its size distributions.
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
    warnings: tuple[str, ...] = ()
    posterior: Posterior | None = None
    correlations: Mapping[tuple[str, str], float] = field(default_factory=dict)
    per_decade: int | None = None
    pd_points: int = 35

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

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the fitted parameters."""
        return tuple(k for k, p in self.parameters.items() if not p.fixed)


@dataclass(frozen=True)
class FitResult:
    """All that was fitted to one curve, the best explanation first.

    Parameters
    ----------
    curve : Curve
        What was fitted.
    dintensity : (n,) float array
        The uncertainties used, as stated or estimated.
    fits : tuple of ModelFit
        By falling weight; empty where no model could be fitted.
    verified : bool
        The best fit, simulated again with the same noise, looks like the measurement.
    notes : tuple of str
        Plain sentences.
    verification : Verification or None
        How the best fit was verified; None where there is none.
    """

    curve: Curve
    dintensity: NDArray[np.float64]
    fits: tuple[ModelFit, ...]
    verified: bool = False
    notes: tuple[str, ...] = field(default_factory=tuple)
    verification: Verification | None = None

    @property
    def best(self) -> ModelFit | None:
        """The fit of greatest weight; None where there is none."""
        return self.fits[0] if self.fits else None

    def table(self) -> list[dict[str, Any]]:
        """One row for each fit, best first."""
        return display.rows(self)

    def plot(self) -> Any:
        """Data, fits and residuals as a matplotlib figure, which a notebook shows."""
        return display.draw(self)

    def corner(self) -> Any:
        """The best fit's posterior, each parameter and each pair, as a matplotlib figure.

        Raises
        ------
        SasnetError
            There is none: fit with ``method="dream"``.
        """
        from sasnet_plugin.fitting.result.corner_plot import corner_figure

        if self.best is None or self.best.posterior is None:
            raise SasnetError('There are no samples of the posterior; fit with method="dream".')
        return corner_figure(self.best)

    def __rich__(self) -> Any:
        return display.rich_table(self)

    def _repr_html_(self) -> str:
        return display.html_table(self)

    def as_dict(self) -> dict[str, Any]:
        """As ``sasnet fit --json`` prints it."""
        return {
            "file": self.curve.file,
            "entry": self.curve.entry,
            "best": self.best.name if self.best else None,
            "fits": [_fit_as_dict(f) for f in self.fits],
            "verified": self.verified,
            "verification": self.verification.as_dict() if self.verification else None,
            "notes": list(self.notes),
        }


def _fit_as_dict(fit: ModelFit) -> dict[str, Any]:
    return {
        "model": fit.model,
        "structure_factor": fit.structure_factor,
        "reduced_chisq": fit.reduced_chisq,
        "bic": fit.bic,
        "weight": fit.weight,
        "parameters": {
            name: {"value": p.value, "error": p.error, "unit": p.unit, "fixed": p.fixed}
            | _intervals(fit.posterior, name)
            for name, p in fit.parameters.items()
        },
        "seconds": fit.seconds,
        "warnings": list(fit.warnings),
        "correlations": [{"between": list(pair), "r": r} for pair, r in fit.correlations.items()],
    }


def _intervals(posterior: Posterior | None, name: str) -> dict[str, list[float]]:
    if posterior is None or name not in posterior.names:
        return {}
    return {
        "interval68": list(posterior.interval68[name]),
        "interval95": list(posterior.interval95[name]),
    }
