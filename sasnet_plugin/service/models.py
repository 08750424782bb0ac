"""Models of sasmodels for people: which there are, what each means, its parameters and their limits."""

from __future__ import annotations

from typing import Any

from ..names import nearest, product_name
from ..types import SasnetError

#: Parameters that a curve does not show, or that say how a product is put together.
_LEFT_OUT = ("magnetic", "orientation")


def check_name(model: str, structure_factor: str | None = None) -> str:
    """Return sasmodels' name of a form with a structure factor. Raises SasnetError with the nearest name."""
    from ..simulate.priors import form_models, model_info, structure_factors

    if model not in form_models():
        hint = nearest(model, form_models(), "give the name of a form model.")
        raise SasnetError(f"{model[:80]}: sasmodels has no such model; {hint}")
    if structure_factor is None:
        return model
    if structure_factor not in structure_factors():
        known_names = ", ".join(structure_factors())
        raise SasnetError(f"{structure_factor[:80]}: no such structure factor; choose one of {known_names}.")
    if "volume" not in {p.type for p in model_info(model).parameters.kernel_parameters}:
        raise SasnetError(f"{model}: is not a particle, so it takes no structure factor.")
    return product_name(model, structure_factor)


def explain_model(model: str) -> dict[str, Any]:
    """Explain a model: meaning, parameters, what it resembles. Raises SasnetError if unknown."""
    from ..fitting.verdict.names import KINDS
    from ..predict import open_classifier
    from ..simulate.priors import model_info

    info = model_info(check_name(model))
    groups = open_classifier().manifest.groups
    like = next((list(g.members) for g in groups if model in g.members), [])
    return {
        "model": model, "title": info.title, "in_words": KINDS.get(model, ""),
        "description": " ".join((info.description or "").split())[:1500],
        "parameters": [
            {"name": p.name, "unit": p.units, "default": float(p.default), "meaning": p.description}
            for p in info.parameters.call_parameters
            if p.type not in _LEFT_OUT
        ],
        "hard_to_tell_from": [name for name in like if name != model],
        "page": f"https://www.sasview.org/docs/user/models/{model}.html",
    }  # fmt: skip


def parameter_table(name: str) -> list[dict[str, Any]]:
    """List parameters of a model or product, each width after what it is of: ``name``, ``unit``, ``default``,
    ``low`` and ``high`` (None: none), ``meaning``, ``choices``.
    """
    from ..simulate.kernel import load_model

    rows = []
    for p in load_model(name).info.parameters.call_parameters:
        if p.type in _LEFT_OUT:
            continue
        low, high = float(p.limits[0]), float(p.limits[1])
        rows.append(_row(p.name, p.units, p.default, low, high, p.description, p.choices))
        if p.polydisperse and p.type == "volume":
            meaning = f"Width of the distribution of {p.name}, relative to its mean."
            rows.append(_row(f"{p.name}_pd", "", 0.0, 0.0, 1.0, meaning, []))
    return rows


def _row(
    name: str, unit: str, default: float, low: float, high: float, meaning: str, choices: Any
) -> dict[str, Any]:
    return {
        "name": name, "unit": unit.replace("Ang^2", "Å²").replace("Ang", "Å"), "default": float(default),
        "low": low, "high": high, "meaning": meaning, "choices": list(choices or []),
    }  # fmt: skip
