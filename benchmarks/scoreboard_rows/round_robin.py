"""The round robin of data analysis: four curves of spheres that 46 people analysed."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin import Curve, fit
from sasnet_plugin.fitting.result.model_fit import ModelFit

from ..common import markdown, resumed
from ..repositories import folder_of
from .section import Request, Row, Section, ask_peer, cpu_seconds

FOLDER = Path("src/mcsas3gui/testdata")
#: Ranges (nm) of the two populations of the first data set, in McSAS3GUI's example.
RANGES = ((10.0, 20.0), (20.0, 50.0))
SPHERES = ("sphere", "sphere+sphere")
#: Volume-weighted mean radius (nm) in each range with its deviation over repetitions, and seconds.
_MCSAS = """
import contextlib, io, json, sys, tempfile, time
from pathlib import Path
import numpy as np, pandas
from mcsas3.mc_analysis import McAnalysis
from mcsas3.mc_data_1d import McData1D
from mcsas3.mc_hat import McHat
problem = json.load(sys.stdin)
with contextlib.redirect_stdout(io.StringIO()):
    file = Path(tempfile.mkdtemp()) / "result.hdf5"
    data = McData1D(
        df=pandas.DataFrame(problem["data"]), nbins=100, IEmin=0.01, dataRange=[0.0, np.inf], resultIndex=1
    )
    data.store(file)
    began = time.process_time()
    McHat(
        modelName="mcsas_sphere", nContrib=300, modelDType="default", fitParameterLimits={"radius": "auto"},
        staticParameters={"sld": 33.4, "sld_solvent": 0}, maxIter=50000, convCrit=1, nCores=1,
        nRep=problem["repetitions"],
    ).run(data.measData, file)
    seconds = time.process_time() - began
    ranges = pandas.DataFrame([
        dict(parameter="radius", nBin=15, binScale="linear", presetRangeMin=low, presetRangeMax=high,
             binWeighting="vol", autoRange=False)
        for low, high in problem["ranges"]
    ])
    modes = McAnalysis(file, data.measData, ranges, store=False)._averagedModes
    found = [[float(modes["mean"][key][row]) for key in ("valMean", "valStd")] for row in range(len(ranges))]
print(json.dumps({"means": found, "seconds": seconds}))
"""


def read_curve(folder: Path, number: int) -> Curve:
    """A data set with q in Å⁻¹; the files have nm⁻¹."""
    q, intensity, error = np.loadtxt(
        folder / FOLDER / f"round_robin_dataset_{number}.dat", usecols=(0, 1, 2)
    ).T
    return Curve(q / 10, intensity, error)


def volume_mean(radius: float, width: float, distribution: str) -> float:
    """Volume-weighted mean of a distribution of radii by sasmodels' parameters: ⟨R⁴⟩/⟨R³⟩."""
    if distribution == "lognormal":  # `radius` is the median
        return radius * math.exp(3.5 * width**2)
    if distribution == "schulz":
        return radius * (1 + 3 * width**2)
    return radius * (1 + 6 * width**2 + 3 * width**4) / (1 + 3 * width**2)


def populations(best: ModelFit) -> list[tuple[float, float]]:
    """Volume-weighted mean radii (nm) of spheres, largest first, with the errors of the radii."""
    found = []
    for name, parameter in best.parameters.items():
        if name.removeprefix("A_").removeprefix("B_") == "radius":
            width = best.parameters.get(f"{name}_pd")
            mean = volume_mean(
                parameter.value, width.value if width else 0.0, best.distributions.get(name, "gaussian")
            )
            found.append((mean / 10, (parameter.error or math.nan) / 10))
    return sorted(found, reverse=True)


def answer_set(folder: Path, key: str, limit: float) -> dict[str, Any]:
    """What ``sasnet fit`` says of a data set, with no model given or with spheres."""
    number, given = key.split()
    began = cpu_seconds()
    result = fit(
        read_curve(folder, int(number)), models=SPHERES if given == "spheres" else None, time_limit=limit,
        workers=1, progress=False,
    )  # fmt: skip
    best = result.best
    spheres = best is not None and set(best.name.split("+")) == {"sphere"}
    return {
        "index": key, "best": best.name if best else None, "chisq": best.reduced_chisq if best else None,
        "populations": populations(best) if best is not None and spheres else [], "headline": result.headline,
        "caution": result.as_dict().get("doubt") or "", "seconds": cpu_seconds() - began,
    }  # fmt: skip


def ask_mcsas(request: Request, folder: Path) -> dict[str, Any]:
    curve = read_curve(folder, 1)
    assert curve.dintensity is not None
    assert request.peers
    columns = {"Q": curve.q * 10, "I": curve.intensity, "ISigma": curve.dintensity}
    problem = {
        "data": {name: column.tolist() for name, column in columns.items()}, "ranges": RANGES,
        "repetitions": 4,
    }  # fmt: skip
    return {"index": 1, **ask_peer(request.peers, _MCSAS, problem)}


def section(request: Request) -> Section:
    folder = folder_of(request.data, "McSAS3GUI")
    limit = 15.0 if request.quick else 60.0
    keys = [
        f"{number} {given}"
        for given in ("nothing", "spheres")
        for number in range(1, 3 if request.quick else 5)
    ]
    answers = {
        row["index"]: row
        for row in resumed(
            request.checkpoint("round_robin" + "_quick" * request.quick), keys,
            lambda asked: (answer_set(folder, key, limit) for key in asked),
            lambda row: row["headline"][:100],
        )
    }  # fmt: skip
    peer = None
    if request.peers and not request.quick:
        (peer,) = resumed(
            request.checkpoint("round_robin_mcsas"), [1],
            lambda asked: (ask_mcsas(request, folder) for _ in asked), lambda row: str(row["means"]),
        )  # fmt: skip

    def spelled(values: list[Any]) -> str:
        return ", ".join(f"{value:.1f} ± {error:.1f}" for value, error in values) or "no spheres"

    mcsas = "not run" if peer is None else f"McSAS3 1.0.6: {spelled(peer['means'][::-1])}"
    first = answers["1 nothing"]["populations"]
    explained = [row for row in answers.values() if row["chisq"] is not None and row["chisq"] < 1.5]
    lines = [
        [*row["index"].split(), row["headline"].replace("|", "/"), row["caution"]] for row in answers.values()
    ]
    off = "not run"
    if peer is not None and len(first) == 2:
        off = ", ".join(
            f"{100 * (value / mean - 1):+.1f} %".replace("-", "−")
            for (value, _), (mean, _) in zip(first, peer["means"][::-1], strict=True)
        )
    rows = [
        Row(
            "data set 1, two populations: their volume-weighted mean radii / nm, no model given",
            "two populations: most of 46 people (2023)", mcsas, f"{len(first)} populations: {spelled(first)}",
            float(np.mean([row["seconds"] for row in answers.values()])),
        ),
        Row(
            "data set 1: difference of the means from McSAS3", "half of the people within 1.5 %",
            "0 by definition", off,
        ),
        Row(
            "all data sets, without a model and with spheres: reduced χ² below 1.5", "none", "not run",
            f"{len(explained)} of {len(answers)}",
        ),
    ]  # fmt: skip
    return Section(
        rows,
        markdown(("set", "given", "headline", "caution"), lines, texts=4),
    )
