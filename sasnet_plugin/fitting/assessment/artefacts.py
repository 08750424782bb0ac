"""What an instrument may have done to a curve so that a simple model fits only beside it.

A slit that no file states washes out fringes and bends the low-q end, as shells, second components and broad
size distributions do. Parasitic scattering of slits and windows adds to the lowest points, as a thick and
faint shell does. A simpler model is therefore fitted behind slits of several lengths, and without the lowest
points. If it then fits with fewer parameters, an answer is not certain before the instrument is known. A
simple model that was not fitted is first fitted to the data as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...arrays import Floats
from ...data.raw import points
from ...simulate.quick_models.quick import fit_cost_class
from ...simulate.size_distributions import distribution_keywords
from ...types import Curve, sum_parts
from ..ledger import read_spent_time
from ..optimize.local_search import LocalMinimum, refine
from ..problem.experiment import TimeUpError, starting_values
from ..problem.model_curves import ModelCurves
from ..problem.resolution import halve_steps, has_resolution
from ..result.fit_result import LOWEST_POINTS, NONE, SLIT, Artefact
from ..result.model_fit import ModelFit, explains
from ..settings import ASSESSMENT, EVIDENCE, OPTIMIZE, PROBLEM, START_VALUES
from ..task import UNLIMITED, Budget

if TYPE_CHECKING:
    from ...simulate.bank import Bank


@dataclass(frozen=True)
class Simple:
    """A simple model that does not fit the curve as it is."""

    name: str
    free: int  #: Number of its free parameters.
    starts: tuple[dict[str, Any], ...]
    per_decade: int | None = None
    was_fitted: bool = True  #: To the curve as it is, and the start is where that ended.


@dataclass(frozen=True)
class Suspect:
    """A curve, its best fit, and simple models that an artefact may have spoilt."""

    curve: Curve  #: As read: with a resolution only where the file states one.
    dintensity: Floats  #: (n,)
    best: ModelFit
    simple: tuple[Simple, ...]
    fixed: frozenset[str] = frozenset()  #: Parameters that a user has given.

    @property
    def name(self) -> str:
        return self.best.name


def suspect_of(
    curve: Curve, dintensity: Floats, fits: Sequence[ModelFit], given_names: frozenset[str]
) -> Suspect | None:
    """Prepare the question for `find_artefact`, fits best first; None if no simple model fails."""
    if not fits:
        return None
    best = fits[0]
    failing = [
        fit
        for fit in fits
        if _may_lead(fit, best) and _is_simple(fit) and not explains(fit.reduced_chisq, len(curve))
    ]
    # Behind a slit a model of few parameters may be far off, and yet be the right one.
    fewest = sorted(failing, key=lambda fit: (len(fit.free), fit.chisq))[: START_VALUES.finalists]
    nearest = sorted(failing, key=lambda fit: fit.chisq)[: START_VALUES.finalists]
    candidates = {fit.name: fit for fit in (*fewest, *nearest)}
    simple = [Simple(f.name, len(f.free), (starting_values(f),), f.per_decade) for f in candidates.values()]
    if "sphere" not in {fit.name for fit in fits} and len(best.free) > _FREE_OF_SPHERE:
        simple.append(_sphere(curve))
    simple += [simple_model for fit in candidates.values() for simple_model in _make_monodisperse(fit)]
    return Suspect(curve, dintensity, best, tuple(simple), given_names) if simple else None


def _make_monodisperse(fit: ModelFit) -> Iterator[Simple]:
    """The model without its size distribution, which may stand for what the instrument did."""
    widths = tuple(name for name in fit.free if name.endswith("_pd"))
    if widths:
        start = {key: value for key, value in starting_values(fit).items() if not key.startswith(widths)}
        yield Simple(fit.name, len(fit.free) - len(widths), (start,), fit.per_decade)


def _may_lead(fit: ModelFit, best: ModelFit) -> bool:
    return fit is best or len(fit.free) < len(best.free) or len(sum_parts(best.name)) > 1


#: Scale, background, radius and its distribution.
_FREE_OF_SPHERE = 4


#: Points at least by which a model is seen to be much worse than the curve, and times as much worse as all
#: points have to show.
_FEW_POINTS, _LEEWAY = 24, 2.0
#: Steps after which it may be worse by twice as much, or is not followed further.
_FEW_STEPS = 4


def _sphere(curve: Curve) -> Simple:
    """Spheres about as large as the curve asks for: a sphere's intensity is a half at q R = 1.9."""
    bent = curve.q[np.argmax(curve.intensity < 0.5 * np.max(curve.intensity[:5]))]
    radius = 1.9 / float(bent)
    base = {
        **distribution_keywords("radius", "gaussian", 0.1, 21),
        "radius_pd": 0.1,
        "scale": 1.0,
        "background": 0.0,
        "sld": 4.0,
        "sld_solvent": 1.0,
    }
    return Simple(
        "sphere", _FREE_OF_SPHERE, tuple({**base, "radius": times * radius} for times in (1.0, 1.4)),
        was_fitted=False,
    )  # fmt: skip


