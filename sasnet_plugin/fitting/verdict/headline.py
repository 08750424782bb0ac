"""The headline: the best fit with values and errors, or the nearest one; volume fractions."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import filterfalse

import numpy as np

from ...digits import chisq_text, format_rounded, join_names, significant, unit_text
from ...model_free import Guinier, Slope
from ..result.components import bare
from ..result.fit_result import FitResult
from ..result.fit_warning import About
from ..result.model_fit import ModelFit, explains
from ..result.reported_values import is_determined, list_undetermined, telling
from ..settings import ASSESSMENT, START_VALUES
from . import sentences
from .equals import (
    as_good,
    describe_error,
    is_explained_within_error,
    list_same_kind,
    name_uncertainties,
    nearest,
    no_shape,
    only_within_error,
)
from .names import DISTRIBUTIONS, add_model_name, capital, name_with_interaction, shape, some, spell_name
from .settings import VERDICT
from .sizes import (
    Size,
    find_agreement,
    find_lower_bounds,
    has_distribution,
    list_summed,
    make_size,
    sizes,
    spread,
    sums,
)

# --- Best fit, or the nearest one.

#: Shapes and models whose thickness is not that of a shell.
_THICKNESS = {"sheet": "thickness", "hollow_cylinder": "wall thickness"}


def headline(result: FitResult, amount: str = "") -> str:
    """The first line of an answer, see `Verdict`; its lengths hold for the unit of q, assumed or not.

    Parameters
    ----------
    amount : str
        The volume fraction of the particles, see `volume_fraction.in_words`.
    """
    text, unit = _describe_particles(result) + _describe_best(result, amount), result.curve.q_unit
    return text if unit.stated else f"{text} {unit}."


def _describe_particles(result: FitResult) -> str:
    """What holds of separate particles whatever the model, before all that rests on a model."""
    if result.protein is None or result.particles is None:
        return ""
    from ...protein.particles import describe_particles

    return f"{describe_particles(result.particles)} "


def _describe_best(result: FitResult, amount: str) -> str:
    best, level = result.best, result.constant
    if level is not None:
        value = format_rounded(level.value, level.error, VERDICT.rounding)
        return sentences.NO_STRUCTURE(value=f"{value}{_intensity_unit(result)}")
    if best is None:
        return str(sentences.NOTHING_FITTED)
    if not is_explained_within_error(result):
        return _describe_unexplained(result)
    chisq = chisq_text(best.reduced_chisq)
    if no_shape(result):
        return _describe_no_shape(result, chisq)
    sample, ties, error = (
        explanation(result, best) + amount,
        describe_tied_models(result, best),
        only_within_error(result),
    )
    if result.described_within:
        share, source = significant(100 * result.described_within, 2), name_uncertainties(result)
        return sentences.DESCRIBED(sample=sample, error=share, source=source, ties=ties)
    if not error:
        return sentences.BEST_FIT(sample=sample, excluded=_describe_excluded(result), chisq=chisq, ties=ties)
    source = name_uncertainties(result)
    return sentences.BEST_WITHIN_ERROR(sample=sample, error=error, source=source, chisq=chisq, ties=ties)


def _intensity_unit(result: FitResult) -> str:
    return f" {result.curve.intensity_unit}" if result.curve.intensity_unit else ""


def _describe_excluded(result: FitResult) -> str:
    """Which of the points were excluded, as a beamstop dims them."""
    dark = result.curve.shadow
    if dark is None:
        return ""
    return str(sentences.EXCLUDED_POINT) if len(dark) == 1 else sentences.EXCLUDED_POINTS(count=len(dark))


def _describe_no_shape(result: FitResult, chisq: str) -> str:
    """Say that any of many shapes fits, and what they agree on."""
    equals = [result.fits[0], *as_good(result)]
    within = describe_error(result)
    return sentences.NO_SHAPE(
        models=f"{some([fit.short_name for fit in equals])} models",
        within=f" within {within}" if within else "",
        chisq=chisq,
        agreement=_agreement("They", equals),
    )


def _agreement(subject: str, fits: Sequence[ModelFit]) -> str:
    """A further sentence on a quantity that these fits agree on, if there is one."""
    agreement = find_agreement(fits)
    return "" if agreement is None else sentences.AGREEMENT(fits=subject, size=_add_article(agreement))


def explanation(result: FitResult, best: ModelFit) -> str:
    """What the sample is, and its values."""
    sample = _name_likeness(best, list_same_kind(result)) or add_model_name(best)
    return ", ".join([sample, *_values(result, best)])


def describe_tied_models(result: FitResult, best: ModelFit) -> str:
    """Further sentences on models that the data do not distinguish, plainly or within an error."""
    error, excused = result.excused
    tied = [fit.short_name for fit in list_same_kind(result)]
    is_excused = excused.__contains__
    plain, within = list(filterfalse(is_excused, tied)), list(filter(is_excused, tied))
    text = sentences.TIED(first=best.short_name, models=some(plain)) if plain else ""
    if within:
        text += sentences.TIED_WITHIN_ERROR(error=error, first=best.short_name, models=some(within))
    return text + _name_weightier(result, best)


def _name_weightier(result: FitResult, best: ModelFit) -> str:
    """A sentence on the likeliest of the tied models, where that is not the simplest, which leads."""
    likeliest = max(list_same_kind(result), key=lambda fit: fit.weight, default=best)
    if likeliest.weight <= best.weight or len(likeliest.free) <= len(best.free):
        return ""
    return str(sentences.LESS_SIMPLE(model=likeliest.short_name, weight=f"{100 * likeliest.weight:.0f}"))


def _name_likeness(best: ModelFit, tied: Sequence[ModelFit]) -> str | None:
    """Such as "sphere-like particles", where other models of one shape fit as well; else None."""
    models = {fit.model for fit in (best, *tied)}
    if len(models) == 1 or len(set(map(shape, models))) > 1:
        return None
    factor = best.structure_factor
    has_same_factor = all(fit.structure_factor == factor for fit in tied)
    return name_with_interaction(f"{shape(best.model)}-like particles", factor if has_same_factor else None)


def _describe_unexplained(result: FitResult) -> str:
    first, best = nearest(result), result.fits[0]
    random = all(warning.about is not About.NOT_RANDOM for warning in first.warnings)
    if first is not best and random and explains(first.reduced_chisq, len(result.curve)):
        return sentences.ANOTHER_WOULD_FIT(
            nearest=capital(add_model_name(first)),
            chisq=chisq_text(first.reduced_chisq),
            best=best.short_name,
            best_chisq=chisq_text(best.reduced_chisq),
        )
    close = [f for f in result.fits if f.reduced_chisq <= ASSESSMENT.worse * max(first.reduced_chisq, 1.0)]
    more = _agreement("The nearest fits", close)
    without = ""
    if result.protein is None or result.particles is None:
        without = _describe_without_model(result)
    misfit = _measure_misfit(result, first)
    within = f"within {significant(100 * misfit, 2)} %" if misfit else "the data"
    return without + sentences.NO_FIT(
        within=within, nearest=add_model_name(first), chisq=chisq_text(first.reduced_chisq), more=more
    )


def _measure_misfit(result: FitResult, fit: ModelFit) -> float:
    """Return the root mean square deviation of a fit beyond noise, over I, of the half of precise points."""
    theory = np.abs(fit.theory)
    if result.protein is None or not np.all(theory > 0):
        return 0.0
    relative, noise = (result.curve.intensity - fit.theory) / theory, result.dintensity / theory
    precise = noise <= np.median(noise)
    return math.sqrt(max(float(np.mean(relative[precise] ** 2 - noise[precise] ** 2)), 0.0))


def _describe_without_model(result: FitResult) -> str:
    """What holds whatever the model: Rg, the places of maxima, or a power law."""
    known, digits = result.model_free, VERDICT.rounding
    values = []
    if isinstance(known.guinier, Guinier):
        values.append(sentences.RG(rg=format_rounded(known.guinier.rg, known.guinier.rg_error, digits)))
    values += [
        sentences.MAXIMUM(q=format_rounded(peak.q, peak.q_error, digits), d=significant(peak.d, 3))
        for peak in known.peaks[: START_VALUES.near_fits]
        if not peak.fringe
    ]
    slope = known.low
    if not values and isinstance(slope, Slope) and slope.error < ASSESSMENT.unsure * abs(slope.value):
        exponent = format_rounded(slope.value, slope.error, digits).replace("-", "−")
        low, high = significant(slope.q_min, 2), significant(slope.q_max, 2)
        values.append(sentences.SLOPE(exponent=exponent, low=low, high=high))
    return sentences.WITHOUT_MODEL(values=", ".join(values)) if values else ""


def _add_article(size: Size) -> str:
    """``an outer radius of 490 ± 3 Å``."""
    article = "an" if size.title[0] in "aeou" else "a"
    return f"{article} {describe_size(f'{size.title} of', size)}"


def describe_size(name: str, size: Size) -> str:
    """``radius 72.0 ± 0.1 Å``, ``volume fraction 12 ± 1 %``."""
    if "fraction" in name and not size.unit:
        return f"{name} {format_percent(size)}"
    unit = unit_text(size.unit)
    return f"{name} {format_rounded(size.value, size.error, VERDICT.rounding)} {unit}".rstrip()


def _values(result: FitResult, best: ModelFit) -> list[str]:
    """Two or three values with what equally good fits say of them in their errors, then what is open."""
    return _list_values(best, _list_equal_models(result, best), result.given)


def _list_equal_models(result: FitResult, best: ModelFit) -> list[ModelFit]:
    return [fit for fit in as_good(result) if fit.model != best.model]


def _list_values(best: ModelFit, equals: Sequence[ModelFit], given: Collection[str] = ()) -> list[str]:
    # A more general model that says the same does not hide what the simple one determines.
    wholes = _wholes(best, [fit for fit in equals if len(fit.free) <= len(best.free)])
    hidden = set(find_lower_bounds(best)).union(*(size.parts for size in wholes))
    # Equally good fits may leave nothing of a size that the first one seems to know.
    texts = [describe_size(size.title, size) for size in wholes if not _open(size)]
    known = [*texts, *_singles(best, equals, hidden, given), *_longer(best)]
    shown = {part for size in wholes for part in size.parts} | {*list_undetermined(best), *hidden}
    if not known and any(name not in shown for name, _ in telling(best)):
        return [str(sentences.NO_VALUE)]
    return [*known, *_describe_open_sizes(wholes, best, hidden)]


def includes_other_models(result: FitResult) -> bool:
    """Whether the headline's values contain what other, equally good models say of them."""
    best = result.best
    if (
        best is None
        or result.constant is not None
        or no_shape(result)
        or not is_explained_within_error(result)
    ):
        return False
    return _list_values(best, _list_equal_models(result, best)) != _list_values(best, [])


