"""Fits of a sample's curves alone, where joint ones begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...types import Curve
from ..result.fit_result import FitResult
from ..result.model_fit import ModelFit
from ..task import Pair


@dataclass(frozen=True)
class Alone:
    """Curves that are fitted alone, where the joint fit begins: the sample's, or settings as one."""

    curves: tuple[Curve, ...]
    dintensities: tuple[Any, ...]  #: Shape (n_i,).
    fits: tuple[FitResult, ...]  #: Of each.

    def find_fits(self, pair: Pair) -> list[ModelFit | None]:
        return [
            next((f for f in result.fits if (f.model, f.structure_factor) == pair), None)
            for result in self.fits
        ]
