"""Warnings about a fit: limits, correlated parameters, values that no sample has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations, compress, islice
from math import inf

import numpy as np

from ...digits import chisq_text, join_names, quantity, significant
from ...simulate.priors import model_info
from ...types import Curve
from ..problem.bounds import CLOSEST_PACKING, limits_of
from ..problem.conventions import check_matter, scale_in_words
from ..problem.free_parameters import moving
from ..problem.nested_models import Reduction, reduce_attraction, simpler
from ..result.components import bare, is_scale
from ..result.fit_warning import About, FitWarning
from ..result.model_fit import ModelFit, Parameter, end_of_range
from ..result.reported_values import is_determined
from ..settings import ASSESSMENT, OPTIMIZE, PROBLEM

# --- Correlated parameters.


def describe_ties(fit: ModelFit, explained: set[str]) -> tuple[list[FitWarning], set[str]]:
    """Parameters that move together, and the names of all that is explained by that or before."""
    groups = [group for group in together(fit) if _matters(group, fit, explained)]
    said = [
        FitWarning(
            f"{join_names(group)} are strongly correlated: these data determine only a combination. Fix the"
            " values that you know.",
            About.CORRELATED,
        )
        for group in groups
    ]
    shown_pairs = dict(_pairs(fit, explained, groups)[:3])  # of more nobody reads
    if shown_pairs:
        pair_texts = ", ".join(f"{a} and {b} ({r:.3f})" for (a, b), r in shown_pairs.items())
        said.append(
            FitWarning(
                f"The data hardly distinguish {pair_texts}: they are strongly correlated (coefficient in"
                " brackets). Fix one of a pair if known.",
                About.CORRELATED,
            )
        )
    return said, explained.union(*groups, *shown_pairs)


def together(fit: ModelFit) -> list[tuple[str, ...]]:
    """Sets of three parameters and more of which the data determine fewer combinations."""
    groups = _triple(fit)
    for names in _combinations(fit):
        if not any(set(names) <= set(other_group) for other_group in groups):
            groups.append(names)
    return groups


def _triple(fit: ModelFit) -> list[tuple[str, ...]]:
    """Three parameters of which all pairs are strongly correlated, if there are."""
    pairs = set(map(frozenset, fit.correlations))
    triples = combinations(sorted(set().union(*pairs)), 3)
    return list(islice((t for t in triples if all({*pair} in pairs for pair in combinations(t, 2))), 1))


def _combinations(fit: ModelFit) -> Iterator[tuple[str, ...]]:
    """Names of three and more in an eigenvector of the derivatives' correlations that is next to nothing."""
    # What is large in one of them can be changed together without a change of the curve (D. A. Belsley, E.
    # Kuh, R. E. Welsch, Regression Diagnostics (1980), chapter 3).
    slopes = moving(fit.derivatives)
    if len(slopes) < 3:  # of an expensive model there are none
        return
    columns = np.stack(list(slopes.values()), axis=1)
    columns = columns / np.linalg.norm(columns, axis=0)
    values, vectors = np.linalg.eigh(columns.T @ columns)
    for vector in vectors.T[values < 1 - OPTIMIZE.strong]:
        names = tuple(compress(slopes, np.abs(vector) > ASSESSMENT.in_combination))
        if len(names) > 2:
            yield names


def _matters(names: Sequence[str], fit: ModelFit, explained: set[str]) -> bool:
    """Whether one of the correlated is badly known, else it is no one's concern, and none was explained."""
    if explained & set(names) or not set(names) <= fit.parameters.keys():
        return False
    parameters = [fit.parameters[name] for name in names]
    return any(p.error is None or p.error > ASSESSMENT.well_known * abs(p.value) for p in parameters)


def _pairs(
    fit: ModelFit, explained: set[str], groups: Sequence[tuple[str, ...]]
) -> list[tuple[tuple[str, str], float]]:
    return [
        (pair, r)
        for pair, r in fit.correlations.items()
        if _matters(pair, fit, explained) and not any(set(pair) <= set(g) for g in groups)
    ]