def _singles(
    best: ModelFit, equals: Sequence[ModelFit], hidden: set[str], given: Collection[str]
) -> list[str]:
    """The parameters by which people know a sample, as far as nothing else says them."""
    sizes_by_name = {name: _alone(name, best, equals) for name, _ in telling(best) if name not in hidden}
    return [_value(name, size, best, given) for name, size in sizes_by_name.items() if size is not None]


def _longer(best: ModelFit) -> list[str]:
    texts = []
    for name, longest in find_lower_bounds(best).items():
        # Rounded down: a lower bound that is rounded up does not hold.
        step = 10.0 ** (math.floor(math.log10(longest)) - 1)
        text = significant(math.floor(longest / step) * step, 2)
        texts.append(sentences.OVER(length=name_parameter(name, best), longest=text))
    return texts


def _describe_open_sizes(wide: Sequence[Size], best: ModelFit, hidden: set[str]) -> list[str]:
    names = [size.name for size in wide if _open(size)]
    names += [name_parameter(name, best) for name in list_undetermined(best) if name not in hidden]
    return [sentences.OPEN_VALUES(names=join_names(names))] if names else []


def _alone(name: str, best: ModelFit, equals: Sequence[ModelFit]) -> Size | None:
    """A parameter with the error that holds what other fits say of it; None where it is not determined."""
    size = make_size(name, best)
    if size is None:
        return None
    keys = [key for key, own_size in sizes(best).items() if own_size.parts == (name,)]
    other_sizes = [one_size for key in keys for one_size in _same(key, equals, best)]
    return replace(size, error=spread(size, other_sizes))


