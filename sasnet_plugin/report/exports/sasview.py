"""Fits for SasView: the state of a fit page, the text that "Paste parameters" reads, and a project file.

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

Read by SasView 6.1 and 6.2 ("Open Project"). The format is that of SasView's own files: a json object with
the data set (all attributes of its ``Data1D``) and a list of fit pages (`sasview_clipboard.page_state`, and
what belongs to the data: name, q range, weights, resolution).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...files import MARK, put_whole
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit, Parameter
from ...simulate.priors import model_info
from ...simulate.size_distributions import distribution_keywords
from ...types import Curve, SasnetError, sum_parts
from ...written import CLIPBOARD_HEAD, PROJECT_END
from .bumps import describe_errors

# --- A fit as the state of a SasView fit page, and as the text that its "Paste parameters" reads.

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
        # SasView follows sizes as far, and in as many points, as the fit did.
        keywords = distribution_keywords(name, kind, float(parameter.value), fit.pd_points)
        state[f"{name}.width"] = [
            str(not parameter.fixed), _value(parameter, low, high), _error(parameter), low, high,
            str(keywords[f"{name}_pd_n"]), _number(keywords[f"{name}_pd_nsigma"]), kind,
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


# --- A SasView project file: the data and one fit page for each model that was fitted.

#: SasView's q-range sliders round to three digits: limits of as many digits are not moved across a point.
_Q_DIGITS = 3
#: What product models have besides the parameters of form and structure factor, in SasView's order.
_PRODUCT = ("structure_factor_mode", "radius_effective_mode")
#: Weights by the uncertainties, as SasView numbers them.
_BY_UNCERTAINTY = "1"


def write_project(result: FitResult, path: Path) -> None:
    """Write a SasView project (``.json``) with embedded data and a page for each fit, the best first. Raises
    SasnetError if nothing was fitted, for another ending, or if that fails.
    """
    path = Path(path)
    if path.suffix.lower() != ".json":
        raise SasnetError(f"{path}: SasView opens a project only from a file that ends in .json; rename it.")
    if not result.fits:
        source = result.curve.file or "the curve"
        raise SasnetError(f"{source}: no model could be fitted, so there is no SasView project to write.")
    put_whole(path, encode_project(project(result)), "SasView project")


def encode_project(content: dict[str, Any]) -> bytes:
    """A project as its file holds it, with the mark by which the file is known at its end, `PROJECT_END`."""
    text = json.dumps(content, indent=1, allow_nan=False)
    assert f"{text}\n".endswith(PROJECT_END), "the perspective stands last"
    return f"{text}\n".encode()


def data_digits(curve: Curve) -> str:
    """Twelve digits of a hash of the points, which make the data's identity in a project with their name."""
    return hashlib.sha256(curve.q.tobytes() + curve.intensity.tobytes()).hexdigest()[:12]


def project(result: FitResult) -> dict[str, Any]:
    name = _name(result.curve)
    identity = name + data_digits(result.curve)
    pages = []
    for number, fit in enumerate(result.fits, start=1):
        pages += _visits(fit, make_data_entries(result.curve) | _identity(name, identity, number))
    # SasView calculates χ² as a page's q range is read, with the values that it has by then, and shows the
    # page that it has read last: once more from the last to the best.
    last = {page["tab_index"][0]: page for page in pages}
    pages += reversed(list(last.values()))
    return {
        identity: {"fit_data": [_data(result, name, identity), {"checked": True}, []], "fit_params": pages},
        "is_batch": "False",
        "batch_grid": {},
        "visible_perspective": "Fitting",
    }


