"""Which models may have made a curve, and how probable each is: starting values, fits, evidence."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.simulate.bank import BANK_STEP, LOG_Q_MIN, Page
from sasnet_plugin.simulate.clean import PD_TYPES
from sasnet_plugin.simulate.grid import WIDE_Q
from sasnet_plugin.simulate.priors import allowed_structure_factors
from sasnet_plugin.simulate.quick_models.quick import fit_cost_class

from .limit_curves import Case, Sample, spread
from .limit_evidence import Clock, Evidence, Mode, climb, laplace, sampled
from .limit_hypotheses import Hypothesis, hypothesis, problem, sizes_of
from .limit_prior import backgrounds

Floats = NDArray[np.float64]
#: Points of a curve that starting values are compared on, and how far, relative, a coarse curve may be off.
_THIN, _TOLERANCE = 80, 0.05
#: Starting values of a model from the bank, by what a curve costs; of bank curves so many are looked at.
_STARTS, _LOOKED = {"fast": 3, "medium": 3, "slow": 2}, 15
#: A rival is given up when it is not on the way to this much above the truth's loss.
_HOPELESS = 15.0
#: A fit so near to the truth's loss needs no second start.
_SAME = 3.0
#: CPU-seconds of one fit, and of one evidence by samples.
_FIT, _SAMPLED = 2.0, 1.0
#: Samples of each round; evidences that are sampled: within so much of the best; effective samples that do.
_ROUNDS, _NEAR, _ENOUGH = (60, 90, 120), 4.0, 5.0
#: Of the network's models so many come first, then so many of the nearest that it does not name.
_FIRST, _LOOKED_NEAR, _NEAREST = 8, 6, 3
#: Slowest curve of a rival's start, s.
_SLOWEST = 0.08


@dataclass(frozen=True)
class Fitted:
    """A hypothesis with its best parameters."""

    hypothesis: Hypothesis
    mode: Mode
    evidence: Evidence

    @property
    def log_weight(self) -> float:
        """ln of evidence times the hypothesis's share of its form's prior."""
        return self.evidence.best(_ENOUGH) + self.hypothesis.log_prior


def expected_seconds(case: Case, sample: Sample) -> float:
    """CPU time of a curve, from one without size distributions; what is compiled first is not counted."""
    single, seconds = replace(sample, widths={}), np.inf
    for _ in range(2):
        began = time.process_time()
        case.view.smeared(single)
        seconds = min(seconds, time.process_time() - began)
        if seconds < _SLOWEST / 100:
            break
    points = [number for name, number in spread(sample).items() if name.endswith("_pd_n")]
    return seconds * float(np.prod(points))


def tried(case: Case, one: Hypothesis, start: Floats, *, hopeless: float = np.inf) -> Fitted | None:
    """A hypothesis fitted from a start; None where it has no curve there, or only a slow one."""
    if expected_seconds(case, one.sample(start)) > _SLOWEST:
        return None
    asked = problem(case, one)
    if np.isfinite(hopeless):
        # What a tolerance does not bring near is far without it.
        easy = problem(case, one, _TOLERANCE)
        smooth = climb(easy, start, Clock(_FIT / 2), hopeless=hopeless, iterations=12)
        if smooth is None or smooth.loss > hopeless:
            return None
        start = smooth.z
    mode = climb(asked, start, Clock(_FIT), hopeless=hopeless)
    return None if mode is None else Fitted(one, mode, laplace(asked, mode))


@dataclass(frozen=True)
class Near:
    """A curve of the bank."""

    parameters: Mapping[str, float]
    chi2: float  #: To the thinned curve, with a tolerance.
    log_scale: float  #: That fits best, relative to the case's.
    background: float  #: That fits best.


def nearest(case: Case, page: Page) -> list[Near]:
    """The bank's curves of one model, the nearest first, each with the best scale and background."""
    points = np.flatnonzero(case.use)
    points = points[np.unique(np.linspace(0, points.size - 1, min(_THIN, points.size)).astype(int))]
    cells = WIDE_Q[case.view.first : case.view.last + 1]
    at = (np.log(cells) - LOG_Q_MIN) / BANK_STEP
    low = np.clip(at.astype(int), 0, page.log_intensity.shape[1] - 2)
    rows = np.flatnonzero(np.all(np.isfinite(page.log_intensity[:, low[0] : low[-1] + 2]), axis=1))
    log_i = page.log_intensity[rows].astype(float)
    log_i = log_i[:, low] * (1 - at + low) + log_i[:, low + 1] * (at - low)
    curves = np.exp(log_i - log_i.max(axis=1, keepdims=True)) @ case.view.matrix[points].T
    curves /= curves.max(axis=1, keepdims=True)
    data = case.measured.intensity[0, points] / np.exp(case.log_scale)
    sigma = case.measured.honest[0, points] / np.exp(case.log_scale)
    w = 1 / (sigma**2 + (_TOLERANCE * data) ** 2)
    mean, level = (curves @ w) / w.sum(), (data @ w) / w.sum()
    off = curves - mean[:, None]
    scale = np.maximum((off * w) @ (data - level) / np.maximum((off**2) @ w, 1e-30), 1e-3)
    background = np.clip(level / scale - mean, -0.02, 0.029)
    # The background may be held at an end: the best scale to it.
    whole = curves + background[:, None]
    scale = np.maximum((whole * w) @ data / ((whole**2) @ w), 1e-3)
    chi2 = ((data - scale[:, None] * whole) ** 2) @ w
    return [
        Near(page.row(int(rows[i])), float(chi2[i]), float(np.log(scale[i])), float(background[i]))
        for i in np.argsort(chi2)
    ]


