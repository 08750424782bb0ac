"""`invert`: from an image and a guess to the distribution of rotations, its band and its verification."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ....arrays import Floats
from ....types import Image
from ..simulation.geometry import XI
from ..simulation.priors import GEOMETRY
from .alike import uniform_alike
from .counts import Counts, bin_on_window
from .films import is_new
from .forward import Refined, State, state
from .information import count_resolved_modes, mirror_ambiguity
from .linear import reweight
from .parameters import INDEX, PARAMETERS, Guess, OrientationGuess, start
from .posterior import Posterior, posterior
from .problem import Effort, Problem
from .refine import end_of, explains, loss_of, refine, sweep_films
from .rivals import best_rival
from .said import list_at_ends, notes_of
from .search import search
from .settings import INVERSION
from .verify import verify


@dataclass(frozen=True)
class OrientationResult:
    """How a lattice is rotated, by a physical model that was simulated and compared with the pattern."""

    #: xi, p, p_low, p_high: (120,), as in `OrientationGuess`, at the resolution that the data have.
    xi: Floats
    p: Floats
    p_low: Floats
    p_high: Floats
    geometry: dict[str, tuple[float, float, str]]  #: Value, one standard deviation and unit.
    #: Probability of data that speak as much against "every angle alike", were it true.
    uniform_p_value: float
    #: deviance, expected_deviance, deviance_sd: Poisson deviance of the simulated pattern, and its mean and
    #: standard deviation were the model right.
    deviance: float
    expected_deviance: float
    deviance_sd: float
    dof: int  #: Pixels that count less parameters that the data determined.
    image: Image  #: What was inverted, on the window of the simulation.
    #: simulated, residual: (rows, columns), expected counts; signed root of each pixel's deviance, 0 where
    #: masked.
    simulated: Floats
    residual: Floats
    mirror: Floats  #: (120,), the mirror solution, ξ → 60° − ξ.
    mirror_resolved: bool  #: The data can choose between p and its mirror, or need not.
    #: 0..1; how well some orientation explains the pattern. Near 0 p means nothing.
    in_scope: float = 1.0
    file: str = ""
    notes: tuple[str, ...] = ()
    #: Quantities of `geometry` that stand at an end of their range: no measurements.
    ends: tuple[str, ...] = ()


def invert(
    image: Image,
    guess: OrientationGuess,
    *,
    rng: np.random.Generator | None = None,
    effort: float = 15.0,
    report: Callable[[str], None] | None = None,
) -> OrientationResult:
    """Fit the physics to a pattern, simulate it again, and say what is known.

    Parameters
    ----------
    guess : OrientationGuess
        Its geometry is where the fit starts and a Gaussian prior; `prior_guess` where nothing is known.
    rng : numpy.random.Generator, optional
        Default: seeded, so that the same image gives the same answer.
    effort : float
        Moves of each sample of p(ξ) at each exponent of the likelihood.
    report : callable, optional
        Told of each stage in a few words.

    Raises
    ------
    DataError
        See `counts.bin_on_window`.
    SimulationError
        BornAgain is not installed.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    counts, shown_image = bin_on_window(image)
    bounded = Effort(told=report)
    refined, problem = fit_geometry(Problem(counts, start(guess.geometry), bounded))
    # For what the best weights do not explain at all, a rough distribution is enough.
    rounds, moves = 1, 1.0
    if not hopeless_fit(counts, refined):
        bounded.say("films over all of their range are tried")
        refined = sweep_films(problem, refined)
        rounds, moves = 3, effort
    bounded.say("distributions of the rotation are drawn")
    found_posterior = posterior(problem, refined, rng, rounds=rounds, effort=moves)
    best, final, expected, scattered = simulate_again(problem, found_posterior)
    found_posterior = replace(
        found_posterior,
        inner=final.inner,
        error=spread_over_films(refined, final.inner, found_posterior.error),
    )
    modes = count_resolved_modes(found_posterior.form)
    # One parameter each for the scale and what the geometry has learnt.
    learnt = float(np.sum(1 - np.minimum(found_posterior.error / problem.guess.error, 1.0) ** 2))
    checked = verify(counts, expected, modes + learnt + 1, scattered, found_posterior.dispersed)
    rival = None
    if checked.in_scope > INVERSION.hopeless:
        rival = best_rival(final, expected, checked.expected, problem.guess)
    mirror = mirror_ambiguity(found_posterior.samples.p)
    alike = uniform_alike(final, found_posterior, problem.guess, rng, best)
    sentences: tuple[str, ...] = (rival.sentence,) if rival else ()
    if rival is None or rival.odds > 1:
        sentences += notes_of(
            checked, mirror, alike, modes, found_posterior, refined, counts, bounded.is_over
        )
    p_low, p_high = np.quantile(
        found_posterior.samples.p, [(1 - INVERSION.band) / 2, (1 + INVERSION.band) / 2], axis=0
    )
    p = found_posterior.samples.p.mean(axis=0)
    return OrientationResult(
        xi=np.array(XI, dtype=np.float64),
        p=p,
        p_low=np.where(p_low < INVERSION.negligible, 0.0, np.minimum(p_low, p)),
        p_high=np.maximum(np.maximum(p_high, p), INVERSION.negligible),
        geometry=geometry(found_posterior, image, checked.misfit),
        uniform_p_value=alike,
        deviance=checked.deviance,
        expected_deviance=checked.expected,
        deviance_sd=checked.sd,
        dof=checked.dof,
        image=shown_image,
        simulated=counts.spread(expected),
        residual=counts.spread(checked.residual),
        mirror=mirror.other,
        mirror_resolved=mirror.resolved,
        in_scope=min(guess.in_scope, checked.in_scope, rival.scope if rival else 1.0),
        file=image.file,
        ends=list_at_ends(found_posterior),
        notes=tuple(dict.fromkeys((*image.notes, *guess.notes, *sentences))),
    )


