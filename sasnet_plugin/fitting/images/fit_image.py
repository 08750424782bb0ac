"""An image with a direction fitted by bumps from the network's answer on, simulated again and compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...data.sans.anisotropy import anisotropy
from ...data.sans.features import images_of
from ...data.sans.polar import polar
from ...digits import NORMAL_90
from ...predict import Answer
from ...predict.classes import ClassesFinding
from ...predict.findings import DistributionFinding, QuantitiesFinding, Value
from ...predict.sans import OrientationFinding, most_counted
from ...types import Image
from .cells import cells_of, shadowed
from .generalised import generalised
from .oriented import BODIES, BODY, OrientedImage
from .oriented_fit import OrientedFit
from .oriented_settings import SETTINGS
from .starts import Start, screened
from .unevenness import Unevenness

_UNITS = {"radius": "Å", "director": "degrees"}
ALIKE = "The image is alike all around, so that it is a curve: 'sasnet fit' fits its average."


def fit_oriented(image: Image, guess: Mapping[str, Any], seconds: float = 30.0) -> OrientedFit:
    """Fit cylinders and ellipsoids whose axes are distributed about a director.

    Parameters
    ----------
    image : Image
        With a direction.
    guess : mapping
        ``director`` in degrees; ``body``, ``radius``, ``aspect``, ``p2`` where the network says them.
    seconds : float
        After these no other start is refined.

    Raises
    ------
    DataError
        Too little of the image holds counts.
    """
    until = time.monotonic() + seconds
    cells = cells_of(image)
    starts = screened(image, BODIES, dict(guess))
    said = [name for name in ("radius", "aspect", "p2") if name in guess]
    if guess.get("body") in BODIES and len(said) == 3:
        values = {**starts[0].values, **{name: float(guess[name]) for name in (*said, "director")}}
        starts.insert(0, Start(0.0, str(guess["body"]), values))
    kept = [s for body in BODIES for s in [s for s in starts if s.body == body][: SETTINGS.starts]]
    kept.sort(key=lambda one: one.distance)
    problems: list[tuple[float, OrientedImage]] = []
    for one in kept:
        if problems and time.monotonic() > until:
            break
        problem = OrientedImage(cells, one.body, one.values)
        run(problem)
        problems.append((problem.nllf(), problem))
        least = min(problem.chisq() for _, problem in problems)
        bodies = {problem.body for _, problem in problems}
        if bodies == set(BODIES) and least <= 1 + 2 * np.sqrt(2 / problem.numpoints()):
            break
    _, problem = min(problems, key=lambda one: one[0])
    # Axes spread across a direction look much like axes along the one a quarter turn from it.
    other = OrientedImage(cells, problem.body, turned(problem.values()))
    run(other)
    if other.nllf() < problem.nllf():
        problem, other = other, problem
    dark = shadowed(cells, problem.expected())
    best, errors, found = generalised(
        replace(problem, cells=cells.without(dark), start=problem.values()), run
    )
    rivals = [as_likely(best, best.body, other.values())]
    for body in set(BODIES) - {best.body}:
        tried = [one for one in problems if one[1].body == body]
        starts_of = [one.values for one in kept if one.body == body]
        if tried:
            rivals.append(as_likely(best, body, min(tried, key=lambda one: one[0])[1].values()))
        elif starts_of:
            rivals.append(as_likely(best, body, starts_of[0]))
    return done(best, errors, found, rivals)


def as_likely(best: OrientedImage, body: str, start: Mapping[str, float]) -> OrientedImage | None:
    """A fit from another start, or of another body, with the same detector; None where it is worse."""
    rival = replace(best, body=body, start={**best.values(), **start})
    run(rival)
    return rival if rival.nllf() - best.nllf() <= SETTINGS.as_good and not rival.at_limit() else None


def turned(values: Mapping[str, float]) -> dict[str, float]:
    """The same body with its axes across the direction that they lie along, or the other way round."""
    p2 = -0.25 if values["p2"] > 0 else 0.4
    return {**values, "p2": p2, "director": (values["director"] + 90) % 180}


def run(problem: OrientedImage) -> None:
    """Bumps' Levenberg-Marquardt from where a problem stands."""
    from bumps.fitproblem import FitProblem
    from bumps.fitters import fit

    from ..problem.experiment import silent

    whole = FitProblem(problem)
    with silent():
        found = fit(whole, method="lm", steps=SETTINGS.steps, ftol=1e-5, xtol=1e-4)
    whole.setp(found.x)


