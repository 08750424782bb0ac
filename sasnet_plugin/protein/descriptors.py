"""Numbers that describe the size and shape of a particle, of each p(r) that explains its curve.

With x = q Rg and I(x) over I(0), up to a stated end X of x:

- A(X) = ∫ x I dx, Rg² over the correlated volume (R. P. Rambo and J. A. Tainer, Nature 496 (2013) 477);
- Q(X) = ∫ x² I dx, which is 2π² Rg³ over the Porod volume (H. Fischer et al., J. Appl. Cryst. 43 (2010) 101);
- the height and place of the maximum of the dimensionless Kratky plot x² I, and its values at x = 3 and 4;
- 10 Å / Rg: the hydration shell is more of a small protein.

The integrals of sin(qr)/(qr) over q are known, so that each is a sum over p(r).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..arrays import Floats
from .pair_posterior import Draws

#: Ends of the integrals in q Rg, a short one for curves that end early.
SHORT, LONG = 4.0, 6.0
#: q Rg at which the Kratky plot is read.
_READ = (3.0, 4.0)
_KRATKY = np.linspace(1.2, 3.2, 41)
#: An integral that noise makes negative is replaced by this share of its median.
_LEAST = 0.05
#: Names of the columns of `Descriptors.columns`.
NAMES = (
    "log_rg", "log_a_short", "log_a_long", "log_q_short", "log_q_long", "log_d_over_rg", "log_kratky_height",
    "kratky_place", "kratky_3", "kratky_4", "inverse_rg",
)  # fmt: skip


class Descriptors(NamedTuple):
    """Of each draw."""

    rg: Floats  #: (draws,) Å
    i0: Floats  #: (draws,) in units of the intensity
    porod_volume: Floats  #: (draws,) Å³, of the integral up to q Rg = 6.
    columns: Floats  #: (draws, names)


def describe(draws: Draws) -> Descriptors:
    """Compute the descriptors of each draw."""
    total = draws.p.sum(axis=1)
    p = draws.p / total[:, None]
    rg = np.sqrt(np.maximum((p * draws.r**2).sum(axis=1) / 2, 1.0))
    x = draws.r / rg[:, None]
    areas = [(p * (1 - np.cos(end * x)) / x**2).sum(axis=1) for end in (SHORT, LONG)]
    invariants = [
        (p * (np.sin(end * x) - end * x * np.cos(end * x)) / x**3).sum(axis=1) for end in (SHORT, LONG)
    ]
    logs = [np.log(np.maximum(value, _LEAST * abs(np.median(value)))) for value in (*areas, *invariants)]
    kratky = np.stack([at**2 * (p * np.sinc(at * x / np.pi)).sum(axis=1) for at in _KRATKY], axis=1)
    read = [at**2 * (p * np.sinc(at * x / np.pi)).sum(axis=1) for at in _READ]
    columns = np.stack(
        [
            np.log(rg), *logs, np.log(draws.d_max / rg), np.log(np.maximum(kratky.max(axis=1), 0.1)),
            _KRATKY[kratky.argmax(axis=1)], *read, 10.0 / rg,
        ],
        axis=1,
    )  # fmt: skip
    return Descriptors(rg, total * draws.unit, 2 * np.pi**2 * rg**3 / np.exp(logs[3]), columns)
