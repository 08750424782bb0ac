"""A SasView project file: the data and one fit page for each model that was fitted.

Read by SasView 6.1 and 6.2 ("Open Project"). The format is that of SasView's own files: a json object with
the data set (all attributes of its ``Data1D``) and a list of fit pages (`sasview_clipboard.page_state`, and
what belongs to the data: name, q range, weights, resolution).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...files import put_whole
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit
from ...simulate.priors import model_info
from ...types import Curve, SasnetError
from .sasview_clipboard import Page, control, outward, page_state

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
    text = json.dumps(project(result), indent=1, sort_keys=True, allow_nan=False)
    put_whole(path, (text + "\n").encode("utf-8"), "SasView project")


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
                for one_name in (one_name for one_name in shared if one_name in page):
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
    unit = {"": "cm^{-1}", "cm⁻¹": "cm^{-1}"}.get(curve.intensity_unit, curve.intensity_unit)
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
        "run": [], "run_name": {}, "instrument": "", "notes": list(curve.notes), "errors": [],
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


def _array(values: NDArray[np.float64] | None) -> dict[str, Any] | None:
    return None if values is None else {"__type__": "ndarray", "data": [float(v) for v in values]}
