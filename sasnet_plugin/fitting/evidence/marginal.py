"""The marginal likelihood of a fit: priors, integral over parameters and systematic errors, weights.

Sizes, distances and scales are as likely in each decade (H. Jeffreys, Theory of Probability, 1939, 3.1);
fractions, exponents and contrasts in each interval of what they may be. A density at the value found is all
that the evidence needs: it is given as the width of a range of that density.

In the linear approximation about the fit residuals are Gaussian under each shared error (`discrepancy`), and
under a prior of Gaussian shape whose density at the fit is that of the priors: W, the density's extent over
√(2π). Then the integral over the parameters is the likelihood at the best values under that error, over
√det(1 + W JᵀV⁻¹J W) (Laplace's; C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine
Learning, 2006, equation 2.42). A parameter that the data leave open costs nothing. Noise has the size that
suits the fit, no less than stated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import inf, isfinite, log

import numpy as np
from numpy.typing import NDArray

from ...arrays import ArrayCache, Floats, bytes_of
from ...simulate.priors import model_info
from ...types import SimulationError, sum_parts
from ..problem.bounds import bounds_of
from ..problem.free_parameters import moving
from ..result.components import bare, is_scale
from ..result.model_fit import ModelFit, Parameter, end_of_range
from ..result.residuals import Shape, SharedError
from ..settings import ASSESSMENT, EVIDENCE, PROBLEM
from .discrepancy import Discrepancy

# --- Priors.


def extent(name: str, p: Parameter, bounds: tuple[float, float], background: float) -> float:
    """Return 1 over the prior's density at a value; `background` is the largest possible."""
    plain_name = bare(name)
    if plain_name == "background":
        return background
    if plain_name.endswith("_pd"):
        return PROBLEM.most_width
    if "sld" in plain_name:
        return PROBLEM.matter["neutron"][1] - PROBLEM.matter["neutron"][0]
    return _extent_within(p.value, *((0.0, inf) if is_scale(name) else bounds))


def _extent_within(value: float, low: float, high: float) -> float:
    """Assume log-uniform values if the range has no end or spans many sizes, else uniform ones."""
    log_range = log(EVIDENCE.decades)
    if not isfinite(high - low):
        return abs(value) * log_range
    if low > 0 and high > PROBLEM.size_reach * low:
        return abs(value) * min(log(high / low), log_range)
    return high - low


def extents(fit: ModelFit, background: float) -> dict[str, float]:
    return {name: extent_in(fit.name, name, fit.parameters[name], background) for name in fit.free}


def extent_in(model: str, name: str, p: Parameter, background: float) -> float:
    """`extent` of a parameter of a model, a product or a sum, within what a sample may have."""
    return extent(name, p, _bounds(model).get(name, (p.low, p.high)), background)


@lru_cache(maxsize=512)
def _bounds(name: str) -> dict[str, tuple[float, float]]:
    """Bounds of all parameters of a model, a product or a sum; none where a plugin's file is gone."""
    parts = sum_parts(name)
    bounds: dict[str, tuple[float, float]] = {}
    for i, part in enumerate(parts):
        begin = f"{chr(ord('A') + i)}_" if len(parts) > 1 else ""
        for part_model in _models(part):
            with suppress(SimulationError):
                for p in model_info(part_model).parameters.call_parameters:
                    bounds.setdefault(f"{begin}{p.name}", bounds_of(p))
    return bounds


def _models(part: str) -> list[str]:
    return [part] if part.endswith(".py") else part.split("@")


def penalise_outside(fit: ModelFit, unseen: Collection[str] = ()) -> float:
    """-2 ln of how far fitted values, the `unseen` too, lie from what any sample has, in their errors."""
    bounds, penalty = _bounds(fit.name), _seldom(fit)
    for name in (*fit.free, *unseen):
        p = fit.parameters[name]
        low, high = _VALID.get((fit.model, name)) or bounds.get(name, (p.low, p.high))
        penalty += cost_outside(p, max(low, _shortest(fit, name)), high)
    return penalty


