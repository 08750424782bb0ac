"""What a fit of one curve says: models ranked and verified, as data, as JSON and for people."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.digits import chisq_text
from sasnet_plugin.fitting.result import display
from sasnet_plugin.fitting.result.headline import DOES_NOT, Headline, as_well, headline, some
from sasnet_plugin.fitting.result.model_fit import ModelFit, Posterior, Verification
from sasnet_plugin.fitting.settings import ASSESSMENT
from sasnet_plugin.types import Curve, SasnetError


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
        Names of the candidates that the time limit left unfitted.
    go_on : str
        What to do about it, a phrase.
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
    go_on: str = "go on with more --time-limit"

    @property
    def best(self) -> ModelFit | None:
        """The fit of greatest weight; None where there is none."""
        return self.fits[0] if self.fits else None

    @property
    def headline(self) -> Headline:
        """What is said first, everywhere: best model, telling parameters, reduced χ², verdict."""
        others = ["the data state no uncertainties"] if self.curve.dintensity is None else []
        if self.unanswered:
            others.append(f"{', '.join(self.unanswered)} could not be fitted")
        found = headline(self.best, self.verification, self._beside(), others)
        if self.unfitted:
            left = f"Not fitted within the time limit ({self.go_on}): {some(self.unfitted)}."
        elif self.limit_met and found.verdict == DOES_NOT:  # of what is explained it is a note
            left = f"The time limit ended the search early ({self.go_on})."
        else:
            left = ""
        return replace(found, unfinished=left)

    def _beside(self) -> list[str]:
        """What is said of other fits: as good, so within an error that is shared, or not to be excluded."""
        within, excused = self.excused
        said = [as_well(self.alike)] if self.alike else []
        if excused:
            said.append(f"within {within} {as_well(excused)}")
        if self.explaining:
            explain = "explain" if self.explaining[1:] else "explains"
            said.append(f"to their errors {some(self.explaining)} {explain} the data, too")
        named = {*self.alike, *excused, *self.explaining}
        rivals = [f for f in self.fits[1:] if f.weight >= ASSESSMENT.named_weight]
        return said + [
            f"{f.short_name} has {100 * f.weight:.0f} % of the evidence, at reduced χ²"
            f" {chisq_text(f.reduced_chisq)}"
            for f in rivals
            if f.short_name not in named
        ]

    def table(self) -> list[dict[str, Any]]:
        """One row for each fit, best first."""
        return display.rows(self.fits)

    def plot(self) -> Any:
        """Data, fits and residuals as a matplotlib figure, which a notebook shows."""
        return display.draw(self.curve, self.dintensity, self.fits)

    def corner(self) -> Any:
        """The best fit's posterior, each parameter and each pair, as a matplotlib figure.

        Raises
        ------
        SasnetError
            There is none: fit with ``method="dream"``.
        """
        if self.best is None or self.best.posterior is None:
            raise SasnetError('There are no samples of the posterior; fit with method="dream".')
        return display.corner_figure(self.best)

    def __rich__(self) -> Any:
        return display.rich_table(self.fits)

    def _repr_html_(self) -> str:
        return display.html_table(self.fits, str(self.headline))

    def as_dict(self) -> dict[str, Any]:
        """As ``sasnet fit --json`` prints it."""
        return {
            "file": self.curve.file,
            "entry": self.curve.entry,
            "q_unit": self.curve.q_unit.as_dict(),
            **self.headline.as_dict(),
            "best": self.best.name if self.best else None,
            "fits": [_fit_as_dict(f) for f in self.fits],
            "verified": self.verified,
            "verification": self.verification.as_dict() if self.verification else None,
            "notes": list(self.notes),
            "limit_met": self.limit_met,
            "unfitted": list(self.unfitted),
            **({"unanswered": list(self.unanswered)} if self.unanswered else {}),
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
        **({"components": [c.as_dict() for c in fit.components]} if fit.components else {}),
        "seconds": fit.seconds,
        "warnings": list(fit.warnings),
        "correlations": [{"between": list(pair), "r": r} for pair, r in fit.correlations.items()],
    }


def _intervals(posterior: Posterior | None, name: str) -> dict[str, list[float]]:
    if posterior is None or name not in posterior.names:
        return {}
    return {"interval68": list(posterior.interval68[name]), "interval95": list(posterior.interval95[name])}