def pages_of_sample(
    results: Sequence[FitResult], fits: Sequence[ModelFit], shared: Sequence[str]
) -> dict[str, Any]:
    """Make a project of several curves, each with its fit of one model, and a page of their simultaneous fit,
    where later pages take `shared` parameters from the first.
    """
    found_pages: dict[str, Any] = {}
    for number, (result, fit) in enumerate(zip(results, fits, strict=True), start=1):
        name = f"{number} {_name(result.curve)}"
        identity = name + data_digits(result.curve)
        pages = _visits(fit, make_data_entries(result.curve) | _identity(name, identity, number))
        if number > 1:
            for page in pages:
                for one_name in filter(page.__contains__, shared):
                    page[one_name] = [
                        *page[one_name][:5],
                        [one_name, one_name, f"M1.{one_name}", True, f"M1.{one_name}"],
                    ]
        found_pages[identity] = {
            "fit_data": [_data(result, name, identity), {"checked": True}, []], "fit_params": pages,
        }  # fmt: skip
    check_states = {f"M{i}": "CheckState.Checked" for i in range(1, len(fits) + 1)}
    found_pages[f"cs_tab{len(fits) + 1}"] = {
        "is_constraint": ["True"], "data_id": [f"cs_tab{len(fits) + 1}"], "current_type": ["FitPage"],
        "is_chain_fitting": ["False"], "special_case": [""], "checked_models": [check_states],
        "checked_constraints": [{}],
    }  # fmt: skip
    return found_pages | {"is_batch": "False", "batch_grid": {}, "visible_perspective": "Fitting"}


def fit_page(curve: Curve, fit: ModelFit) -> Page:
    """Return what ``createPageForParameters`` of a running SasView takes, ready for json. Raises
    SimulationError for an unknown model.
    """
    return page_state(fit) | make_data_entries(curve)


def _visits(fit: ModelFit, about: Page) -> list[Page]:
    """What SasView is to read into one fit page, one after the other; the last one has everything."""
    # Read once, a page with a structure factor loses its background. To set a kind of size distribution other
    # than gaussian resets points, sigmas and, unseen, the width with which SasView smears beyond the data's
    # ends. SasView reads all entries with one ``tab_index`` into the same page, so the structure factor is
    # chosen more than once before the values come (see `selections`), and the kinds come before the widths,
    # because only a width that changes is passed on.
    page = page_state(fit) | about
    visits = []
    if fit.structure_factor is not None:
        other_factor = "squarewell" if fit.structure_factor == "hardsphere" else "hardsphere"
        bare = {k: v for k, v in page.items() if k in about or k.startswith("fitpage_") or k == "model_name"}
        for number_left in range(selections(fit) - 1, 0, -1):
            visits.append(
                bare | {"fitpage_structure": [other_factor if number_left % 2 else fit.structure_factor]}
            )
    if any(kind != "gaussian" for kind in fit.distributions.values()):
        widths = {k: [v[0], "0.0", *v[2:]] for k, v in page.items() if k.endswith(".width")}
        visits.append(page | widths)
    return [*visits, page]


def selections(fit: ModelFit) -> int:
    """How often SasView must choose a structure factor until it reads all that matters."""
    # Without layers it counts the row of their number from -1, adds the rows of what is the product's own
    # each time that a product is chosen, and passes over the row of that number. Which does no harm where
    # that is a heading, below the table, or a choice that is the default.
    product = model_info(fit.name).parameters
    defaults = {p.name: p.default for p in product.kernel_parameters}
    product_names = [name for name in _PRODUCT if name in defaults]
    if control(fit) is not None or not product_names:
        return 1
    form = [p.name for p in model_info(fit.model).parameters.iq_parameters]
    factor = [p.name for p in model_info(str(fit.structure_factor)).parameters.kernel_parameters]
    rows = [
        "scale",
        "background",
        *product_names,
        "",
        *form,
        "",
        *(name for name in factor if name not in form),
    ]
    times = 1
    while (row := times * len(product_names) - 1) < len(rows):
        name = rows[row]
        if not name or (name in product_names and fit.parameters[name].value == defaults[name]):
            break
        times += 1
    return times


def _name(curve: Curve) -> str:
    parts = [Path(curve.file).name, curve.entry]
    return " ".join(part.strip() for part in parts if part.strip()) or "curve"


def _identity(name: str, identity: str, number: int) -> Page:
    return {
        "is_data": ["True"],
        "tab_index": [str(number)],
        "tab_name": [f"M{number}"],
        "is_batch_fitting": ["False"],
        "data_name": [[name]],
        "data_id": [[identity]],
    }


