"""``fit``: from a curve to fitted, ranked and verified models."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..data.uncertainty import estimate_dintensity
from ..predict import open_classifier
from ..types import Curve, SasnetError, Suggestion
from ..zoo import Manifest
from .candidate import Task
from .rank import alike, ranked
from .result import FitResult, ModelFit
from .start import Start, with_start
from .verify import verify
from .workers import Pool, Workers

BANK = "seeds.npz"
#: Of a group that the network gives at least this much, the simplest models are fitted too, this many.
_GROUP_SHARE, _SIMPLEST = 0.1, 3
#: A structure factor that the network gives at least this much, given the model, is a candidate of its own.
_FACTOR_SHARE = 0.15


def bank_path() -> Path:
    """Where the bank of starting values lies: beside the network that suggests."""
    from ..zoo import zoo_folder

    return zoo_folder() / "sas1d" / BANK


def fit(
    curve: Curve,
    *,
    top: int = 5,
    models: Iterable[str] | None = None,
    structure_factor: str | None = None,
    fixed: Mapping[str, float] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
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
        Unknown names, too few points, or a damaged model zoo.
    """
    chosen = None if models is None else list(models)
    check_names(chosen, structure_factor, fixed or {}, ranges or {})
    with Workers(bank_path(), workers) as pool:
        return fit_with(
            pool,
            curve,
            top=top,
            models=chosen,
            structure_factor=structure_factor,
            fixed=fixed,
            ranges=ranges,
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
    time_limit: float = 60.0,
    start: Start | None = None,
) -> FitResult:
    """As `fit`, with processes that are there already; for many curves in a row.

    `start` is one more start for one of the models, which is fitted even where the network would not have it.
    """
    began = time.monotonic()
    notes = list(curve.notes)
    dintensity, note = uncertainties(curve)
    if note:
        notes.append(note)
    classifier = open_classifier()
    keep = classifier.selection(models, None)
    everything = classifier.suggest([curve], top=len(classifier.manifest.forms), keep=keep)[0]
    suggestion = everything if models is not None else shortlist(everything, top, classifier.manifest)
    tasks = candidates(suggestion, curve, dintensity, structure_factor, fixed or {}, ranges or {})
    if start is not None:
        tasks = with_start(tasks, start, curve, dintensity, everything, fixed or {}, ranges or {})
    # Shares of the time such that all get their turn; the rest is for starting and finishing.
    share = 0.7 * time_limit * pool.count / max(len(tasks), pool.count)
    tasks = [replace(task, seconds=min(share, task.seconds)) for task in tasks]
    fits: list[ModelFit] = []
    for _, answer in pool.run(tasks, time_limit - (time.monotonic() - began)):
        if isinstance(answer, SasnetError):
            notes.append(str(answer))
        else:
            fits.append(answer)
    return assemble(curve, dintensity, fits, notes)


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

    from ..simulate.priors import model_info, structure_factors

    open_classifier().selection(models, None)
    if structure_factor not in (None, "none", *structure_factors()):
        raise SasnetError(
            f"{structure_factor}: no such structure factor; choose none, {', '.join(structure_factors())}."
        )
    wanted = [*fixed, *ranges]
    if not wanted:
        return
    known: set[str] = {"scale", "background"}
    for name in (*(models or open_classifier().manifest.forms), *structure_factors()):
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


def shortlist(suggestion: Suggestion, top: int, manifest: Manifest) -> Suggestion:
    """The likeliest models, and the simplest of the likely groups.

    Data hardly tell the members of a group apart, and a group of twenty may crowd the simple ones out of the
    first five. A simple model that explains the curve is what the evidence prefers, so it has to be tried.

    Parameters
    ----------
    suggestion : Suggestion
        Of all models.
    top : int
        Models taken by their probability.
    manifest : Manifest
        Of the network: groups, and the parameters of each model.
    """

    def size(name: str) -> int:
        return len({p.rstrip("0123456789") for p in manifest.parameters.get(name, ())})

    chosen = {guess.name for guess in suggestion.models[:top]}
    for group in suggestion.groups:
        if group.probability >= _GROUP_SHARE:
            chosen.update(sorted(group.members, key=lambda m: (size(m), m))[:_SIMPLEST])
    return replace(suggestion, models=tuple(g for g in suggestion.models if g.name in chosen))


def candidates(
    suggestion: Suggestion,
    curve: Curve,
    dintensity: NDArray[np.float64],
    structure_factor: str | None,
    fixed: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
) -> list[Task]:
    """What to fit: each suggested model with its likely structure factors."""
    tasks = []
    for guess in suggestion.models:
        share = guess.structure_factor_probability
        wanted = [(guess.structure_factor, share)]
        if structure_factor is not None:
            wanted = [(None if structure_factor == "none" else structure_factor, 1.0)]
        elif guess.structure_factor is not None and 1 - share >= _FACTOR_SHARE:
            wanted.append((None, 1 - share))
        for factor, part in wanted:
            tasks.append(
                Task(
                    curve, dintensity, guess.name, factor, guess.probability * part, dict(fixed), dict(ranges)
                )
            )
    return tasks


def assemble(
    curve: Curve, dintensity: NDArray[np.float64], fits: list[ModelFit], notes: list[str]
) -> FitResult:
    """Rank and verify what was fitted."""
    order = ranked(fits, len(curve))
    if not order:
        return FitResult(curve, dintensity, (), False, (*notes, "No model could be fitted."))
    checked = []
    verdicts = []
    for found in order:
        verdict = verify(curve, dintensity, found)
        verdicts.append(verdict)
        checked.append(replace(found, warnings=(*found.warnings, *verdict.sentences)))
    same = alike(order)
    if same:
        notes.append(f"{order[0].name} and {', '.join(same)}: no difference in this q range.")
    if not verdicts[0].explained:
        notes.append("None of these models explains the data.")
    return FitResult(curve, dintensity, tuple(checked), verdicts[0].explained, tuple(notes))
