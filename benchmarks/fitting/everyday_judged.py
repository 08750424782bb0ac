"""What is wrong with an answer to an everyday curve, as ``sasnet fit --json`` prints it.

Only the printed answer is read, as a user or a script reads it; nothing of the package is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .everyday_curves import Measured

#: χ² may be above the truth's by so many of its own standard deviations, √(2n); sizes off by so many errors.
SIGMAS = 3.0
#: Part by which a size may be off whatever its error: integrals over size distributions are sums.
EXACT = 0.002
#: A fit of this share of the best one's weight, or named beside it, is tied with it.
TIED = 0.1
#: Errors below this share of a value present it as measured.
MEASURED = 0.5
#: Volumes are shares of the whole.
_SHARES = re.compile(r"(^|_)volfraction")
_BESIDE = re.compile(r"as well|equally well|cannot be told|[Ii]ndistinguishable|tied|alike")
#: Which lengths are which is a convention: the model is the same with them exchanged.
_EXCHANGED = {
    "parallelepiped": (("length_a", "length_b", "length_c"),),
    "two_lorentzian": (("lorentz_length_1", "lorentz_length_2"),),
    "triaxial_ellipsoid": (("radius_equat_minor", "radius_equat_major", "radius_polar"),),
}


def name_of(fit: Mapping[str, Any]) -> str:
    """sasmodels' name of a fit's model."""
    factor = fit.get("structure_factor")
    return str(fit["model"] if factor is None else f"{fit['model']}@{factor}")


def chisq_of(fit: Mapping[str, Any], points: int) -> float:
    """χ² of a fit, not reduced."""
    free = sum(not p["fixed"] for p in fit["parameters"].values())
    return float(fit["reduced_chisq"] * (points - free))


def explained(chisq: float, given: Measured) -> bool:
    """Whether χ² is not above the truth's by more than `SIGMAS` of its standard deviations."""
    return bool(chisq <= given.chisq + SIGMAS * np.sqrt(2 * given.q.size))


def faults(answer: Mapping[str, Any], given: Measured) -> list[str]:
    """Everything wrong with the answer to a curve whose model was not told; none: all is well."""
    fits = answer.get("fits") or []
    if not fits:
        return ["answer: none"]
    found = []
    true = next((fit for fit in fits if name_of(fit) == given.model), None)
    if not (true and tied(answer, true)):
        share = f"weight {true['weight']:.3f}" if true else "not listed"
        found.append(f"model: {name_of(fits[0])} first, {given.model} {share}")
    chisq = chisq_of(fits[0], given.q.size)
    if not explained(chisq, given):
        found.append(f"chisq: {chisq:.0f}, truth {given.chisq:.0f}")
    found += [f"absurd: {name_of(fits[0])} {said}" for said in absurd(fits[0])]
    if true:
        found += [f"size: {said}" for said in wrong_sizes(true, given)]
    return found


def tied(answer: Mapping[str, Any], fit: Mapping[str, Any]) -> bool:
    """Whether a fit is the first, has a good part of its weight, or is named beside it."""
    first = answer["fits"][0]
    if fit is first or fit["weight"] >= TIED * first["weight"]:
        return True
    if name_of(fit) in answer.get("tied", ()):
        return True
    said = [answer.get("headline"), answer.get("doubt"), *(answer.get("doubts") or ())]
    word = re.compile(rf"(?<![\w@]){re.escape(name_of(fit))}(?![\w@])")
    return any(_BESIDE.search(one) and word.search(one) for text in said for one in sentences(text))


def sentences(text: Any) -> list[str]:
    """Parts of a text, or of texts, that state one thing each."""
    texts = text if isinstance(text, list) else [text]
    return [part for one in texts if one for part in re.split(r"[;.:] ", str(one))]


def absurd(fit: Mapping[str, Any]) -> Iterator[str]:
    """Values that no sample has, and values that nothing measured although they have a small error."""
    for name, p in fit["parameters"].items():
        if p["fixed"]:
            continue
        value, bare = float(p["value"]), re.sub(r"^[A-Z]_", "", name)
        if p["unit"] == "Ang" and value < 0:
            yield f"{name} {value:.4g} Å is negative"
        elif _SHARES.search(bare) and not 0 <= value <= 1:
            yield f"{name} {value:.4g} is no share of a volume"
        elif _round(value) and p["error"] is not None and p["error"] < MEASURED * abs(value):
            yield f"{name} {value:g} ± {p['error']:.2g} stands at a bound or where it began"


def _round(value: float) -> bool:
    """A fitted number with three digits and then nine zeros was not fitted."""
    return value != 0 and abs(value - float(f"{value:.2e}")) < 1e-12 * abs(value)


def wrong_sizes(fit: Mapping[str, Any], given: Measured) -> list[str]:
    """Fitted lengths of the true model that are not within `SIGMAS` errors of the truth."""
    found: dict[str, tuple[float, float]] = {}
    for name, p in fit["parameters"].items():
        if p["unit"] == "Ang" and not p["fixed"] and name in given.values:
            found[name] = float(p["value"]), float(p["error"] or 0.0)
    truth = {name: given.values[name] for name in found}
    for names in _EXCHANGED.get(given.model, ()):
        here = [name for name in names if name in found]
        if len(here) == len(names):
            for name, value, true in zip(
                names, sorted(found[n] for n in names), sorted(truth[n] for n in names), strict=True
            ):
                found[name], truth[name] = value, true
    return [
        f"{name} {value:.4g} ± {error:.2g} Å, truth {truth[name]:.4g}"
        for name, (value, error) in found.items()
        if abs(value - truth[name]) > max(SIGMAS * error, EXACT * truth[name])
    ]