# --- Warnings about single parameters and models.

_ONE_SIZE = "one size without a distribution fits as well"

#: Models whose name says that they are long, with their radius.
_LONG = {
    "capped_cylinder": "radius", "core_shell_cylinder": "radius", "cylinder": "radius",
    "elliptical_cylinder": "radius_minor", "hollow_cylinder": "radius",
}  # fmt: skip


def warnings_of(
    curve: Curve, fit: ModelFit, other_fits: Sequence[ModelFit] = (), probe: str | None = None
) -> tuple[FitWarning, ...]:
    """Write warnings about one fit, with parameter, value and unit."""
    # None of them contradicts `others`, fits of the same curve; `probe` is neutron or xray.
    reduced, explained = _reductions(fit, other_fits)
    together, bound = describe_ties(fit, explained)
    parameter_warnings = (
        warning
        for name, p in fit.parameters.items()
        if not p.fixed
        for warning in _check_parameter(name, fit, curve, explained, bound)
    )
    warnings = chain(reduced, together, parameter_warnings, check_matter(fit, probe), _background(curve, fit))
    return tuple(dict.fromkeys(warnings))


def _reductions(fit: ModelFit, other_fits: Sequence[ModelFit]) -> tuple[list[FitWarning], set[str]]:
    """Simpler models that the fit has become, and the parameters whose uncertainty or limit that explains."""
    near = reduce_attraction(fit.model, fit.structure_factor)
    reductions = (*simpler(fit.model, fit.structure_factor), *near)
    met = reductions_met(reductions, fit, other_fits)
    if not met:
        return _hardly_apart([r for r in reductions if is_reached(r, fit)], fit, other_fits), set()
    warnings = [_simpler(r, fit, bool(_fits_of(r, other_fits)), r in near) for r in _one_to_each(met)]
    return warnings, set().union(*(r.limit_names for r in met))


def _one_to_each(met: Sequence[Reduction]) -> Iterable[Reduction]:
    """One reduction to each simpler model: where two contrasts are one, sizes mean nothing, so that is it."""
    first: dict[str, Reduction] = {}
    for r in sorted(met, key=lambda r: not any("sld" in name for name in r.at)):
        first.setdefault(r.name, r)
    return first.values()


def _check_parameter(
    name: str, fit: ModelFit, curve: Curve, explained: set[str], bound: set[str]
) -> Iterator[FitWarning]:
    """What is wrong with one fitted value: one reason is enough."""
    p = fit.parameters[name]
    checks = [_unphysical(name, p, fit)]
    if name not in bound:
        checks += [
            _check_resolvable(name, p, curve),
            _check_determination(name, p),
            _check_extrapolation(name, p, curve, fit),
        ]
    if name not in explained:
        checks.append(_limits(name, p, fit))
    yield from islice(chain.from_iterable(checks), 1)


def remarks_of(fit: ModelFit) -> tuple[str, ...]:
    """What a fit says of the sample in other words, nothing to warn of."""
    return (*_shape(fit), *scale_in_words(fit))


def is_refuted(reduction: Reduction, fit: ModelFit, other_fits: Sequence[ModelFit]) -> bool:
    """Whether the simpler model was fitted, too, and is clearly worse."""
    tempering = max(min((o.reduced_chisq for o in (fit, *other_fits)), default=1.0), 1.0)
    fits = _fits_of(reduction, other_fits)
    return bool(fits) and all((o.chisq - fit.chisq) / tempering > ASSESSMENT.significant**2 for o in fits)


def _fits_of(reduction: Reduction, fits: Sequence[ModelFit]) -> list[ModelFit]:
    return [fit for fit in fits if fit.name == reduction.name and not fit.given_up]


def is_reached(reduction: Reduction, fit: ModelFit) -> bool:
    """Whether every parameter of the reduction is at its limit, or cannot be distinguished from it."""
    if not reduction.limit_names <= fit.parameters.keys():
        return False
    if reduction.limit_names.isdisjoint(fit.free) and not _is_without_component(reduction, fit):
        return False
    return all(_is_at_limit(name, limit, fit) for name, limit in reduction.at.items())