def _open(size: Size) -> bool:
    return size.error is not None and size.error >= abs(size.value)


def _value(name: str, size: Size, best: ModelFit, given: Collection[str]) -> str:
    if name.endswith("_pd"):
        return describe_polydispersity(name, size, best)
    # A square stands with its root's value, see `make_size`.
    text = describe_size(name_parameter(name, best).replace("²", ""), size)
    return text + _describe_surroundings(name, best, given) if bare(name) == "charge" else text


def _describe_surroundings(charge: str, best: ModelFit, given: Collection[str]) -> str:
    """What a charge depends on and no fit of these data determines."""
    begin = charge.removesuffix("charge")
    values = {
        n: best.parameters.get(f"{begin}{n}") for n in ("temperature", "dielectconst", "concentration_salt")
    }
    temperature, dielectric, salt = values.values()
    if temperature is None or dielectric is None:
        return ""
    no_salt = salt is not None and salt.fixed and salt.value == 0
    is_assumed = temperature.fixed and not {"temperature", f"{begin}temperature"} & set(given)
    return sentences.SURROUNDINGS(
        how=str(sentences.ASSUMED if is_assumed else sentences.AT),
        temperature=f"{temperature.value:.0f}", dielectric=f"{dielectric.value:.1f}",
        salt=str(sentences.NO_SALT) if no_salt else "",
    )  # fmt: skip


