"""A fit as a model script for bumps: one file with its data, run by ``bumps script.py --batch``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...digits import quantity
from ...files import MARK, put_whole
from ...fitting.optimize.bumps_fit import fitter_for
from ...fitting.problem.experiment import starting_values
from ...fitting.problem.resolution import is_slit
from ...fitting.result.fit_result import FitResult
from ...fitting.result.model_fit import ModelFit
from ...fitting.settings import PROBLEM
from ...types import Curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Guarded, as LM goes on for ever once a residual is NaN: sphere@hayter_msa has no value at some charges.
_SCRIPT = """\
{head}
#
# Run it with
#     bumps {file} --batch --fit={fitter} --export=fit
# or open it in a browser with
#     bumps {file}
{warning}
import numpy as np
from bumps.names import FitProblem
from numpy import inf
from sasmodels.bumps_model import Experiment, Model
from sasmodels.core import load_model
from sasmodels.data import Data1D
{imports}
# {columns}
TABLE = \"\"\"
{table}
\"\"\"


class Guarded(Experiment):
    \"\"\"Where the model has no value, the residual is large instead of NaN.\"\"\"

    def residuals(self):
        return np.nan_to_num(Experiment.residuals(self), nan=1e6, posinf=1e6, neginf=-1e6)


columns = np.loadtxt(TABLE.splitlines(), ndmin=2).T
data = Data1D(x=columns[0], y=columns[1], dy=columns[2])
{resolution}data.filename = {title!r}

kernel = load_model({name!r}, dtype="double", platform="dll")
model = Model(
    kernel,
{values}
)
{ranges}

fitness = Guarded(data=data, model=model)
{sampling}problem = FitProblem(fitness, name={name!r})
"""

#: What a script says whose only free parameter bumps' Levenberg-Marquardt would not fit.
_WARNING_OF_ONE = """\
# One parameter is free. Do not use --fit=lm: with one parameter bumps 1.0.5 may stop far from the minimum.
"""

#: sasmodels calculates the model at the measured points: too few for fringes finer than their distance.
_FINER = """\
# The model is calculated at more points of q than were measured: its fringes are finer than their distance.
seen = fitness.resolution.q_calc
first, last = max(seen.min(), 0.02 * data.x.min()), seen.max()
finer = np.geomspace(first, last, int(np.ceil({per_decade} * np.log10(last / first))) + 1)
points = np.union1d(seen, finer)
{resolution}
"""
_PINHOLE = "fitness.resolution = Pinhole1D(data.x, data.dx, q_calc=points)"
_SLIT = """\
along = np.hypot(data.x[:, None], {length}[:, None] * np.linspace(0.0, 1.0, {nodes}))
points = np.union1d(points, along)
fitness.resolution = Slit1D(data.x, q_length=data.dxl, q_width=data.dxw, q_calc=points)"""


def write_script(result: FitResult, fit: ModelFit, path: str | Path) -> None:
    """Write any fit of a result as a bumps model script (``.py``) that needs sasmodels and bumps alone and
    starts at its χ². Raises SasnetError if that fails.
    """
    curve = result.curve
    columns: dict[str, NDArray[np.float64]]
    columns = {"q / Å⁻¹": curve.q, "I(q)": curve.intensity, "one standard deviation of I": result.dintensity}
    resolution = []
    # As in the fit, a slit goes before a pinhole.
    slit = curve.has_slit
    for attribute, text, column in (
        ("dx", "pinhole resolution, one standard deviation / Å⁻¹", None if slit else curve.dq),
        ("dxl", "slit half length / Å⁻¹", curve.dxl),
        ("dxw", "slit half width / Å⁻¹", curve.dxw),
    ):
        if column is not None:
            resolution.append(f"data.{attribute} = columns[{len(columns)}]\n")
            columns[text] = column
        elif slit and attribute != "dx":
            resolution.append(f"data.{attribute} = None\n")
    imports, sampling = finer_points(curve, fit.per_decade)
    rows = np.transpose(list(columns.values()))
    script = _SCRIPT.format(
        head="\n".join(f"# {line}" for line in _head(result, fit)),
        file=_one_line(Path(path).name),
        fitter=fitter_for(len(fit.free)),
        warning=warning_of(len(fit.free)),
        columns=", ".join(columns),
        table="\n".join(" ".join(repr(float(v)) for v in row) for row in rows),
        resolution="".join(resolution),
        imports=imports,
        sampling=sampling,
        title=_one_line(curve.entry or Path(curve.file).name or "curve"),
        name=fit.name,
        values="\n".join(f"    {name}={value!r}," for name, value in starting_values(fit).items()),
        ranges="\n".join(
            f"model.{name}.range({fit.parameters[name].low!r}, {fit.parameters[name].high!r})"
            for name in fit.free
        ),
    )
    put_whole(path, script.encode(), "bumps script")


def finer_points(curve: Curve, per_decade: int | None) -> tuple[str, str]:
    """Import and code that calculate the model where the fit did; empty for the measured points."""
    if per_decade is None:
        return "", ""
    if not is_slit(curve):
        code = _PINHOLE
    else:
        length = "data.dxl" if curve.dxl is not None else "np.zeros(len(data.x))"
        code = _SLIT.format(length=length, nodes=PROBLEM.along_slit)
    name = code.partition("resolution = ")[2].partition("(")[0]
    text = _FINER.format(per_decade=per_decade, resolution=code)
    return f"from sasmodels.resolution import {name}\n", text


def _head(result: FitResult, fit: ModelFit) -> list[str]:
    curve = result.curve
    source = " · ".join(part for part in (Path(curve.file).name, curve.entry) if part) or "a curve"
    lines = [
        f"{fit.name}, fitted to {_one_line(source)}; {MARK}.",
        f"χ² = {fit.chisq:.10g} for {len(curve)} points and {len(fit.free)} fitted parameters.",
        *_describe_fitter(fit),
    ]
    for name in fit.free:
        p = fit.parameters[name]
        lines.append(f"    {name} = {quantity(p.value, p.unit, p.error)}")
    return lines + [_one_line(sentence) for sentence in (*fit.warnings, *result.notes)]


def _describe_fitter(fit: ModelFit) -> list[str]:
    return [f"Fitted by {fit.fitter}."] if fit.fitter else []


def warning_of(free: int) -> str:
    """What a script says of its number of free parameters; empty where there is nothing to say."""
    return _WARNING_OF_ONE if free == 1 else ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
