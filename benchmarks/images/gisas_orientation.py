"""How a lattice is rotated, from one pattern: who comes nearest, at what cost, and who knows how near.

300 patterns of geometries that nobody has seen, equally many of each kind of truth, third of the counts (10⁵
to 10⁷, of what the mask leaves, the specular rod included: where no beamstop covers it, it has 82 to 99 % of
them) and half of the decay lengths. The column "patterns" says how many each contestant has answered so
far.

- uniform: every angle alike. PLS: partial least squares with 30 components (scikit-learn) on logarithms of
  2,400 other patterns.
- NNLS and MLEM are given the true geometry, background shapes, resolution and misalignment.
- joint: Nelder–Mead over lattice constant, decay length, scatter and radius around NNLS, from three starts;
  all other quantities are given to it as they are. On the first 30 patterns.
- network+inversion: `fitting.orientation.invert` from the network of the model zoo.

Usage: ``python -m benchmarks images/gisas_orientation [--only nnls,mlem] [--patterns 300]
[--write]``; answers are kept in ``--work`` as they come, so that a killed run goes on; ``--write`` writes the
tables from what is kept; ``--only ''`` answers nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.simulate.gisas.basis import basis
from sasnet_plugin.simulate.gisas.geometry import N_XI, WINDOW, XI
from sasnet_plugin.simulate.gisas.priors import deltas, sample_geometry
from sasnet_plugin.simulate.images.detector import MARGIN

from ..asked import parser_of
from ..kept import run
from ..tables import markdown
from . import gisas_contestants as contest

SEED = 51
#: Patterns that the slow ones answer.
FEW = {"joint": 30}
#: The seed's case: shares of 0 and 30 degrees, and counts.
CASE, CASE_COUNTS, CASES = (0.7, 0.3), 1e6, 20
#: An angle's weight is what lies so near to it, degrees.
NEAR = 3.0


def case(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """The seed's case at one geometry: p(0°) = 0.7, p(30°) = 0.3 at 10⁶ counts."""
    rng = np.random.default_rng([seed, index, 3])
    made = basis(sample_geometry(rng), WINDOW.with_margin(MARGIN))
    p = deltas(np.array([0.0, 30.0]), np.array(CASE))
    one = contest.Problem(contest.with_truth(made, rng, p, CASE_COUNTS), "given", 1, 0)
    import time

    start = time.process_time()
    answer = contest.CONTESTANTS[contestant.removesuffix(" case")](one.example, rng)
    found = contest.row(one, answer, time.process_time() - start)
    found["weights"] = weights(answer["p"])
    found["success"] = max(abs(w - t) for w, t in zip(found["weights"], CASE, strict=True)) < 0.1
    return found | {"index": index}


def weights(p: np.ndarray) -> list[float]:
    """What lies near 0 and near 30 degrees."""
    distance = np.minimum(XI, 60 - XI)
    return [float(p[distance <= NEAR].sum()), float(p[np.abs(XI - 30) <= NEAR].sum())]


def kept(work: Path, contestant: str) -> list[dict[str, Any]]:
    """Answers that are there."""
    path = work / f"{contestant}-{SEED}.jsonl"
    if not path.exists():
        return []
    rows = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found = json.loads(line)
        except ValueError:  # the line under way when a run was killed
            continue
        rows[found["index"]] = found
    return [rows[index] for index in sorted(rows)]


def table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Every contestant over all that it answered."""
    cells = []
    for name, found in rows.items():
        if not found:
            cells.append([name, "not run", *[""] * 7])
            continue
        held = [r["coverage"] for r in found if "coverage" in r]
        angles = (_mean(found, "w1"), _median(found, "w1"), _mean(found, "folded"), _mean(found, "variation"))
        cells.append(
            [
                name,
                str(len(found)),
                *(f"{x:.2f}" for x in (*angles, _median(found, "deviance"))),
                f"{np.mean(held):.1%}" if held else "",
                f"{_mean(found, 'seconds'):.2g}",
            ]
        )
    head = ["", "patterns", "W1, °", "median W1, °", "folded W1, °", "total variation"]
    head += ["deviance / expected, median", "coverage of the 90 % band", "CPU-s"]
    return markdown(head, cells).rstrip()


def strata(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Mean W1 by kind of truth, counts and decay length."""
    names = [name for name, found in rows.items() if found]
    groups: list[tuple[str, str, Any]] = [(family, "model", family) for family in contest.FAMILIES]
    groups += [
        (f"10^{low:g} to 10^{high:g} counts", "counts", k) for k, (low, high) in enumerate(contest.COUNTS)
    ]
    groups += [
        (f"decay over {low:g} to {high:g} Å", "width", k) for k, (low, high) in enumerate(contest.WIDTHS)
    ]
    cells = []
    for title, key, value in groups:
        found = [[r["w1"] for r in rows[name] if r[key] == value] for name in names]
        cells.append([title, *(f"{np.mean(m):.2f}" if m else "" for m in found)])
    return markdown(["W1, °", *names], cells).rstrip()