def _same(name: str, fits: Sequence[ModelFit], best: ModelFit) -> list[Size]:
    """A quantity as other fits have it, weighted as they are."""
    return [
        replace(sizes_of_fit[name], weight=min(fit.weight / max(best.weight, 1e-9), 1.0))
        for fit in fits
        if name in (sizes_of_fit := sizes(fit))
    ]


def _wholes(best: ModelFit, equals: Sequence[ModelFit]) -> list[Size]:
    """Sums of parameters that are said in place of these, with the error that holds what other fits say."""
    # Others have them as well, or parts are open.
    pairs = [(size, _same(size.name, equals, best)) for size in sums(best)]
    return [
        replace(size, error=spread(size, equal_sizes))
        for size, equal_sizes in pairs
        if equal_sizes or _poor_part(size, best)
    ]


def _poor_part(size: Size, best: ModelFit) -> bool:
    """Whether a part is not determined, or was left fixed by the search: no one's measurement."""
    return any(best.parameters[part].fixed or part in list_undetermined(best) for part in size.parts)


def describe_polydispersity(name: str, size: Size, fit: ModelFit) -> str:
    kind_ = DISTRIBUTIONS.get(fit.distributions.get(name.removesuffix("_pd"), "gaussian"), "")
    kind_text = f" ({kind_})" if kind_ else ""
    has_one_width = sum(n.endswith("_pd") for n in fit.free) == 1
    owner_text = "" if has_one_width else f" of the {_plain_name(name.removesuffix('_pd'), fit)}"
    letter = "" if bare(name) == name else f" (component {name[0]})"
    return f"polydispersity{owner_text}{letter} {format_percent(size)}{kind_text}"


