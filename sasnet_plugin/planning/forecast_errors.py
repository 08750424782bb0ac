"""The errors that a fit would report after a measurement: of a joint fit of present and predicted data."""

# A reported error holds more than counting noise: correlated errors of each curve, other size distributions,
# parameters that are fixed, a flat χ². Each of these falls with more data in its own way.

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..arrays import Floats
from ..data.sample.sample import CONTRASTS, SETTINGS, Sample
from ..fitting.ledger import Ledger
from ..fitting.pool import InProcess, answers
from ..fitting.result.fit_result import FitResult
from ..fitting.result.sample_result import JointFit, SampleResult
from ..fitting.strategy.joint_fit import BESIDE, JointTask, fit_jointly, make_restart_task, widen_fits
from ..fitting.strategy.joint_search import whichever_distribution
from ..fitting.task import FitOptions
from ..types import Curve
from .measurements import Measurement
from .rivals import Rival, Spread

#: Draws of the parameters and of noise whose mean counts: with an unknown density another solvent may show
#: much or nothing, and a median would forget what is less likely.
_DRAWS = 6
#: What the fits of one draw may take, s.
_SECONDS = 12.0


def forecast_errors(
    result: FitResult | SampleResult,
    rival: Rival,
    places: Sequence[Spread],
    measurement: Measurement,
    duration: float,
    rng: np.random.Generator,
    ended: Callable[[], bool] = bool,
) -> dict[str, float]:
    """Means of the errors that are reported if the rival is right, over its parameters at `places`."""
    # Where the sample itself would be another one, joint fits share other parameters.
    if measurement.densities or measurement.concentration != 1.0:
        return {}
    found: dict[str, list[float]] = {}
    for truth, z in places:
        if ended():
            break
        curve = _measure(truth, z, measurement, duration, rng)
        for name, error in _errors(result, rival, (truth, z), measurement, curve):
            found.setdefault(name, []).append(error)
    return {name: float(np.mean(errors)) for name, errors in found.items()}


def draw_places(result: FitResult | SampleResult, rival: Rival, rng: np.random.Generator) -> list[Spread]:
    """Parameters that the sample may have: sizes spread, also where the data so far do not show it."""
    known = _list_known(result, rival)
    sizes = [name for name in rival.list_sharp_sizes() if not {name, f"{name}_pd"} & known.keys()]
    return rival.draw_spread(_DRAWS, sizes, rng)


def _measure(
    truth: Rival, z: Floats, measurement: Measurement, duration: float, rng: np.random.Generator
) -> Curve:
    intensity = truth.predict(z, measurement)
    error = measurement.error(intensity, duration)
    noisy = intensity + error * rng.standard_normal(error.size)
    return replace(measurement.curve, intensity=noisy, dintensity=error)


def _errors(
    result: FitResult | SampleResult,
    rival: Rival,
    true: Spread,
    measurement: Measurement,
    curve: Curve,
) -> Iterator[tuple[str, float]]:
    sample, dintensities = _present(result, rival)
    sample = _add_curve(sample, curve, measurement.solvent)
    error = np.asarray(curve.dintensity)
    options, truth, z = FitOptions(fixed=_list_known(result, rival)), *true
    starts = [truth.values(z, place) for place in range(len(dintensities))]
    starts = [_drop_widths(start, rival) for start in (*starts, measurement.change(truth.values(z)))]
    task = JointTask(
        sample, (*dintensities, error), rival.fit.model, rival.fit.structure_factor, tuple(starts),
        dict(options.fixed), per_decade=rival.per_decade, budget=BESIDE, settled=True,
    )  # fmt: skip
    ledger = Ledger(InProcess(), time.monotonic() + 10 * _SECONDS, most=_SECONDS)
    fits = [fit for _, fit in answers(ledger, fit_jointly, [task], _SECONDS) if isinstance(fit, JointFit)]

    def begin(fit: JointFit) -> JointTask:
        return make_restart_task(sample, task.dintensities, options, fit)

    fits = whichever_distribution(ledger, fits, begin, _SECONDS)
    for fit in widen_fits(ledger, sample, task.dintensities, fits, options):
        parameters = {**fit.own[0], **fit.parameters}
        yield from ((name, p.error) for name, p in parameters.items() if p.error)


def _drop_widths(start: dict[str, Any], rival: Rival) -> dict[str, Any]:
    return {
        k: v for k, v in start.items() if "_pd" not in k or k.partition("_pd")[0] in rival.fit.distributions
    }


def _present(result: FitResult | SampleResult, rival: Rival) -> tuple[Sample, tuple[Floats, ...]]:
    if isinstance(result, SampleResult):
        return result.sample, result.dintensities
    solvent = next((p.value for name, p in rival.fit.parameters.items() if "sld_solvent" in name), None)
    known = solvent if "sld_solvent" in result.given else None
    return Sample((result.curve,), SETTINGS, told=True, solvents=(known,)), (result.dintensity,)


def _add_curve(sample: Sample, curve: Curve, solvent: float | None) -> Sample:
    # It is as the last one but for the solvent.
    kind = sample.kind if solvent is None else CONTRASTS
    solvents = sample.solvents or (None,) * len(sample.curves)
    return replace(
        sample, curves=(*sample.curves, curve), kind=kind, told=True,
        solvents=(*solvents, solvents[-1] if solvent is None else solvent),
        probes=(*sample.probes, *sample.probes[-1:]), scale=(*sample.scale, *sample.scale[-1:]),
        concentrations=(*sample.concentrations, *sample.concentrations[-1:]),
        values=(*sample.values, *sample.values[-1:]),
    )  # fmt: skip


def _list_known(result: FitResult | SampleResult, rival: Rival) -> dict[str, float]:
    # Values that are known beforehand and hold for all curves; those of solvents are the sample's.
    fixed = {name: p.value for name, p in rival.fit.parameters.items() if p.fixed and "solvent" not in name}
    if isinstance(result, FitResult):
        return {name: value for name, value in fixed.items() if name in result.given}
    # Contrasts determine a density that is not known.
    return {name: v for name, v in fixed.items() if "sld" in name and result.sample.kind == CONTRASTS}
