"""Curves of the realistic protocol whose truth is kept whole, and what a hypothesis says they should be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sasnet_plugin.simulate import lengths
from sasnet_plugin.simulate.grid import WIDE_Q
from sasnet_plugin.simulate.instrument import Setting, sample_setting
from sasnet_plugin.simulate.kernel import load_model
from sasnet_plugin.simulate.labelled import SPARED
from sasnet_plugin.simulate.measure import Measured, measured
from sasnet_plugin.simulate.polydispersity import POLYDISPERSE, sample_polydispersity
from sasnet_plugin.simulate.priors import (
    allowed_structure_factors,
    model_info,
    parameter_names,
    sample_prior,
)
from sasnet_plugin.simulate.quick_models.cost_classes import cost_class
from sasnet_plugin.simulate.quick_models.quick import quick_model
from sasnet_plugin.simulate.quick_models.separable import SEPARABLE
from sasnet_plugin.simulate.quick_models.separable import intensity as separable

from .limit_evidence import Problem
from .limit_prior import Coordinates, backgrounds, coordinates, widths

Floats = NDArray[np.float64]
#: Cells of the wide grid from one calculated point to the next; points and reach of a size distribution.
_EVERY = {"fast": 2, "medium": 6, "slow": 9}
_POINTS = {"fast": (25, 4.0), "medium": (15, 4.0), "slow": (9, 3.5)}
_POINTS_OF_TWO = 7
#: Times as far between points where only the slope or the neighbourhood of a fit is wanted.
_COARSE = 3
#: Points off by more than this many true standard deviations are faults, which an expert masks.
MASKED = 4.5
#: Of ln scale about the true one: any scale is as likely, and the same for every model.
_SCALE_SIGMA = 3.0
_TRIES = 200


@dataclass(frozen=True)
class Sample:
    """What is in the beam.

    Parameters
    ----------
    form, factor : str
        sasmodels' names; no factor: "".
    parameters, interaction : mapping of str to float
        Of the form, monodisperse, and of the structure factor but for its radius, which is the form's.
    widths : mapping of str to float
        Relative width by the size that is distributed.
    kind : str
        sasmodels' name of the distribution.
    """

    form: str
    factor: str
    parameters: Mapping[str, float]
    interaction: Mapping[str, float]
    widths: Mapping[str, float]
    kind: str


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
    """A setting with the part of the wide grid that it sees.

    Parameters
    ----------
    setting : Setting
    first, last : int
        Cells.
    matrix : (n, last - first + 1) sparse matrix
    """

    setting: Setting
    first: int
    last: int
    matrix: sparse.csr_matrix

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
    """A measured curve with its truth.

    Parameters
    ----------
    sample : Sample
    view : View
    measured : Measured
        Of one row.
    use : (n,) bool array
        Points without faults.
    log_scale : float
        ln of what the largest true intensity is.
    background : float
        That was left, over the largest intensity.
    radius : float
        Effective, Å; 0 where the form has none.
    """

    sample: Sample
    view: View
    measured: Measured
    use: NDArray[np.bool_]
    log_scale: float
    background: float
    radius: float


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


def sizes_of(form: str, parameters: Mapping[str, float]) -> tuple[str, ...]:
    """Lengths that the protocol may distribute."""
    info = model_info(form)
    return tuple(
        name
        for name, p in parameter_names(info, parameters)
        if p.polydisperse
        and p.type == "volume"
        and lengths.unit_of(info, p.id) == "Ang"
        and parameters.get(name, 0) > 0
    )


def log_chance(sizes: int, distributed: int) -> float:
    """ln of the protocol's probability that just these of so many sizes are distributed."""
    share = sum(p for count, p in POLYDISPERSE if min(count, sizes) == distributed)
    return float(np.log(share / comb(sizes, distributed))) if share else -np.inf


