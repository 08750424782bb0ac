"""Everything that opens elsewhere, of a fit or of a sample's joint fit, in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...data.sample.kind import CALIBRATION
from ...digits import chisq_text
from ...extensions import load, merge_tables
from ...files import MARK, put_whole, read_text
from ...fitting.optimize.bumps_fit import fitter_for
from ...fitting.problem.experiment import starting_values
from ...fitting.problem.resolution import is_slit
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit, Parameter
from ...fitting.result.sample_result import JointFit, SampleResult
from ...types import Curve, SasnetError, sum_parts
from ...written import CLIPBOARD_HEAD, PROJECT_END
from ..page import document
from .bumps import finer_points, warning_of, write_script, write_session
from .hdf5 import write_nxcansas
from .sasview import (
    clipboard_text,
    data_digits,
    encode_project,
    pages_of_sample,
    plugin_text,
    sasview_name,
    write_project,
)
from .sectors import plugin_path, write_plugin

# --- A sample's joint fit for SasView, as a simultaneous fit with constraints, and for Bumps, as a
# --- script.

#: By what a file that was written here is known (`files.check_output`).
SAMPLE_MARKS = {"sasview.json": PROJECT_END, "bumps.py": MARK}

#: Of the values of what is fitted, in a script or a project: a factor, or a distance of a density.
_REACH, _SLD_REACH = 5.0, 6.0
_SCRIPT = read_text(__file__, "bumps_of_sample.txt")


def write_sample(result: SampleResult, folder: Path, name: str = "sample") -> list[Path]:
    """Write a joint fit's project, Bumps script and plugin model of sectors. Raises SasnetError."""
    if result.best is None:
        raise SasnetError(f"{result.sample.files[0]}: nothing was fitted together, so nothing is exported.")
    plugin = plugin_path(result.best, folder)
    if plugin:
        result = write_plugin(result, plugin)
    project, script = (Path(folder) / f"{name}.{end}" for end in ("sasview.json", "bumps.py"))
    put_whole(project, encode_project(sample_project(result)), "SasView project", make_folder=True)
    put_whole(script, sample_script(result, script.name).encode(), "bumps script", make_folder=True)
    return [*([plugin] if plugin else []), project, script]


def make_curve_fit(result: SampleResult, i: int) -> ModelFit:
    """The best joint fit as that of one curve, with ranges about its values."""
    assert result.best is not None
    fit = result.best.make_curve_fit(i)
    return replace(fit, parameters={name: _add_range(name, p) for name, p in fit.parameters.items()})


def _add_range(name: str, p: Parameter) -> Parameter:
    """Give a fitted parameter without a range one about its value, as in a kept batch."""
    return p if p.fixed or p.low < p.high else _set_range(name, p)


def _set_range(name: str, p: Parameter) -> Parameter:
    if name == "background":
        return replace(p, low=-np.inf, high=np.inf)
    if "sld" in name:
        return replace(p, low=p.value - _SLD_REACH, high=p.value + _SLD_REACH)
    if name.endswith("_pd"):
        return replace(p, low=0.0, high=1.0)
    if p.value <= 0:
        return replace(p, low=p.value - 1.0, high=p.value + 1.0)
    return replace(p, low=p.value / _REACH, high=p.value * _REACH)


def sample_project(result: SampleResult) -> dict[str, Any]:
    """Make a project of all curves with shared parameters constrained to the first page's."""
    # SasView 6.2 stores no constraints of distribution widths: each page has its own, starting at the shared
    # value.
    fits = _all_fitted(result)
    shared = [name for name in _select_shared(result, fits[0]) if not name.endswith("_pd")]
    return pages_of_sample(result.as_results(), fits, shared)


def _all_fitted(result: SampleResult) -> list[ModelFit]:
    return [make_curve_fit(result, i) for i in range(len(result.sample.curves))]


def _select_shared(result: SampleResult, first: ModelFit) -> dict[str, Parameter]:
    assert result.best is not None
    common = result.best.parameters
    return {name: p for name, p in first.parameters.items() if not p.fixed and name in common}


