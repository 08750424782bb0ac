"""First points that the edge of a beamstop dims: each curve of a sample by itself.

As of one curve (`strategy.first_points`): they are left out where the rest is explained without them, and not
with them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from ...data.sample.sample import Sample
from ...data.step import exclude_step
from ..api import uncertainties
from ..ledger import Ledger
from ..pool import answers
from ..result.model_fit import explains
from ..task import FitOptions, Pool
from .joint_fit import joint_fit
from .one_model import JointMinimum, fit_one
from .result import SampleResult
from .search import JOINT, again


def exclude_steps(sample: Sample, kept_places: Collection[int] = ()) -> Sample:
    """Exclude first points below a step, except in curves at `kept_places`."""
    curves = tuple(c if i in kept_places else exclude_step(c) for i, c in enumerate(sample.curves))
    is_same = all(a is b for a, b in zip(curves, sample.curves, strict=True))
    return sample if is_same else replace(sample, curves=curves)


def leaving_out(
    fit: Callable[[Sample, FitOptions], SampleResult],
    pool: Pool,
    sample: Sample,
    options: FitOptions,
    patience: float,
) -> SampleResult:
    """Fit a sample without apparently dimmed first points if only that explains it."""
    clear = exclude_steps(sample)
    if clear is sample or len(sample.curves) < 2:
        return fit(sample, options)
    result = fit(clear, replace(options, time_limit=options.time_limit / 2))
    if not result.explained:
        return fit(sample, options)
    kept_places = _find_explained(
        Ledger(pool, time.monotonic() + patience * JOINT.seconds), sample, result, options
    )
    if kept_places:
        clear = exclude_steps(sample, kept_places)
        result = fit(clear, options)
    return replace(result, notes=(*result.notes, *_describe_excluded(sample, clear)))


def _find_explained(ledger: Ledger, sample: Sample, result: SampleResult, options: FitOptions) -> set[int]:
    """Places of the curves whose first points the best fit explains once it is refined on them."""
    best = result.best
    if best is None:
        return set()
    seem = [i for i, one_curve in enumerate(result.sample.curves) if len(one_curve) < len(sample.curves[i])]
    whole = replace(result.sample, curves=sample.curves)
    task = again(whole, tuple(uncertainties(curve)[0] for curve in whole.curves), options, best)
    for _, answer in answers(ledger, fit_one, [task], JOINT.seconds):
        if isinstance(answer, JointMinimum):
            fit = joint_fit(answer)
            return {i for i in seem if explains(fit.per_point(i), len(sample.curves[i]))}
    return set()


def _describe_excluded(sample: Sample, clear: Sample) -> list[str]:
    """What was left out, by file."""
    pairs = zip(sample.curves, clear.curves, strict=True)
    return [
        f"{Path(whole_curve.file).name}: {note}"
        for whole_curve, rest in pairs
        for note in rest.notes[len(whole_curve.notes) :]
    ]
