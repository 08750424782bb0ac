"""Is the largest distance right that a curve gives without a model, its error, and Rg and I(0) of p(r)?

``python -m benchmarks curves/distances --write`` inverts curves of `compact_bodies`. Beside it:
freesas' ``auto_bift`` where it is installed, with a background fitted, its first D three times sasnet's Rg by
Guinier where its own search for a Guinier region fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from sasnet_plugin.types import Curve

from ..asked import parser_of
from ..tables import markdown
from .compact_bodies import FAMILIES, Case, cases
from .guinier import truth

#: D, its error, Rg, its error, I(0); NaN where there is no answer.
Row = tuple[float, float, float, float, float]
NONE: Row = (np.nan,) * 5


def ours(case: Case) -> Row:
    """By sasnet."""
    found = Curve(case.q, case.intensity, case.sigma).pair_distances()
    return (found.d_max, found.d_max_error, found.rg, found.rg_error, found.i0) if found else NONE


def freesas(case: Case) -> Row:
    """By whatever exception none."""
    import logging
    import warnings

    logging.disable(logging.CRITICAL)
    from freesas.bift import auto_bift

    points = np.stack([case.q, case.intensity, case.sigma], axis=1)
    guinier = Curve(case.q, case.intensity, case.sigma).guinier()
    for first in (None, 3 * guinier.rg if guinier else None):
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                found = auto_bift(points, Dmax=first, fit_background=True).calc_stats()
            return found.Dmax_avg, found.Dmax_std, found.Rg_avg, found.Rg_std, found.I0_avg
        except Exception:
            continue
    return NONE


def shares(found: np.ndarray, measured: list[Case]) -> list[str]:
    """Answers; D: median deviation, within 5 and 10 %, 68 % interval; Rg within 3 %, interval; I(0)."""
    d, rg = (np.array([getattr(case, name) for case in measured]) for name in ("d_max", "rg"))
    i0 = np.array([truth((*case.body[:2], case.d_max / 3))[1] for case in measured])
    given = np.isfinite(found[:, 0])
    off, off_rg, off_i0 = (np.abs(found[:, k] / true - 1) for k, true in ((0, d), (2, rg), (4, i0)))
    inside, inside_rg = (
        np.mean(np.abs(found[given, k] - true[given]) < found[given, k + 1]) if given.any() else 0.0
        for k, true in ((0, d), (2, rg))
    )
    return [
        f"{np.sum(given)} of {given.size}", f"{100 * np.nanmedian(off):.1f} %",
        *(
            f"{100 * np.mean(one):.0f} %"
            for one in (off < 0.05, off < 0.1, inside, off_rg < 0.03, inside_rg, off_i0 < 0.03)
        ),
    ]  # fmt: skip


def tables(count: int, seed: int) -> str:
    """The page."""
    measured = cases(count, seed)
    programs: dict[str, Callable[[Case], Row]] = {"sasnet": ours}
    if find_spec("freesas"):
        programs["freesas"] = freesas
    rows, parts = [], []
    for name, program in programs.items():
        began = time.process_time()
        found = np.array([program(case) for case in measured])
        spent = (time.process_time() - began) / count
        rows.append([name, *shares(found, measured), f"{spent:.2f}"])
        if program is ours:
            parts = [
                [measured[k].kind, *shares(found[k :: len(FAMILIES)], measured[k :: len(FAMILIES)])]
                for k in range(len(FAMILIES))
            ]
    head = ["answers", "D off", "D in 5 %", "D in 10 %", "D in 1 σ", "Rg in 3 %", "Rg in 1 σ", "I(0) in 3 %"]
    return (
        "# Pair distances\n\nMade by `python -m benchmarks curves/distances --write`: spheres with and"
        " without shells, ellipsoids,\ncylinders and bricks, windows from q D = 0.3 to 2.2 on to 12 to 60,"
        f" a flat background.\n{count} bodies, 2 % noise, seed {seed}; CPU seconds of one.\n\n"
        f"{markdown(['program', *head, 'CPU s'], rows)}\n{markdown(['sasnet', *head], parts)}"
    )


def main() -> None:
    """Print or write the tables."""
    parser = parser_of(__doc__.splitlines()[0], bodies=60, seed=1)
    asked = parser.parse_args()
    page = tables(asked.bodies, asked.seed)
    print(page)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