def sample_script(result: SampleResult, file: str) -> str:
    """A model script of bumps with one experiment for each curve, which share their parameters."""
    best = result.best
    assert best is not None
    shared: list[str] = []
    fits = _all_fitted(result)
    curves = [_curve_lines(result, i, fit) for i, fit in enumerate(fits)]
    for name, p in _select_shared(result, fits[0]).items():
        shared.append(f"model0.{name}.range({p.low!r}, {p.high!r})")
        shared += [f"model{i}.{name} = model0.{name}" for i in range(1, len(fits))]
    own_lines = _all_own_lines(best, fits)
    free = "\n".join((*shared, *own_lines)).count(".range(") + "\n".join(own_lines).count(".dev(")
    imports, sampling = _sampling(result, best.per_decade)
    return _SCRIPT.format(
        head=f"{best.name}, fitted to {len(fits)} curves of one sample, reduced χ²"
        f" {chisq_text(best.reduced_chisq)}{_describe_fitter(best.fitter)}; {MARK}.",
        fitter=fitter_for(free), warning=warning_of(free), imports=imports,
        sampling=sampling,
        file=file, name=best.name, kernel=_describe_kernel(best.name), curves="\n".join(curves),
        models=", ".join(f"model{i}" for i in range(len(fits))),
        data=", ".join(f"data{i}" for i in range(len(fits))),
        shared="\n".join(shared), own="\n".join(own_lines),
    )  # fmt: skip


def _describe_kernel(name: str) -> str:
    """What a script loads: a model of sasmodels by name, a plugin file from the script's folder."""
    return f"str(Path(__file__).with_name({Path(name).name!r}))" if name.endswith(".py") else repr(name)


def _curve_lines(result: SampleResult, i: int, fit: ModelFit) -> str:
    table, columns = _table(result.sample.curves[i], result.dintensities[i])
    values = "\n".join(f"    {n}={v!r}," for n, v in starting_values(fit).items())
    title = Path(result.sample.files[i]).name
    return (
        f'\ndata{i} = measured("""\n{table}\n""", {title!r}, {columns!r})\n'
        f"model{i} = Model(\n    kernel,\n{values}\n)"
    )


def _factors(best: JointFit) -> tuple[float, ...] | None:
    """Return factors of the scales to a common one, unless a user has given scales."""
    if best.factors is None or any(own["scale"].fixed for own in best.own):
        return None
    return best.factors


def _describe_fitter(fitter: str) -> str:
    return f", fitted by {fitter}" if fitter else ""


def _sampling(result: SampleResult, per_decade: int | None) -> tuple[str, str]:
    """Imports and code that calculate each curve at the points of q where the fit did."""
    parts = [finer_points(curve, per_decade) for curve in result.sample.curves]
    imports = "".join(sorted({imported for imported, _ in parts}))
    code = [f"fitness, data = experiments[{i}], data{i}\n{part}" for i, (_, part) in enumerate(parts) if part]
    return imports, "".join(code)


def _all_own_lines(best: JointFit, fits: Sequence[ModelFit]) -> list[str]:
    factors = _factors(best)
    lines: list[str] = []
    if factors is not None:
        lines.append(f"common = Parameter({best.common!r}, name='common scale').range(0, inf)")
    for i, fit in enumerate(fits):
        lines += _own_lines(i, best, fit, factors)
    return lines


def _own_lines(i: int, best: JointFit, fit: ModelFit, factors: tuple[float, ...] | None) -> list[str]:
    """What a curve has of its own; its scale within the calibration of the common one, where there is one."""
    free = [name for name, p in best.own[i].items() if not p.fixed]
    return [line for name in free for line in _lines_of(i, name, best, fit, factors)]


