"""The headline: what explains the data with values and errors, or what comes nearest and what is sure of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sasnet_plugin.digits import chisq_text, listed, rounded, unit_text
from sasnet_plugin.fitting.result.components import bare
from sasnet_plugin.fitting.result.fit_result import FitResult
from sasnet_plugin.fitting.result.headline import telling, undetermined
from sasnet_plugin.fitting.result.model_fit import ModelFit

from .equals import as_good, nearest, of_one_kind, other_distributions, within_error
from .names import DISTRIBUTIONS, capital, shape, some, with_name
from .settings import VERDICT
from .sizes import Size, agreed, of_parameter, sizes, spread

#: Parameters whose own name is no plain English.
_WORDS = {
    "thickness": "shell thickness", "thick_shell": "shell thickness", "volfraction": "volume fraction",
    "rg": "Rg", "cor_length": "correlation length", "peak_pos": "peak at", "d_spacing": "spacing",
    "fractal_dim": "fractal dimension", "porod_exp": "Porod exponent", "power": "exponent",
    "radius_polar": "polar radius", "radius_equatorial": "equatorial radius",
    "kuhn_length": "Kuhn length", "radius_effective": "effective radius", "radius_core": "core radius",
}  # fmt: skip
#: Of these models a thickness is that of the whole.
_SHEETS = ("sheet",)


def headline(result: FitResult) -> str:
    """The first line of an answer; see `Verdict`."""
    best = result.best
    if best is None:
        return "No model could be fitted."
    if result.verification is None or result.verification.explained:
        return f"{explanation(result, best)}. Explains the data, reduced χ² {chisq_text(best.reduced_chisq)}."
    within = within_error(result)
    if within:
        return (
            f"{explanation(result, best)}. Explains the data within {within}, not to the stated errors"
            f" (reduced χ² {chisq_text(best.reduced_chisq)})."
        )
    return _unexplained(result)


def explanation(result: FitResult, best: ModelFit) -> str:
    """What the sample is, its values, and what cannot be told from it."""
    tied = of_one_kind(result)
    like = _like(best, tied)
    said = capital(like or with_name(best))
    values = ", ".join(_values(result, best))
    text = f"{said}: {values}" if values else said
    if tied:
        it = best.short_name if like else "it"
        text += f"; {some([fit.short_name for fit in tied])} cannot be told from {it} here"
    return text


def _like(best: ModelFit, tied: Sequence[ModelFit]) -> str | None:
    """Such as "sphere-like", where other models of one shape do as well; else None."""
    shapes = {shape(fit.model) for fit in (best, *tied)}
    others = {fit.model for fit in tied} - {best.model}
    if not others or len(shapes) > 1 or shape(best.model) == best.model:
        return None
    return f"{shape(best.model)}-like"


def _unexplained(result: FitResult) -> str:
    first = nearest(result)
    said = (
        f"Nothing that was fitted explains the data. Nearest: {with_name(first)}, reduced χ²"
        f" {chisq_text(first.reduced_chisq)}."
    )
    close = [f for f in result.fits if f.reduced_chisq <= VERDICT.near * max(first.reduced_chisq, 1.0)]
    same = agreed(close, VERDICT.same_size)
    if same is not None:
        said += f" All that come near agree on {_article(same)}{in_words(same.name, same)}."
    return said


def _article(size: Size) -> str:
    return "" if size.name == "Rg" else "a "


def in_words(name: str, size: Size) -> str:
    """``radius 72.0 ± 0.1 Å``."""
    unit = unit_text(size.unit)
    return f"{name} {rounded(size.value, size.error, VERDICT.rounding)} {unit}".rstrip()


def _values(result: FitResult, best: ModelFit) -> list[str]:
    """Two or three values with what equally good fits say of them in their errors, then what is open."""
    equals = [fit for fit in as_good(result) if fit.model != best.model]
    kinds = other_distributions(result)
    own = sizes(best)
    shared = {
        name: [found[name] for fit in equals if name in (found := sizes(fit))]
        for name in own
        if any(name in sizes(fit) for fit in equals)
    }
    replaced = {part for name in shared if len(own[name].parts) > 1 for part in own[name].parts}
    said = [
        in_words(f"outer {name}" if name == "radius" else name, _with_spread(own[name], others, kinds))
        for name, others in shared.items()
        if len(own[name].parts) > 1
    ]
    for name, p in telling(best):
        size = of_parameter(name, best)
        if name in replaced or size is None:
            continue
        others = [s for key in shared if own[key].parts == (name,) for s in shared[key]]
        size = _with_spread(size, others, kinds)
        if name.endswith("_pd"):
            said.append(_polydispersity(name, size, best))
        elif "fraction" in bare(name) and not p.unit:
            said.append(f"{_name(name, best)} {_percent(size)}")
        else:
            said.append(in_words(_name(name, best), size))
    open_ = [name for name in undetermined(best) if name not in replaced]
    if open_:
        said.append(f"{listed([_name(name, best) for name in open_])} not determined by these data")
    return said


def _with_spread(size: Size, others: Sequence[Size], kinds: Sequence[ModelFit]) -> Size:
    """A quantity with the error that holds other models and other size distributions."""
    more = list(others)
    for fit in kinds:
        if all(part in fit.parameters for part in size.parts):
            value = sum(fit.parameters[part].value for part in size.parts)
            more.append(replace(size, value=value))
    return replace(size, error=spread(size, more))


def _polydispersity(name: str, size: Size, fit: ModelFit) -> str:
    of = bare(name).removesuffix("_pd")
    kind_ = DISTRIBUTIONS.get(fit.distributions.get(name.removesuffix("_pd"), "gaussian"), "")
    shown = f" ({kind_})" if kind_ else ""
    what = "" if of.startswith("radius") or sum(n.endswith("_pd") for n in fit.free) == 1 else f"{_spoken(of)} "
    return f"{what}{_percent(size)} polydisperse{shown}"


def _percent(size: Size) -> str:
    error = None if size.error is None else 100 * size.error
    return f"{rounded(100 * size.value, error, VERDICT.rounding)} %"


def _name(name: str, fit: ModelFit) -> str:
    """A parameter in plain English, with its component's letter in a sum."""
    own = bare(name)
    said = "thickness" if own == "thickness" and shape(fit.model) in _SHEETS else _spoken(own)
    return said if own == name else f"{name[0]} {said}"


def _spoken(name: str) -> str:
    return _WORDS.get(name, name.replace("_", " "))
