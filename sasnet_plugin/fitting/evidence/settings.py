"""Every number that decides how much speaks for a fit; docs' tables are made from it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..settings import setting


@dataclass(frozen=True)
class EvidenceSettings:
    """Of `evidence`: priors of parameters and of what a measurement is off by."""

    lengths: tuple[float, ...] = setting((0.1, 0.3, 1.0), "Correlation lengths that it may have.", "ln q")
    background_quantile: float = setting(0.1, "Of the intensities, what a background is about as large as.")
    cell: float = setting(0.02, "Within it points share all of it.", "ln q")
    least_size: float = setting(0.1, "Smallest size that differs from none, over the noise.")
    size_step: float = setting(0.6, "Between two sizes that are tried, in ln of it.")
    least_mode: float = setting(1e-5, "Of the largest mode of a process: smaller ones are ignored.", "share")
    decades: float = setting(1e4, "Sizes and scales: the largest over the least, log-uniform.")
    bare_mention: float = setting(
        2.0,
        '2 ln of a ratio of evidence below which it is "not worth more than a bare mention" (Kass &'
        " Raftery 1995).",
    )
    strong: float = setting(6.0, 'The same from which on it is "strong": less distinguishes no two fits.')
    least_prior: float = setting(1e-6, "Of a model before its fit: none is ruled out.")

    @property
    def weight_to_name(self) -> float:
        """A fit with so much is named, for any χ²: odds of 20 to 1 are strong evidence."""
        return math.exp(-self.strong / 2)


EVIDENCE = EvidenceSettings()