def _lines_of(
    i: int, name: str, best: JointFit, fit: ModelFit, factors: tuple[float, ...] | None
) -> list[str]:
    """A free parameter of one curve: its calibration, its prior, or its range."""
    if factors is not None and name == "scale":
        off = best.own[i][name].value / (factors[i] * best.common)
        return [
            f"calibration{i} = Parameter({off!r}, name='calibration {i + 1}')",
            f"calibration{i}.dev({CALIBRATION}, mean=1.0)",
            f"model{i}.scale = {factors[i]!r} * common * calibration{i}",
        ]
    if factors is not None and name == "background" and np.isfinite(best.background_deviation):
        return [f"model{i}.background.dev({best.background_deviation!r}, mean=0.0)"]
    ranged = fit.parameters[name]
    return [f"model{i}.{name}.range({ranged.low!r}, {ranged.high!r})"]


def _table(curve: Curve, dintensity: Any) -> tuple[str, list[str]]:
    columns = [curve.q, curve.intensity, dintensity]
    names = []
    slit = is_slit(curve)
    for name, column in (("dx", None if slit else curve.dq), ("dxl", curve.dxl), ("dxw", curve.dxw)):
        if column is not None:
            columns.append(column)
            names.append(name)
    rows = np.transpose(columns)
    return "\n".join(" ".join(repr(float(v)) for v in row) for row in rows), names


# --- Everything that opens elsewhere, of one fit, in one folder.

#: Ending of each file, and by what one that was written here is known: SasView and Bumps leave it out when
#: they save what a user did.
_MARKS = {
    "sasview.json": PROJECT_END,
    "parameters.txt": CLIPBOARD_HEAD,
    "bumps.py": MARK,
    "session.h5": MARK,
    "nxcansas.h5": MARK,
}


def free_stem(folder: Path, start: str, curve: Curve) -> str:
    """Name of a set of files in a folder; it has a number where a set of another curve has the name."""
    ending = ".sasview.json"
    return document.free_name(folder, start, ending, PROJECT_END, data_digits(curve)).removesuffix(ending)


def marks(curve: Curve, folder: Path) -> dict[Path, str]:
    """The files that `export` writes for a data set, each with its mark (`files.check_output`)."""
    stem = free_stem(folder, document.stem(curve.file, curve.entry, "curve"), curve)
    endings = {**dict.fromkeys(merge_tables("EXPORTERS"), MARK), **_MARKS}
    return {Path(folder) / f"{stem}.{end}": mark for end, mark in endings.items()}


def _encode_names(curve: Curve) -> Curve:
    """Replace names that not every format can hold, as files' names need not be UTF-8."""
    file, entry = (name.encode("utf-8", "replace").decode("utf-8") for name in (curve.file, curve.entry))
    return replace(curve, file=file, entry=entry)


def export(result: FitResult, folder: Path) -> list[Path]:
    """Write a fit, if any, for SasView, Bumps and readers of NXcanSAS. Raises SasnetError on failure."""
    # ``NAME.sasview.json`` (project), ``NAME.parameters.txt`` (clipboard text of the best fit),
    # ``NAME.bumps.py`` (its script), ``NAME.session.h5`` (every fit) and ``NAME.nxcansas.h5``, NAME as the
    # HTML page's; for a sum also its SasView plugin, ``sphere_plus_power_law.py``.
    best = result.best
    if best is None:
        return []
    *others, project, text, script, session, nexus = marks(result.curve, folder)
    result = replace(result, curve=_encode_names(result.curve))
    copied = clipboard_text(best).encode("utf-8")
    put_whole(text, copied, "SasView clipboard text", make_folder=True)
    write_project(result, project)
    write_script(result, best, script)
    write_session(result, session)
    write_nxcansas(result, nexus)
    plugins = []
    for model in dict.fromkeys(fit.model for fit in result.fits if len(sum_parts(fit.model)) > 1):
        plugins.append(Path(folder) / f"{sasview_name(model)}.py")
        put_whole(plugins[-1], plugin_text(model).encode("utf-8"), "SasView plugin model")
    for path, place in zip(others, merge_tables("EXPORTERS").values(), strict=True):
        put_whole(path, load(place)(result), f"file of {place}")
    return [project, text, script, session, nexus, *plugins, *others]
