"""What does a batch of everyday curves cost, and a fit of a known model, against another checkout?

Part ``batch``: 60 curves of five kinds (spheres of 10 % polydispersity, Gaussian coils, Lorentzian with Porod
scattering, power laws, broad peaks), calculated by formulas in numpy, go through ``sasnet batch --workers 1``
of this checkout and of another one (``--against``: a folder to put on PYTHONPATH), in alternating pairs: CPU
time of all processes, peak memory of the largest, right answers. Part ``known``: 20 curves of
``fitting/everyday_curves`` whose model is given, in one warm process, against Bumps' ``lm`` alone from values
3 % off: the same data, resolution, points and kernel, the problem built, fitted, its covariance taken. Part
``examples``: ``sasnet fit FILE --workers 1`` of each of sasdata's example curves, by this checkout and by the
other one, which of them first alternates. Run ``python -m benchmarks speed --work W --against /path``;
``--third 0|1|2`` does a fixed third of the examples.
"""

from __future__ import annotations

import csv
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .common import PRODUCT, list_examples, markdown, parser_of, resumed, run_command, show
from .independent_curves.form_factors import debye, normal_spheres

Array = NDArray[np.float64]
PARTS = ("batch", "known", "examples")
#: Files among sasdata's examples that hold no curve of intensities.
NO_CURVES = frozenset({"beam profile.DAT"})
#: What the answer says of a curve that no model fits.
NONE = "None of the fitted models fits"
HERE = Path(__file__).resolve().parents[1]
#: Points of a curve, and curves of each kind.
POINTS, EACH = 120, 12
#: Names of models that are the same curve as each kind: a limit of one is the other.
RIGHT: Mapping[str, frozenset[str]] = {
    "sphere": frozenset({"sphere"}),
    "coil": frozenset({"mono_gauss_coil", "poly_gauss_coil"}),
    "lorentz_porod": frozenset({"correlation_length"}),
    "power_law": frozenset({"power_law"}),
    "broad_peak": frozenset({"broad_peak"}),
}


def _sphere(q: Array, rng: np.random.Generator) -> Array:
    """Spheres of Gaussian size distribution, 10 % of the mean wide, in cm⁻¹."""
    squared = normal_spheres(q, rng.uniform(30, 90), 0.1, 3.0, 61)
    return np.asarray(0.01 * 1e-4 * rng.uniform(4, 25) * squared + 0.01)


def _coil(q: Array, rng: np.random.Generator) -> Array:
    x = (q * rng.uniform(25, 110)) ** 2
    return np.asarray(rng.uniform(20, 100) * debye(x) + 0.01)


def _lorentz_porod(q: Array, rng: np.random.Generator) -> Array:
    """B. Hammouda, D. L. Ho and S. Kline, Macromolecules 37 (2004) 6932."""
    lorentzian = rng.uniform(5, 20) / (1 + (q * rng.uniform(20, 80)) ** rng.uniform(1.7, 2.3))
    return np.asarray(rng.uniform(0.5, 2) * 1e-6 * q ** -rng.uniform(2.8, 3.4) + lorentzian + 0.01)


def _power_law(q: Array, rng: np.random.Generator) -> Array:
    return np.asarray(rng.uniform(0.5, 2) * 1e-5 * q ** -rng.uniform(2.2, 4.0) + 0.01)


def _broad_peak(q: Array, rng: np.random.Generator) -> Array:
    """B. Hammouda, Eur. Polym. J. 46 (2010) 2275."""
    off = np.abs(q - rng.uniform(0.06, 0.14)) * rng.uniform(40, 80)
    peak = rng.uniform(5, 20) / (1 + off ** rng.uniform(1.8, 2.4))
    return np.asarray(rng.uniform(0.5, 2) * 1e-5 * q**-3.0 + peak + 0.01)


KINDS: Mapping[str, Callable[[Array, np.random.Generator], Array]] = {
    "sphere": _sphere, "coil": _coil, "lorentz_porod": _lorentz_porod, "power_law": _power_law,
    "broad_peak": _broad_peak,
}  # fmt: skip