def subset(rows: dict[str, list[dict[str, Any]]]) -> str:
    """All on the patterns that the blind joint fit answered."""
    chosen = {r["index"] for r in rows.get("joint", [])}
    if not chosen:
        return "The blind joint fit was not run."
    some = {name: [r for r in found if r["index"] in chosen] for name, found in rows.items()}
    return table({name: found for name, found in some.items() if len(found) == len(chosen)})


def covered(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Coverage by kind of truth."""
    names = [name for name, found in rows.items() if found and "coverage" in found[0]]
    cells = []
    for family in contest.FAMILIES:
        found = [[r["coverage"] for r in rows[name] if r["model"] == family] for name in names]
        cells.append([family, *(f"{np.mean(m):.1%}" if m else "" for m in found)])
    return markdown(["coverage", *names], cells).rstrip()


def uniform_table(rows: dict[str, list[dict[str, Any]]], level: float = 0.05) -> str:
    """How often each kind of truth is called uniform (p-value above 0.05)."""
    names = [name for name, found in rows.items() if found and "uniform" in found[0]]
    cells = []
    for family in contest.FAMILIES:
        called = [[r["uniform"] > level for r in rows[name] if r["model"] == family] for name in names]
        cells.append([family, *(f"{sum(c)} of {len(c)} ({np.mean(c):.0%})" for c in called if c)])
    return markdown(["called uniform", *names], cells).rstrip()


def case_table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """The seed's case."""
    cells = []
    for name, found in rows.items():
        if found:
            off = [max(abs(w - t) for w, t in zip(r["weights"], CASE, strict=True)) for r in found]
            beside = [r["beside"] for r in found]
            cells.append(
                [
                    name,
                    str(len(found)),
                    str(sum(o < 0.1 for o in off)),
                    f"{max(off):.3f}",
                    f"{_mean(found, 'seconds'):.2g}",
                    f"{min(beside):.1e} to {max(beside):.1e}",
                ]
            )
    head = ["", "geometries", "within 0.1", "worst error of a weight", "CPU-s", "counts beside the rod"]
    return markdown(head, cells).rstrip()


def report(work: Path) -> str:
    """All tables from what is kept."""
    rows = {name: kept(work, name) for name in contest.CONTESTANTS}
    cases = {name: kept(work, f"{name} case") for name in contest.CONTESTANTS}
    parts = [
        "# GISAS orientations",
        (__doc__ or "").split("\n\nUsage:")[0].split("\n\n", 1)[1],
        "## All patterns",
        table(rows),
        strata(rows),
        "## On the patterns of the blind joint fit",
        subset(rows),
        "## The band",
        covered(rows),
        "## Is it just uniform?",
        uniform_table(rows),
        "## p(0°) = 0.7 and p(30°) = 0.3 at 10⁶ counts",
        f"A weight is what lies within {NEAR:g} degrees of its angle; of {N_XI} bins.",
        case_table(cases),
    ]
    return "\n\n".join(parts) + "\n"


def _mean(rows: list[dict[str, Any]], key: str) -> float:
    return float(np.mean([r[key] for r in rows]))


def _median(rows: list[dict[str, Any]], key: str) -> float:
    return float(np.median([r[key] for r in rows]))


def main() -> None:
    """Answer what is missing, print, and write if asked to."""
    parser = parser_of(__doc__, patterns=300)
    parser.add_argument("--only", help="contestants, by comma; 'NAME case' for the seed's case")
    parser.add_argument("--work", type=Path, default=Path("gisas_orientation"), help="where answers are kept")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    every = [*contest.CONTESTANTS, "network+inversion case"]
    for name in [] if options.only == "" else (options.only.split(",") if options.only else every):
        if name.endswith(" case"):
            run(case, name, CASES, SEED, options.work, 1)
        else:
            run(contest.solve, name, min(options.patterns, FEW.get(name, 10**6)), SEED, options.work, 1)
    text = report(options.work)
    print(text)
    if options.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
