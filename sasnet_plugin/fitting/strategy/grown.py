"""Bodies with layers, begun from the size of a plain one that comes nearer.

With deep fringes a layered body is found only from within a few per cent of its size, where a plain one,
whose size is all that it has, is found from far: a layer on it, of a contrast between those of body and
solvent or beyond both, is near enough to the sample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from ..problem.experiment import starting_values
from .hypothesis import Hypothesis
from .settings import STRATEGY
from .state import State
from .step import Step, beside

Values = Mapping[str, float]
#: Of a layer: its thickness over the body's size, half of it outside; and its contrast over the body's.
_LAYER, _CONTRASTS = 0.14, (0.5, 1.5)


def _sphere(values: Values) -> dict[str, float]:
    radius = values["radius"]
    return {"radius": (1 - _LAYER / 2) * radius, "thickness": _LAYER * radius}


def _ellipsoid(values: Values) -> dict[str, float]:
    equator, pole = values["radius_equatorial"], values["radius_polar"]
    layer = _LAYER * min(equator, pole)
    inside = equator - layer / 2
    return {"radius_equat_core": inside, "x_core": (pole - layer / 2) / inside, "thick_shell": layer}


def _sheet(values: Values) -> dict[str, float]:
    half = values["thickness"] / 2
    return {"length_tail": (1 - 2 * _LAYER) * half, "length_head": 2 * _LAYER * half}


#: Plain body -> layered one, its sizes, and the names of the inner and the outer contrast.
GROWN: dict[str, tuple[str, Callable[[Values], dict[str, float]], str, str]] = {
    "sphere": ("core_shell_sphere", _sphere, "sld_core", "sld_shell"),
    "fuzzy_sphere": ("core_shell_sphere", _sphere, "sld_core", "sld_shell"),
    "cylinder": ("core_shell_cylinder", _sphere, "sld_core", "sld_shell"),
    "ellipsoid": ("core_shell_ellipsoid", _ellipsoid, "sld_core", "sld_shell"),
    "lamellar": ("lamellar_hg", _sheet, "sld", "sld_head"),
}


def starts(form: str, values: Values) -> tuple[dict[str, float], ...]:
    """Where the layered body of a plain one begins, by the contrast of its layer.

    Parameters
    ----------
    form : str
        A key of `GROWN`.
    values : mapping of str to float
        Of the plain body, sasmodels' units.
    """
    _, sizes, inner, outer = GROWN[form]
    solvent = values["sld_solvent"]
    contrast = values["sld"] - solvent
    rest = {name: values[name] for name in ("scale", "background", "length", "sld_solvent") if name in values}
    return tuple(
        {**rest, **sizes(values), inner: values["sld"], outer: solvent + share * contrast}
        for share in _CONTRASTS
    )


def _may_grow(hypothesis: Hypothesis) -> bool:
    return hypothesis.form in GROWN and hypothesis.second is None


def grown(state: State) -> Iterator[Step]:
    """The layered bodies of the plain ones that are nearer than they are."""
    if state.options.models is not None or state.explained():
        return
    for hypothesis in sorted(state.fits, key=lambda h: state.fits[h].chisq)[: STRATEGY.near_fits]:
        if not _may_grow(hypothesis):
            continue
        found = replace(hypothesis, form=GROWN[hypothesis.form][0])
        fit, known = state.fits[hypothesis], state.fits.get(found)
        if known is not None and known.chisq <= fit.chisq:
            continue
        values = starting_values(fit)
        if "sld_solvent" not in values:
            continue
        key = ("grown", hypothesis, round(fit.chisq))
        yield beside(state, key, found, state.beliefs.of(found), *starts(hypothesis.form, values))