def write_curves(folder: Path, step: int = 1) -> list[Path]:
    """Files of q, I and dI: 1 to 2 % of noise, growing along q."""
    folder.mkdir(parents=True, exist_ok=True)
    q, written = np.geomspace(0.004, 0.35, POINTS), []
    relative = 0.01 * (1 + np.linspace(0, 1, POINTS))
    for place, (kind, formula) in enumerate(KINDS.items()):
        for i in range(0, EACH, step):
            rng = np.random.default_rng([69, place, i])
            exact = formula(q, rng)
            noisy = exact * (1 + relative * rng.standard_normal(POINTS))
            path = folder / f"{kind}_{i:02d}.dat"
            columns = np.column_stack([q, noisy, relative * exact])
            np.savetxt(path, columns, fmt="%.8e", header="q (1/A)  I (1/cm)  dI (1/cm)")
            written.append(path)
    return written


def batch(files: list[Path], out: Path, checkout: Path) -> dict[str, Any]:
    """One batch of all files."""
    command = [*PRODUCT, "batch", *map(str, files), "--workers", "1", "--out", str(out)]
    began, environment = time.monotonic(), {**os.environ, "PYTHONPATH": str(checkout)}
    seconds, peak, _ = run_command(command, env=environment, cwd=checkout)
    return {"cpu": seconds, "rss": peak, "wall": time.monotonic() - began, "answers": answers(out)}


def answers(out: Path) -> dict[str, str]:
    """The best model of each file."""
    with out.with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return {Path(row["file"]).name: row["model"] for row in csv.DictReader(file)}


def right(found: Mapping[str, str]) -> int:
    """How many files have the model that they were calculated with."""
    return sum(model in RIGHT[name.rpartition("_")[0]] for name, model in found.items())


def table(rows: Mapping[str, list[dict[str, Any]]]) -> str:
    """Medians of each checkout."""
    lines = []
    for name, found in rows.items():
        each = {key: statistics.median(row[key] for row in found) for key in ("cpu", "rss")}
        count = len(found[0]["answers"])
        lines.append([
            name, str(len(found)), f"{each['cpu']:.1f}", f"{each['cpu'] / count:.2f}", f"{each['rss']:.0f}",
            f"{right(found[0]['answers'])} of {count}",
        ])  # fmt: skip
    return markdown(["checkout", "runs", "CPU / s", "a curve", "peak memory / MiB", "right"], lines)


def known(index: int) -> dict[str, Any]:
    """CPU time of a fit of a given model, and of Bumps' lm alone from 3 % off; another curve warms both."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.types import Curve

    from .common import this_process
    from .fitting.everyday_curves import everyday

    found, other = everyday(index, 2028), everyday(index, 2029)
    form, _, factor = found.model.partition("@")
    options = FitOptions(models=(form,), structure_factor=factor or "none")
    curve, other_curve = (
        Curve(one.q, one.intensity, one.dintensity, one.dq, file=f"{index}.dat") for one in (found, other)
    )
    pool = this_process()
    # What compiles and loads; nothing of this curve is known after it.
    _bare(other_curve, other.dintensity, fit_with(pool, other_curve, options).fits[0], index)
    began = time.process_time()
    fit = fit_with(pool, curve, options).fits[0]
    cost = time.process_time() - began
    began = time.process_time()
    _bare(curve, found.dintensity, fit, index)
    bare = time.process_time() - began
    return {"model": found.model, "fit": cost, "bare": bare, "ratio": cost / bare}


def _bare(curve: Any, dintensity: Array, end: Any, index: int) -> None:
    """Bumps' own call: it ends with standard deviations from a Jacobian."""
    from bumps.fitters import fit

    from sasnet_plugin.fitting.problem.experiment import rebuilt

    problem, _ = rebuilt(curve, dintensity, end)
    values = problem.getp()
    problem.setp(values * (1 + 0.03 * np.random.default_rng(index).choice([-1, 1], len(values))))
    fit(problem, method="lm")


