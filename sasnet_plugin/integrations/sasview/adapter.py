"""A fit page of SasView: fill it with a fit, read it back, repair what SasView lost. Part of the adapter.

A state is what SasView's project files hold of a page: name -> list of texts. For a parameter these are
whether it is fitted, value, error, lower and upper limit, constraint; for a size distribution
(``radius.width``) whether it is fitted, width, error, limits, points, sigmas, kind.

SasView's own way to fill a page (``createPageForParameters``) loses some of it: with a structure factor it
passes over one row of the table, at first that of the background; a box that says "structure factor mode"
may come after what depends on it; choosing the kind of a size distribution resets points, sigmas and,
unseen, the width. So what the page says afterwards is compared with what was sent, and set row by row.

None of this is SasView's public interface. An attribute that is missing raises `MissingHookError` with its
name, before anything is changed.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

# --- A fit page of SasView: fill it with a fit, read it back, repair what SasView lost. Part of the
# --- adapter.

HOOKS = (
    "createPageForParameters", "page_parameters", "getFitPage", "getFitModel", "cbCategory", "cbModel",
    "cbStructureFactor", "chkPolydispersity", "_model_model", "lstParams", "has_error_column", "showPlot",
    "model_data", "updateData", "calculateQGridForModel",
    "smearing_widget.pinhole", "smearing_widget.cbSmearing",
    "polydispersity_widget.poly_model", "polydispersity_widget.lstPoly",
    "polydispersity_widget.has_poly_error_column",
)  # fmt: skip
PINHOLE = "Custom Pinhole Smear"
#: What belongs to a page of a project file, not to the page that is filled here.
_OF_THE_FILE = {"tab_index", "tab_name", "data_name", "data_id", "is_data", "is_batch_fitting"}
#: SasView shows, and uses, five digits of a value.
_TOLERANCE = 1.0e-4
#: Milliseconds between two looks for a theory, and seconds after which none is expected.
_LOOK, _PATIENCE = 100, 120.0
#: Each round of repairs may change what another row allows (a mode that frees a radius).
_ROUNDS = 3


def clean(sent: dict[str, Any]) -> dict[str, list[Any]]:
    """What concerns the page of all that was sent."""
    return {k: list(v) for k, v in sent.items() if isinstance(v, list) and k not in _OF_THE_FILE}


def fill(
    page: Any, state: dict[str, list[Any]], percent: float | None = None, *, plot: bool = True
) -> list[str]:
    """Fill a FittingWidget that has its data with a state of `clean`, `percent` a resolution dq/q not in the
    data; return what it shows differently.
    """
    # SasView calculates at each change, in threads: what was half filled may be done, and shown, last.
    page.calculateQGridForModel = lambda: None
    try:
        _fill(page, state, percent)
    finally:
        del page.calculateQGridForModel
    differences = compare(state, read(page))
    page.page_parameters = None
    model_data = page.model_data
    page.updateData()
    if plot:
        _show_when_calculated(page, model_data, time.monotonic() + _PATIENCE)
    return list(differences.values())


def _show_when_calculated(page: Any, previous_data: Any, until: float) -> None:
    """Open the graph once data and theory (not `previous_data`) are there, until a ``time.monotonic()``:
    SasView's button alone would plot the data.
    """
    from PySide6.QtCore import QTimer

    if page.model_data is not previous_data and page.model_data is not None:
        page.showPlot()
    elif time.monotonic() < until:
        QTimer.singleShot(_LOOK, page, lambda: _show_when_calculated(page, previous_data, until))


def _fill(page: Any, state: dict[str, list[Any]], percent: float | None) -> None:
    # Values of the model before would be put back into a new one of the same parameters.
    page.page_parameters = None
    page.createPageForParameters(state)
    for name, entry in state.items():
        if name.endswith(".width") and entry[7] != "gaussian":
            _put_distribution(page, name, entry)
    for _ in range(_ROUNDS):
        wrong = compare(state, read(page))
        if not wrong:
            break
        # Choices first: they say what else can be set.
        for name in sorted(wrong, key=lambda n: (not n.endswith("_mode"), n)):
            if name.endswith(".width"):
                _put_distribution(page, name, state[name])
            elif _is_parameter(state[name]):
                _put_parameter(page, name, state[name])
    if percent is not None:
        _put_pinhole(page, percent)


def read(page: Any) -> dict[str, list[Any]]:
    """The state of a page as SasView itself writes it down."""
    return {line[0]: line[1:] for line in page.getFitPage() + page.getFitModel()}


def compare(sent: dict[str, list[Any]], page_state: dict[str, list[Any]]) -> dict[str, str]:
    """What a page has otherwise than it was sent: name -> what is wrong, in words."""
    wrong = {}
    for name, expected in sent.items():
        values = page_state.get(name)
        if name.startswith("smearing_"):  # shown beside "Use dQ Data" only
            continue
        if values is None:
            difference = "missing"
        elif _is_parameter(expected):
            difference = _compare_parameter(name, expected, values)
        elif name in ("q_range_min", "q_range_max"):
            difference = "" if _same(expected[0], values[0]) else f"{values[0]}, not {expected[0]}"
        else:
            difference = "" if expected == values else f"{values[0]}, not {expected[0]}"
        if difference:
            wrong[name] = f"{name}: {difference}"
    return wrong


def _is_parameter(entry: list[Any]) -> bool:
    return len(entry) >= 6


def _compare_parameter(name: str, expected: list[Any], values: list[Any]) -> str:
    if expected[0] != "None" and expected[0] != values[0]:
        return "not fitted" if expected[0] == "True" else "fitted"
    numbers = (1, 3, 4, 5, 6) if name.endswith(".width") else (1, 3, 4)
    for i in numbers:
        # No limits are sent for a choice.
        if expected[i] not in ("", None) and not _same(expected[i], values[i]):
            return f"{values[i]}, not {expected[i]}"
    if name.endswith(".width") and expected[7] != values[7]:
        return f"{values[7]}, not {expected[7]}"
    return ""


def _same(expected: Any, value: Any) -> bool:
    try:
        a, b = float(expected), float(value)
    except (TypeError, ValueError):
        return False
    return a == b or abs(a - b) <= _TOLERANCE * abs(a)


def _put_parameter(page: Any, name: str, entry: list[Any]) -> None:
    model = page._model_model
    row = _row(model, name)
    if row is None:
        return
    chooser = page.lstParams.indexWidget(model.index(row, 1))
    if hasattr(chooser, "setCurrentIndex"):
        chooser.setCurrentIndex(int(entry[1]))
        return
    _put(model, row, 1, f"{float(entry[1]):.5g}")
    shift = int(page.has_error_column)
    for column, text in ((2, entry[3]), (3, entry[4])):
        _put(model, row, column + shift, text)
    _tick(model, row, entry[0])


def _put_distribution(page: Any, name: str, entry: list[Any]) -> None:
    """Set one row of the table of size distributions, the kind first, the width anew."""
    widget = page.polydispersity_widget
    model = widget.poly_model
    row = _row(model, "Distribution of " + name.removesuffix(".width"))
    if row is None:
        return
    shift = int(widget.has_poly_error_column)
    chooser = widget.lstPoly.indexWidget(model.index(row, 6 + shift))
    if hasattr(chooser, "findText") and chooser.currentText() != entry[7]:
        chooser.setCurrentIndex(chooser.findText(entry[7]))
    # Only what changes reaches the model.
    _put(model, row, 1, "0")
    _put(model, row, 1, f"{float(entry[1]):.5g}")
    for column, text in ((2, entry[3]), (3, entry[4]), (4, entry[5]), (5, entry[6])):
        _put(model, row, column + shift, f"{float(text):.5g}")
    _tick(model, row, entry[0])


def _put_pinhole(page: Any, percent: float) -> None:
    """Choose "Custom Pinhole Smear"; it takes the number when it is chosen anew."""
    widget = page.smearing_widget
    widget.pinhole = float(f"{percent:.5g}")
    widget.cbSmearing.setCurrentIndex(0)
    widget.cbSmearing.setCurrentIndex(widget.cbSmearing.findText(PINHOLE))


def _row(model: Any, text: str) -> int | None:
    for row in range(model.rowCount()):
        if model.item(row, 0) is not None and model.item(row, 0).text() == text:
            return row
    return None


def _put(model: Any, row: int, column: int, text: Any) -> None:
    item = model.item(row, column)
    if item is not None and text not in (None, ""):
        item.setText(str(text))


def _tick(model: Any, row: int, ticked: Any) -> None:
    from PySide6.QtCore import Qt

    item = model.item(row, 0)
    if ticked != "None" and item.isCheckable():
        item.setCheckState(Qt.CheckState.Checked if ticked == "True" else Qt.CheckState.Unchecked)


# --- All that sasnet uses of SasView: its menus, data sets and fit pages. Written for SasView 6.1
# --- and 6.2.

_HOOKS = (
    "guiManager.filesWidget.selectedItems",
    "guiManager.filesWidget.readData",
    "guiManager.loadedPerspectives",
)
_FITTING_HOOKS = ("currentFittingWidget", "setData", "setCurrentWidget", "tabs")
_PAGE_HOOKS = (
    "data", "data_is_loaded", "all_data", "is_batch_fitting", "q_range_min", "q_range_max",
    "master_category_dict",
    "smearing_widget.state", "logic.di_flag", "logic.kernel_module", *HOOKS,
)  # fmt: skip
#: Loaders that take q for Å⁻¹, whatever the file says.
_WITHOUT_UNITS = ("ASCII", "CSV")
_NOT_YET = "sasnet suggests models for 1D data only; average the image to a curve first."
_NO_SESANS = "sasnet suggests models for I(q); these are SESANS data."


class MissingHookError(RuntimeError):
    """An attribute of SasView that sasnet needs is missing."""

    def __init__(self, hook: str) -> None:
        super().__init__(
            f"This SasView{_version()} has no {hook}, which sasnet needs; sasnet knows SasView 6.1 and 6.2."
        )


class NotSentError(RuntimeError):
    """A model could not be put into a fit page; the text says why."""


@dataclass(frozen=True)
class DataSet:
    """A data set of SasView."""

    name: str
    item: Any  #: SasView's own handle.
    key: Any  #: SasView's identity of the data set.
    #: What the protocol of ``sasnet serve`` calls CURVE: q and dq in Å⁻¹, intensities in cm⁻¹.
    curve: dict[str, Any] | None
    refusal: str = ""  #: Why there is no curve; else empty.
    notes: tuple[str, ...] = ()  #: What the user should know of how the data were taken.


class SasView:
    """The main window of SasView, as sasnet uses it. Raises MissingHookError."""

    def __init__(self, window: Any) -> None:
        self.window = window
        for hook in _HOOKS:
            _require(window, hook, "window")
        self.fitting = self._manager.loadedPerspectives.get("Fitting")
        if self.fitting is None:
            raise MissingHookError('guiManager.loadedPerspectives["Fitting"]')
        for hook in _FITTING_HOOKS:
            _require(self.fitting, hook, "FittingWindow")
        for hook in _PAGE_HOOKS:
            _require(self._any_page(), hook, "FittingWidget")

    @property
    def _manager(self) -> Any:
        return self.window.guiManager

    def _pages(self) -> list[Any]:
        return [tab for tab in self.fitting.tabs if hasattr(tab, "createPageForParameters")]

    def _any_page(self) -> Any:
        pages = [tab for tab in self.fitting.tabs if hasattr(tab, "cbModel")]
        return pages[0] if pages else None

    def load(self, files: list[str]) -> None:
        """Load data files as the button "Load data" does."""
        explorer = self._manager.filesWidget
        output = explorer.readData(files)
        if hasattr(explorer, "loadComplete"):
            explorer.loadComplete(output)

    def list_chosen(self) -> list[DataSet]:
        """The data of the active fit page, then the ticked data sets that are not the same."""
        active = self.fitting.currentFittingWidget
        loaded = active.all_data if active is not None and active.data_is_loaded else ()
        data_sets = [data_set(item, active) for item in loaded]
        known_keys = {each_data_set.key for each_data_set in data_sets}
        ticked = [data_set(item) for item in self._manager.filesWidget.selectedItems()]
        return data_sets + [each_data_set for each_data_set in ticked if each_data_set.key not in known_keys]

    def category(self, model: str) -> str:
        """The category under which SasView's fit page lists a model; empty if it lists it nowhere."""
        # The model lists of SasView and its users: category -> [[name, shown], ...].
        for category, models in self._any_page().master_category_dict.items():
            if any(name == model and is_shown for name, is_shown in models):
                return str(category)
        return ""

    def send(
        self, data: DataSet, sent: dict[str, Any], dq: list[float] | None = None, *, plot: bool = True
    ) -> list[str]:
        """Put a fitted model (the protocol's PAGE) into the active fit page if that has no model, else a new
        one; `dq` is a resolution found, Å⁻¹.
        """
        # Returns what SasView shows differently. Raises NotSentError if SasView lacks the model or the data
        # set.
        state = clean(sent)
        model = state["fitpage_model"][0]
        category = self.category(model)
        if not category and sent.get("plugin"):
            self._install(model, str(sent["plugin"]))
            category = self.category(model)
        if not category:
            raise NotSentError(
                f"SasView lists no model {model}; switch it on with Fitting -> Category Manager, or add it."
            )
        state["fitpage_category"] = [category]
        try:
            is_gone = data.item.model() is None
        except RuntimeError:  # Qt's object is deleted
            is_gone = True
        if is_gone:
            raise NotSentError(f"{data.name} is no longer loaded in SasView; load it again.")
        target = self._free_page(data)
        self.fitting.setCurrentWidget(target)
        if not target.logic.di_flag:
            # Without uncertainties SasView has but one way to weigh the points.
            state.pop("weighting", None)
        if dq is None:
            return fill(target, state, plot=plot)
        ratios = [sigma / q for sigma, q in zip(dq, (data.curve or {})["q"], strict=False)]
        even = bool(ratios) and max(ratios) - min(ratios) <= 1e-3 * max(ratios)
        state["smearing"] = ["1" if even else "0"]
        differences = fill(target, state, 100 * ratios[0] if even else None, plot=plot)
        return (
            differences
            if even
            else [*differences, f"no resolution, not dq = {dq[0]:.2g} Å⁻¹ at the first point"]
        )

    def _install(self, model: str, text: str) -> None:
        from sas.system.user import get_plugin_dir

        path = Path(get_plugin_dir()) / f"{model}.py"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            pass  # the user's own file of that name stays; SasView lists it, or says why not
        except OSError as error:
            raise NotSentError(f"{path}: this model cannot be written ({error.strerror}).") from error
        self._any_page().communicate.customModelDirectoryChanged.emit()

    def _pages_of(self, data: DataSet) -> list[Any]:
        return [tab for tab in self._pages() if _holds(tab, data)]

    def _free_page(self, data: DataSet) -> Any:
        active = self.fitting.currentFittingWidget
        if _holds(active, data) and active.logic.kernel_module is None:
            return active
        pages = self._pages_of(data)
        self.fitting.setData([data.item])
        new = [tab for tab in self._pages_of(data) if tab not in pages]
        if not new:
            raise NotSentError(
                f"SasView opened no fit page for {data.name}; send the data to a fit page first."
            )
        return new[0]


