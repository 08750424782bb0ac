"""Open project files in the real SasView and compare the χ² that its fit pages show with ours.

Usage, with a Python 3.12 that has SasView 6 (``pip install sasview "setuptools<81"``) and this checkout on
its path: ``PYTHONPATH=. xvfb-run -a python -m benchmarks service/sasview_opens``.
``… sasview_opens.py PROJECT.json`` shows the χ² of each page of that file instead.
Under Qt's offscreen platform SasView crashes.

Simulated curves, a few models each, are written by `write_project` and opened with "Open Project" of the
main window. Every page must have our models, values, limits and ticks; then "Calculate" is pressed, nothing
is fitted, and the χ² of the page is read: SasView's is Σ(residual/error)² over the number of points, not
over the degrees of freedom, so ours is divided likewise. The same is done after the values of each page were
moved away and `clipboard_text` was pasted. Exit status 1 where anything differs by more than 1 %.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: Names the folder of settings, compiled models and logs of this run, which are not the user's own; SasView
#: looks for it when it is imported.
HOME = "SASVIEW_OPENS_HOME"
_HOME = os.environ.get(HOME)
if _HOME:
    os.environ |= {"HOME": _HOME, "XDG_CONFIG_HOME": f"{_HOME}/config", "XDG_DATA_HOME": f"{_HOME}/data"}
    os.environ |= {"XDG_CACHE_HOME": f"{_HOME}/cache"}
os.environ["SAS_OPENCL"] = "none"

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from sasnet_plugin.fitting.problem.experiment import experiment  # noqa: E402
from sasnet_plugin.fitting.result.fit_result import FitResult  # noqa: E402
from sasnet_plugin.fitting.result.model_fit import ModelFit, Parameter  # noqa: E402
from sasnet_plugin.fitting.result.size_distributions import sigmas  # noqa: E402
from sasnet_plugin.report.exports.sasview_clipboard import clipboard_text, page_state  # noqa: E402
from sasnet_plugin.report.exports.sasview_project import write_project  # noqa: E402
from sasnet_plugin.types import Curve  # noqa: E402

TOLERANCE = 0.01
#: Values, what is fitted, and the kind of size distribution of each model of each curve; the first is the
#: curve's own. Long values: SasView keeps five digits of them.
_SPHERE = {
    "scale": 0.0123456,
    "background": 0.0345678,
    "sld": 4.1234567,
    "sld_solvent": 1.0,
    "radius": 61.80339,
}
_SPREAD = {"radius_pd": 0.1234567}
_PRODUCT = {"radius_effective_mode": 1.0, "structure_factor_mode": 0.0, "volfraction": 0.2345678}
_CORE = {"scale": 0.0187654, "background": 0.0234567, "radius": 41.23456, "thickness": 17.65432}
_CORE |= {"sld_core": 1.2345, "sld_shell": 3.9876, "sld_solvent": 6.3}
_LAYERS = {"scale": 0.02, "background": 0.05, "sld_core": 1.0, "radius": 80.0, "sld_solvent": 6.4, "n": 2.0}
_LAYERS |= {"sld1": 3.4567, "thickness1": 23.456, "sld2": 5.1, "thickness2": 31.415}
_VESICLE = {"scale": 0.9, "background": 0.045678, "sld": 0.5, "sld_solvent": 6.3, "volfraction": 0.034567}
_VESICLE |= {"radius": 98.765, "thickness": 33.2109, "radius_pd": 0.2, "charge": 17.5, "temperature": 300.0}
_VESICLE |= {"concentration_salt": 0.02, "dielectconst": 71.0, "radius_effective_mode": 1.0}
_VESICLE |= {"structure_factor_mode": 0.0}
CASES: dict[str, tuple[str, list[tuple[str, dict[str, float], dict[str, str]]]]] = {
    "sphere": (
        "pinhole",
        [
            ("sphere", _SPHERE | _SPREAD, {"radius": "gaussian"}),
            ("core_shell_sphere", _CORE | {"sld_solvent": 1.0}, {}),
        ],
    ),
    "core_shell_sphere": (
        "none",
        [("core_shell_sphere", _CORE, {}), ("sphere", _SPHERE | _SPREAD, {"radius": "schulz"})],
    ),
    "sphere@hardsphere": (
        "pinhole",
        [
            ("sphere@hardsphere", _SPHERE | _SPREAD | _PRODUCT, {"radius": "gaussian"}),
            ("sphere@hardsphere", _SPHERE | _SPREAD | _PRODUCT, {"radius": "schulz"}),
            ("sphere@stickyhardsphere", _SPHERE | _PRODUCT | {"perturb": 0.05, "stickiness": 0.2345}, {}),
            ("sphere", _SPHERE | {"radius_pd": 0.3}, {"radius": "lognormal"}),
            ("vesicle@hayter_msa", _VESICLE, {"radius": "schulz"}),
        ],
    ),
    "slits, layers, other products": (
        "slit",
        [
            (
                "core_multi_shell@hardsphere",
                _LAYERS | _PRODUCT | {"thickness2_pd": 0.12},
                {"thickness2": "gaussian"},
            ),
            (
                "mono_gauss_coil@hardsphere",
                {"scale": 0.456, "background": 0.06789, "i_zero": 70.0, "rg": 55.5, "volfraction": 0.1,
                 "radius_effective_mode": 1.0},
                {},
            ),
        ],
    ),
}  # fmt: skip


def make_case(case: str, rng: np.random.Generator) -> FitResult:
    """A curve simulated with the first model, and all models as if they had been fitted to it."""
    resolution, models = CASES[case]
    q = np.geomspace(0.004567, 0.345678, 140)
    columns: dict[str, NDArray[np.float64]] = {}
    if resolution == "pinhole":
        columns = {"dq": np.hypot(0.04 * q, 0.0007)}
    elif resolution == "slit":
        columns = {"dxl": np.full_like(q, 0.05), "dxw": np.zeros_like(q)}
    bare = Curve(q, np.ones_like(q), np.ones_like(q), file=f"{case.split(',')[0]}.dat", **columns)
    truth = _fit(bare, np.ones_like(q), *models[0]).theory
    error = 0.02 * truth + 0.002
    curve = Curve(q, truth + error * rng.standard_normal(q.size), error, file=bare.file, **columns)
    return FitResult(curve, error, tuple(_fit(curve, error, *model) for model in models))


def _fit(
    curve: Curve, error: NDArray[np.float64], name: str, values: dict[str, float], kinds: dict[str, str]
) -> ModelFit:
    form, _, factor = name.partition("@")
    held = {"sld_solvent", "radius_effective_mode", "structure_factor_mode", "n"}
    parameters = {
        k: Parameter(v, None, "", True, v, v)
        if k in held
        else Parameter(v, v / 70, "", False, v / 3, 3.1 * v)
        for k, v in values.items()
    }
    empty = np.zeros(len(curve))
    draft = ModelFit(form, factor or None, parameters, kinds, 0.0, 0.0, 0.0, 0.0, 0.0, empty)
    start: dict[str, Any] = dict(values)
    for size, kind in kinds.items():
        start |= {
            f"{size}_pd_type": kind, f"{size}_pd_n": draft.pd_points, f"{size}_pd_nsigma": sigmas(kind)
        }  # fmt: skip
    fitness = experiment(curve, error, name, start)
    chisq = float(np.sum(fitness.residuals() ** 2))
    degrees = len(curve) - len(draft.free)
    theory = np.asarray(fitness.theory(), dtype=float)
    return ModelFit(form, factor or None, parameters, kinds, chisq, chisq / degrees, 0.0, 0.0, 0.0, theory)


def differences(page: dict[str, Any], fit: ModelFit) -> list[str]:
    """What a page of SasView (as it serialises itself) has otherwise than the fit."""
    wrong = []
    for name, wanted in page_state(fit).items():
        found = page.get(name)
        if found is None:
            wrong.append(f"{name} missing")
        elif name.endswith(".width") or len(wanted) == 6:
            numbers = [0, 3, 4, 5, 6] if name.endswith(".width") else [0, 3, 4]
            for i in (1, *numbers[1:]):
                ours, theirs = wanted[i], found[i]
                if ours and abs(float(theirs) - float(ours)) > 1e-4 * abs(float(ours)):
                    wrong.append(f"{name}[{i}] {theirs} not {ours}")
            if wanted[0] != "None" and wanted[0] != found[0]:
                wrong.append(f"{name} fitted: {found[0]} not {wanted[0]}")
            if name.endswith(".width") and wanted[7] != found[7]:
                wrong.append(f"{name} {found[7]} not {wanted[7]}")
        elif wanted != found:
            wrong.append(f"{name} {found} not {wanted}")
    return wrong


def drive(manager: Any, path: Path, result: FitResult | None, status: list[int]) -> Iterator[None]:
    """Steps of the session, one each time that SasView's event loop comes round."""
    from PySide6 import QtWidgets

    QtWidgets.QFileDialog.getOpenFileName = staticmethod(lambda *_, **__: (str(path), ""))
    manager.filesWidget.loadProject()
    yield from _wait(20)
    tabs = [tab for tab in manager.perspective().tabs if tab.data_is_loaded]
    if result is None:
        for tab in tabs:
            manager.perspective().setCurrentWidget(tab)
            opened = yield from _calculated(tab)
            names = tab.cbModel.currentText(), tab.cbStructureFactor.currentText()
            print(f"{names[0]:28s} {names[1]:18s} {opened:10.4f}", flush=True)
            status.append(int(not opened >= 0))
        return
    if len(tabs) != len(result.fits):
        print(f"{len(tabs)} pages, not {len(result.fits)}")
        status.append(1)
    for tab, fit in zip(tabs, result.fits, strict=False):
        manager.perspective().setCurrentWidget(tab)
        page = {line[0]: line[1:] for line in tab.getFitPage() + tab.getFitModel()}
        wrong = differences(page, fit)
        opened = yield from _calculated(tab)
        for name in ("radius", "rg", "background"):
            row = tab.getRowFromName(name)
            if row is not None and not (name == "background" and fit.structure_factor):
                tab._model_model.item(row, 1).setText("1.2345")
        QtWidgets.QApplication.clipboard().setText(clipboard_text(fit))
        tab.clipboard_paste()
        pasted = yield from _calculated(tab)
        ours = fit.chisq / len(result.curve)
        off = [found / ours - 1 for found in (opened, pasted)]
        print(
            f"{fit.name:28s} {' '.join(fit.distributions.values()):10s} {fit.reduced_chisq:10.4f} "
            f"{ours:10.4f} {opened:10.4f} {100 * off[0]:+8.3f} % {pasted:10.4f} {100 * off[1]:+8.3f} %  "
            f"{tab.smearing_widget.cbSmearing.currentText():12s} {'; '.join(wrong) or 'page as written'}",
            flush=True,
        )
        status.append(int(bool(wrong) or not max(map(abs, off)) < TOLERANCE))