def _is_without_component(reduction: Reduction, fit: ModelFit) -> bool:
    """Whether least squares gave a component of the reduction no scale; the scale then is no longer free."""
    return any(is_scale(name) and fit.parameters[name].value == 0 for name in reduction.at)


def reductions_met(
    reductions: Iterable[Reduction], fit: ModelFit, other_fits: Sequence[ModelFit]
) -> list[Reduction]:
    """Select reductions that the fit has `is_reached` and no other fit has `is_refuted`."""
    return [r for r in reductions if is_reached(r, fit) and not is_refuted(r, fit, other_fits)]


def _is_at_limit(name: str, limit: float | str, fit: ModelFit) -> bool:
    p = fit.parameters[name]
    if isinstance(limit, str):
        return _one(name, limit, fit)
    if p.fixed:
        return p.value == limit
    if limit == inf:
        # As well where its reciprocal cannot be distinguished from zero.
        return end_of_range(p) == "upper" or not is_determined(name, p)
    return _is_near_limit(name, limit, fit)


def _is_near_limit(name: str, limit: float, fit: ModelFit) -> bool:
    p, error = fit.parameters[name], fit.parameters[name].error or 0.0
    if is_scale(name):  # in the unit of the curve of a component: a small number may be much
        return abs(p.value - limit) <= error
    if end_of_range(p) == "lower" and p.value >= limit and limit in (0.0, 1.0):
        return True
    return abs(p.value - limit) <= max(_tiny(name, limit, fit), error)


def _tiny(name: str, limit: float, fit: ModelFit) -> float:
    return ASSESSMENT.negligible * (abs(limit) or _scale(name, fit))


def _one(name: str, other_name: str, fit: ModelFit) -> bool:
    """Whether two contrasts or sizes are one within their errors, if these are not all of their range."""
    p, q, scale = fit.parameters[name], fit.parameters[other_name], _scale(name, fit)
    error = float(np.hypot(p.error or 0.0, q.error or 0.0))
    most = max(min(error, ASSESSMENT.same_contrast * scale), ASSESSMENT.negligible * scale)
    return abs(p.value - q.value) <= most


def _scale(name: str, fit: ModelFit) -> float:
    """What a value is small against: the largest length that the data show, or the range of contrasts."""
    if fit.parameters[name].unit == "Ang":
        lengths = [p for p in fit.parameters.values() if p.unit == "Ang"]
        shown = [p for p in lengths if p.at_least is None and (p.is_given or not p.fixed)]
        return max(abs(p.value) for p in shown or lengths)
    return _range_of_contrasts(fit) if "sld" in name else 0.0


def _range_of_contrasts(fit: ModelFit) -> float:
    slds = [p.value for name, p in fit.parameters.items() if "sld" in name]
    return max(slds) - min(slds)


def _simpler(reduction: Reduction, fit: ModelFit, fitted: bool, near: bool = False) -> FitWarning:
    parts = [_describe_limit(name, limit, fit) for name, limit in reduction.at.items()]
    text = f"{reduction.name} gives the same curve with fewer parameters"
    if near:
        text = f"these data show no attraction, and {text}"
    sentence = f"{', and '.join(parts)}: {text}{'' if fitted else ', but it was not fitted'}."
    return FitWarning(sentence, About.SIMPLER, parameter=next(iter(reduction.at)), model=reduction.name)


def _hardly_apart(
    refuted_: Sequence[Reduction], fit: ModelFit, other_fits: Sequence[ModelFit]
) -> list[FitWarning]:
    """Name contrasts or sizes equal within errors, although the simpler fit is worse."""
    pairs = ((r, name, v) for r in refuted_ for name, v in r.at.items() if isinstance(v, str))
    reduction, first_name, other_name = next(pairs, (None, "", ""))
    if reduction is None:
        return []
    worse = min(_fits_of(reduction, other_fits), key=lambda o: o.reduced_chisq)
    if worse.reduced_chisq > ASSESSMENT.much_worse * max(fit.reduced_chisq, 1.0):
        return []
    return [
        FitWarning(
            f"{first_name} and {other_name} agree within their errors, but {worse.short_name} fits worse"
            f" (reduced χ² {chisq_text(worse.reduced_chisq)} against {chisq_text(fit.reduced_chisq)}). So"
            " small a difference may come from an error of the data or of their resolution.",
            About.WITHIN_ERRORS,
            parameter=first_name,
        )
    ]