def spread_over_films(refined: Refined, inner: Floats, errors: Floats) -> Floats:
    """Return standard deviations with the film's spread over all its minima, weighted by loss, about the
    answer `inner`; `errors` are those within its own minimum.
    """
    oxide = INDEX["oxide"]
    minima = [end_of(refined)]
    for film, loss in sorted(refined.films, key=lambda end: end[1]):
        if is_new(film, dict(minima).keys()):
            minima.append((film, loss))
    films, losses = np.array(minima).T
    likely = np.exp(np.minimum(refined.loss - losses, 0.0))
    away = float(np.sqrt(np.sum(likely * (films - inner[oxide]) ** 2) / np.sum(likely)))
    widened = errors.copy()
    widened[oxide] = np.hypot(errors[oxide], away)
    return widened


def fit_geometry(problem: Problem) -> tuple[Refined, Problem]:
    """The best geometry, and the problem with how far the guess may be off."""
    # What is reached from a guess usually explains the counts, however broad it is. Where it does not, the
    # guess is taken to be worse than it says, and the geometry is searched.
    refined, effort, guess = refine(problem), problem.effort, problem.guess
    if explains(refined) or (effort.is_over and not hopeless_fit(problem.counts, refined)):
        return refined, problem
    effort.say("the first estimate does not fit; the geometry is searched")
    wide = Guess(guess.at, np.minimum(INVERSION.wider_guess * guess.error, start({}).error))
    # Half as much again, or what is left: what explains nothing so far may begin elsewhere.
    extra_work = max(effort.most_work - effort.work, effort.most_work / 4)
    again = Problem(problem.counts, wide, Effort(effort.most // 2, extra_work, effort.told))
    wider_refined = refine(again, search(again))
    effort.spent, effort.work = effort.spent + again.effort.spent, effort.work + again.effort.work
    return (
        (wider_refined, replace(again, effort=effort))
        if wider_refined.loss < refined.loss
        else (refined, problem)
    )


def hopeless_fit(counts: Counts, refined: Refined) -> bool:
    """The best weights leave so much over that no orientation is believed."""
    return verify(counts, refined.expected, 0).in_scope < INVERSION.hopeless


def simulate_again(problem: Problem, found_posterior: Posterior) -> tuple[float, State, Floats, Floats]:
    """The model at the mean geometry: its loss, itself, the counts that it expects of the mean distribution,
    and those of them that are no background.
    """
    # Where the likelihood is not as quadratic as the mean takes it to be, that geometry explains the counts
    # worse than the one about which the samples were drawn: then it is this one.
    simulations, counts = [], problem.counts
    for current in (state(counts, found_posterior.inner, found_posterior.state), found_posterior.state):
        columns = np.concatenate((current.backgrounds, (found_posterior.weights @ current.patterns)[None]))
        weights, expected = reweight(columns, counts.y, found_posterior.expected)
        simulations.append(
            (loss_of(current, expected, problem.guess), current, expected, weights[2] * columns[2])
        )
    return min(simulations, key=lambda simulation: simulation[0])


def geometry(values: Posterior, image: Image, misfit: float) -> dict[str, tuple[float, float, str]]:
    """Return value, standard deviation (widened by `misfit`) and unit of each quantity."""
    named_values: dict[str, tuple[float, float, str]] = {}
    for parameter, inner, error in zip(PARAMETERS, values.inner, values.error, strict=True):
        value, sd = parameter.value(float(inner)), parameter.error(float(inner), float(error))
        if parameter.name in ("lattice", "radius", "oxide", "width"):
            sd = float(np.hypot(sd, INVERSION.misfit_error * misfit * value))
        named_values[parameter.name] = (value, sd, parameter.unit)
    value, error, unit = named_values["shift_alpha"]
    return named_values | {
        "alpha_i": (image.geometry.alpha_i + value, error, unit),
        "wavelength": (image.geometry.wavelength, 0.0, GEOMETRY["wavelength"].unit),
    }
