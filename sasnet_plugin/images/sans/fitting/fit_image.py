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
from .cells import Cells, cells_of, find_shadowed
from .generalised import refit_generalised
from .oriented import BODIES, BODY, OrientedImage
from .oriented_fit import OrientedFit
from .oriented_settings import SETTINGS
from .starts import Start, screen_starts
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
    problems = _follow_starts(cells, starts, until)
    problem = min(problems, key=OrientedImage.nllf)
    # Axes spread across a direction look much like axes along the one a quarter turn from it, and so do long
    # bodies along one and flat ones with their axes along the other.
    quarter = [turn_axes(problem.values())]
    if problem.body == "ellipsoid":
        quarter.append(flatten(problem.values()))
    quarters = [OrientedImage(cells, problem.body, values) for values in quarter]
    for problem_tried in quarters:
        run(problem_tried)
    problem, rival = sorted([problem, *quarters], key=OrientedImage.nllf)[:2]
    dark = find_shadowed(cells, problem.compute_expected())
    best, errors, unevenness = refit_generalised(
        replace(problem, cells=cells.exclude(dark), start=problem.values()), run
    )
    rivals = [as_likely(best, best.body, rival.values())]
    for body in set(BODIES) - {best.body}:
        begin = _begin(body, problems, starts)
        if begin is not None:
            rivals.append(as_likely(best, body, begin))
    return finish_fit(best, errors, unevenness, rivals)


def starts_of(image: Image, guess: Mapping[str, Any]) -> list[Start]:
    """Starts of both bodies, the likeliest first: what the network says, and the best of a grid."""
    starts = screen_starts(image, BODIES, dict(guess))
    if guess.get("body") in BODIES and guess.keys() >= {"radius", "aspect", "p2"}:
        values = {name: float(guess[name]) for name in ("radius", "aspect", "p2", "director")}
        starts.insert(0, Start(0.0, str(guess["body"]), {**starts[0].values, **values}))
    starts_kept = [start for body in BODIES for start in _select_body(body, starts)[: SETTINGS.starts]]
    return sorted(starts_kept, key=lambda one_start: one_start.distance)


def _select_body(body: str, items: Sequence[_Some]) -> list[_Some]:
    return [item for item in items if item.body == body]


def _follow_starts(cells: Cells, starts: Sequence[Start], until: float) -> list[OrientedImage]:
    """Fits from starts, until both bodies were tried and one explains the image, or time is over."""
    problems: list[OrientedImage] = []
    for start in starts:
        problem = OrientedImage(cells, start.body, start.values)
        run(problem)
        problems.append(problem)
        explained = min(map(OrientedImage.chisq, problems)) <= 1 + 2 * np.sqrt(2 / problem.numpoints())
        if (
            explained and {tried_problem.body for tried_problem in problems} == set(BODIES)
        ) or time.monotonic() > until:
            break
    return problems


def _begin(
    body: str, problems: Sequence[OrientedImage], starts: Sequence[Start]
) -> Mapping[str, float] | None:
    """Where a fit of a body begins: at the best that there is of it, else at its first start."""
    if body_problems := _select_body(body, problems):
        return min(body_problems, key=OrientedImage.nllf).values()
    return next((start.values for start in _select_body(body, starts)), None)


def as_likely(best: OrientedImage, body: str, start: Mapping[str, float]) -> OrientedImage | None:
    """A fit from another start, or of another body, with the same detector; None where it is worse."""
    rival = replace(best, body=body, start={**best.values(), **start})
    run(rival)
    return rival if rival.nllf() - best.nllf() <= SETTINGS.as_good and not rival.list_at_limit() else None


def turn_axes(values: Mapping[str, float]) -> dict[str, float]:
    """Turn the axes across the direction that they lie along, or the other way round."""
    p2 = -0.25 if values["p2"] > 0 else 0.4
    return {**values, "p2": p2, "director": (values["director"] + 90) % 180}