def format_percent(size: Size) -> str:
    """``12 ± 1 %`` of a share."""
    error = None if size.error is None else 100 * size.error
    return f"{format_rounded(100 * size.value, error, VERDICT.rounding)} %"


def name_parameter(name: str, fit: ModelFit) -> str:
    """A parameter in plain English, with its component's letter in a sum."""
    text = _plain_name(name, fit)
    if has_distribution([name], fit):
        text = f"number-mean {text}"
    return text if bare(name) == name else f"{text} (component {name[0]})"


def _plain_name(name: str, fit: ModelFit) -> str:
    """Name a parameter without the letter of its component."""
    plain_name = bare(name)
    text = spell_name(plain_name)
    if plain_name == "radius" and name in list_summed(fit):
        text = "core radius"
    elif plain_name == "thickness":
        text = _THICKNESS.get(fit.model, _THICKNESS.get(shape(fit.model), text))
    return text


# --- Scale as a volume fraction.

#: Models of lattices and stacks, in which the scale is no volume fraction of the particles alone.
_LATTICES = ("lamellar", "bcc", "fcc", "sc_")
#: Models with a volume fraction of their own, which the scale multiplies.
_FRACTIONS = ("vesicle", "multilayer_vesicle", "fractal", "fractal_core_shell")
#: Models of walls: the volume is theirs alone.
_WALLS = ("hollow", "vesicle")


def volume_fraction(result: FitResult) -> Size | None:
    """The volume fraction of the particles, for an intensity in cm⁻¹; None where the scale is none.

    In sasmodels the scale of a model with a particle volume is the volume fraction of the particles, if the
    intensity is absolute and the contrast is right.
    """
    best = result.best
    if best is None or result.curve.intensity_unit not in ("", "cm⁻¹"):
        return None
    if not is_volume_fraction(best) or not _densities_given(result):
        return None
    scale, share = best.parameters["scale"], _own_fraction(best)
    return Size("volume fraction", share * scale.value, share * (scale.error or 0.0) or None, "", ("scale",))


def is_volume_fraction(fit: ModelFit) -> bool:
    """Whether the scale of a fit is the volume fraction of its particles once the contrast is known."""
    scale, share = fit.parameters.get("scale"), _own_fraction(fit)
    if scale is None or scale.fixed or not 0 < share * scale.value < 1 or not is_determined("scale", scale):
        return False
    return _has_particle_volume(fit.model)


def _own_fraction(fit: ModelFit) -> float:
    """What the scale is multiplied by: a model's own volume fraction, or 1; 0 where that is no fraction."""
    own = fit.parameters.get("volfraction")
    if own is None:
        return 1.0
    is_linear = fit.structure_factor is None and fit.model in _FRACTIONS
    return own.value if own.fixed and is_linear else 0.0


def _has_particle_volume(model: str) -> bool:
    if "+" in model or model.endswith(".py") or model.startswith(_LATTICES):
        return False
    from ...simulate.priors import model_info

    return bool(model_info(model).parameters.form_volume_parameters)


def _densities_given(result: FitResult) -> bool:
    """Whether a user has given each scattering length density of the best model."""
    names = {name for name, p in result.fits[0].parameters.items() if p.unit == "1e-6/Ang^2"}
    return bool(names) and names <= set(result.given)


def in_words(result: FitResult) -> str:
    """The volume fraction for the headline, after a comma; empty where there is none."""
    size = volume_fraction(result)
    if size is None:
        return ""
    unit = "" if result.curve.intensity_unit else str(sentences.IF_ABSOLUTE)
    what = str(sentences.WALLS) if result.fits[0].model.startswith(_WALLS) else ""
    return sentences.VOLUME_FRACTION(what=what, value=format_percent(size), condition=unit)
