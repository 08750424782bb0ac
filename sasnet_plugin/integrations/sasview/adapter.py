"""All that sasnet uses of SasView: its menus, data sets and fit pages. Written for SasView 6.1 and 6.2.

None of this is SasView's public interface. An attribute that is missing raises `MissingHookError` with its
name, before anything is changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from . import page

_HOOKS = (
    "guiManager.filesWidget.selectedItems",
    "guiManager.filesWidget.readData",
    "guiManager.loadedPerspectives",
)
_FITTING_HOOKS = ("currentFittingWidget", "setData", "setCurrentWidget", "tabs")
_PAGE_HOOKS = (
    "data", "data_is_loaded", "all_data", "is_batch_fitting", "q_range_min", "q_range_max",
    "master_category_dict",
    "smearing_widget.state", "logic.di_flag", "logic.kernel_module", *page.HOOKS,
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
        state = page.clean(sent)
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
            return page.fill(target, state, plot=plot)
        ratios = [sigma / q for sigma, q in zip(dq, (data.curve or {})["q"], strict=False)]
        even = bool(ratios) and max(ratios) - min(ratios) <= 1e-3 * max(ratios)
        state["smearing"] = ["1" if even else "0"]
        differences = page.fill(target, state, 100 * ratios[0] if even else None, plot=plot)
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