def flatten(values: Mapping[str, float]) -> dict[str, float]:
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
        fit_result = fit(whole, method="lm", steps=SETTINGS.steps, ftol=1e-5, xtol=1e-4)
    whole.setp(fit_result.x)


def finish_fit(
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
    turn = rivals[0] if rivals and _is_across(problem, rivals[0]) else None
    misfit = float(np.sqrt(max(beyond, 0.0) / np.sum(expected**2)))
    return OrientedFit(
        problem.body,
        values,
        problem.cells,
        expected,
        counted.chisq(),
        misfit,
        problem.list_at_limit(),
        tuple(map(float, amplitudes)),
        unevenness,
        None if turn is None else (turn.values()["p2"], turn.values()["director"] % 180),
    )


def _is_across(problem: OrientedImage, rival: OrientedImage | None) -> bool:
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
    for rival in alike if name in ("p2", "director") else _select_body(problem.body, list(alike)):
        apart = rival.values()[name] - value
        if name == "director":
            apart = (apart + 90) % 180 - 90
        # Of two that are as likely, the variance about the one that is given.
        error = float(np.hypot(error, apart / np.sqrt(2)))
        low, high = min(low, apart), max(high, apart)
    if name == "director":
        value %= 180
    return Value(value, error, value + low - half, value + high + half, _UNITS.get(name, ""))


def refine_answer(
    measurement: Any, answer: Answer, seconds: float = 30.0, report: Callable[[str], None] | None = None
) -> Answer:
    """Replace the classifier's orientation by a fit, of the image with the most counts if there are several
    settings; an isotropic answer stays.
    """
    image = most_counted(images_of(measurement))
    assert image is not None
    around = anisotropy([polar(image)])
    if why := _nothing_to_fit(around.has_direction, answer.finding(ClassesFinding)):
        return replace(answer, notes=(*answer.notes, why))
    if report is not None:
        report("bodies with axes about a director are fitted")
    oriented = fit_oriented(image, {"director": around.axis, **_guess(answer)}, seconds)
    other_findings = (
        _update_finding(finding, oriented)
        for finding in answer.findings
        if not isinstance(finding, DistributionFinding)
    )
    return replace(answer, findings=(*other_findings, oriented), keys=(*answer.keys, "fit"))


def why_not_fitted(measurement: Any, answer: Answer) -> str:
    """Why no fit of an image can explain it, a sentence; empty where one may."""
    image = most_counted(images_of(measurement))
    if image is None:
        return "None of these settings has an image with counts to fit."
    if NO_BODY in answer.notes:
        return NO_BODY
    if not answer.known:
        return "The network does not know images like this one."
    return _nothing_to_fit(anisotropy([polar(image)]).has_direction, answer.finding(ClassesFinding))


def _nothing_to_fit(directed: bool, classes: ClassesFinding | None) -> str:
    if not directed:
        return ALIKE
    lattice = classes is not None and classes.classes[0].name == "bragg_glass"
    return "Spots of a lattice have no form factor to be fitted." if lattice else ""


def _update_finding(finding: Any, oriented_fit: OrientedFit) -> Any:
    if not isinstance(finding, OrientationFinding):
        return finding
    return replace(
        finding,
        p2=oriented_fit.values["p2"],
        director=oriented_fit.values["director"],
        other=oriented_fit.other,
    )


def _guess(answer: Answer) -> dict[str, Any]:
    guess = _guess_orientation(answer.finding(OrientationFinding))
    classes, quantities = answer.finding(ClassesFinding), answer.finding(QuantitiesFinding)
    if classes is not None:
        guess["body"] = next(
            (class_found.name for class_found in classes.classes if class_found.name in BODIES), ""
        )
    if quantities is not None:
        present_values = quantities.present_values
        guess |= {name: present_values[name].value for name in present_values.keys() & {"radius", "aspect"}}
    return guess


def _guess_orientation(oriented: OrientationFinding | None) -> dict[str, Any]:
    if oriented is None:
        return {}
    values = {"director": oriented.director, "p2": oriented.p2}
    return {name: value.value for name, value in values.items() if value is not None}
