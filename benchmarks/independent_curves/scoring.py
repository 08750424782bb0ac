"""What an answer says, and whether it is right: only what ``sasnet fit --json`` prints is read.

Verdicts on the kind of sample
    *right*: the data are explained, and the first model is one that is right for the kind
    (`kinds.Kind.right`), or the headline says that one of these is indistinguishable from it; or the caution
    in the three lines says what the kind is about (`kinds.Kind.said`).
    *cautioned*: not right, but the headline says that nothing explains the data or that they show no shape,
    or the one caution that people see (``doubt``; not those that ``--details`` adds) casts doubt on the kind:
    it matches `ABOUT_THE_KIND`. A right model that "does not explain" is cautioned, not right.
    *refused*: there is no answer but a sentence. Every sample here is small-angle scattering: a refusal is
    wrong.
    *wrong*: all else, a wrong answer without a caution.

Values
    Values are those of the headline, as it prints them, and only of right answers, as a value of another
    model may be another quantity. A radius is compared as the number mean and a width as the standard
    deviation over it: where the headline says "median radius … % polydisperse (log-normal)",
    mean = median · exp(σ²/2) and relative deviation = √(exp(σ²) - 1), σ being the stated width. A value
    without a stated error, or one that the headline calls not determined or beyond the data, is not counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .kinds import Kind

RIGHT, CAUTIONED, WRONG, REFUSED = "right", "cautioned", "wrong", "refused"

#: Cautions that cast doubt on the kind of sample. Others concern the unit, the time, the errors or one value.
ABOUT_THE_KIND = re.compile(
    r"explains? the data as well|shapes? explain|other shape|as well as|fits? as well|fits? equally"
    r"|equally well|cannot be told|indistinguishable|do not distinguish|no shape|much nearer|comes? nearer"
    r"|no known model|library model|none of the known|unlike|network|says? the same|same curve|simpler"
    r"|not certain|not determined by these data: a model|lacks? something|incomplete|not random|slit|smear"
    r"|parasitic|beamstop|exactly this curve|second contribution"
    r"|hardly reject|hardly any model|may be another|better fit may exist|may fit better|no size",
    re.I,
)
_NO_KIND = re.compile(
    r"do not show a shape|show no shape|nothing that was fitted|none of the fitted|no model|no structure"
    r"|would explain|would fit",
    re.I,
)
_NUMBER = r"[-+−]?\d[\d.,]*(?:[eE][-+]?\d+)?"
#: The letter of a sum's component behind a name.
_LETTER = r" \((?:component )?([AB])\)"
_VALUE = re.compile(
    rf"(?P<name>[A-Za-z][A-Za-zé ²/'-]*?(?:{_LETTER})?)?(?: of| at|:| =)? ?(?P<value>{_NUMBER})"
    rf" (?:± (?P<error>{_NUMBER})|\(?\+ ?(?P<up>{_NUMBER})[ ,/]*[-−–] ?(?P<down>{_NUMBER})\)?)"
    r" ?(?P<unit>%|Å⁻¹|Å|nm)?(?P<after> polydispers\w*)?(?: \((?P<shape>Schulz|log-normal|Gaussian)\))?"
)

#: Quantity -> how headlines name it, of the models where it has that name.
QUANTITIES: Mapping[str, tuple[str, ...]] = {
    "radius": ("radius", "median radius", "mean radius", "number-mean radius"),
    "core radius": ("core radius", "median core radius", "mean core radius", "number-mean core radius"),
    "inner radius": (
        "radius", "core radius", "inner radius", "median radius", "mean radius", "number-mean radius",
    ),
    "shell thickness": ("shell thickness", "median shell thickness", "mean shell thickness"),
    "wall thickness": ("shell thickness", "wall thickness", "thickness"),
    "outer radius": ("outer radius", "mean outer radius", "number-mean outer radius"),
    "polar radius": ("polar radius",),
    "equatorial radius": ("equatorial radius",),
    "cylinder radius": ("radius", "mean radius", "number-mean radius", "median radius"),
    "length": ("length", "thickness", "cylinder length", "disc thickness"),
    "rg": ("Rg", "radius of gyration"),
    "mass exponent": ("Porod exponent", "exponent", "mass fractal dimension"),
    "shortest side": (),  # of a box, see `_shortest_side`
    "volume fraction": ("volume fraction",),
    "correlation length": ("correlation length", "B correlation length", "A correlation length"),
    "microemulsion length": ("correlation length",),
    "repeat distance": ("repeat distance",),
    "Porod exponent": ("Porod exponent", "exponent", "B exponent", "A exponent"),
    "exponent": ("exponent", "Porod exponent"),
    "spacing": ("spacing",),
    "layer thickness": ("thickness", "layer thickness"),
    "neighbour distance": ("distance of neighbours",),
    "fractal dimension": ("fractal dimension", "mass fractal dimension"),
    "peak position": ("peak at", "peak"),
    "smaller radius": (),  # of two populations, see `_populations`
    "larger radius": (),
    "relative deviation": (),  # a width, see `_widths`
    "core deviation": (),
}  # fmt: skip


@dataclass(frozen=True)
class RightAnswers:
    """What is right for a curve that is of no `Kind`; the fields are those of `Kind`."""

    right: frozenset[str]
    said: str = ""


@dataclass(frozen=True)
class Stated:
    """One value of a headline."""

    name: str
    value: float
    #: One standard deviation, below and above the value.
    below: float
    above: float
    unit: str
    shape: str = ""  #: Of a width: the distribution.
    width: bool = False

    def pull(self, truth: float) -> float:
        """How many errors the value is off."""
        error = self.above if truth > self.value else self.below
        return (self.value - truth) / error if error > 0 else math.inf


def number(text: str) -> float:
    """A number as headlines print it."""
    return float(text.replace("−", "-").replace(",", "").rstrip("."))


def stated(headline: str) -> list[Stated]:
    """All values with errors in a headline."""
    found = []
    for match in _VALUE.finditer(headline):
        up = match["error"] or match["up"]
        down = match["error"] or match["down"]
        name = re.split(r"[,;:.] ?", match["name"] or "")[-1].strip()
        name = re.sub(r"^(?:and|an?|on an?|agree on an?) ", "", name)
        scale = 0.01 if match["unit"] == "%" else 10.0 if match["unit"] == "nm" else 1.0
        found.append(
            Stated(
                name, scale * number(match["value"]), scale * number(down), scale * number(up),
                match["unit"] or "", match["shape"] or "", bool(match["after"]),
            )
        )  # fmt: skip
    return found


def name_of(fit: Mapping[str, Any]) -> str:
    """sasmodels' name of a fit's model, with its structure factor."""
    factor = fit.get("structure_factor")
    return str(fit["model"] if factor is None else f"{fit['model']}@{factor}")


def is_right(name: str, kind: Kind | RightAnswers) -> bool:
    """Whether a model is right for a kind; the terms of a sum may stand in either order."""
    spellings = {name, "+".join(reversed(name.split("+"))), f"{name.partition('@')[0]}@*"}
    return bool(spellings & kind.right)


def verdict(answer: Mapping[str, Any], kind: Kind | RightAnswers) -> str:
    """`RIGHT`, `CAUTIONED`, `WRONG` or `REFUSED`."""
    if "headline" not in answer:
        return REFUSED
    headline, caution = str(answer["headline"]), str(answer.get("doubt") or "")
    if kind.said and re.search(kind.said, f"{headline} {caution}", re.I):
        return RIGHT
    explained = answer.get("verdict") != "does not explain" and not re.search(r"None of the fitted", headline)
    fits = answer.get("fits") or []
    if explained and fits and (is_right(name_of(fits[0]), kind) or _named_beside(headline, kind)):
        return RIGHT
    cautioned = not explained or _NO_KIND.search(headline) or ABOUT_THE_KIND.search(caution)
    return CAUTIONED if cautioned else WRONG


def _named_beside(headline: str, kind: Kind | RightAnswers) -> bool:
    """Whether the headline calls a right model indistinguishable from the first."""
    if not re.search(r"cannot be told|indistinguishable", headline, re.I):
        return False
    words = re.findall(r"[A-Za-z_0-9@+]+", headline)
    return any(is_right(word.rstrip("."), kind) for word in words)


def values(answer: Mapping[str, Any], truth: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Of each known quantity that the headline states: the value, its error, the truth and the pull."""
    known = stated(str(answer.get("headline", "")))
    model = name_of(answer["fits"][0]) if answer.get("fits") else ""
    rows = {}
    for quantity, true in truth.items():
        found = _of(quantity, known, model)
        if found is not None:
            rows[quantity] = {
                "value": found.value, "error": 0.5 * (found.below + found.above), "truth": true,
                "pull": found.pull(true),
            }  # fmt: skip
    return rows