def data_set(item: Any, fit_page: Any = None) -> DataSet:
    """A data set of the data explorer as sasnet takes it, with q range and resolution of its fit page."""
    data = item.child(0).data() if item.child(0) is not None else None
    name = str(getattr(data, "name", "") or item.text())
    key = getattr(data, "id", name)
    if data is None or hasattr(data, "qx_data"):
        return DataSet(name, item, key, None, _NOT_YET)
    if getattr(data, "isSesans", False):
        return DataSet(name, item, key, None, _NO_SESANS)
    columns = {
        "q": data.x, "intensity": data.y, "dintensity": data.dy,
        "dq": data.dx, "dxl": data.dxl, "dxw": data.dxw,
    }  # fmt: skip
    low, high, notes = 0.0, math.inf, []
    if fit_page is not None:
        low, high = float(fit_page.q_range_min), float(fit_page.q_range_max)
        smearing = fit_page.smearing_widget.state()[0]
        if smearing == "None":
            columns |= {"dq": None, "dxl": None, "dxw": None}
        elif smearing.startswith("Custom"):
            notes.append("The resolution of the data is used, not the custom resolution of the fit page.")
    curve = _curve(columns, low, high)
    if not curve["q"]:
        return DataSet(
            name, item, key, None, "There are no points to fit: none is finite, with q > 0 in the q range."
        )
    if curve["dintensity"] is None:
        notes.append(
            "The data have no uncertainties: sasnet estimates them, but SasView weights all points equally."
        )
    assumed = (getattr(data, "meta_data", None) or {}).get("loader") in _WITHOUT_UNITS
    about = {"name": name, "q_assumed": assumed, "intensity_unit": _intensity_unit(data, assumed)}
    return DataSet(name, item, key, {**about, **curve}, notes=tuple(notes))