def _is_simple(fit: ModelFit) -> bool:
    has_one_part = fit.structure_factor is None and len(sum_parts(fit.model)) == 1
    return has_one_part and not fit.model.endswith(".py") and fit_cost_class(fit.model) != "slow"


def find_artefact(suspect: Suspect, bank: Bank | None = None, budget: Budget = UNLIMITED) -> Artefact | None:
    """What lets a simpler model fit with evidence that is not strongly less; work for a pool."""
    deadline = read_spent_time() + budget.seconds
    artefacts: list[tuple[float, Artefact]] = []
    with suppress(TimeUpError):
        for simple in suspect.simple:
            minimum = _fit_unchanged(suspect, simple, deadline)
            if minimum is not None and _explains(suspect, simple, minimum):
                artefacts.append(_compare_unchanged(suspect, simple, minimum))
                continue
            if not has_resolution(suspect.curve):
                artefacts.extend(_try_slits(suspect, simple, deadline))
            if minimum is not None:
                simple = replace(simple, starts=(minimum.parameters,), was_fitted=True)
            artefacts.extend(_try_excluding_first_points(suspect, simple, deadline))
    better = [artefact for artefact in artefacts if artefact[0] < EVIDENCE.strong]
    return min(better, key=lambda artefact: artefact[0], default=(0.0, None))[1]


def _refine_simple(
    suspect: Suspect, simple: Simple, curve: Curve, error: Floats, deadline: float
) -> LocalMinimum | None:
    """The model's lowest minimum on another copy of the data; None where it is much worse everywhere."""
    # With a tolerance the sum of squares is less than without. Where even that is much worse, none is fitted.
    if not (simple.was_fitted or _fits_a_few_points(suspect, simple, curve, error, deadline)):
        return None
    local = _curves_of(suspect, simple, curve, error, deadline)
    tolerance, near = OPTIMIZE.rough_tolerance, _rough(local, simple)
    minima = [refine(local, minimum.parameters, tolerances=(tolerance, 0.0)) for minimum in near]
    return min(
        (minimum for minimum in minima if minimum is not None),
        key=lambda minimum: minimum.chisq,
        default=None,
    )


