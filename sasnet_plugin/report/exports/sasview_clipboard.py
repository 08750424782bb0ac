"""A fit as the state of a SasView fit page, and as the text that its "Paste parameters" reads.

SasView keeps a fit page as a dict of name -> list of strings: for a parameter whether it is fitted, value,
error, lower and upper limit, constraint; for a size distribution whether its width is fitted, width, error,
limits, number of points, number of sigmas, kind. "Copy parameters" joins the entries with ``,`` and ``:``.
What SasView 6.1 and 6.2 make of them, as far as it shapes what is written here:

- values are shown, and used, with five digits, and kept in single precision: one at its limit may come to
  lie beyond it, and a fit that starts there fails;
- a text without ``fitpage_structure`` is an error (6.2);
- fixed choices are numbers: the index in their list;
- a kind other than gaussian, when it is set, resets points and sigmas to the kind's own defaults;
- with a structure factor a row of the table, at first that of the background, is passed over on reading
  (`sasview_project` has a way round it);
- 6.2.0 shows as many layers as it is told and calculates as many as are the default (6.1.3, and 6.2.0 with a
  structure factor, do what they show).
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import numpy as np

from ...files import MARK
from ...fitting.result.model_fit import ModelFit, Parameter
from ...fitting.result.size_distributions import sigmas
from ...simulate.priors import model_info
from ...types import sum_parts
from ...written import CLIPBOARD_HEAD

#: SasView shows this many digits of a value; limits are rounded outwards to them, so that a value that lies
#: on its limit is not rounded across it.
_DIGITS = 5
#: Limits of the relative width of a size distribution where it is not fitted, as SasView has them.
_WIDTH_LIMITS = ("0.0", "1.0")
Page = dict[str, list[Any]]
_PLUGIN = """\
# {model}; {mark}.
# SasView knows it once this file is in its folder of plugin models (Fitting, Plugin Model Operations).
from sasmodels.core import load_model_info
from sasmodels.sasview_model import make_model_from_info

model_info = load_model_info({model!r})
model_info.name = {name!r}
model_info.description = {model!r}
Model = make_model_from_info(model_info)
"""


def clipboard_text(fit: ModelFit) -> str:
    """Return a fit as SasView's "Copy parameters" does, for "Paste parameters" on a page of the same model.
    Raises SimulationError for an unknown model.
    """
    # Data, q range and resolution stay. With a structure factor SasView ignores a pasted background; the
    # project file (`write_project`) keeps it.
    lines = [CLIPBOARD_HEAD]
    for name, state in page_state(fit).items():
        lines.append(",".join([name, *("()" if item == [] else str(item) for item in state)]))
    return ":".join(lines)


def page_state(fit: ModelFit) -> Page:
    """Return model, parameters and switches as SasView serialises them, ready for json. Raises
    SimulationError for an unknown model.
    """
    form = sasview_name(fit.model)
    widths = _widths(fit)
    state: Page = {"model_name": [form]}
    state |= _parameters(fit)
    state |= widths
    layers = control(fit)
    if layers is not None:
        state["multiplicity"] = [str(int(fit.parameters[layers].value))]
    return state | {
        "polydisperse_params": [str(bool(widths))],
        "magnetic_params": ["False"],
        "chainfit_params": ["False"],
        "2D_params": ["False"],
        "fitpage_category": [category(fit.model)],
        "fitpage_model": [form],
        "fitpage_structure": [fit.structure_factor or "None"],
    }


def sasview_name(model: str) -> str:
    """What SasView's list of models calls a model: sasmodels' name, a plugin file's or a sum's own name."""
    if model.endswith(".py"):
        return Path(model).stem
    return model.replace("+", "_plus_").replace("@", "_at_")


def plugin_text(model: str) -> str:
    """The plugin file that makes a sum known to SasView, as its own "Sum|Multi(p1,p2)" writes them."""
    return _PLUGIN.format(mark=MARK, model=model, name=sasview_name(model))


def category(model: str) -> str:
    """The list of SasView that holds a model: sasmodels' ``shape:paracrystal`` is its ``Paracrystal``."""
    if model.endswith(".py") or len(sum_parts(model)) > 1:
        return "Plugin Models"
    category_name = model_info(model).category or "uncategorized"
    return " ".join(word.capitalize() for word in category_name.split(":")[-1].split("-"))


def outward(value: float, digits: int, *, up: bool) -> str:
    """A number rounded to significant digits, away from what it limits; ``inf`` and ``-inf`` as they are."""
    if not np.isfinite(value) or value == 0:
        return str(float(value))
    exact = Decimal(repr(float(value)))
    step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    return str(float(exact.quantize(step, ROUND_CEILING if up else ROUND_FLOOR)))


def control(fit: ModelFit) -> str | None:
    """Name of the parameter that counts layers, None where the model has none."""
    table = model_info(fit.name).parameters.kernel_parameters
    return next((p.name for p in table if p.is_control), None)


def _parameters(fit: ModelFit) -> Page:
    table = model_info(fit.name).parameters
    entries = {p.name: p for p in table.call_parameters}
    values = {name: p.value for name, p in fit.parameters.items()}
    shown_names = {p.name for p in table.user_parameters(values, is2d=False)}
    bound_radius = fit.structure_factor is not None and values.get("radius_effective_mode", 0) > 0
    state: Page = {}
    for name, parameter in fit.parameters.items():
        entry = entries.get(name)
        if entry is None or name not in shown_names or entry.is_control:
            continue
        if entry.choices:
            state[name] = ["None", str(int(parameter.value)), None, "", "", []]
            continue
        low, high = _limits(parameter, (str(float(entry.limits[0])), str(float(entry.limits[1]))))
        # SasView takes the box away from a radius that follows from the form.
        ticked = "None" if name == "radius_effective" and bound_radius else str(not parameter.fixed)
        value = _value(parameter, low, high)
        state[name] = [ticked, value, _error(parameter), low, high, []]
    return state


def _widths(fit: ModelFit) -> Page:
    state: Page = {}
    for name, kind in fit.distributions.items():
        parameter = fit.parameters[f"{name}_pd"]
        low, high = _limits(parameter, _WIDTH_LIMITS)
        state[f"{name}.width"] = [
            str(not parameter.fixed), _value(parameter, low, high), _error(parameter), low, high,
            str(fit.pd_points), f"{sigmas(kind):g}", kind,
        ]  # fmt: skip
    return state


def _limits(parameter: Parameter, widest: tuple[str, str]) -> tuple[str, str]:
    """The fit's limits; the widest that there are for what was not fitted, so that a user can let it go."""
    if parameter.fixed:
        return widest
    return outward(parameter.low, _DIGITS, up=False), outward(parameter.high, _DIGITS, up=True)


def _value(parameter: Parameter, low: str, high: str) -> str:
    """The value; moved in from a limit that it would lie beyond in SasView's digits and precision."""
    shown_value = float(np.float32(f"{parameter.value:.{_DIGITS}g}"))
    for limit, inwards, beyond in (
        (float(low), 1, shown_value < float(low)),
        (float(high), -1, shown_value > float(high)),
    ):
        if not parameter.fixed and beyond:
            return _number(limit + inwards * abs(limit) * 10.0 ** (1 - _DIGITS))
    return _number(parameter.value)


def _error(parameter: Parameter) -> str | None:
    return None if parameter.error is None else _number(parameter.error)


def _number(value: float) -> str:
    return repr(float(value))