def done(
    problem: OrientedImage,
    errors: Mapping[str, float],
    unevenness: Unevenness,
    rivals: Sequence[OrientedImage | None],
) -> OrientedFit:
    """What a problem says where it stands.

    Parameters
    ----------
    errors : mapping
        Standard deviations of its values.
    rivals : sequence
        Fits that are as likely, the first a quarter turn from this one: bands of P₂, and of a rival of about
        the same director all bands that both have, hold the values of both.
    """
    # Simulated again with amplitudes by counting: whitened ones leave to the detector what may be its own.
    counted = replace(problem, start=problem.values(), whitening=None)
    amplitudes, expected = counted.amplitudes()
    counts = problem.cells.counts
    beyond = float(np.sum((counts - expected) ** 2 - expected))
    now = problem.values()
    values: dict[str, Value] = {}
    for name in BODY:
        value = now[name] % 180 if name == "director" else now[name]
        error, low, high = errors[name], 0.0, 0.0
        for rival in rivals:
            if rival is None or (name != "p2" and rival is rivals[0]):
                continue
            if rival.body != problem.body and name not in ("p2", "director"):
                continue
            apart = rival.values()[name] - now[name]
            if name == "director":
                apart = (apart + 90) % 180 - 90
            # Of two that are as likely, the variance about the one that is given.
            error = float(np.hypot(error, apart / np.sqrt(2)))
            low, high = min(low, apart), max(high, apart)
        half = NORMAL_90 * errors[name]
        values[name] = Value(value, error, value + low - half, value + high + half, _UNITS.get(name, ""))
    turn = rivals[0] if rivals else None
    misfit = float(np.sqrt(max(beyond, 0.0) / np.sum(expected**2)))
    return OrientedFit(
        problem.body,
        values,
        problem.cells,
        expected,
        counted.chisq(),
        misfit,
        problem.at_limit(),
        tuple(map(float, amplitudes)),
        unevenness,
        None if turn is None else (turn.values()["p2"], turn.values()["director"] % 180),
    )


def refined(
    measurement: Any, answer: Answer, seconds: float = 30.0, told: Callable[[str], None] | None = None
) -> Answer:
    """The answer with a fit in the place of the network's orientation; of an image without one, as it is.

    Parameters
    ----------
    measurement : Image or data.sans.features.Settings
        Of several settings, the image with the most counts is fitted.
    told : callable, optional
        Told what is done in a few words.
    """
    image = most_counted(images_of(measurement))
    assert image is not None
    around = anisotropy([polar(image)])
    if not around.directed:
        return replace(answer, notes=(*answer.notes, ALIKE))
    guess: dict[str, Any] = {"director": around.axis}
    named, oriented = answer.finding(ClassesFinding), answer.finding(OrientationFinding)
    if named is not None and named.classes[0].name == "bragg_glass":
        return replace(answer, notes=(*answer.notes, "Spots of a lattice have no form factor to be fitted."))
    if named is not None:
        guess["body"] = next((one.name for one in named.classes if one.name in BODIES), "")
    quantities = answer.finding(QuantitiesFinding)
    if quantities is not None:
        guess |= {k: v.value for k, v in quantities.known.items() if k in ("radius", "aspect")}
    if oriented is not None:
        guess["director"] = oriented.director.value
        guess |= {} if oriented.p2 is None else {"p2": oriented.p2.value}
    if told is not None:
        told("bodies with axes about a director are fitted")
    found = fit_oriented(image, guess, seconds)
    findings: list[Any] = [
        replace(one, p2=found.values["p2"], director=found.values["director"])
        if isinstance(one, OrientationFinding)
        else one
        for one in answer.findings
        if not isinstance(one, DistributionFinding)
    ]
    return replace(answer, findings=(*findings, found), keys=(*answer.keys, "fit"))
