"""Curves of the realistic protocol whose truth is kept whole, and what a hypothesis says they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sasnet_plugin.simulate.grid import WIDE_Q
from sasnet_plugin.simulate.instrument import Setting, sample_setting
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.labelled import SPARED
from sasnet_plugin.simulate.measure import Measured, measured
from sasnet_plugin.simulate.polydispersity import sample_polydispersity
from sasnet_plugin.simulate.priors import (
    allowed_structure_factors,
    model_info,
    sample_prior,
)
from sasnet_plugin.simulate.quick_models.cost_classes import cost_class
from sasnet_plugin.simulate.quick_models.quick import quick_model
from sasnet_plugin.simulate.quick_models.separable import SEPARABLE
from sasnet_plugin.simulate.quick_models.separable import intensity as separable

Floats = NDArray[np.float64]
#: Cells of the wide grid from one calculated point to the next; points and reach of a size distribution.
_EVERY = {"fast": 2, "medium": 6, "slow": 9}
_POINTS = {"fast": (25, 4.0), "medium": (15, 4.0), "slow": (9, 3.5)}
_POINTS_OF_TWO = 7
#: Times as far between points where only the slope or the neighbourhood of a fit is wanted.
_COARSE = 3
#: Points off by more than this many true standard deviations are faults, which an expert masks.
MASKED = 4.5
_TRIES = 200


@dataclass(frozen=True)
class Sample:
    """What is in the beam."""

    form: str  #: sasmodels' name.
    factor: str  #: The same; empty for none.
    #: parameters, interaction: of the form, monodisperse, and of the structure factor but for its radius,
    #: which is the form's.
    parameters: Mapping[str, float]
    interaction: Mapping[str, float]
    widths: Mapping[str, float]  #: Relative width by the size that is distributed.
    kind: str  #: sasmodels' name of the distribution.


@lru_cache(maxsize=64)
def _kernel(name: str, q: bytes) -> Any:
    model = load_model(name) if name in SEPARABLE else quick_model(name)
    return model.make_kernel([np.frombuffer(q)])


def spread(sample: Sample) -> dict[str, Any]:
    """sasmodels' parameters of the size distributions."""
    points, reach = _POINTS[cost_class(sample.form)]
    if len(sample.widths) == 2:
        points = _POINTS_OF_TWO
    found: dict[str, Any] = {}
    for name, width in sample.widths.items():
        found |= {f"{name}_pd": width, f"{name}_pd_type": sample.kind}
        found |= {f"{name}_pd_n": points, f"{name}_pd_nsigma": reach}
    return found


def scattering(sample: Sample, q: Floats) -> tuple[Floats, float]:
    """I(q) without background but for a factor, and the effective radius in Å, 0 where it has none."""
    from sasmodels.direct_model import call_Fq

    form, pars = sample.form, dict(sample.parameters)
    mode = 1 if model_info(form).radius_effective_modes else 0
    wide = spread(sample)
    with np.errstate(all="ignore"):
        if form in SEPARABLE:
            defaults = {p.name: p.default for p in model_info(form).parameters.call_parameters}
            intensity = separable(form, q, defaults | pars | wide)
            single = _kernel(form, q[:1].tobytes())
            radius = float(call_Fq(single, {**pars, "radius_effective_mode": mode})[2]) if mode else 0.0
        else:
            kernel = _kernel(form, q.tobytes())
            _, squared, radius, volume, _ = call_Fq(kernel, {**pars, **wide, "radius_effective_mode": mode})
            intensity = np.asarray(squared, dtype=np.float64) / volume
        if sample.factor:
            found = {**sample.interaction, "radius_effective": radius}
            _, s, _, volume, _ = call_Fq(_kernel(sample.factor, q.tobytes()), found)
            intensity = intensity * np.asarray(s, dtype=np.float64) / volume
    return intensity, float(radius) if mode else 0.0


@dataclass(frozen=True)
class View:
    """A setting with the part of the wide grid that it sees."""

    setting: Setting
    #: first, last: cells.
    first: int
    last: int
    matrix: sparse.csr_matrix  #: (n, last - first + 1) sparse matrix

    def smeared(self, sample: Sample, *, coarse: bool = False) -> tuple[Floats, float] | None:
        """The curve at the setting's points, largest value 1, and the radius; None where there is none.

        Parameters
        ----------
        coarse : bool
            Calculated at a third of the points.
        """
        from scipy.interpolate import CubicSpline

        cells = np.arange(self.first, self.last + 1)
        step = _EVERY[cost_class(sample.form)] * (_COARSE if coarse else 1)
        nodes = np.unique(np.append(cells[::step], cells[-1]))
        intensity, radius = scattering(sample, WIDE_Q[nodes])
        if not np.all(np.isfinite(intensity)) or not np.all(intensity > 0):
            return None
        log_i = np.log(intensity)
        log_i = CubicSpline(nodes, log_i - log_i.max())(cells) if step > 1 else log_i - log_i.max()
        found = np.asarray(self.matrix @ np.exp(log_i))
        return found / found.max(), radius


def view(setting: Setting) -> View:
    """Of a setting."""
    used = setting.matrix.indices
    first, last = int(used.min()), int(used.max())
    return View(setting, first, last, setting.matrix[:, first : last + 1])


@dataclass(frozen=True)
class Case:
    """A measured curve with its truth."""

    sample: Sample
    view: View
    measured: Measured  #: Of one row.
    use: NDArray[np.bool_]  #: (n,), points without faults.
    log_scale: float  #: ln of what the largest true intensity is.
    background: float  #: That was left, over the largest intensity.
    radius: float  #: Effective, Å; 0 where the form has none.


def drawn(form: str, rng: np.random.Generator, factor_share: float) -> Sample:
    """A sample of the protocol's prior, interacting in a share of the cases where the form can."""
    pars = sample_prior(form, rng)
    sizes = sample_polydispersity(form, pars, rng)
    wide = {k.removesuffix("_pd"): float(v) for k, v in sizes.items() if k.endswith("_pd")}
    kinds = [v for k, v in sizes.items() if k.endswith("_pd_type")]
    allowed = allowed_structure_factors(form)
    factor = str(rng.choice(allowed)) if allowed and rng.random() < factor_share else ""
    interaction = sample_prior(factor, rng) if factor else {}
    interaction.pop("radius_effective", None)
    return Sample(form, factor, pars, interaction, wide, kinds[0] if kinds else "gaussian")


def case(form: str, rng: np.random.Generator, factor_share: float) -> Case | None:
    """A curve of a form model that shows something; None where so many draws gave none."""
    for _ in range(_TRIES):
        sample, seen = drawn(form, rng, factor_share), view(sample_setting(rng))
        found = seen.smeared(sample)
        if found is None:
            continue
        smeared, radius = found
        result = measured(smeared[None].copy(), seen.setting, rng)
        if result.uninformative[0] and form not in SPARED:
            continue
        # expected = scale (smeared + background left)
        scale, level = np.polyfit(smeared, result.expected[0], 1)
        off = np.abs(result.intensity[0] - result.expected[0]) / result.honest[0]
        return Case(sample, seen, result, off < MASKED, float(np.log(scale)), float(level / scale), radius)
    return None