def cost_outside(p: Parameter, low: float, high: float) -> float:
    """-2 ln of how far a value lies from a range, in its error; 0 inside."""
    far = max(low - p.value, p.value - high, 0.0)
    return min((far / p.error) ** 2 if p.error else inf, PROBLEM.no_value) if far > 0 else 0.0


#: Where a model's formula holds, narrower than what its parameters may be. Chains with excluded volume are
#: mass fractals of a dimension up to 3 (B. Hammouda, Adv. Polym. Sci. 106 (1993) 87, and sasmodels' page on
#: it), and a half for what a background may do to an exponent.
_VALID: dict[tuple[str, str], tuple[float, float]] = {("polymer_excl_volume", "porod_exp"): (1.0, 3.5)}


def _seldom(fit: ModelFit) -> float:
    """-2 ln of how often only layers have a size distribution; 0 of all other fits."""
    # Particles differ in size before their shells do.
    widths = [bare(name) for name in fit.free if name.endswith("_pd")]
    is_shell_only = bool(widths) and all(name.startswith("thick") for name in widths)
    has_core = any(bare(name).startswith("radius") for name in fit.parameters)
    return -2 * log(ASSESSMENT.seldom) if is_shell_only and has_core else 0.0


def _shortest(fit: ModelFit, name: str) -> float:
    """The least value that a sample has of a length, Å; -∞ of what is none."""
    plain_name = bare(name)
    stiff = fit.parameters.get(f"{name.removesuffix(plain_name)}kuhn_length")
    if plain_name == "length" and stiff is not None:  # a chain shorter than it is stiff is a rod
        return max(stiff.value, PROBLEM.thinnest)
    if plain_name.startswith("thick") and plain_name[-1].isdigit():  # one layer of several that is not there
        return -inf
    is_length = plain_name.startswith(("thick", "radius", "length")) and fit.parameters[name].unit == "Ang"
    return PROBLEM.thinnest if is_length else -inf


# --- Integral over parameters and systematic errors.


@dataclass(frozen=True)
class Evidence:
    """What speaks for one fit."""

    #: -2 ln of its marginal likelihood, the constant of a density of independent noise left out.
    minus_two_log: float
    #: Of that what the residuals make up under the likeliest shared error and how unlikely its size is, with
    #: the parameters where they are likeliest: about n where there is nothing but noise of the stated size.
    misfit: float
    shared: SharedError = SharedError()  #: What neighbouring residuals share.
    #: (k,) of the slopes' coefficients about the fit, root mean square over all shared errors.
    deviations: Floats = field(default_factory=lambda: np.zeros(0))


def evidence(discrepancy: Discrepancy, fit: ModelFit) -> Evidence:
    residual = discrepancy.residual(fit)
    if not np.all(np.isfinite(residual)):
        return Evidence(np.inf, np.inf)
    slopes, hidden = _stack_slopes(discrepancy, fit)
    curve = discrepancy.curve
    arrays = curve.q, curve.intensity, discrepancy.dintensity, fit.theory, slopes
    marginal_evidence = _KEPT.get(
        (discrepancy.share, discrepancy.least_noise, hidden, *map(bytes_of, arrays)),
        lambda: marginal(discrepancy, fit.theory, residual, slopes, hidden),
        _size,
    )
    besides = penalise_outside(fit) + _cost_at_ends(discrepancy, fit)
    return replace(marginal_evidence, minus_two_log=marginal_evidence.minus_two_log + besides)


def _pulls_at_ends(discrepancy: Discrepancy, fit: ModelFit) -> dict[str, float]:
    """How steeply χ²/2 would fall beyond the end of a range that a parameter stands at, per its extent."""
    # The likelihood of what is at an end falls from there on, within 1 over this of the range (Laplace's
    # integral at an end): to move it further, as its slope asks, would leave the range.
    residual, pulls = discrepancy.residual(fit), {}
    extents_here = extents(fit, discrepancy.constant)
    for name in extents_here.keys() & fit.derivatives.keys():
        pull = float(fit.derivatives[name] @ residual) * extents_here[name]
        is_at_end = end_of_range(fit.parameters[name]) == ("lower" if pull < 0 else "upper")
        if is_at_end and abs(pull) > 1:  # else its own minimum lies just before the end
            pulls[name] = abs(pull)
    return pulls