def _limits(name: str, p: Parameter, fit: ModelFit) -> Iterator[FitWarning]:
    end = end_of_range(p)
    if not end or is_scale(name):
        return
    if name.endswith("_pd") and end == "lower":
        text = f"{name}, {p.value:.2g}, is at its lower limit"
        yield FitWarning(f"{text}: {_ONE_SIZE}.", About.ONE_SIZE, parameter=name)
        return
    value = p.low if end == "lower" else p.high
    text = f"{name} is at the {end} limit of its range, {quantity(value, p.unit)}"
    if value and value in limits_of(model_info(fit.name), name):
        text += f", the limit of {fit.short_name} in sasmodels; another model may be right."
    else:
        text += ": the best value may lie beyond."
    yield FitWarning(text, About.VALUE, parameter=name)


def _check_resolvable(name: str, p: Parameter, curve: Curve) -> Iterator[FitWarning]:
    """Lengths that the data do not determine, and why."""
    if p.unit != "Ang" or p.error is None or p.error < ASSESSMENT.unsure * abs(p.value):
        return
    largest, smallest = np.pi / curve.q[0], 1 / curve.q[-1]
    value = quantity(p.value, p.unit, p.error)
    if p.value > largest:
        yield FitWarning(
            f"{name}, {value}, is larger than these data show: q begins at"
            f" {significant(curve.q[0], 2)} Å⁻¹, enough for π/q = {significant(largest, 3)} Å.",
            About.VALUE,
            parameter=name,
        )
    elif p.value + p.error < smallest:
        yield FitWarning(
            f"{name}, {value}, is smaller than these data show: q ends at"
            f" {significant(curve.q[-1], 2)} Å⁻¹, enough for 1/q = {significant(smallest, 2)} Å.",
            About.VALUE,
            parameter=name,
        )


def _check_extrapolation(name: str, p: Parameter, curve: Curve, fit: ModelFit) -> Iterator[FitWarning]:
    """A length far beyond the data of which no fringe is seen: it follows from the model's formula alone."""
    longest = 2 * np.pi / curve.q[0]
    if p.unit != "Ang" or p.at_least is not None or p.value <= longest or _has_fringes(fit):
        return
    yield FitWarning(
        f"{name}, {quantity(p.value, p.unit, p.error)}, is beyond these data: q begins at"
        f" {significant(curve.q[0], 2)} Å⁻¹, enough for 2π/q = {significant(longest, 3)} Å.",
        About.VALUE,
        parameter=name,
    )


def _has_fringes(fit: ModelFit) -> bool:
    steps = np.sign(np.diff(fit.theory))
    return bool(np.count_nonzero(steps[1:] * steps[:-1] < 0) > 1)


def _check_determination(name: str, p: Parameter) -> Iterator[FitWarning]:
    value = quantity(p.value, p.unit, p.error)
    if not is_determined(name, p):
        sentence = f"{name}, {value}, is not determined by these data: fix it, or use a model without it."
        yield FitWarning(sentence, About.VALUE, parameter=name)
    elif (
        name.endswith("_pd") and p.error is not None and p.error >= p.value > 0 and end_of_range(p) != "lower"
    ):
        text = f"{name}, {value}, cannot be distinguished from 0"
        yield FitWarning(f"{text}: {_ONE_SIZE}.", About.ONE_SIZE, parameter=name)


def _unphysical(name: str, p: Parameter, fit: ModelFit) -> Iterator[FitWarning]:
    if why := impossible(name, p):
        yield FitWarning(why, About.VALUE, parameter=name)
    elif name.endswith("_pd") and p.value > ASSESSMENT.broad:
        kind = fit.distributions.get(name.removesuffix("_pd"), "gaussian")
        yield FitWarning(
            f"{name}, {p.value:.2g}, is a very broad {kind} distribution; the particles may have"
            " another shape or two sizes.",
            About.VALUE,
            parameter=name,
        )


