"""An image with a direction fitted by bumps from the network's answer on, simulated again and compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from ....digits import NORMAL_90
from ....predict import Answer
from ....predict.classes import ClassesFinding
from ....predict.findings import DistributionFinding, QuantitiesFinding, Value
from ....types import Image
from ..prediction.answer import NO_BODY, OrientationFinding, most_counted
from ..reading.anisotropy import anisotropy
from ..reading.features import images_of
from ..reading.polar import polar
from .cells import Cells, cells_of, shadowed
from .generalised import generalised
from .oriented import BODIES, BODY, OrientedImage
from .oriented_fit import OrientedFit
from .oriented_settings import SETTINGS
from .starts import Start, screened
from .unevenness import Unevenness

_Some = TypeVar("_Some", Start, OrientedImage)
_UNITS = {"radius": "Å", "director": "degrees"}
ALIKE = "The image is isotropic: 'sasnet fit' fits its azimuthal average, which is a curve."


def fit_oriented(image: Image, guess: Mapping[str, Any], seconds: float = 30.0) -> OrientedFit:
    """Fit cylinders and ellipsoids with axes distributed about a director; `guess` has ``director`` in
    degrees, maybe ``body``, ``radius``, ``aspect``, ``p2``. After `seconds` no other start is refined. Raises
    DataError if too little holds counts.
    """
    until = time.monotonic() + seconds
    cells, starts = cells_of(image), starts_of(image, guess)
    problems = _followed(cells, starts, until)
    problem = min(problems, key=OrientedImage.nllf)
    # Axes spread across a direction look much like axes along the one a quarter turn from it, and so do long
    # bodies along one and flat ones with their axes along the other.
    quarter = [turned(problem.values())]
    if problem.body == "ellipsoid":
        quarter.append(flattened(problem.values()))
    tried = [OrientedImage(cells, problem.body, values) for values in quarter]
    for one in tried:
        run(one)
    problem, other = sorted([problem, *tried], key=OrientedImage.nllf)[:2]
    dark = shadowed(cells, problem.expected())
    best, errors, found = generalised(
        replace(problem, cells=cells.without(dark), start=problem.values()), run
    )
    rivals = [as_likely(best, best.body, other.values())]
    for body in set(BODIES) - {best.body}:
        begin = _begin(body, problems, starts)
        if begin is not None:
            rivals.append(as_likely(best, body, begin))
    return done(best, errors, found, rivals)


def starts_of(image: Image, guess: Mapping[str, Any]) -> list[Start]:
    """Starts of both bodies, the likeliest first: what the network says, and the best of a grid."""
    starts = screened(image, BODIES, dict(guess))
    if guess.get("body") in BODIES and guess.keys() >= {"radius", "aspect", "p2"}:
        values = {name: float(guess[name]) for name in ("radius", "aspect", "p2", "director")}
        starts.insert(0, Start(0.0, str(guess["body"]), {**starts[0].values, **values}))
    kept = [start for body in BODIES for start in _of_body(body, starts)[: SETTINGS.starts]]
    return sorted(kept, key=lambda one: one.distance)


def _of_body(body: str, some: Sequence[_Some]) -> list[_Some]:
    return [one for one in some if one.body == body]


def _followed(cells: Cells, starts: Sequence[Start], until: float) -> list[OrientedImage]:
    """Fits from starts, until both bodies were tried and one explains the image, or time is over."""
    problems: list[OrientedImage] = []
    for one in starts:
        problem = OrientedImage(cells, one.body, one.values)
        run(problem)
        problems.append(problem)
        explained = min(map(OrientedImage.chisq, problems)) <= 1 + 2 * np.sqrt(2 / problem.numpoints())
        if (explained and {tried.body for tried in problems} == set(BODIES)) or time.monotonic() > until:
            break
    return problems


def _begin(
    body: str, problems: Sequence[OrientedImage], starts: Sequence[Start]
) -> Mapping[str, float] | None:
    """Where a fit of a body begins: at the best that there is of it, else at its first start."""
    if tried := _of_body(body, problems):
        return min(tried, key=OrientedImage.nllf).values()
    return next((one.values for one in _of_body(body, starts)), None)


def as_likely(best: OrientedImage, body: str, start: Mapping[str, float]) -> OrientedImage | None:
    """A fit from another start, or of another body, with the same detector; None where it is worse."""
    rival = replace(best, body=body, start={**best.values(), **start})
    run(rival)
    return rival if rival.nllf() - best.nllf() <= SETTINGS.as_good and not rival.at_limit() else None


def turned(values: Mapping[str, float]) -> dict[str, float]:
    """Turn the axes across the direction that they lie along, or the other way round."""
    p2 = -0.25 if values["p2"] > 0 else 0.4
    return {**values, "p2": p2, "director": (values["director"] + 90) % 180}


def flattened(values: Mapping[str, float]) -> dict[str, float]:
    """A flat ellipsoid for a long one, or the other way round, its axes along the direction across."""
    aspect = values["aspect"]
    radius = values["radius"] * np.sqrt(aspect)
    return {**values, "aspect": 1 / aspect, "radius": radius, "director": (values["director"] + 90) % 180}


def run(problem: OrientedImage) -> None:
    """Bumps' Levenberg-Marquardt from where a problem stands."""
    from bumps.fitproblem import FitProblem
    from bumps.fitters import fit

    from ....fitting.problem.experiment import silent

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
    """Make the result of a fitted problem; `errors` are standard deviations."""
    # Bands also cover equally likely `rivals`: the first, a quarter turn away, for P₂; one of about the same
    # director for all bands both have.
    # Simulated again with amplitudes by counting: whitened ones leave to the detector what may be its own.
    counted = replace(problem, start=problem.values(), whitening=None)
    amplitudes, expected = counted.amplitudes()
    counts = problem.cells.counts
    beyond = float(np.sum((counts - expected) ** 2 - expected))
    values = {name: _value(name, problem, errors[name], rivals) for name in BODY}
    turn = rivals[0] if rivals and _across(problem, rivals[0]) else None
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