def _cost_at_ends(discrepancy: Discrepancy, fit: ModelFit) -> float:
    """-2 ln of the part of their ranges in which parameters at an end are as likely as there."""
    return float(sum(2 * log(pull) for pull in _pulls_at_ends(discrepancy, fit).values()))


def marginal(
    discrepancy: Discrepancy,
    theory: Floats,
    residual: Floats,
    slopes: Floats,
    hidden: int = 0,
    threshold: float = EVIDENCE.bare_mention,
) -> Evidence:
    """Integrate the likelihood over shared errors and parameters."""
    # `residual` is in units of the uncertainty, `slopes` (n, k) per standard deviation of each parameter's
    # prior; `hidden` parameters without slopes cost as much as the first; `seen` is -2 ln of the odds from
    # which a shared error counts.
    columns = np.column_stack([residual, slopes, discrepancy.drifts])
    shapes = discrepancy.shapes(theory)
    products = _multiply_columns(discrepancy, shapes, columns)
    steady, changing = (
        _grid(discrepancy, shapes, products, count, hidden) for count in (1 + slopes.shape[1], None)
    )
    total = np.concatenate([steady.total, changing.total])
    best = int(np.argmin(total))
    weight = np.exp(0.5 * (total[best] - total))
    lost = float(total[best] - 2 * np.log(np.sum(weight)))
    misfit = float(np.concatenate([steady.misfit, changing.misfit])[best])
    grids, share = (steady, changing), weight / np.sum(weight)
    # Errors that are too small to be seen are nothing to speak of, but likely: parameters' errors hold them.
    if steady.alone - lost < threshold:
        parts = _compute_expected_parts(shapes, grids, np.split(share, 2))
        shared = SharedError(noise=float(steady.noise[0]), parts=parts)
    else:
        shared = _select_shared_error(discrepancy, shapes, slopes, grids, share)
    squares = np.concatenate([grid.squares[:, : slopes.shape[1]] for grid in grids])
    return Evidence(lost, misfit, shared, np.sqrt(share @ squares))


def _stack_slopes(discrepancy: Discrepancy, fit: ModelFit) -> tuple[Floats, int]:
    """Slopes of the residuals over each parameter's extent, (n, k), and how many parameters have none."""
    columns, hidden = _slopes(fit, discrepancy), 0
    if not columns and fit.free and not fit.derivatives:  # each is then as well known as its scale
        columns, hidden = _slope_by_scale(fit, discrepancy), len(fit.free) - 1
    return np.column_stack(
        [np.zeros((len(discrepancy.curve), 0)), *columns.values()]
    ), hidden if columns else 0


def _widths(fit: ModelFit, discrepancy: Discrepancy) -> dict[str, float]:
    """Standard deviation of each free parameter's prior."""
    extents_here = extents(fit, discrepancy.constant)
    return {name: extent / np.sqrt(2 * np.pi) for name, extent in extents_here.items()}


def _slopes(fit: ModelFit, discrepancy: Discrepancy) -> dict[str, Floats]:
    """(n,) by each parameter with an effect, over its `_widths`; none where the model is flat."""
    width, ends = _widths(fit, discrepancy), _pulls_at_ends(discrepancy, fit)
    names = [name for name in fit.derivatives if name in width and name not in ends]
    return moving({name: fit.derivatives[name] * width[name] for name in names})


def _slope_by_scale(fit: ModelFit, discrepancy: Discrepancy) -> dict[str, Floats]:
    """The same by the scale alone, of an expensive model without slopes."""
    width = np.log(EVIDENCE.decades) / np.sqrt(2 * np.pi)
    return moving({"scale": width * fit.theory / discrepancy.dintensity})


