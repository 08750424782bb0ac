"""What residuals of a fit are made of: runs of one sign, and an error that neighbouring ones share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...arrays import Floats
from ...digits import significant
from ..settings import ASSESSMENT


def standardise_runs(residual: Floats) -> float:
    """(runs - expected)/standard deviation (Wald and Wolfowitz, Ann. Math. Stat. 11 (1940) 147)."""
    sign = residual[residual != 0] > 0
    n, up = sign.size, int(sign.sum())
    down = n - up
    if up == 0 or down == 0:
        return -float(np.sqrt(n))
    runs = 1 + int(np.sum(sign[1:] != sign[:-1]))
    mean = 1 + 2 * up * down / n
    variance = (mean - 1) * (mean - 2) / max(n - 1, 1)
    return float((runs - mean) / np.sqrt(variance)) if variance > 0 else 0.0


@dataclass(frozen=True)
class Shape:
    """One kind of shared error, of unit size."""

    length: float  #: Correlation length, in ln q.
    level: Floats  #: (n,), its standard deviation, in the units of the intensity.
    share: float  #: That over the intensity about each point, root mean square.
    #: values, vectors: (p,) and (n, p), eigenvalues and eigenvectors of its covariance in units of the
    #: uncertainty, the large ones.
    values: Floats
    vectors: Floats


@dataclass(frozen=True)
class SharedError:
    """What residuals are made of, besides the given uncertainty."""

    #: Standard deviation of the part that neighbours share, over the intensity about each point; 0 where
    #: independent noise alone is likelier.
    relative: float = 0.0
    length: float = 0.0  #: Its correlation length, in ln q.
    noise: float = 1.0  #: Independent part over the given uncertainty, 1 at least.
    #: What a background that changes along q makes up of the intensity, where it makes up most; 0 where a
    #: constant is likelier.
    background: float = 0.0
    #: Sizes of independent parts whose sum has the covariance that is expected of what neighbours share, over
    #: all that the residuals allow. Without a background that changes.
    parts: tuple[tuple[float, Shape], ...] = ()

    def as_dict(self) -> dict[str, float]:
        return {
            "relative": self.relative,
            "length_ln_q": self.length,
            "noise": self.noise,
            "background": self.background,
        }

    def words(self) -> str:
        """Such as "a systematic error of 3 % of I and a background that changes along q"."""
        extra = " and a background that changes along q" if self.background else ""
        return f"a systematic error of {significant(100 * self.relative, 2)} % of I{extra}"

    def excuses(self, most: float = ASSESSMENT.most_systematic) -> bool:
        """Whether it is usual, at most the share `most` of I, and leaves no excess noise."""
        usual = 0 < self.relative <= most and self.background <= ASSESSMENT.most_background
        return usual and self.noise**2 < ASSESSMENT.too_small
