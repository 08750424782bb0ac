"""``fit``: from a curve to fitted, ranked and verified models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.data.uncertainty import estimate_dintensity
from sasnet_plugin.domains import DEFAULT
from sasnet_plugin.fitting.assessment.assess import judge
from sasnet_plugin.fitting.assessment.ranking import ranked
from sasnet_plugin.fitting.optimize.refine_best import refine_best
from sasnet_plugin.fitting.pool import Workers
from sasnet_plugin.fitting.problem.contrast import contrast_of, settled, with_contrast
from sasnet_plugin.fitting.problem.plugin_models import split, with_plugins
from sasnet_plugin.fitting.result.fit_result import FitResult, ModelFit
from sasnet_plugin.fitting.settings import OPTIMIZE
from sasnet_plugin.fitting.strategy.candidate_selection import line_up
from sasnet_plugin.fitting.strategy.candidates import priors, shortlist
from sasnet_plugin.fitting.strategy.previous import with_start
from sasnet_plugin.fitting.strategy.stages import Rounds
from sasnet_plugin.fitting.task import Contrast, Method, Pool, Start
from sasnet_plugin.predict import open_classifier
from sasnet_plugin.types import Curve, SasnetError

BANK = "seeds.npz"
#: Of the time, for what comes after the fits: twins, verification, the answer in words.
_TO_TELL = 0.05
#: Of the noise of simulated twins: the same data get the same answer.
_TWINS_SEED = 1


def bank_path() -> Path:
    """Where the bank of starting values lies: beside the network that suggests."""
    from sasnet_plugin.zoo import zoo_folder

    return zoo_folder() / DEFAULT / BANK


def fit(
    curve: Curve,
    *,
    top: int = 5,
    models: Iterable[str] | None = None,
    structure_factor: str | None = None,
    fixed: Mapping[str, float] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    sample: str | None = None,
    solvent: str | None = None,
    probe: str = "neutron",
    wavelength: float | None = None,
    method: str = "lm",
    samples: int = 10_000,
    burn: int = 100,
    rng: np.random.Generator | None = None,
    time_limit: float = 60.0,
    workers: int = 2,
) -> FitResult:
    """Fit the models that may explain a curve, rank and verify them.

    Parameters
    ----------
    curve : Curve
    top : int
        How many form models to fit.
    models : iterable of str, optional
        Fit these instead of the network's choice.
    structure_factor : str, optional
        Fit this one alone ("none" for none); default: those that the network holds for likely.
    fixed : mapping, optional
        Values of parameters that are not to be fitted, in sasmodels' units.
    ranges : mapping, optional
        (low, high) of fitted parameters.
    sample, solvent : str, optional
        What they are made of, ``SiO2@2.2`` and ``D2O``: scattering length densities that are not fitted.
    probe : str
        neutron or xray, for those.
    wavelength : float, optional
        Å, for those; needed for X-rays.
    method : str
        What follows for the best model: lm (nothing more), amoeba, de, or dream (samples of its posterior).
    samples, burn : int
        Draws of DREAM, and steps of its chains before the first.
    rng : numpy.random.Generator, optional
        Source of randomness of de and dream; default: the same at every call.
    time_limit : float
        Seconds for the whole curve; what is not fitted by then is left out, with a note.
    workers : int
        Processes.

    Returns
    -------
    FitResult

    Raises
    ------
    SasnetError
        Unknown names or materials, too few points, or a damaged model zoo.
    """
    chosen = None if models is None else list(models)
    check_names(chosen, structure_factor, fixed or {}, ranges or {})
    contrast = contrast_of(sample, solvent, probe, wavelength)
    then = Method(method, samples, burn)
    with Workers(bank_path(), workers) as pool:
        return fit_with(
            pool,
            curve,
            top=top,
            models=chosen,
            structure_factor=structure_factor,
            fixed=fixed,
            ranges=ranges,
            contrast=contrast,
            method=then,
            rng=rng,
            time_limit=time_limit,
        )


def fit_with(
    pool: Pool,
    curve: Curve,
    *,
    top: int = 5,
    models: Sequence[str] | None = None,
    structure_factor: str | None = None,
    fixed: Mapping[str, float] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    contrast: Contrast | None = None,
    method: Method | None = None,
    rng: np.random.Generator | None = None,
    time_limit: float = 60.0,
    start: Start | None = None,
) -> FitResult:
    """As `fit`, with processes that are there already; for many curves in a row.

    `start` is one more start for one of the models, which is fitted even where the network would not have it.
    """
    began = pool.clock()
    method = method or Method()
    for_ranking = time_limit if method.name == "lm" else OPTIMIZE.ranking_share * time_limit
    notes = list(curve.notes)
    dintensity, note = uncertainties(curve)
    if note:
        notes.append(note)
    classifier = open_classifier()
    known, own = split(models, classifier.manifest.labels)
    keep = classifier.selection(None if own and not known else known, None)
    suggestion = classifier.suggest([curve], top=len(classifier.manifest.labels), keep=keep)[0]
    suggestion = with_plugins(suggestion, own, alone=known == [])
    chosen = suggestion if models is not None else shortlist(suggestion, top, classifier.manifest)
    first = line_up(
        pool, chosen, curve, dintensity, structure_factor, fixed or {}, ranges or {},
        free=models is None, seconds=0.3 * time_limit,
    )  # fmt: skip
    tasks = first.tasks
    notes.extend(first.notes)
    if start is not None:
        start = start.without_fixed(settled(contrast, start.model) if contrast else ())
        tasks = with_start(tasks, start, curve, dintensity, fixed or {}, ranges or {})
    tasks, said = with_contrast(contrast, tasks)
    notes.extend(said)

    rounds = Rounds(
        pool,
        dintensity,
        suggestion,
        first.badness,
        contrast,
        notes,
        began + (1 - _TO_TELL) * for_ranking,
        fixed or {},
        ranges or {},
    )
    free = models is None
    found = rounds.run(curve, tasks, free=free, others=free and structure_factor is None)
    curve, fits = found.curve, found.fits
    notes.extend(found.notes)
    prior = priors(suggestion, fits)
    if fits and method.name != "lm":
        rng = rng or np.random.default_rng(0)
        first_ranked = ranked(fits, prior)[0].name
        best = next(f for f in fits if f.name == first_ranked)
        left = began + time_limit - pool.clock()
        refined, said = refine_best(pool, curve, dintensity, best, method, left, rng)
        fits = [refined if f is best else f for f in fits]
        notes.extend(said)
    return assemble(curve, dintensity, fits, notes, prior)


def check_names(
    models: Sequence[str] | None,
    structure_factor: str | None,
    fixed: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
) -> None:
    """See that models, structure factor and parameters exist.

    Raises
    ------
    SasnetError
        One does not; the sentence offers the nearest names.
    """
    from difflib import get_close_matches

    from sasnet_plugin.simulate.priors import model_info, structure_factors

    if structure_factor not in (None, "none", *structure_factors()):
        raise SasnetError(
            f"{structure_factor}: no such structure factor; choose none, {', '.join(structure_factors())}."
        )
    forms = open_classifier().manifest.labels
    named, own = split(models, forms)
    if named or not own:
        open_classifier().selection(named, None)
    wanted = [*fixed, *ranges]
    if not wanted:
        return
    known: set[str] = {"scale", "background"}
    for name in (*(forms if named is None else [*named, *own]), *structure_factors()):
        for p in model_info(name).parameters.call_parameters:
            known |= {p.name, f"{p.name}_pd"} if p.polydisperse else {p.name}
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, sorted(known), n=3)
            hint = f"; did you mean {' or '.join(near)}?" if near else "."
            raise SasnetError(f"{name}: none of these models has such a parameter{hint}")


def uncertainties(curve: Curve) -> tuple[NDArray[np.float64], str]:
    """Positive uncertainties for a fit, and a sentence where they had to be estimated."""
    estimate = np.asarray(estimate_dintensity(curve.intensity))
    if curve.dintensity is None:
        return estimate, "The data have no uncertainties; they were estimated from the scatter of the points."
    good = np.isfinite(curve.dintensity) & (curve.dintensity > 0)
    if good.all():
        return np.asarray(curve.dintensity), ""
    return (
        np.where(good, curve.dintensity, estimate),
        f"{np.sum(~good)} points have no uncertainty; theirs was estimated from the scatter.",
    )


def assemble(
    curve: Curve,
    dintensity: NDArray[np.float64],
    fits: list[ModelFit],
    notes: list[str],
    prior: Sequence[float] | None = None,
) -> FitResult:
    """Rank and verify what was fitted."""
    order = ranked(fits, prior)
    if not order:
        return FitResult(curve, dintensity, (), False, (*notes, "No model could be fitted."))
    judged, verification, said = judge(curve, dintensity, order, np.random.default_rng(_TWINS_SEED))
    return FitResult(
        curve, dintensity, judged, verification.explained, (*notes, *said), verification=verification
    )
