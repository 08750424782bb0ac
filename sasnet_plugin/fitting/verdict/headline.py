"""The headline: what explains the data, with values and errors; or what comes nearest, and what is sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...digits import chisq_text, listed, rounded, significant, unit_text
from ...model_free import Guinier
from ..result.components import bare
from ..result.fit_result import FitResult
from ..result.headline import telling, undetermined
from ..result.model_fit import ModelFit, explains
from ..settings import ASSESSMENT
from . import sentences
from .equals import (
    as_good,
    explained_within_error,
    nearest,
    no_shape,
    of_one_kind,
    only_within_error,
    stated_or_estimated,
    within_error,
)
from .names import DISTRIBUTIONS, among_neighbours, capital, shape, some, with_name
from .settings import VERDICT
from .sizes import Size, agreed, beyond, has_distribution, of_parameter, sizes, spread, summed, sums
from .words import spoken

#: Shapes and models whose thickness is not that of a shell.
_THICKNESS = {"sheet": "thickness", "hollow_cylinder": "wall thickness"}


def headline(result: FitResult, amount: str = "") -> str:
    """The first line of an answer, see `Verdict`; its lengths hold for the unit of q, assumed or not.

    Parameters
    ----------
    amount : str
        The volume fraction of the particles, see `volume_fraction.in_words`.
    """
    said, unit = _found(result, amount), result.curve.q_unit
    return said if unit.stated else f"{said} {unit}."


def _found(result: FitResult, amount: str) -> str:
    best, level = result.best, result.constant
    if level is not None:
        value = rounded(level.value, level.error, VERDICT.rounding)
        return sentences.NO_STRUCTURE(value=f"{value}{_intensity_unit(result)}")
    if best is None:
        return str(sentences.NOTHING_FITTED)
    if not explained_within_error(result):
        return _unexplained(result)
    chisq = chisq_text(best.reduced_chisq)
    if no_shape(result):
        return _of_no_shape(result, chisq)
    sample, ties, error = (
        explanation(result, best) + amount,
        tied_models(result, best),
        only_within_error(result),
    )
    if not error:
        return sentences.BEST_FIT(sample=sample, excluded=_excluded(result), chisq=chisq, ties=ties)
    source = stated_or_estimated(result)
    return sentences.BEST_WITHIN_ERROR(sample=sample, error=error, source=source, chisq=chisq, ties=ties)


def _intensity_unit(result: FitResult) -> str:
    return f" {result.curve.intensity_unit}" if result.curve.intensity_unit else ""


def _excluded(result: FitResult) -> str:
    """Which of the points were excluded, as a beamstop dims them."""
    dark = result.curve.shadow
    if dark is None:
        return ""
    return str(sentences.EXCLUDED_POINT) if len(dark) == 1 else sentences.EXCLUDED_POINTS(count=len(dark))


def _of_no_shape(result: FitResult, chisq: str) -> str:
    """Say that any of many shapes fits, and what they agree on."""
    equals = [result.fits[0], *as_good(result)]
    within = within_error(result)
    return sentences.NO_SHAPE(
        models=f"{some([fit.short_name for fit in equals])} models",
        within=f" within {within}" if within else "",
        chisq=chisq,
        agreement=_agreement("They", equals),
    )


def _agreement(who: str, fits: Sequence[ModelFit]) -> str:
    """A further sentence on a quantity that these fits agree on, if there is one."""
    same = agreed(fits)
    return "" if same is None else sentences.AGREEMENT(fits=who, size=_with_article(same))


def explanation(result: FitResult, best: ModelFit) -> str:
    """What the sample is, and its values."""
    sample = _like(best, of_one_kind(result)) or with_name(best)
    return ", ".join([sample, *_values(result, best)])


def tied_models(result: FitResult, best: ModelFit) -> str:
    """Further sentences on models that the data do not distinguish, plainly or within an error."""
    error, excused = result.excused
    tied = [fit.short_name for fit in of_one_kind(result)]
    plain, within = [n for n in tied if n not in excused], [n for n in tied if n in excused]
    text = sentences.TIED(first=best.short_name, models=some(plain)) if plain else ""
    return text + (sentences.TIED_WITHIN_ERROR(error=error, models=some(within)) if within else "")


def _like(best: ModelFit, tied: Sequence[ModelFit]) -> str | None:
    """Such as "sphere-like particles", where other models of one shape fit as well; else None."""
    models = {fit.model for fit in (best, *tied)}
    if len(models) == 1 or len(set(map(shape, models))) > 1:
        return None
    factor = best.structure_factor
    same = all(fit.structure_factor == factor for fit in tied)
    return among_neighbours(f"{shape(best.model)}-like particles", factor if same else None)


def _unexplained(result: FitResult) -> str:
    first, best = nearest(result), result.fits[0]
    random = "not random" not in " ".join(first.warnings)
    chisq = chisq_text(first.reduced_chisq)
    if first is not best and random and explains(first.reduced_chisq, len(result.curve)):
        return sentences.ANOTHER_WOULD_FIT(
            nearest=capital(with_name(first)),
            chisq=chisq,
            best=capital(best.short_name),
            best_chisq=chisq_text(best.reduced_chisq),
        )
    close = [f for f in result.fits if f.reduced_chisq <= ASSESSMENT.worse * max(first.reduced_chisq, 1.0)]
    more = "" if first is best else _why_first(best, first)
    more += _agreement("The nearest fits", close) or _without_model(result)
    return sentences.NO_FIT(nearest=with_name(first), chisq=chisq, more=more)


def _why_first(best: ModelFit, nearest_: ModelFit) -> str:
    fewer = len(best.free) < len(nearest_.free)
    reason = f"has {len(best.free)} parameters, not {len(nearest_.free)}" if fewer else "is more probable"
    chisq = chisq_text(best.reduced_chisq)
    return sentences.RANKS_FIRST(model=capital(best.short_name), chisq=chisq, reason=reason)


def _without_model(result: FitResult) -> str:
    found = result.model_free.guinier
    if not isinstance(found, Guinier):
        return ""
    return sentences.GUINIER(rg=rounded(found.rg, found.rg_error, VERDICT.rounding))


def _with_article(size: Size) -> str:
    """``an outer radius of 490 ± 3 Å``."""
    article = "an" if size.title[0] in "aeou" else "a"
    return f"{article} {in_words(f'{size.title} of', size)}"


def in_words(name: str, size: Size) -> str:
    """``radius 72.0 ± 0.1 Å``, ``volume fraction 12 ± 1 %``."""
    if "fraction" in name and not size.unit:
        return f"{name} {in_percent(size)}"
    unit = unit_text(size.unit)
    return f"{name} {rounded(size.value, size.error, VERDICT.rounding)} {unit}".rstrip()


def _values(result: FitResult, best: ModelFit) -> list[str]:
    """Two or three values with what equally good fits say of them in their errors, then what is open."""
    equals = [fit for fit in as_good(result) if fit.model != best.model]
    # A more general model that says the same does not hide what the simple one determines.
    wholes = _wholes(best, [fit for fit in equals if len(fit.free) <= len(best.free)])
    hidden = set(beyond(best)).union(*(size.parts for size in wholes))
    # Equally good fits may leave nothing of a size that the first one seems to know.
    said = [in_words(size.title, size) for size in wholes if not _open(size)]
    return [*said, *_singles(best, equals, hidden), *_longer(best), *_left(wholes, best, hidden)]


def _singles(best: ModelFit, equals: Sequence[ModelFit], hidden: set[str]) -> list[str]:
    """The parameters by which people know a sample, as far as nothing else says them."""
    found = {name: _alone(name, best, equals) for name, _ in telling(best) if name not in hidden}
    return [_value(name, size, best) for name, size in found.items() if size is not None]


def _longer(best: ModelFit) -> list[str]:
    return [
        sentences.OVER(length=_name(name, best), longest=significant(longest, 2))
        for name, longest in beyond(best).items()
    ]


def _left(wide: Sequence[Size], best: ModelFit, hidden: set[str]) -> list[str]:
    names = [size.name for size in wide if _open(size)]
    names += [_name(name, best) for name in undetermined(best) if name not in hidden]
    return [sentences.OPEN_VALUES(names=listed(names))] if names else []


def _alone(name: str, best: ModelFit, equals: Sequence[ModelFit]) -> Size | None:
    """A parameter with the error that holds what other fits say of it; None where it is not determined."""
    size = of_parameter(name, best)
    if size is None:
        return None
    keys = [key for key, own in sizes(best).items() if own.parts == (name,)]
    others = [one for key in keys for one in _same(key, equals, best)]
    return replace(size, error=spread(size, others))


def _open(size: Size) -> bool:
    return size.error is not None and size.error >= abs(size.value)


def _value(name: str, size: Size, best: ModelFit) -> str:
    if name.endswith("_pd"):
        return _polydispersity(name, size, best)
    # A square stands with its root's value, see `of_parameter`.
    return in_words(_name(name, best).replace("²", ""), size)


def _same(name: str, fits: Sequence[ModelFit], best: ModelFit) -> list[Size]:
    """A quantity as other fits have it, weighted as they are."""
    return [
        replace(found[name], weight=min(fit.weight / max(best.weight, 1e-9), 1.0))
        for fit in fits
        if name in (found := sizes(fit))
    ]


def _wholes(best: ModelFit, equals: Sequence[ModelFit]) -> list[Size]:
    """Sums of parameters that are said in place of these, with the error that holds what other fits say."""
    # Others have them as well, or parts are open.
    each = [(size, _same(size.name, equals, best)) for size in sums(best)]
    return [replace(size, error=spread(size, same)) for size, same in each if same or _poor_part(size, best)]


def _poor_part(size: Size, best: ModelFit) -> bool:
    """Whether a part is not determined, or was left fixed by the search: no one's measurement."""
    return any(best.parameters[part].fixed or part in undetermined(best) for part in size.parts)