@dataclass(frozen=True)
class Hypothesis:
    """A form, its choices and distributed sizes, and a structure factor: what has a smooth prior.

    Parameters
    ----------
    form : Coordinates
    factor : Coordinates or None
    names : (str, str)
        Form and factor.
    sizes : tuple of str
        That are distributed.
    kind : str
        Of distribution.
    log_prior : float
        ln of its share of the prior of form and factor.
    """

    form: Coordinates
    factor: Coordinates | None
    names: tuple[str, str]
    sizes: tuple[str, ...]
    kind: str
    log_prior: float

    @property
    def key(self) -> tuple[Any, ...]:
        """What sets it apart from others of the form."""
        return (*self.names, self.sizes, tuple(sorted(self.form.fixed.items())))

    def sample(self, z: Floats) -> Sample:
        """What it says at normal scores."""
        k, w = len(self.form.names), len(self.sizes)
        pars = self.form.parameters(z[:k])
        wide = {
            n: min(max(widths().value(x), 0.0), 0.5) for n, x in zip(self.sizes, z[k : k + w], strict=True)
        }
        inside = {} if self.factor is None else self.factor.parameters(z[k + w : -2])
        return Sample(*self.names, pars, inside, wide, self.kind)

    def scores(self, sample: Sample, background: float, log_scale: float) -> Floats:
        """Normal scores of a sample, 0 for what it does not have."""
        wide = [widths().score(sample.widths[n]) if n in sample.widths else -1.0 for n in self.sizes]
        inside = [] if self.factor is None else self.factor.scores(sample.interaction)
        parts = [
            self.form.scores(sample.parameters),
            wide,
            inside,
            [backgrounds().score(background), log_scale],
        ]
        return np.concatenate([np.asarray(p, dtype=float) for p in parts])

    def precision(self) -> Floats:
        """Inverse covariance of the prior of the scores."""
        from scipy.linalg import block_diag

        inside = [] if self.factor is None else [np.linalg.inv(self.factor.correlation)]
        blocks = [
            np.linalg.inv(self.form.correlation),
            np.eye(len(self.sizes)),
            *inside,
            np.diag([1.0, _SCALE_SIGMA**-2]),
        ]
        return block_diag(*[b for b in blocks if b.size])


def hypothesis(sample: Sample) -> Hypothesis:
    """The hypothesis that a sample is one of."""
    form = coordinates(sample.form, sample.parameters)
    factor = coordinates(sample.factor, _like(sample)) if sample.factor else None
    sizes = tuple(sample.widths)
    chance = log_chance(len(sizes_of(sample.form, sample.parameters)), len(sizes))
    return Hypothesis(form, factor, (sample.form, sample.factor), sizes, sample.kind, form.log_share + chance)


def _like(sample: Sample) -> Mapping[str, float]:
    """Parameters of a structure factor, its defaults where the sample says none."""
    defaults = {p.id: float(p.default) for p in model_info(sample.factor).parameters.kernel_parameters}
    return defaults | dict(sample.interaction)


def problem(case: Case, hypothesis: Hypothesis, tolerance: float = 0.0) -> Problem:
    """How a hypothesis meets a curve: with its true resolution, uncertainty and faults masked.

    Parameters
    ----------
    tolerance : float
        Relative to the intensity, added to the uncertainty: a smoother way to where a fit begins, coarsely
        calculated.
    """
    use = case.use
    data = case.measured.intensity[0, use]
    sigma = np.hypot(case.measured.honest[0, use], tolerance * np.abs(data))

    def residuals(z: Floats, coarse: bool) -> Floats | None:
        found = case.view.smeared(hypothesis.sample(z), coarse=coarse)
        if found is None:
            return None
        model = np.exp(case.log_scale + z[-1]) * (found[0][use] + backgrounds().value(z[-2]))
        return np.asarray((model - data) / sigma)

    rough = partial(residuals, coarse=True)
    if tolerance:
        return Problem(rough, hypothesis.precision())
    return Problem(partial(residuals, coarse=False), hypothesis.precision(), rough)