def as_sample(form: str, near: Near, factor: str, interaction: Mapping[str, float]) -> Sample:
    """A bank curve as a sample, of at most two distributed sizes."""
    pars = {n: v for n, v in near.parameters.items() if "_pd" not in n}
    may = sizes_of(form, pars)
    wide = {n: near.parameters[f"{n}_pd"] for n in may if near.parameters.get(f"{n}_pd", 0.0) > 0}
    wide = dict(list(wide.items())[:2])
    kinds = [PD_TYPES[int(near.parameters.get(f"{n}_pd_type", 0))] for n in wide]
    return Sample(form, factor, pars, interaction, wide, kinds[0] if kinds else "gaussian")


def starts(case: Case, form: str, near: Sequence[Near], factor: str) -> Iterator[tuple[Hypothesis, Floats]]:
    """Hypotheses of a model with starting values, of different kinds before others of the same."""
    seen: dict[Any, int] = {}
    interaction = case.sample.interaction if factor == case.sample.factor else {}
    found = []
    for order, one in enumerate(near[:_LOOKED]):
        sample = replace(as_sample(form, one, factor, interaction), kind=case.sample.kind)
        asked = hypothesis(sample)
        repeat = seen[asked.key] = seen.get(asked.key, -1) + 1
        found.append((repeat, order, asked, asked.scores(sample, one.background, one.log_scale)))
    many = _STARTS[fit_cost_class(form)]
    for _, _, asked, z in sorted(found, key=lambda row: row[:2])[:many]:
        yield asked, z


def combined(fits: Sequence[Fitted], log_shares: Mapping[str, float]) -> float:
    """ln of a form's evidence: the sum over its hypotheses, of each the best mode, with shares by factor."""
    best: dict[Any, float] = {}
    for one in fits:
        share = log_shares[one.hypothesis.names[1]]
        key = one.hypothesis.key
        best[key] = max(best.get(key, -np.inf), one.log_weight + share)
    return float(np.logaddexp.reduce(list(best.values()))) if best else -np.inf


def sharpened(case: Case, fits: Sequence[Fitted], rng: np.random.Generator) -> list[Fitted]:
    """The same with the evidence of those that count by samples."""
    if not fits:
        return []
    top = max(one.log_weight for one in fits)
    found = []
    for one in fits:
        if one.log_weight > top - _NEAR:
            asked = problem(case, one.hypothesis)
            one = replace(one, evidence=sampled(asked, one.mode, rng, _ROUNDS, Clock(_SAMPLED)))
        found.append(one)
    return found


def of_truth(case: Case, page: Page | None) -> tuple[list[Fitted], float]:
    """Fits of the true form with the true structure factor, and the truth's loss.

    One starts at the true parameters; others where the bank is near, as those of rivals do.
    """
    true = hypothesis(case.sample)
    z = true.scores(case.sample, case.background, 0.0)
    loss, _ = problem(case, true).loss(z)
    found = [tried(case, true, z)]
    near = nearest(case, page) if page else []
    for asked, start in starts(case, case.sample.form, near, case.sample.factor):
        if asked.key != true.key:
            found.append(tried(case, asked, start, hopeless=loss + _HOPELESS))
    fits = [one for one in found if one is not None]
    return fits, min([loss, *(one.mode.loss for one in fits)])


def of_rival(case: Case, form: str, page: Page, factors: Sequence[str], loss: float) -> list[Fitted]:
    """Fits of another form; no second one of a kind that a first one has brought near."""
    near = nearest(case, page)
    found: list[Fitted] = []
    for factor in factors:
        for asked, start in starts(case, form, near, factor):
            if any(one.hypothesis.key == asked.key and one.mode.loss < loss + _SAME for one in found):
                continue
            one = tried(case, asked, start, hopeless=loss + _HOPELESS)
            found += [one] if one is not None else []
    return found


def of_factors(case: Case, truth: Fitted) -> dict[str, list[Fitted]]:
    """Fits of the true form with every other structure factor and with none.

    They start where the true structure factor fits best, so that none is worse for a fringe that a fit did
    not find again. The volume fraction starts low, which is nearly no structure factor, and at the truth's or
    the middle.
    """
    best = truth.hypothesis.sample(truth.mode.z)
    background, log_scale = backgrounds().value(truth.mode.z[-2]), float(truth.mode.z[-1])
    result = {}
    for factor in ("", *allowed_structure_factors(case.sample.form)):
        if factor == case.sample.factor:
            continue
        found = []
        for volfraction in (0.015, case.sample.interaction.get("volfraction", 0.08)) if factor else (None,):
            inside = {} if volfraction is None else {"volfraction": volfraction}
            sample = replace(best, factor=factor, interaction=inside)
            asked = hypothesis(sample)
            mode = climb(problem(case, asked), asked.scores(sample, background, log_scale), Clock(_FIT))
            if mode is not None:
                found.append(Fitted(asked, mode, laplace(problem(case, asked), mode)))
        result[factor] = found
    return result


def rivals(
    case: Case, probability: Mapping[str, float], pages: Mapping[str, Page], until: float
) -> list[str]:
    """The network's models until so much probability, then those whose bank curves are nearest."""
    order = sorted(probability, key=lambda n: -probability[n])
    mass = np.cumsum([probability[n] for n in order])
    named = order[: int(np.searchsorted(mass, until)) + 1]
    chi2 = {n: near[0].chi2 for n, page in pages.items() if (near := nearest(case, page))}
    close = [n for n in sorted(chi2, key=lambda n: chi2[n])[:_LOOKED_NEAR] if n not in named][:_NEAREST]
    return [n for n in (*named[:_FIRST], *close, *named[_FIRST:]) if n != case.sample.form and n in pages]