def _polydispersity(name: str, size: Size, fit: ModelFit) -> str:
    kind_ = DISTRIBUTIONS.get(fit.distributions.get(name.removesuffix("_pd"), "gaussian"), "")
    shown = f" ({kind_})" if kind_ else ""
    one = sum(n.endswith("_pd") for n in fit.free) == 1
    what = "" if one else f" of the {_plain_name(name.removesuffix('_pd'), fit)}"
    letter = "" if bare(name) == name else f" ({name[0]})"
    return f"polydispersity{what}{letter} {in_percent(size)}{shown}"


def in_percent(size: Size) -> str:
    """``12 ± 1 %`` of a share."""
    error = None if size.error is None else 100 * size.error
    return f"{rounded(100 * size.value, error, VERDICT.rounding)} %"


def _name(name: str, fit: ModelFit) -> str:
    """A parameter in plain English, with its component's letter in a sum."""
    said = _plain_name(name, fit)
    if has_distribution([name], fit):
        said = f"number-mean {said}"
    return said if bare(name) == name else f"{said} ({name[0]})"


def _plain_name(name: str, fit: ModelFit) -> str:
    """Name a parameter without the letter of its component."""
    own = bare(name)
    said = spoken(own)
    if own == "radius" and name in summed(fit):
        said = "core radius"
    elif own == "thickness":
        said = _THICKNESS.get(fit.model, _THICKNESS.get(shape(fit.model), said))
    return said