def _of(quantity: str, known: Sequence[Stated], model: str) -> Stated | None:
    if quantity in ("relative deviation", "core deviation"):
        width = _width(known)
        return None if width is None else _as_deviation(width)
    if quantity in ("smaller radius", "larger radius"):
        return _population(quantity, known)
    if quantity == "shortest side":
        return _shortest_side(known)
    names = QUANTITIES[quantity]
    found = next((one for one in known if _bare(one.name, model) in names and not one.width), None)
    if found is not None and "median" in found.name:
        return _as_mean(found, _width(known))
    return found


def _bare(name: str, model: str) -> str:
    """A name without the letter of a sum's component, where only one component has such a quantity."""
    own = re.sub(rf"^[AB] |{_LETTER}$", "", name) if "+" in model and model != "sphere+sphere" else name
    return own.removeprefix("number-").removeprefix("mean ")


def _width(known: Sequence[Stated]) -> Stated | None:
    named = ("deviation", "polydispersity")
    return next((one for one in known if one.width or any(word in one.name for word in named)), None)


def _as_deviation(width: Stated) -> Stated:
    """The relative standard deviation; of a log-normal distribution the width is that of ln R."""
    if width.shape != "log-normal" or not width.width:
        return width
    value = math.sqrt(math.expm1(width.value**2))
    slope = width.value * math.exp(width.value**2) / value
    return Stated(width.name, value, slope * width.below, slope * width.above, width.unit)


