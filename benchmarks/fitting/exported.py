"""Do an exported Bumps session and script end where the report says?

40 measurements of everyday samples are fitted with their model given (``fitting/everyday_curves``), and ten
samples of several curves jointly (``fit_together``). Each fit is exported, read again by Bumps alone, and
fitted once more by the fitter that the export names: χ² and values as read, and after that fit, against the
report. A parameter's difference is over its value and, after the second fit, also over its error. Run
``python -m benchmarks fitting/exported --work W``; rows are kept in ``W``; ``--third`` takes every third.
"""

from __future__ import annotations

import runpy
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.types import Curve

from ..common import markdown, parser_of, resumed, show, this_process

SINGLE, JOINT = 40, 10
#: What is asked of an export: values and χ², relative.
SAME_VALUE, SAME_CHISQ = 1e-6, 1e-4
#: Scattering length densities, 10⁻⁶ Å⁻².
H2O, D2O = -0.56, 6.36
_KINDS = ("contrasts", "settings", "concentrations")


def off(
    problem: Any, chisq: float, reported: Mapping[str, tuple[float, float | None]], fitter: str
) -> dict[str, float]:
    """How far an exported problem is from the report, as read and after Bumps has fitted it once more."""
    from bumps.fitters import fit

    read = _values(problem)
    row = {
        "chisq read": abs(2 * float(problem.nllf()) / chisq - 1),
        "value read": max(abs(read[n] - v) / (abs(v) or 1.0) for n, (v, _) in reported.items()),
    }
    fit(problem, method=fitter)
    again = _values(problem)
    row["chisq again"] = abs(2 * float(problem.nllf()) / chisq - 1)
    row["value again"] = max(abs(again[n] - v) / (abs(v) or 1.0) for n, (v, _) in reported.items())
    row["errors again"] = max([abs(again[n] - v) / e for n, (v, e) in reported.items() if e] or [0.0])
    return row


def _values(problem: Any) -> dict[str, float]:
    """Of each experiment's parameters, with the number of the experiment behind the name."""
    return {
        f"{name} {i}": float(p.value)
        for i, model in enumerate(problem.models)
        for name, p in model.model.parameters().items()
    }


