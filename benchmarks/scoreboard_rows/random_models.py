"""Random curves of sasmodels, made as SASNets' generator makes them."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np

from sasnet_plugin import Curve, suggest
from sasnet_plugin.predict import open_classifier

from ..common import resumed
from .scores import share_right
from .section import Request, Row, Section, cpu_seconds

#: Å⁻¹, points, dq/q, dI/I: the defaults of its `sasgen.py`.
Q_MIN, Q_MAX, POINTS, RESOLUTION, NOISE = 1e-4, 0.2, 128, 0.03, 0.02
PRIORS = ("uniform", "common")


def simulate(model: str, number: int) -> list[Curve]:
    """Draw curves of a model with sasmodels' random parameters, without size distributions."""
    from sasmodels import compare
    from sasmodels.core import load_model_info
    from sasmodels.data import empty_data1D

    info = load_model_info(model)
    data = empty_data1D(np.geomspace(Q_MIN, Q_MAX, POINTS), resolution=RESOLUTION)
    engine = compare.make_engine(info, data, "double!", 0.0)
    rng = np.random.default_rng([71, zlib.crc32(model.encode())])
    curves: list[Curve] = []
    for _ in range(5 * number):
        with compare.push_seed(int(rng.integers(10**6))):
            parameters = compare.randomize_pars(info, compare.get_pars(info))
            compare.constrain_pars(info, parameters)
            parameters = compare.suppress_magnetism(compare.suppress_pd(parameters))
            parameters.update(scale=1.0, background=1e-5)
            try:
                clean = np.asarray(engine(**parameters), dtype=float)
            except Exception:  # sasmodels cannot calculate it
                continue
        error = NOISE * clean
        intensity = clean + error * rng.standard_normal(clean.size)
        if np.all(np.isfinite(intensity)) and np.all(intensity > 0):  # as SASNets
            curves.append(Curve(data.x.copy(), intensity, error, dq=data.dx.copy()))
        if len(curves) == number:
            break
    return curves


def answer_model(model: str, number: int) -> dict[str, Any]:
    """Places of a model among the suggestions for its curves, under each prior."""
    curves = simulate(model, number)
    row: dict[str, Any] = {"index": f"{model} {number}", "curves": len(curves), "seconds": math.nan}
    if curves:
        for prior in PRIORS:
            began = cpu_seconds()
            found = suggest(curves, top=200, prior=prior)
            row["seconds"] = (cpu_seconds() - began) / len(curves)
            names = [[guess.name for guess in suggestion.models] for suggestion in found]
            row[prior] = [one.index(model) + 1 for one in names]
    return row


def section(request: Request) -> Section:
    from sasmodels.core import list_models

    models = [name for name in open_classifier().manifest.labels if name in list_models()]
    number = 2 if request.quick else 20
    answers = resumed(
        request.checkpoint("random_models"), [f"{model} {number}" for model in models],
        lambda keys: (answer_model(key.split()[0], number) for key in keys),
        lambda row: f"{row['curves']} {row.get('uniform')}",
    )  # fmt: skip
    asked = [row for row in answers if row["curves"]]
    seconds = float(np.mean([row["seconds"] for row in asked]))
    rows = []
    for prior in PRIORS:
        places = np.array([place for row in asked for place in row[prior]])
        rows.append(
            Row(
                f"right model first, prior {prior}",
                "54.9 % of 71 models (2018)", "not run",
                f"{share_right(list(places == 1))} of {len(asked)} models;"
                f" among the first five {100 * np.mean(places <= 5):.1f} %",
                seconds if prior == "uniform" else None,
            )
        )  # fmt: skip
    worst = sorted(asked, key=lambda row: np.mean(np.array(row["uniform"]) == 1))
    never = [row["index"].split()[0] for row in worst if 1 not in row["uniform"]]
    return Section(
        rows,
        "Never in first place under the uniform prior: "
        + (", ".join(f"`{name}`" for name in never) or "none")
        + ".\n",
    )