#: Its dimensions, which no fractal exceeds.
_SPACE = 3.0
#: Of a parameter's name in its own component and its value: what no sample has, and the sentence on it.
_IMPOSSIBLE: tuple[tuple[Callable[[str, Parameter], bool], str], ...] = (
    (lambda own, p: own.startswith("volfraction") and p.value > CLOSEST_PACKING,
     "{name}, {value}, is more than spheres can fill (0.74)."),
    (lambda own, p: "fraction" in own and not 0 <= p.value <= 1,
     "{name}, {value}, is no fraction, which lies between 0 and 1."),
    (lambda own, p: own.startswith("fractal_dim") and p.value > _SPACE + (p.error or 0.0),
     "{name}, {value}, is above 3: it is the exponent of a power law, not a dimension."),
    (lambda own, p: own.endswith("_scale") and p.value < 0,
     "{name}, {value}, is negative: no part of a sample removes scattering."),
    (lambda own, p: own == "scale" and p.value <= 0,
     "{name}, {value}, is not positive: the model describes nothing in these data."),
    (lambda own, p: own.startswith(("thick", "radius", "length")) and p.unit == "Ang"
     and abs(p.value) < PROBLEM.thinnest, "{name}, {value}, is less than an atom."),
)  # fmt: skip


def impossible(name: str, p: Parameter) -> str:
    """Say why no sample has such a value; empty if one may."""
    # `name` includes the component's letter in a sum.
    plain_name = bare(name)
    told_sentence = next((sentence for holds, sentence in _IMPOSSIBLE if holds(plain_name, p)), "")
    return told_sentence.format(name=name, value=quantity(p.value, p.unit))


def _shape(fit: ModelFit) -> Iterator[str]:
    radius = fit.parameters.get(_LONG.get(fit.model, ""))
    length = fit.parameters.get("length")
    if radius is None or length is None or length.fixed:
        return
    if length.value < radius.value:
        yield (
            f"length, {quantity(length.value, length.unit)}, is less than the radius,"
            f" {quantity(radius.value, radius.unit)}: this {fit.model} is a disc."
        )


def _background(curve: Curve, fit: ModelFit) -> Iterator[FitWarning]:
    p = fit.parameters.get("background")
    if p is None or p.fixed:
        return
    above = int(np.sum(fit.theory - p.value > ASSESSMENT.rises * abs(p.value)))
    if p.value > 0 and above < ASSESSMENT.few * len(curve):
        yield FitWarning(
            f"background, {quantity(p.value, p.unit)}, is most of the data: only {above} of {len(curve)}"
            " points are more than 10 % above it.",
            About.VALUE,
            parameter="background",
        )
    if _is_negative(p):
        value = quantity(p.value, p.unit, p.error)
        sentence = f"background, {value}, is negative: too much may have been subtracted."
        yield FitWarning(sentence, About.VALUE, parameter="background")


def _is_negative(p: Parameter) -> bool:
    return p.error is not None and p.value < -ASSESSMENT.significant * p.error


def _describe_limit(name: str, limit: float | str, fit: ModelFit) -> str:
    """Say that a parameter is as good as a limit at which the model is a simpler one."""
    p = fit.parameters[name]
    if isinstance(limit, str):
        q = fit.parameters[limit]
        return f"{name}, {quantity(p.value, p.unit)}, is as good as {limit}, {quantity(q.value, q.unit)}"
    if limit == inf and end_of_range(p) == "upper":
        return f"{name} is at its upper limit, {quantity(p.value, p.unit)}"
    if end_of_range(p) == "lower":
        return f"{name} is at its lower limit, {quantity(p.value, p.unit)}"
    value = quantity(p.value, p.unit, None if p.fixed else p.error)
    end = f"{limit:g}".replace("inf", "infinity")
    return f"{name}, {value}, cannot be distinguished from {end}"