def _wait(turns: int) -> Iterator[None]:
    for _ in range(turns):
        yield


def _calculated(tab: Any) -> Iterator[None]:
    """Press "Calculate" and read the χ² of the page, as a number with all its digits."""
    yield from _wait(10)
    tab.chi2 = None
    tab.onPlot()
    for _ in range(600):
        yield
        if tab.chi2 is not None:
            return float(tab.chi2)
    return float("nan")


def open_case(case: str) -> int:
    """Write the project of one case, start SasView, compare; or show what SasView makes of a given file."""
    if case.endswith(".json"):
        path, result = Path(case), None
    else:
        path, result = (
            Path(os.environ[HOME]) / "project.json",
            make_case(case, np.random.default_rng(20240607)),
        )
        write_project(result, path)

    from sas.system import lib

    lib.setup_sasmodels()
    lib.setup_qt_env()
    from PySide6 import QtCore, QtWidgets
    from sas.qtgui.MainWindow import GuiManager, MainWindow

    def answer(box: Any) -> Any:
        # Nobody is there to press a button.
        print("SasView asks:", box.text(), flush=True)
        return QtWidgets.QMessageBox.StandardButton.Yes

    QtWidgets.QMessageBox.exec = QtWidgets.QMessageBox.exec_ = answer
    MainWindow.maybe_prompt_new_version_download = lambda: None
    status: list[int] = []

    def session(manager: Any) -> None:
        """Take the place of the welcome panel, which is shown when all is set up."""
        steps = drive(manager, path, result, status)
        timer = QtCore.QTimer(manager.filesWidget)

        def step() -> None:
            timer.stop()
            try:
                next(steps)
            except StopIteration:
                # Leaving SasView asks and waits for threads; there is nothing to save.
                os._exit(max(status, default=1))
            except Exception as error:
                print(f"stopped: {error!r}", flush=True)
                os._exit(2)
            timer.start(50)

        timer.timeout.connect(step)
        timer.start(1000)

    GuiManager.GuiManager.showWelcomeMessage = session
    MainWindow.run_sasview()
    return 1


def main() -> int:
    """One SasView for each case: a second "Open Project" in the same one crashes it under Xvfb."""
    if HOME in os.environ:
        return open_case(sys.argv[1])
    from importlib.metadata import version

    print(f"SasView {version('sasview')}, sasmodels {version('sasmodels')}")
    print(f"{'':39s} {'reduced':>10s} {'χ²/n':>10s} {'SasView':>10s} {'':10s} {'pasted':>10s}", flush=True)
    status = 0
    with tempfile.TemporaryDirectory(prefix="sasview-opens-") as home:
        for case in sys.argv[1:] or CASES:
            command = [sys.executable, __file__, case]
            with open(Path(home) / "log", "w") as log:
                done = subprocess.run(
                    command, env=os.environ | {HOME: home}, stderr=log, timeout=300, check=False
                )
            if done.returncode:
                print(
                    f"{case}: status {done.returncode}", (Path(home) / "log").read_text()[-2000:], flush=True
                )
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
