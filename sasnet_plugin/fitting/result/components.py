"""Components of a fitted sum: whose parameter is whose, and what each makes up of volume or scattering."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ...arrays import Floats
from ...digits import quantity

_PREFIX = re.compile(r"[A-Z]_(?=[a-zA-Z])")


@cache
def bare(name: str) -> str:
    """A parameter's name in its own component: ``radius`` of ``A_radius``."""
    return _PREFIX.sub("", name, count=1) if _PREFIX.match(name) else name


def is_scale(name: str) -> bool:
    """Whether it is the factor of a whole model or component, as ``lorentz_scale``, say, is not."""
    return bare(name) == "scale"


def is_amplitude(name: str) -> bool:
    """Whether it is a factor of the intensity, or makes one up with others; the width of one is none."""
    if "sld" in name or is_scale(name):
        return True
    return bare(name).startswith("volfraction") and not name.endswith("_pd")


@dataclass(frozen=True)
class Component:
    """One component of a fitted sum, ``sphere+power_law``."""

    name: str
    prefix: str  #: What its parameters begin with, ``A_``.
    fraction: float  #: Its share, 0..1; those of all components sum to one.
    error: float | None  #: One standard deviation; None where it is not known.
    #: "volume": populations of one body and contrast; "scattering": I(q) above background, averaged over ln q
    #: within the data.
    of: str
    change: tuple[float, ...] = ()  #: Of the share by the logarithm of each component's scale.

    def as_dict(self) -> dict[str, Any]:
        return {"component": self.name} | {k: v for k, v in vars(self).items() if k not in ("name", "change")}

    def describe(self) -> str:
        """``A, sphere, 95.1 ± 0.4 %``."""
        error = None if self.error is None else 100 * self.error
        return f"{self.prefix.rstrip('_')}, {self.name}, {quantity(100 * self.fraction, '', error)} %"


def describe_components(components: Sequence[Component]) -> str:
    """One sentence; empty where there is one component alone."""
    if len(components) < 2:
        return ""
    listed = " and ".join(c.describe() for c in components)
    reference = "volume" if components[0].of == "volume" else "scattering, averaged over ln q"
    return f"{'+'.join(c.name for c in components)} has {listed} of the {reference}."


def shares(curves: Floats, q: Floats, volumes: Floats | None = None) -> tuple[Floats, Floats]:
    """Calculate component shares (k,), and changes (k, k) d share_i / d ln scale_j, from fitted curves (k,
    n); with `volumes`, scales that are volume fractions, shares are of volume.
    """
    sizes = np.abs(curves) if volumes is None else np.asarray(volumes, dtype=float)[:, None]
    point = sizes / np.maximum(sizes.sum(axis=0), 1e-300)
    weight = np.gradient(np.log(q)) if volumes is None and q.size > 1 else np.ones(point.shape[1])
    weight = weight / weight.sum()
    change = np.diag(point @ weight) - (point * weight) @ point.T
    return point @ weight, change