def _across(problem: OrientedImage, rival: OrientedImage | None) -> bool:
    """Whether a rival's director is nearer to the one across a fit's than to it."""
    if rival is None:
        return False
    apart = rival.values()["director"] - problem.values()["director"]
    return abs((apart + 90) % 180 - 90) > 45


def _value(name: str, problem: OrientedImage, error: float, rivals: Sequence[OrientedImage | None]) -> Value:
    """A value with a band that holds those of rivals that have it in common with this fit."""
    value = problem.values()[name]
    low, high, half = 0.0, 0.0, NORMAL_90 * error
    alike = filter(None, rivals if name == "p2" else rivals[1:])
    for rival in alike if name in ("p2", "director") else _of_body(problem.body, list(alike)):
        apart = rival.values()[name] - value
        if name == "director":
            apart = (apart + 90) % 180 - 90
        # Of two that are as likely, the variance about the one that is given.
        error = float(np.hypot(error, apart / np.sqrt(2)))
        low, high = min(low, apart), max(high, apart)
    if name == "director":
        value %= 180
    return Value(value, error, value + low - half, value + high + half, _UNITS.get(name, ""))


def refined(
    measurement: Any, answer: Answer, seconds: float = 30.0, told: Callable[[str], None] | None = None
) -> Answer:
    """Replace the classifier's orientation by a fit, of the image with the most counts if there are several
    settings; an isotropic answer stays.
    """
    image = most_counted(images_of(measurement))
    assert image is not None
    around = anisotropy([polar(image)])
    if why := _nothing_to_fit(around.directed, answer.finding(ClassesFinding)):
        return replace(answer, notes=(*answer.notes, why))
    if told is not None:
        told("bodies with axes about a director are fitted")
    found = fit_oriented(image, {"director": around.axis, **_guess(answer)}, seconds)
    left = (_refitted(one, found) for one in answer.findings if not isinstance(one, DistributionFinding))
    return replace(answer, findings=(*left, found), keys=(*answer.keys, "fit"))


def why_not_fitted(measurement: Any, answer: Answer) -> str:
    """Why no fit of an image can explain it, a sentence; empty where one may."""
    image = most_counted(images_of(measurement))
    if image is None:
        return "No image of these settings has counts of its own to be fitted."
    if NO_BODY in answer.notes:
        return NO_BODY
    if not answer.known:
        return "The network does not know images like this one."
    return _nothing_to_fit(anisotropy([polar(image)]).directed, answer.finding(ClassesFinding))


def _nothing_to_fit(directed: bool, named: ClassesFinding | None) -> str:
    if not directed:
        return ALIKE
    lattice = named is not None and named.classes[0].name == "bragg_glass"
    return "Spots of a lattice have no form factor to be fitted." if lattice else ""


def _refitted(finding: Any, found: OrientedFit) -> Any:
    if not isinstance(finding, OrientationFinding):
        return finding
    return replace(finding, p2=found.values["p2"], director=found.values["director"], other=found.other)


def _guess(answer: Answer) -> dict[str, Any]:
    guess = _guessed_orientation(answer.finding(OrientationFinding))
    named, quantities = answer.finding(ClassesFinding), answer.finding(QuantitiesFinding)
    if named is not None:
        guess["body"] = next((one.name for one in named.classes if one.name in BODIES), "")
    if quantities is not None:
        known = quantities.known
        guess |= {name: known[name].value for name in known.keys() & {"radius", "aspect"}}
    return guess


def _guessed_orientation(oriented: OrientationFinding | None) -> dict[str, Any]:
    if oriented is None:
        return {}
    said = {"director": oriented.director, "p2": oriented.p2}
    return {name: value.value for name, value in said.items() if value is not None}