def _as_mean(median: Stated, width: Stated | None) -> Stated | None:
    """The number mean of a log-normal distribution of which the median is stated."""
    if width is None:
        return None
    factor = math.exp(width.value**2 / 2)
    return Stated("radius", factor * median.value, factor * median.below, factor * median.above, median.unit)


def _shortest_side(known: Sequence[Stated]) -> Stated | None:
    """Which side is called a is a convention; a side may be stated as a ratio to side a."""
    first = next((one for one in known if one.name.removeprefix("median ") == "side a"), None)
    if first is None:
        return None
    sides = [first, *(one for one in known if one.name in ("side b", "side c"))]
    for ratio in (one for one in known if one.name.startswith("ratio of sides")):
        below, above = (
            ratio.value * first.value * math.hypot(mine / ratio.value, its / first.value)
            for mine, its in ((ratio.below, first.below), (ratio.above, first.above))
        )
        sides.append(Stated(ratio.name, ratio.value * first.value, below, above, "Å"))
    return min(sides, key=lambda one: one.value)


def _population(quantity: str, known: Sequence[Stated]) -> Stated | None:
    radii = sorted(
        (one for one in known if re.search(rf"radius(?:{_LETTER})?$", one.name)), key=lambda one: one.value
    )
    if len(radii) != 2:
        return None
    found = radii[0 if quantity.startswith("smaller") else 1]
    if "median" not in found.name:
        return found
    widths = (one for one in known if one.width and _letter(one.name) == _letter(found.name))
    return _as_mean(found, next(widths, None))


def _letter(name: str) -> str:
    """The component of a sum that a name belongs to; empty where there is one."""
    found = re.search(rf"^([AB]) |{_LETTER}$", name)
    return (found[1] or found[2]) if found else ""