#: Of the last fits: the search weighs a fit, and the assessment weighs it again.
_KEPT: ArrayCache[Evidence] = ArrayCache(4 * 2**20)


def _size(kept: Evidence) -> int:
    """Bytes of the eigenvectors of its shared errors; those of another level are kept anyway."""
    return sum(shape.vectors.nbytes for _, shape in kept.shared.parts) + 1


@dataclass(frozen=True)
class _Grid:
    """Under each shared error that is thought possible, the first of which is none: see `_solve_normal`."""

    alone: float  #: -2 ln of the integral were it certain that there is none.
    #: `total`, `misfit`, `noise`, `ratio`: shape (r,). -2 ln of its part of the integral, the same without
    #: what parameters and priors cost, the noise over the stated uncertainty, and the error's size over that
    #: noise.
    total: Floats
    misfit: Floats
    noise: Floats
    ratio: Floats
    kind: NDArray[np.intp]  #: Shape (r,). Of its shape; -1 of none.
    moved: Floats  #: Shape (r, k). Coefficients of the slopes.
    squares: Floats  #: Shape (r, k). Of how far these are from the fit, as expected under each error.


def _multiply_columns(
    discrepancy: Discrepancy, shapes: Sequence[Shape], columns: Floats
) -> tuple[Floats, Floats]:
    """Products (r, c, c) of columns (n, c), the first of which are the residuals, under each of r shared
    errors, the first of which is none; and ln of the determinants, (r,).
    """
    gram, ratios = columns.T @ columns, discrepancy.ratios
    grams, spread = [gram[None]], [np.zeros(1)]
    for shape in shapes:
        projected = shape.vectors.T @ columns
        power = ratios[:, None] ** 2 * shape.values * discrepancy.share
        pairs = (projected[:, :, None] * projected[:, None, :]).reshape(len(projected), -1)
        grams.append(gram - ((power / (1 + power)) @ pairs).reshape(-1, *gram.shape))
        spread.append(np.sum(np.log1p(power), axis=1))
    return np.concatenate(grams) * discrepancy.share, np.concatenate(spread)


def _grid(
    discrepancy: Discrepancy,
    shapes: Sequence[Shape],
    products: tuple[Floats, Floats],
    count: int | None,
    hidden: int,
) -> _Grid:
    """Integrate with the first so many columns of `_multiply_columns`."""
    grams, spread, ratios = products[0][:, :count, :count], products[1], discrepancy.ratios
    kind = np.repeat(np.arange(-1, len(shapes)), [1, *[ratios.size] * len(shapes)])
    ratio = np.concatenate([[0.0], np.tile(ratios, len(shapes))])
    misfit, volume, noise, moved, squares = _solve_normal(
        grams, spread, len(discrepancy.curve), hidden, discrepancy.least_noise
    )
    share = np.array([*(shape.share for shape in shapes), 0.0])[kind]
    size = ratio * noise * share
    misfit = misfit + 2 * size / ASSESSMENT.negligible  # as unlikely as it is large
    log_prior = _compute_log_prior(discrepancy, len(shapes), size)
    misfit_alone = float(misfit[0] + volume[0])
    return _Grid(misfit_alone, misfit + volume - 2 * log_prior, misfit, noise, ratio, kind, moved, squares)


def _compute_log_prior(discrepancy: Discrepancy, kinds: int, size: Floats) -> Floats:
    """ln of the prior of each shared error, (r,), but for the exponential of its size; alike for shapes."""
    # The first, none, stands for all that are smaller than the least; a background drifts in half of curves.
    ratios, usual = discrepancy.ratios, ASSESSMENT.negligible
    step = np.log(ratios[1] / ratios[0])
    probability_of_none = -np.expm1(-ratios[0] / usual)
    log_prior = np.log(np.maximum(size, ratios[0] * 1e-9) * step / usual)
    log_prior -= np.log(kinds)
    log_prior[0] = np.log(probability_of_none)
    return np.asarray(log_prior - np.log(2))


