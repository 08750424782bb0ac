"""The second, shifted protocol: how the network answers curves that nothing of its training has made.

``shifted_protocol.toml`` says what they are. Parameters are sasmodels' own draws, curves sasmodels' own;
resolution, noise and backgrounds are written here and nowhere else. Of sasnet only `suggest` is used.
Another zoo: SASNET_MODEL_ZOO=FOLDER.

    python -m benchmarks curves/shifted_protocol --per-model 4 --out shifted  # makes what is missing, asks
    python -m benchmarks curves/shifted_protocol --per-model 0 --out shifted  # asks what is there
    python -m benchmarks curves/shifted_protocol --per-model 0 --out benchmarks/rows/shifted  # of the kept
"""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tables import markdown

PROTOCOL = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SETS = {one["name"]: one for one in PROTOCOL["set"]}
SPARED = frozenset({"power_law", "porod", "line"})
SIZE_EDGES = (0.0, 30.0, 300.0, 3000.0, np.inf)
_TRIES = 60
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """A curve as its file has it."""

    model: str  #: Form model.
    protocol: str  #: Name of the set.
    #: q, intensity: (n,), Å⁻¹, any unit.
    q: Floats
    intensity: Floats
    #: dintensity, dq: (n,), one standard deviation, where stated.
    dintensity: Floats | None
    dq: Floats | None
    size: float  #: Largest length among the parameters in Å times the largest q; NaN without a length.


def grid(text: str) -> Floats:
    """q of a set, Å⁻¹: parts "linear|log low high count", sorted."""
    parts = []
    for part in text.split(";"):
        kind, low, high, count = part.split()
        make = np.geomspace if kind == "log" else np.linspace
        parts.append(make(float(low), float(high), int(count)))
    return np.sort(np.concatenate(parts))


def clean(name: str, q: Floats, relative: float, rng: np.random.Generator) -> tuple[Floats, float] | None:
    """I(q) of one draw under a resolution of `relative` dq/q, and its size; None where there is none."""
    os.environ.setdefault("SAS_OPENCL", "none")
    from sasmodels import core
    from sasmodels.compare import constrain_pars, randomize_pars
    from sasmodels.direct_model import call_kernel

    info = core.load_model_info(name)
    np.random.seed(int(rng.integers(2**32)))  # noqa: NPY002 - sasmodels draws from the global state
    pars: dict[str, Any] = dict(randomize_pars(info, dict(info.parameters.defaults)))
    constrain_pars(info, pars)
    # random() misspells two parameters; they keep their default. Neither magnetism nor its own distributions.
    known = {p.name for p in info.parameters.call_parameters if p.type != "magnetic"}
    pars = {k: v for k, v in pars.items() if k in known}
    pars |= {"scale": 1.0, "background": 0.0}
    sizes = [p.name for p in info.parameters.call_parameters if p.units == "Ang" and p.polydisperse]
    if sizes and rng.random() < 0.5:
        width = float(rng.beta(1.5, 7.0))
        pars |= {f"{sizes[0]}_pd": width, f"{sizes[0]}_pd_n": 15, f"{sizes[0]}_pd_nsigma": 3.0}
    # Gauss-Hermite quadrature of the resolution: five points of q for each.
    x, w = np.polynomial.hermite_e.hermegauss(5) if relative else (np.zeros(1), np.ones(1))
    at = np.abs(q[:, None] * (1 + relative * x))
    kernel = core.load_model(name, dtype="double", platform="dll").make_kernel([np.unique(at)])
    with np.errstate(all="ignore"):
        found = call_kernel(kernel, pars)
    found = np.interp(at.ravel(), np.unique(at), found).reshape(at.shape) @ (w / w.sum())
    if not np.all(np.isfinite(found)) or np.any(found < 0) or not found.max() > 0:
        return None
    lengths = [
        float(pars[p.name]) for p in info.parameters.call_parameters if p.units == "Ang" and p.name in pars
    ]
    return found / found.max(), float(max(lengths, default=np.nan) * q[-1])


def measure(name: str, protocol: str, rng: np.random.Generator) -> Measured | None:
    """One curve of a set; None where sasmodels gives none or it says nothing."""
    page = SETS[protocol]
    q = grid(page["q"])
    drawn = clean(name, q, float(page["resolution"]), rng)
    if drawn is None:
        return None
    true, size = drawn
    noisy, sigma, stated = {"grid": _grid, "sans": _sans, "saxs": _saxs}[protocol](q, true, rng)
    if name not in SPARED and says_nothing(q, noisy, sigma):
        return None
    dq = page["resolution"] * q if protocol == "sans" else None
    scale = 10 ** rng.uniform(-2, 3)
    return Measured(name, protocol, q, noisy * scale, sigma * scale if stated else None, dq, size)


def _grid(q: Floats, true: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, bool]:
    true = true + 10 ** rng.uniform(-4, -2)
    noisy = true * np.exp(0.02 * rng.standard_normal(q.size))
    return noisy, 0.02 * noisy, True