def make_data_entries(curve: Curve) -> Page:
    """The entries of a fit page that follow from the data: q range, weights and resolution."""
    slits = _slits(curve)
    smeared = slits is not None or (curve.dq is not None and bool(np.any(curve.dq > 0)))
    # Shown beside the choice "Use dQ Data"; what is used are the columns of the data.
    ends = ("None", "None")
    if slits is not None:
        ends = (repr(float(slits[1][0])), repr(float(slits[0][0])))
    elif smeared and curve.dq is not None:
        ratio = 100 * curve.dq / curve.q
        ends = (repr(float(ratio[0])), repr(float(ratio[-1])))
    return {
        # A lower end of 0 would be refused.
        "q_range_min": [outward(float(curve.q.min()), _Q_DIGITS, up=False)],
        "q_range_max": [outward(float(curve.q.max()), _Q_DIGITS, up=True)],
        "q_weighting": [_BY_UNCERTAINTY],
        "weighting": [_BY_UNCERTAINTY],
        "smearing": [str(int(smeared))],
        "smearing_min": [ends[0]],
        "smearing_max": [ends[1]],
    }


def _slits(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Lengths and widths of the slits; SasView wants both columns or none."""
    if curve.dxl is None and curve.dxw is None:
        return None
    zero = np.zeros(len(curve))
    return (zero if curve.dxl is None else curve.dxl), (zero if curve.dxw is None else curve.dxw)


def _data(result: FitResult, name: str, identity: str) -> dict[str, Any]:
    """Return all attributes of SasView's ``Data1D``, whose reader sets no others."""
    curve, slits = result.curve, _slits(result.curve)
    q, intensity = _array(curve.q), _array(curve.intensity)
    error = _array(result.dintensity)
    pinhole = _array(curve.dq) if slits is None else None
    unit = "cm^{-1}" if curve.intensity_unit == "cm⁻¹" else curve.intensity_unit
    nowhere = {"__type__": "Vector", "x": None, "y": None, "z": None}
    slider = ["low_q_input", "high_q_input", "low_q_setter", "high_q_setter", "low_q_getter", "high_q_getter"]
    return {
        "__type__": "Data1D",
        "x": q, "y": intensity, "dx": pinhole, "dy": error,
        "dxl": _array(slits[0]) if slits else None, "dxw": _array(slits[1]) if slits else None,
        "name": name, "id": identity, "group_id": identity, "list_group_id": [],
        "title": curve.entry or name, "filename": Path(curve.file).name, "path": None, "label": name,
        "_xaxis": "\\rm{Q}", "_xunit": "A^{-1}", "x_unit": "1/A",
        "_yaxis": "\\rm{Intensity}", "_yunit": unit, "y_unit": unit.replace("cm^{-1}", "1/cm"),
        "xtransform": None, "ytransform": None, "scale": None,
        "is_data": True, "isSesans": False, "plot_role": 1,
        "run": [], "run_name": {}, "instrument": "", "notes": _notes(result), "errors": [],
        "meta_data": {}, "detector": [], "collimation": [], "process": [], "trans_spectrum": [],
        "sample": {"__type__": "Sample", "details": [], "position": nowhere, "orientation": nowhere},
        "source": {"__type__": "Source", "beam_size": nowhere},
        "symbol": 0, "markersize": 3, "custom_color": None, "hide_error": False, "zorder": 1,
        "show_q_range_sliders": False, "slider_update_on_move": True, "slider_perspective_name": "",
        "slider_tab_name": "", **{f"slider_{part}": [] for part in slider},
        "view": {
            "__type__": "View",
            "x": q, "y": intensity, "dx": pinhole, "dy": error,
            "Xreel": q, "Yreel": intensity, "DXreel": pinhole, "DYreel": error,
            "xLabel": "", "yLabel": "", "funcx": None, "funcy": None, "funcdx": None, "funcdy": None,
        },
    }  # fmt: skip


def _notes(result: FitResult) -> list[str]:
    """Notes about the data, and what the errors of the best fit include."""
    errors = [describe_errors(result.curve, fit) for fit in result.fits[:1]]
    return [*result.curve.notes, *(f"{result.fits[0].short_name}: {text}" for text in errors if text)]


def _array(values: NDArray[np.float64] | None) -> dict[str, Any] | None:
    return None if values is None else {"__type__": "ndarray", "data": [float(v) for v in values]}