def _solve_normal(
    gram: Floats, spread: Floats, n: int, hidden: int, least_noise: float = 1.0
) -> tuple[Floats, ...]:
    """Return misfit, cost of parameters and noise, (r,) each, coefficients and expected squares, (r, k)."""
    # `gram` (r, 1 + k, 1 + k) are products of residuals and slopes under r shared errors, `spread` (r,) ln of
    # their determinants.
    noise, eye = np.ones(len(gram)), np.eye(gram.shape[1] - 1)
    for _ in range(2):  # what the prior holds back depends little on the noise
        normal = gram[:, 1:, 1:] / noise[:, None, None] ** 2 + eye
        moved = np.linalg.solve(normal, gram[:, 1:, :1])[:, :, 0] / noise[:, None] ** 2
        misfit = np.maximum(gram[:, 0, 0] - np.einsum("ri,ri->r", gram[:, 1:, 0], moved), 0.0)
        noise = np.sqrt(np.maximum(misfit / n, least_noise**2))
    normal = gram[:, 1:, 1:] / noise[:, None, None] ** 2 + eye
    volume = np.linalg.slogdet(normal)[1]
    if hidden:
        volume = volume + hidden * np.log(normal[:, 0, 0])
    squares = moved**2 + np.einsum("rii->ri", np.linalg.inv(normal))
    return misfit / noise**2 + 2 * n * np.log(noise) + spread, volume, noise, moved, squares


def _select_shared_error(
    discrepancy: Discrepancy,
    shapes: Sequence[Shape],
    slopes: Floats,
    grids: tuple[_Grid, _Grid],
    weight: Floats,
) -> SharedError:
    """The likeliest shared error, with the variance that is expected of each shape."""
    halves = np.split(weight, 2)
    grid, weights = max(zip(grids, halves, strict=True), key=lambda pair: float(np.sum(pair[1])))
    best = 1 + int(np.argmax(weights[1:]))
    shape, noise = shapes[grid.kind[best]], float(grid.noise[best])
    total_weight = max(sum(float(np.sum(half[1:])) for half in halves), 1e-9)
    parts = _compute_expected_parts(shapes, grids, [half / total_weight for half in halves])
    drifts = grid.moved[best, slopes.shape[1] :]
    background = _background(discrepancy, slopes, drifts) if grid is grids[1] else 0.0
    size = float(grid.ratio[best]) * noise * shape.share
    return SharedError(size, shape.length, noise, background, parts)


def _compute_expected_parts(
    shapes: Sequence[Shape], grids: Sequence[_Grid], weights: Sequence[Floats]
) -> tuple[tuple[float, Shape], ...]:
    """Root of the mean square of each shape's error over the given weights."""
    sizes = [float(np.sqrt(_square(kind, grids, weights))) for kind in range(len(shapes))]
    return tuple((size, shape) for size, shape in zip(sizes, shapes, strict=True) if size > 0)


def _square(kind: int, grids: Sequence[_Grid], weights: Sequence[Floats]) -> float:
    """The square that is expected of the size of shared errors of one shape."""
    return sum(
        float(weight[grid.kind == kind] @ (grid.ratio * grid.noise)[grid.kind == kind] ** 2)
        for grid, weight in zip(grids, weights, strict=True)
    )


def _background(discrepancy: Discrepancy, slopes: Floats, drifts: Floats) -> float:
    """The most that a changing background makes up of the intensity, from its coefficients."""
    added = discrepancy.drifts @ drifts
    if slopes.shape[1]:  # what parameters can take up is theirs
        added = added - slopes @ np.linalg.lstsq(slopes, added, rcond=1e-9)[0]
    return float(np.max(np.abs(discrepancy.dintensity * added) / discrepancy.local_mean))


# --- Errors of parameters.