def fit_example(path: Path, checkout: Path) -> dict[str, Any]:
    """CPU time of one command, and what it answers."""
    command = [*PRODUCT, "fit", str(path), "--workers", "1", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    seconds, _, text = run_command(command, env=environment, cwd=checkout)
    try:
        answer = json.loads(text)
    except ValueError:
        return {"cpu": seconds, "model": "refused", "answer": "refused"}
    answer = answer[0] if isinstance(answer, list) else answer
    if "fits" not in answer:
        return {"cpu": seconds, "model": "refused", "answer": "refused"}
    fits = answer["fits"] or [{"model": "", "structure_factor": None}]
    model = "@".join(filter(None, [fits[0]["model"], fits[0]["structure_factor"]]))
    return {"cpu": seconds, "model": model, "answer": answer["headline"].split("\n")[0]}


def _examples(given: Any) -> str:
    checkouts = {"this": HERE} | ({"other": given.against.resolve()} if given.against else {})
    curves = [path for path in list_examples() if path.name not in NO_CURVES]
    paths = [path for i, path in enumerate(curves) if given.third is None or i % 3 == given.third]
    by_name = {path.name: path for path in paths}

    def answers_of(missing: list[str]) -> Iterator[dict[str, Any]]:
        for name in missing:
            order = list(checkouts) if list(by_name).index(name) % 2 else list(checkouts)[::-1]
            yield {"index": name, **{one: fit_example(by_name[name], checkouts[one]) for one in order}}

    rows = resumed(
        given.work / "examples.jsonl", list(by_name), answers_of,
        lambda row: " ".join(f"{name} {row[name]['cpu']:.1f} s" for name in checkouts),
    )  # fmt: skip
    lines = [
        [row["index"], *(f"{row[n]['cpu']:.1f}" for n in checkouts), *(row[n]["model"] for n in checkouts)]
        for row in rows
    ]  # fmt: skip
    sums = [sum(row[name]["cpu"] for row in rows) for name in checkouts]
    none = [sum(NONE in row[name]["answer"] for row in rows) for name in checkouts]
    lines.append(["all", *(f"{one:.0f}" for one in sums), *(f"{one} times none fits" for one in none)])
    header = ["example", *(f"CPU / s, {n}" for n in checkouts), *(f"model, {n}" for n in checkouts)]
    return markdown(header, lines)


def main() -> None:
    """Run the parts and print their tables."""
    parser = parser_of(
        __doc__, work=True, pairs=(1, "alternating pairs of batches"), step=(1, "every so manieth curve"),
        models=(20, "known models"),
    )  # fmt: skip
    parser.add_argument("--against", type=Path, help="another checkout of the project")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--third", type=int, choices=(0, 1, 2))
    given = parser.parse_args()
    pages = []
    if "batch" in given.parts:
        pages.append(_batches(given))
    if "known" in given.parts:
        pages.append(_known_models(given.models))
    if "examples" in given.parts:
        pages.append(_examples(given))
    page = "\n".join(pages)
    show(page, given.write, __file__, "# What fits cost\n\n")


def _batches(given: Any) -> str:
    files = write_curves(given.work / "curves", given.step)
    checkouts = {"this": HERE} | ({"other": given.against.resolve()} if given.against else {})
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in checkouts}
    for pair in range(given.pairs):
        for name, checkout in checkouts.items():
            row = batch(files, given.work / f"{name}_{os.getpid()}_{pair}.h5", checkout)
            rows[name].append(row)
            print(name, {k: v for k, v in row.items() if k != "answers"}, right(row["answers"]), flush=True)
    (given.work / "answers.json").write_text(json.dumps(rows), encoding="utf-8")
    return table(rows)


def _known_models(count: int) -> str:
    rows = []
    for index in range(count):
        rows.append(known(index))
        print(rows[-1], flush=True)
    lines = [
        [r["model"], f"{1e3 * r['fit']:.0f}", f"{1e3 * r['bare']:.1f}", f"{r['ratio']:.1f}"] for r in rows
    ]
    lines.append(["median", "", "", f"{statistics.median(r['ratio'] for r in rows):.1f}"])
    return markdown(["known model", "fit / ms CPU", "Bumps' lm alone / ms", "ratio"], lines)
