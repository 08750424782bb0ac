"""A fit page of SasView: fill it with a fit, read it back, repair what SasView lost. Part of the adapter.

A state is what SasView's project files hold of a page: name -> list of texts. For a parameter these are
whether it is fitted, value, error, lower and upper limit, constraint; for a size distribution
(``radius.width``) whether it is fitted, width, error, limits, points, sigmas, kind.

SasView's own way to fill a page (``createPageForParameters``) loses some of it: with a structure factor it
passes over one row of the table, at first that of the background; a box that says "structure factor mode"
may come after what depends on it; choosing the kind of a size distribution resets points, sigmas and,
unseen, the width. So what the page says afterwards is compared with what was sent, and set row by row.
"""

from __future__ import annotations

import time
from typing import Any

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
    """Open the graph once data and theory (not `previous_data`) are there,
    until a ``time.monotonic()``: SasView's
    button alone would plot the data.
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