def widen_by_shared_error(discrepancy: Discrepancy, fit: ModelFit) -> ModelFit:
    """The fit with parameter errors that hold under the shared errors that are possible."""
    # The value stands where independent points have put it; under each error it is elsewhere, and known so
    # well. The root mean square of both over all errors is that of the posterior about the value. How far
    # least squares move is in it: to add that to their own variance would count it twice (J. A. Hausman,
    # Econometrica 46 (1978) 1251). Without slopes each error grows as that of the scale.
    errors = _grow_errors(discrepancy, fit)
    wider = {name: replace(fit.parameters[name], error=new_error) for name, new_error in errors.items()}
    # Shares of components are known as their scales are.
    by = max(
        [1.0, *(errors[name] / (fit.parameters[name].error or inf) for name in filter(is_scale, errors))]
    )
    components = tuple(c if c.error is None else replace(c, error=c.error * by) for c in fit.components)
    return replace(fit, parameters={**fit.parameters, **wider}, components=components)


def _grow_errors(discrepancy: Discrepancy, fit: ModelFit) -> dict[str, float]:
    deviations, width = evidence(discrepancy, fit).deviations, _widths(fit, discrepancy)
    names, factor = list(_slopes(fit, discrepancy)), 1.0
    if not fit.derivatives and deviations.size:
        (slope,) = _slope_by_scale(fit, discrepancy).values()
        factor = max(float(deviations[0] * np.linalg.norm(slope)) * discrepancy.share**0.5, 1.0)
    known = {name: float(width[name] * own) for name, own in zip(names, deviations, strict=False)}
    return {
        name: max(p.error, known.get(name, factor * p.error))
        for name, p in fit.parameters.items()
        if p.error is not None
    }


# --- Weights of fits.


@dataclass(frozen=True)
class Weighed:
    """Fits of one curve with their weights."""

    fits: tuple[ModelFit, ...]  #: By falling weight; the weights sum to one.
    errors: Mapping[str, SharedError]  #: What neighbouring residuals of each share, by its name.


def sort_by_weight(fits: Sequence[ModelFit]) -> list[ModelFit]:
    """Fits by falling weight; of equal ones the nearest to the data first."""
    return sorted(fits, key=lambda fit: (-fit.weight, fit.reduced_chisq))


def weigh_fits(
    discrepancy: Discrepancy, fits: Sequence[ModelFit], prior: Sequence[float] | None = None
) -> Weighed:
    """Weight each fit by its marginal likelihood times its prior; default: the classifier's probability."""
    if not fits:
        return Weighed((), {})
    evidences = [evidence(discrepancy, fit) for fit in fits]
    log_evidence = np.array([-0.5 * one_evidence.minus_two_log for one_evidence in evidences])
    weight = shares(log_evidence + _log_before(fits, prior))
    weighed_fits = [
        replace(fit, weight=float(w), log_evidence=float(z))
        for fit, w, z in zip(fits, weight, log_evidence, strict=True)
    ]
    return Weighed(
        tuple(sort_by_weight(weighed_fits)),
        {fit.name: one_evidence.shared for fit, one_evidence in zip(fits, evidences, strict=True)},
    )


def _log_before(fits: Sequence[ModelFit], prior: Sequence[float] | None) -> NDArray[np.float64]:
    prior_weight = np.array([fit.probability for fit in fits] if prior is None else prior)
    return np.asarray(np.log(np.maximum(prior_weight, EVIDENCE.least_prior)))


def alike(fits: Sequence[ModelFit]) -> list[str]:
    """Names of the fits whose evidence is not strongly less than that of the first, nor strongly more."""
    # What is known of models before these data makes no difference to what the data distinguish. One without
    # weight counts as another (`assess.as_the_simpler`).
    if not fits:
        return []
    first = fits[0].log_evidence
    near = [fit for fit in fits[1:] if 2 * abs(fit.log_evidence - first) < EVIDENCE.strong]
    return [fit.name for fit in near if fit.weight > 0]


def shares(log_weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights whose sum is 1; equal ones where none is finite."""
    most = np.max(log_weight)
    weight = np.exp(log_weight - most) if np.isfinite(most) else np.ones(log_weight.size)
    return np.asarray(weight / np.sum(weight))