def _intensity_unit(data: Any, assumed: bool) -> str:
    """Unit of I as SasView has it, which it supposes of tables without units; empty where none is known."""
    unit = "" if assumed else str(getattr(data, "_yunit", "") or "").strip("$ ")
    return "cm⁻¹" if unit.replace("{", "").replace("}", "") in ("cm^-1", "1/cm") else unit


def _curve(columns: dict[str, Any], low: float, high: float) -> dict[str, Any]:
    """Columns as lists, of the points that can be fitted; None for what is missing or zero throughout."""
    size = len(columns["q"])
    lists = {name: _numbers(values, size) for name, values in columns.items()}
    q, intensity = lists["q"] or [], lists["intensity"] or []
    keep = [
        i
        for i, (x, y) in enumerate(zip(q, intensity, strict=False))
        if math.isfinite(x) and math.isfinite(y) and x > 0 and low <= x <= high
    ]
    kept_columns = {name: None if v is None else [_finite(v[i]) for i in keep] for name, v in lists.items()}
    return kept_columns | {"q": [q[i] for i in keep], "intensity": [intensity[i] for i in keep]}


def _numbers(values: Any, size: int) -> list[float] | None:
    """A column; None where it is missing, of another length or zero throughout."""
    numbers = [float(v) for v in values] if values is not None and len(values) == size else []
    return numbers if any(numbers) else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _holds(tab: Any, data: DataSet) -> bool:
    if tab is None or not tab.data_is_loaded or tab.is_batch_fitting:
        return False
    return bool(getattr(tab.data, "id", None) == data.key)


def _require(value: Any, hook: str, name: str) -> None:
    try:
        reduce(getattr, hook.split("."), value)
    except AttributeError:
        raise MissingHookError(f"{name}.{hook}") from None


def _version() -> str:
    try:
        from sas.system.version import __version__
    except ImportError:
        return ""
    return f" ({__version__})"