def single(index: int, folder: Path) -> dict[str, Any]:
    """Both exports of a fit of one curve."""
    from bumps.webview.server.state_hdf5_backed import State

    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.report.exports.bumps import write_script, write_session

    from .everyday_curves import SAMPLES, everyday

    found = everyday(index % len(SAMPLES), 2027 + index // len(SAMPLES))
    form, _, factor = found.model.partition("@")
    curve = Curve(found.q, found.intensity, found.dintensity, found.dq, file=f"{index}.dat")
    result = fit_with(this_process(), curve, FitOptions(models=(form,), structure_factor=factor or "none"))
    fit = result.fits[0]
    reported = {f"{name} 0": (p.value, p.error) for name, p in fit.parameters.items()}
    script, session = folder / f"{index}.py", folder / f"{index}.h5"
    write_script(result, fit, script)
    write_session(result, session)
    state = State()
    state.read_session_file(str(session))
    fitter = str(state.shared.selected_fitter)
    problems = {"session": state.problem.fitProblem, "script": runpy.run_path(str(script))["problem"]}
    parts = {what: off(problem, fit.chisq, reported, fitter) for what, problem in problems.items()}
    return {"name": fit.name, "fitter": fit.fitter, "free": len(fit.free), **parts}


def several(kind: str, rng: np.random.Generator) -> tuple[str, list[Curve], dict[str, Any]]:
    """Model, curves and description of a sample in three solvents, settings or concentrations."""
    q = [np.geomspace(0.005, 0.35, 100)] * 3
    values = {"radius": rng.uniform(20, 80), "radius_pd": 0.1, "radius_pd_n": 35, "radius_pd_nsigma": 3}
    values |= {"sld": rng.uniform(1, 3), "sld_solvent": D2O, "scale": 0.01}
    if kind == "concentrations":
        fractions = [{"scale": 1.0, "volfraction": share} for share in (0.03, 0.1, 0.25)]
        return "sphere@hardsphere", _measured("sphere@hardsphere", q, values, fractions, rng), {"kind": kind}
    if kind == "settings":
        q = [np.geomspace(low, 10 * low, 60) for low in (0.003, 0.01, 0.035)]
        return "sphere", _measured("sphere", q, values, [{}] * 3, rng), {"kind": kind}
    shell = {"thickness": rng.uniform(10, 30), "sld_core": values.pop("sld") - 2, "sld_shell": 3.5}
    solvents = [{"sld_solvent": solvent} for solvent in (H2O, 2.3, D2O)]
    described = {"solvents": {str(i + 1): one["sld_solvent"] for i, one in enumerate(solvents)}}
    curves = _measured("core_shell_sphere", q, values | shell, solvents, rng)
    return "core_shell_sphere", curves, described


def _measured(
    name: str, q: Sequence[np.ndarray], values: Mapping[str, float], own: Sequence[Mapping[str, float]],
    rng: np.random.Generator,
) -> list[Curve]:  # fmt: skip
    """Curves of sasmodels with 2 % noise, each with values of its own."""
    from sasmodels.core import load_model
    from sasmodels.direct_model import call_kernel

    curves = []
    for i, (points, its_own) in enumerate(zip(q, own, strict=True)):
        kernel = load_model(name).make_kernel([points])
        clean = call_kernel(kernel, {**values, **its_own, "background": 0.02})
        noise = 0.02 * clean
        intensity = clean + noise * rng.standard_normal(points.size)
        curves.append(Curve(points, intensity, noise, dq=0.02 * points, file=f"{i + 1}.dat"))
    return curves


def joint(index: int, folder: Path) -> dict[str, Any]:
    """The script of a joint fit."""
    from sasnet_plugin.data.sample.described import sample_of
    from sasnet_plugin.fitting.api import fit_sample
    from sasnet_plugin.fitting.optimize.bumps_fit import fitter_for
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.report.exports.write_all import write_sample

    kind = _KINDS[index % len(_KINDS)]
    name, curves, described = several(kind, np.random.default_rng([index, 46]))
    form, _, factor = name.partition("@")
    options = FitOptions(models=(form,), structure_factor=factor or "none")
    result = fit_sample(this_process(), sample_of(curves, described), options)
    best = result.best
    if best is None:
        return {"name": name, "fitter": "", "free": 0}
    reported = {
        f"{name} {i}": (p.value, p.error)
        for i, own in enumerate(best.own)
        for name, p in {**best.parameters, **own}.items()
    }
    *_, script = write_sample(result, folder, f"joint{index}")
    problem = runpy.run_path(str(script))["problem"]
    free = len(problem.getp())
    part = off(problem, best.total, reported, fitter_for(free))
    return {"name": best.name, "fitter": best.fitter, "free": free, "script": part}


def table(rows: Mapping[str, list[dict[str, Any]]]) -> str:
    """Largest differences and how many exports are within what is asked, of each kind."""
    lines = []
    for kind, found in rows.items():
        for what in ("session", "script"):
            parts = [row[what] for row in found if what in row]
            if parts:
                lines.append([f"{kind}, {what}", str(len(parts)), *_line(parts)])
    head = ["export", "fits", "χ² read", "value read", "χ² again", "value again", "over its error", "within"]
    return markdown(head, lines)


def _line(parts: list[dict[str, float]]) -> list[str]:
    keys = ("chisq read", "value read", "chisq again", "value again", "errors again")
    within = sum(
        max(one["chisq read"], one["chisq again"]) < SAME_CHISQ and one["value read"] < SAME_VALUE
        for one in parts
    )
    return [*(f"{max(one[key] for one in parts):.1e}" for key in keys), f"{within} of {len(parts)}"]


def main() -> None:
    """Fit, export, read, fit once more; print the table."""
    parser = parser_of(__doc__, work=True)
    parser.add_argument("--third", action="store_true", help="every third fit alone")
    given = parser.parse_args()
    # The clock on the wall is this process's time: a busy machine cuts no fit short.
    time.monotonic = time.process_time
    rows = {}
    for kind, count, solve in (("single", SINGLE, single), ("joint", JOINT, joint)):
        found = partial(map, lambda index, solve=solve: {"index": index, **solve(index, given.work)})
        numbers = range(0, count, 3 if given.third else 1)
        rows[kind] = resumed(given.work / f"{kind}.jsonl", numbers, found, str)
    page = table(rows)
    show(page, given.write, __file__, _WORDS)


_WORDS = """# Exports, read and fitted again by Bumps

Largest relative difference from the report: as read, and after the fitter that the export names has run once
more from there. "Over its error": the largest change of a value by that second fit, in standard deviations.
Within: χ² to 10⁻⁴ both times, and values as read to 10⁻⁶.

"""
