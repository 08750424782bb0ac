"""The one headline of an answer, the same in the terminal, on the page, in SasView and in Bumps.

Best model with its structure factor, the parameters that tell most, reduced χ², and one of three verdicts.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sasnet_plugin.digits import chisq_text, listed, quantity, significant
from sasnet_plugin.fitting.result.components import bare
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter, Verification
from sasnet_plugin.fitting.settings import PROBLEM

#: The levels of a verdict.
EXPLAINS, DOUBTS, DOES_NOT = "explains", "explains with doubts", "does not explain"
#: Relative error up to which a value is known well enough to be told first.
_KNOWN = 0.5
#: Parameters and doubts in a headline, at most; the rest is below it.
_TOLD, _NAMED = 3, 3


@dataclass(frozen=True)
class Headline:
    """What is said first.

    Parameters
    ----------
    model : str
        With its structure factor; empty where no model could be fitted.
    values : tuple of str
        Two or three parameters with errors and units.
    reduced_chisq : float
    verdict : str
        `EXPLAINS`, `DOUBTS` or `DOES_NOT`.
    doubts : tuple of str
        The reasons of a verdict that is not `EXPLAINS`, each a short statement.
    systematic : str
        By what neighbouring points may be off together, such that it would explain the data, "2 % of I";
        empty where there is none.
    unfinished : str
        A sentence on what the time limit left undone; empty where it left nothing.
    """

    model: str = ""
    values: tuple[str, ...] = ()
    reduced_chisq: float = float("nan")
    verdict: str = DOES_NOT
    doubts: tuple[str, ...] = field(default_factory=tuple)
    systematic: str = ""
    unfinished: str = ""

    @property
    def finding(self) -> str:
        """Model, parameters and reduced χ²."""
        if not self.model:
            return "No model could be fitted"
        told = f": {', '.join(self.values)}" if self.values else ""
        return f"{self.model}{told}; reduced χ² {chisq_text(self.reduced_chisq)}"

    @property
    def judgement(self) -> str:
        """The verdict as a sentence with its doubts, and what was left undone."""
        return f"{self._verdict()} {self.unfinished}".rstrip()

    def _verdict(self) -> str:
        more = len(self.doubts) - _NAMED
        doubts = "; ".join((*self.doubts[:_NAMED], *([f"and {more} more"] if more > 0 else [])))
        if self.verdict == EXPLAINS:
            return "Explains the data."
        if self.verdict == DOUBTS:
            return f"Explains the data, with doubts: {doubts}."
        if not self.model:
            return "Nothing explains the data."
        if self.systematic:
            within = f"within a systematic error of {self.systematic} it would"
            return f"Does not explain the data to their errors; {within}."
        return f"Does not explain the data{f': {doubts}' if doubts else ''}."

    def __str__(self) -> str:
        return f"{self.finding}. {self.judgement}"

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the sentence, and what it is made of."""
        return {"headline": str(self), "verdict": self.verdict, "doubts": list(self.doubts)}


def headline(
    best: ModelFit | None,
    verification: Verification | None,
    beside: Sequence[str],
    others: Sequence[str],
) -> Headline:
    """The headline of an answer.

    Parameters
    ----------
    best : ModelFit or None
        With its warnings. Of one that explains the data each is a doubt; of a wrong model the parameters are
        not worth it.
    verification : Verification or None
    beside : sequence of str
        What is to be said of other fits.
    others : sequence of str
        What else is to be doubted.
    """
    if best is None:
        return Headline(doubts=tuple(map(statement, others)))
    told = telling(best)
    values = tuple(in_words(name, p) for name, p in told)
    error = verification and verification.systematic or {}
    systematic = f"{significant(100 * error['relative'], 2)} % of I" if error else ""
    if error and error.get("background"):
        systematic += " and a background that changes along q"
    if verification is None or verification.explained:
        said = [
            *beside,
            *(statement(one, best.parameters) for one in (*best.warnings, *others)),
        ]
        if any(p.error is None for _, p in told):
            said.append("the errors of the parameters are not known")
        if systematic:
            said.append(f"neighbouring residuals share an error of {systematic}")
    else:
        said = list(map(statement, verification.sentences))
    doubts = tuple(dict.fromkeys(said))
    if verification is None or verification.explained:
        return Headline(best.short_name, values, best.reduced_chisq, DOUBTS if doubts else EXPLAINS, doubts)
    if not error.get("excuses", False):
        systematic = ""
    if not systematic:
        values = ()  # of a wrong model they mean nothing, however small their errors
    return Headline(best.short_name, values, best.reduced_chisq, DOES_NOT, doubts, systematic)


def as_well(names: Sequence[str]) -> str:
    """That fits of these names fit as well; two are named."""
    return f"{some(names)} fit{'' if names[1:] else 's'} as well"


def some(names: Sequence[str]) -> str:
    """Two names in a sentence, and how many more there are."""
    return listed([*names[:2], f"{len(names) - 2} more"] if names[2:] else names)


def statement(sentence: str, names: Collection[str] = ()) -> str:
    """What a sentence states, without the reason or the advice that follows a colon.

    It goes on in a sentence, unless it begins with one of these names, of parameters.
    """
    stated = sentence.partition(": ")[0].rstrip(".")
    return stated if re.split("[ ,]", stated)[0] in names else stated[:1].lower() + stated[1:]


def telling(fit: ModelFit) -> list[tuple[str, Parameter]]:
    """The fitted parameters by which people know a sample: lengths first, then what else makes its shape.

    Scale and background tell nothing of it, nor does what the data do not determine, if there is more, nor
    contrasts beside a fitted scale, which are known but for a factor: their values are a convention.
    """
    free = any(name.endswith("scale") and not p.fixed for name, p in fit.parameters.items())
    found = [
        (name, p)
        for name, p in fit.parameters.items()
        if not p.fixed and _class(name, p) is not None and not (free and "sld" in bare(name))
    ]
    known = [one for one in found if _well_known(one[1])]
    if not known:  # what would tell most is named all the same
        known = [one for one in found if not determined(*one)]
    chosen = sorted(known, key=lambda one: _class(*one) or 0)[:_TOLD]
    return [one for one in found if one in chosen]


def _well_known(p: Parameter) -> bool:
    return p.error is None or p.error <= _KNOWN * abs(p.value)


def determined(name: str, p: Parameter) -> bool:
    """Whether the data determine a fitted value: its error is less than itself.

    The zero of a background or of a width is as good a value as another; that of a scattering length density
    says nothing, so that an error counts against all that matter has.
    """
    if p.fixed or p.error is None or name.endswith("_pd") or p.unit == "1/cm":
        return True
    low, high = PROBLEM.neutron_matter
    return p.error < max(abs(p.value), high - low if p.unit == "1e-6/Ang^2" else 0.0)


def in_words(name: str, p: Parameter) -> str:
    """``radius 41.3 ± 0.6 Å``, or ``radius not determined (41 ± 300 Å)``."""
    said = quantity(p.value, p.unit, p.error)
    return f"{name} {said}" if determined(name, p) else f"{name} not determined ({said})"


def _class(name: str, p: Parameter) -> int | None:
    """0 for what tells most; None for what is no property of the sample's shape."""
    name = bare(name)
    if name.endswith("scale") or name in ("background", "perturb") or p.unit == "1/cm":
        return None
    if name.endswith("_pd"):
        return 4
    if "sld" in name:
        return 5
    if name.startswith("volfraction"):
        return 3
    if name == "radius_effective":
        return 2
    return 0 if p.unit == "Ang" else 1