def _sans(q: Floats, true: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, bool]:
    level = 10 ** rng.uniform(-3, -1)
    true = true + level * (q[0] / q if rng.random() < 0.25 else np.ones(q.size))
    best = 10 ** rng.uniform(np.log10(0.005), np.log10(0.05))
    sigma = np.sqrt(best**2 * true + (10 ** rng.uniform(-4, -2.5)) ** 2)
    noisy = true + sigma * rng.standard_normal(q.size)
    return noisy * np.where(q > 0.03, 1 + rng.uniform(-0.03, 0.03), 1.0), sigma, True


def _saxs(q: Floats, true: Floats, rng: np.random.Generator) -> tuple[Floats, Floats, bool]:
    rising = (q / q[-1]) ** rng.uniform(-1, 2)
    true = true + 10 ** rng.uniform(-2, 0) * max(true[-1], 1e-6) * rising
    middle = np.interp(0.1, q, true) * 0.1
    sigma = 0.01 * true * np.sqrt(1 + middle / (true * q))
    nodes = np.linspace(np.log(q[0]), np.log(q[-1]), 9)
    slow = np.interp(np.log(q), nodes, 0.015 * rng.standard_normal(9))
    return true * (1 + slow) + sigma * rng.standard_normal(q.size), sigma, bool(rng.random() < 0.5)


def says_nothing(q: Floats, intensity: Floats, sigma: Floats) -> bool:
    """Whether A q⁻ᵖ + B explains it with a reduced χ² below 1.5, p from -1 to 8 in steps of 0.05."""
    for power in np.arange(-1.0, 8.01, 0.05):
        columns = np.column_stack([(q / q[0]) ** -power, np.ones(q.size)]) / sigma[:, None]
        left = np.linalg.lstsq(columns, intensity / sigma, rcond=None)[0]
        if np.sum((intensity / sigma - columns @ left) ** 2) < 1.5 * (q.size - 3):
            return True
    return False


def made(per_model: int, protocol: str, index: int, name: str) -> Iterator[Measured]:
    """Curves of a set and a model; fewer where sasmodels' draws rarely show anything."""
    rng = np.random.default_rng([PROTOCOL["seed"], list(SETS).index(protocol), index])
    left = per_model
    for _ in range(_TRIES):
        found = measure(name, protocol, rng) if left else None
        if found is not None:
            left -= 1
            yield found


def save(path: Path, curves: list[Measured]) -> None:
    """Curves as arrays by number and name."""
    arrays = {f"{k}/{f.name}": getattr(c, f.name) for k, c in enumerate(curves) for f in fields(c)}
    np.savez_compressed(path, **{name: value for name, value in arrays.items() if value is not None})


def load(path: Path) -> list[Measured]:
    """What `save` wrote."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    count = 1 + max((int(name.split("/")[0]) for name in arrays), default=-1)
    names = [f.name for f in fields(Measured)]
    rows = [{name: arrays.get(f"{k}/{name}") for name in names} for k in range(count)]
    plain = ("model", "protocol", "size")
    return [
        Measured(**{n: v.item() if n in plain and v is not None else v for n, v in r.items()}) for r in rows
    ]


def figures(curves: list[Measured]) -> list[dict[str, Any]]:
    """Top-1, top-5, calibration, false out-of-scope of each set under the uniform prior; top-5 by q·size."""
    from sasnet_plugin import Curve
    from sasnet_plugin.predict.curves import open_classifier
    from sasnet_plugin.train.metrics import expected_calibration_error

    ask = open_classifier()
    asked = [Curve(c.q, c.intensity, c.dintensity, c.dq) for c in curves]
    answers = ask.suggest(asked, top=5, prior="uniform")
    threshold = ask.manifest.calibration["scope"]["threshold"]
    rows = []
    for protocol in SETS:
        these = [k for k, c in enumerate(curves) if c.protocol == protocol]
        if not these:
            continue
        names = [[m.name for m in answers[k].models] for k in these]
        first = np.array([n[0] == curves[k].model for n, k in zip(names, these, strict=True)])
        five = np.array([curves[k].model in n for n, k in zip(names, these, strict=True)])
        said = np.array([answers[k].models[0].probability for k in these])
        size = np.array([curves[k].size for k in these])
        row = {"set": protocol, "curves": len(these), "top1": first.mean(), "top5": five.mean()}
        row["ece"] = expected_calibration_error(said, first)
        row["outside"] = float(np.mean([answers[k].in_scope < threshold for k in these]))
        for low, high in zip(SIZE_EDGES[:-1], SIZE_EDGES[1:], strict=True):
            inside = (size >= low) & (size < high)
            row[f"top5 at {low:g}..{high:g}"] = five[inside].mean() if inside.any() else np.nan
        rows.append(row)
    return rows


def main() -> None:
    """Make the curves that are not there, ask, print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the curves")
    parser.add_argument("--per-model", type=int, default=10)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.per_model:
        from sasmodels.core import list_models, load_model_info

        names = [n for n in sorted(list_models()) if not load_model_info(n).structure_factor]
        for protocol in SETS:
            for index, name in enumerate(names):
                path = args.out / f"{protocol}-{name}-{args.per_model}.npz"
                if not path.exists():
                    save(path, list(made(args.per_model, protocol, index, name)))
                    print(path.name, flush=True)
    rows = figures([curve for path in sorted(args.out.glob("*.npz")) for curve in load(path)])
    cells = [[f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    print(markdown(list(rows[0]), cells))
