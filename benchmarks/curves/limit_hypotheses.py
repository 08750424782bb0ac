"""What may have made a curve: hypotheses with a smooth prior, and how they meet the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.simulate import lengths
from sasnet_plugin.simulate.polydispersity import POLYDISPERSE
from sasnet_plugin.simulate.priors import model_info, parameter_names

from .limit_curves import Case, Sample
from .limit_evidence import Problem
from .limit_prior import Coordinates, backgrounds, coordinates, widths

Floats = NDArray[np.float64]
#: Of ln scale about the true one: any scale is as likely, and the same for every model.
_SCALE_SIGMA = 3.0


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
    """A form, its choices and distributed sizes, and a structure factor: what has a smooth prior."""

    form: Coordinates
    factor: Coordinates | None
    names: tuple[str, str]  #: Form and factor.
    sizes: tuple[str, ...]  #: That are distributed.
    kind: str  #: Of distribution.
    log_prior: float  #: ln of its share of the prior of form and factor.

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
