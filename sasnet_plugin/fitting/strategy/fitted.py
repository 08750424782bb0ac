"""What one stage of a fit leaves to the next: a curve, candidates, and what was fitted of them."""

from __future__ import annotations

from dataclasses import dataclass

from sasnet_plugin.fitting.assessment.goodness_of_fit import explains
from sasnet_plugin.fitting.result.model_fit import ModelFit
from sasnet_plugin.fitting.task import Task
from sasnet_plugin.types import Curve


@dataclass(frozen=True)
class Fitted:
    """What was fitted to a curve.

    Parameters
    ----------
    curve : Curve
        With a resolution where one was found that the file does not state.
    tasks : list of Task
        As they were first given.
    fits : list of ModelFit
    notes : tuple of str
        Plain sentences.
    """

    curve: Curve
    tasks: list[Task]
    fits: list[ModelFit]
    notes: tuple[str, ...] = ()

    @property
    def chisq(self) -> float:
        """Least reduced χ² of the fits."""
        return min(f.reduced_chisq for f in self.fits)

    @property
    def best(self) -> ModelFit:
        """The fit of least BIC."""
        return min(self.fits, key=lambda fit: fit.bic)

    @property
    def unexplained(self) -> bool:
        """Whether there are fits, none of which explains the curve."""
        return bool(self.fits) and not explains(self.chisq, len(self.curve))