def _fits_a_few_points(asked: Suspect, simple: Simple, curve: Curve, error: Floats, deadline: float) -> bool:
    """Whether a model may fit: most curves are no spheres, which a few of their points show."""
    step = max(len(curve) // _FEW_POINTS, 1)
    few = points(curve, slice(None, None, step))
    local = _curves_of(asked, simple, few, error[::step], deadline)
    return bool(_rough(local, simple, 2 * _LEEWAY, _FEW_STEPS)) and bool(_rough(local, simple, _LEEWAY))


def _curves_of(asked: Suspect, simple: Simple, curve: Curve, error: Floats, deadline: float) -> ModelCurves:
    per_decade = PROBLEM.sparse if curve.dxl is not None else simple.per_decade
    local = ModelCurves(curve, error, simple.name, fixed=asked.fixed, per_decade=per_decade)
    local.deadline = deadline
    return local


def _rough(
    local: ModelCurves, simple: Simple, leeway: float = 1.0, steps: int = OPTIMIZE.few_steps
) -> list[LocalMinimum]:
    """Return minima that are not much worse than the data with a tolerance, one from each start."""
    tolerance = OPTIMIZE.rough_tolerance
    most = leeway * ASSESSMENT.much_worse * len(local.curve)
    rough = [refine(local, start, tolerances=(tolerance,), steps=steps) for start in simple.starts]
    return [one for one in rough if one is not None and _sum_of_squares(local, one, tolerance) <= most]


def _sum_of_squares(local: ModelCurves, minimum: LocalMinimum, tolerance: float) -> float:
    residual = local.solve(minimum.parameters, tolerance)[0]
    return float(residual @ residual)


def _fit_unchanged(suspect: Suspect, simple: Simple, deadline: float) -> LocalMinimum | None:
    """A model that was not fitted before may fit the data as they are, with no artefact."""
    if simple.was_fitted:
        return None
    return _refine_simple(suspect, simple, suspect.curve, suspect.dintensity, deadline)


def _explains(suspect: Suspect, simple: Simple, minimum: LocalMinimum) -> bool:
    n = len(suspect.curve)
    return explains(minimum.chisq / max(n - simple.free, 1), n)


def _compare_unchanged(suspect: Suspect, simple: Simple, minimum: LocalMinimum) -> tuple[float, Artefact]:
    n, best = len(suspect.curve), suspect.best
    gain = _bic(minimum.chisq, simple.free, n) - _bic(best.chisq, len(best.free), n)
    return gain, Artefact(NONE, simple.name, minimum.chisq / max(n - simple.free, 1), 0.0)


def _try_slits(suspect: Suspect, simple: Simple, deadline: float) -> Iterator[tuple[float, Artefact]]:
    """The slit that suits best, with BIC over that of the best fit."""
    curve, n = suspect.curve, len(suspect.curve)

    def add_slit(length: float) -> Curve:
        return replace(curve, dxl=np.full(n, length), dxw=None)

    def chisq_behind(length: float) -> float:
        minimum = _refine_simple(suspect, simple, add_slit(length), suspect.dintensity, deadline)
        return np.inf if minimum is None else minimum.chisq

    lengths = [float(share * curve.q[-1]) for share in ASSESSMENT.slit_lengths]
    # The first and the last are not so far from those between that a model fits behind them alone.
    if not simple.was_fitted and not any(
        _fits_a_few_points(suspect, simple, add_slit(length), suspect.dintensity, deadline)
        for length in lengths[1:-1]
    ):
        return
    chisq_of_length = {length: chisq_behind(length) for length in lengths}
    for step in halve_steps(ASSESSMENT.slit_lengths, ASSESSMENT.unsure):
        best = min(chisq_of_length, key=chisq_of_length.__getitem__)
        if chisq_of_length[best] > ASSESSMENT.much_worse * n:
            return  # no slit is what this model lacks
        chisq_of_length |= {length: chisq_behind(length) for length in (best * step, best / step)}
    best = min(chisq_of_length, key=chisq_of_length.__getitem__)
    free = simple.free + 1
    reduced = chisq_of_length[best] / max(n - free, 1)
    if explains(reduced, n):
        yield (
            _bic(chisq_of_length[best], free, n) - _bic(suspect.best.chisq, len(suspect.best.free), n),
            Artefact(SLIT, simple.name, reduced, best),
        )


def _try_excluding_first_points(
    suspect: Suspect, simple: Simple, deadline: float
) -> Iterator[tuple[float, Artefact]]:
    """The fewest first points without which the model fits, where they lie above it and fall towards it."""
    curve, n = suspect.curve, len(suspect.curve)
    residual = (curve.intensity - suspect.best.theory) / suspect.dintensity
    numbers = _numbers_of_first_points(curve)
    if not numbers or _is_hopeless_without(suspect, simple, numbers, deadline):
        return
    for first in numbers:
        rest = points(curve, slice(first, None))
        minimum = _refine_simple(suspect, simple, rest, suspect.dintensity[first:], deadline)
        if minimum is None:
            continue
        # An excess and how fast it falls are unknown.
        free, left = simple.free + 2, n - first
        reduced = minimum.chisq / max(left - free, 1)
        gain = _bic(minimum.chisq, free, left) - _bic(
            float(residual[first:] @ residual[first:]), len(suspect.best.free), left
        )
        if explains(reduced, left) and gain < EVIDENCE.strong and _is_excess(suspect, simple, minimum, first):
            yield gain, Artefact(LOWEST_POINTS, simple.name, reduced, float(curve.q[first]), first)
            return


def _is_hopeless_without(suspect: Suspect, simple: Simple, numbers: list[int], deadline: float) -> bool:
    """Whether a model fits no better than a curve of more points may, even without the most."""
    rest, error = points(suspect.curve, slice(numbers[-1], None)), suspect.dintensity[numbers[-1] :]
    minimum = _refine_simple(suspect, simple, rest, error, deadline)
    left = len(suspect.curve) - numbers[0]
    return minimum is None or not explains(minimum.chisq / max(left - simple.free - 2, 1), left)


def _numbers_of_first_points(curve: Curve) -> list[int]:
    """How many first points may be parasitic: not far in q, and not many of all."""
    most = int(ASSESSMENT.few * len(curve))
    ends = np.searchsorted(curve.q, np.array(ASSESSMENT.parasitic_reach) * curve.q[0])
    return sorted({int(end) for end in ends if 2 <= end <= most})


def _is_excess(suspect: Suspect, simple: Simple, minimum: LocalMinimum, first: int) -> bool:
    """Whether the first points lie above the model, and the more the nearer they are to the beam."""
    local = ModelCurves(suspect.curve, suspect.dintensity, simple.name, per_decade=simple.per_decade)
    scales = np.array([minimum.parameters[name] for name in local.scales])
    theory = scales @ local.intensity(minimum.parameters) + minimum.parameters.get("background", 0.0)
    above = ((suspect.curve.intensity - theory) / suspect.dintensity)[:first]
    nearer, farther = np.array_split(above, 2)
    return bool(
        np.mean(nearer) > max(float(np.mean(farther)), ASSESSMENT.significant) and np.mean(farther) > 0
    )


def _bic(chisq: float, free: int, points: int) -> float:
    return chisq + free * float(np.log(points))
