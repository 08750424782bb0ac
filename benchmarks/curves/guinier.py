"""Is the radius of gyration that a curve gives without a model right, its error, and is it refused in time?

``python -m benchmarks curves/guinier --write`` simulates dilute bodies by sasmodels, half of them of families
that the prior of `sasnet_plugin.model_free.series` was not made of, with 2 % noise and a small flat
background, on windows that begin at q Rg = 0.1 to 1 and have at least 8 points below 1.3; and curves that
have no Guinier region. What is true is the slope of ln I against q² of the clean curve at q Rg = 0.02 to
0.06, where what follows is below 10⁻⁵ of it. ``--series`` prints that prior.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sasnet_plugin.model_free.guinier import guinier
from sasnet_plugin.model_free.series import SETTINGS

from ..asked import parser_of
from ..tables import markdown

Array = NDArray[np.float64]
Body = tuple[str, dict[str, float], float]  # sasmodels' name, parameters, about its Rg
NOISE, SHARE, POINTS = 0.02, 0.03, 8


@lru_cache(maxsize=64)
def _model(name: str) -> Any:
    from sasmodels.core import load_model

    return load_model(name, platform="dll", dtype="double")


def intensity(name: str, parameters: dict[str, float], q: Array) -> Array:
    """(n,) clean I(q), without background."""
    from sasmodels.direct_model import call_kernel

    clean: Array = call_kernel(_model(name).make_kernel([q]), {"background": 0.0, **parameters})
    return clean


def truth(body: Body) -> tuple[float, float]:
    """Rg and I(0) of the clean curve at very low q."""
    name, parameters, guess = body
    x = np.array([0.02, 0.04, 0.06])
    series = np.polyfit(x**2, np.log(intensity(name, parameters, x / guess)), 2)
    return float(guess * np.sqrt(-3 * series[1])), float(np.exp(series[2]))


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _sphere(rng: np.random.Generator, r: float) -> Body:
    pd = rng.uniform(0, 0.4)
    return (
        "sphere",
        {"radius": r, "radius_pd": pd, "radius_pd_n": 120, "radius_pd_nsigma": 5},
        r * (1 + 4 * pd**2),
    )


def _shell(rng: np.random.Generator, r: float) -> Body:
    t = r * rng.uniform(0.1, 0.5)
    slds = {"sld_core": rng.uniform(1, 4), "sld_shell": rng.uniform(1.5, 4), "sld_solvent": 0.0}
    return "core_shell_sphere", {"radius": r, "thickness": t, **slds}, 0.8 * (r + t)


def _vesicle(rng: np.random.Generator, r: float) -> Body:
    return "vesicle", {"radius": r, "thickness": r * rng.uniform(0.05, 0.5)}, r


def _ellipsoid(rng: np.random.Generator, r: float) -> Body:
    polar = r * _between(rng, 0.3, 3)
    return "ellipsoid", {"radius_polar": polar, "radius_equatorial": r}, np.sqrt((polar**2 + 2 * r**2) / 5)


def _triaxial(rng: np.random.Generator, r: float) -> Body:
    a, b, c = sorted(r * _between(rng, 0.4, 2.5) for _ in range(3))
    axes = {"radius_equat_minor": a, "radius_equat_major": b, "radius_polar": c}
    return "triaxial_ellipsoid", axes, np.sqrt((a * a + b * b + c * c) / 5)


def _brick(rng: np.random.Generator, r: float) -> Body:
    a, b, c = sorted(r * _between(rng, 0.4, 2.5) for _ in range(3))
    return (
        "parallelepiped",
        {"length_a": a, "length_b": b, "length_c": c},
        np.sqrt((a * a + b * b + c * c) / 12),
    )


def _cylinder(rng: np.random.Generator, r: float) -> Body:
    length = r * _between(rng, 0.3, 8)
    return "cylinder", {"radius": r, "length": length}, np.sqrt(r**2 / 2 + length**2 / 12)


def _rod(rng: np.random.Generator, r: float) -> Body:
    length = r * _between(rng, 8, 40)
    return "cylinder", {"radius": r, "length": length}, length / np.sqrt(12)


def _coil(rng: np.random.Generator, r: float) -> Body:
    return "mono_gauss_coil", {"i_zero": 1.0, "rg": r}, r


def _coils(rng: np.random.Generator, r: float) -> Body:
    return "poly_gauss_coil", {"i_zero": 1.0, "rg": r, "polydispersity": rng.uniform(1.02, 2.5)}, r


def _fuzzy(rng: np.random.Generator, r: float) -> Body:
    return "fuzzy_sphere", {"radius": r, "fuzziness": r * rng.uniform(0.02, 0.3)}, r


def _barbell(rng: np.random.Generator, r: float) -> Body:
    bar = r * rng.uniform(0.2, 0.8)
    return "barbell", {"radius_bell": r, "radius": bar, "length": r * rng.uniform(0.5, 4)}, 2 * r


def _tube(rng: np.random.Generator, r: float) -> Body:
    thickness, length = r * rng.uniform(0.1, 0.6), r * _between(rng, 0.5, 8)
    outer = r + thickness
    rg = np.sqrt((outer**2 + r**2) / 2 + length**2 / 12)
    return "hollow_cylinder", {"radius": r, "thickness": thickness, "length": length}, rg


def _oval(rng: np.random.Generator, r: float) -> Body:
    ratio, length = _between(rng, 1, 4), r * _between(rng, 0.5, 8)
    rg = np.sqrt(r**2 * (1 + ratio**2) / 4 + length**2 / 12)
    return "elliptical_cylinder", {"radius_minor": r, "axis_ratio": ratio, "length": length}, rg


def _star(rng: np.random.Generator, r: float) -> Body:
    return "star_polymer", {"rg_squared": r**2, "arms": rng.uniform(3, 12)}, r


def _excluded(rng: np.random.Generator, r: float) -> Body:
    return "polymer_excl_volume", {"rg": r, "porod_exp": rng.uniform(1.7, 2.3)}, r


def _pearls(rng: np.random.Generator, r: float) -> Body:
    count = int(rng.integers(2, 7))
    bond = r * rng.uniform(0.2, 2)
    return (
        "linear_pearls",
        {"radius": r, "edge_sep": bond, "num_pearls": count},
        r + 0.3 * count * (2 * r + bond),
    )


#: The families of the prior, by class, and the others.
CLASSES: tuple[tuple[Callable[[np.random.Generator, float], Body], ...], ...] = (
    (_sphere, _shell, _vesicle),
    (_ellipsoid, _triaxial, _brick, _cylinder, _rod),
    (_coil, _coils, _excluded),
    (_pearls,),
)
KNOWN = (
    *CLASSES[0], _ellipsoid, _triaxial, _brick, _cylinder, *CLASSES[2], _pearls,
)  # fmt: skip
OTHERS = (_fuzzy, _barbell, _tube, _oval, _star)


def body(families: Any, rng: np.random.Generator) -> Body:
    """One body, 15 to 300 Å large."""
    return families[int(rng.integers(len(families)))](rng, _between(rng, 15, 300))


def series(seed: int = 77, count: int = 1500) -> list[tuple[float, Array, Array]]:
    """Of each class its share, mean and Cholesky factor of the coefficients, with ``SETTINGS.floor``."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0.05, SETTINGS.reach[0], 120)
    t = (x / SETTINGS.reach[0]) ** 2
    terms = t[:, None] ** np.arange(2, 2 + len(SETTINGS.classes[0].mean))
    found = []
    for families in CLASSES:
        rows = []
        for _ in range(count):
            name, parameters, guess = body(families, rng)
            rg, i0 = truth((name, parameters, guess))
            y = np.log(intensity(name, parameters, x / rg) / i0) + x**2 / 3
            rows.append(np.linalg.lstsq(terms, y, rcond=None)[0])
        floor = np.linalg.inv(terms.T @ terms) * len(t) / terms.shape[1] * SETTINGS.floor**2
        covariance = np.cov(np.array(rows).T) + floor
        found.append((1 / len(CLASSES), np.mean(rows, axis=0), np.linalg.cholesky(covariance)))
    return found


@dataclass(frozen=True)
class Case:
    """A measured curve."""

    kind: str  #: Family, or why there is no Guinier region.
    rg: float  #: True one; 0 where there is none.
    #: q, intensity, sigma: (n,)
    q: Array
    intensity: Array
    sigma: Array


def _measured(
    kind: str, rg: float, q: Array, clean: Array, background: float, rng: np.random.Generator
) -> Case:
    clean = clean + background
    return Case(kind, rg, q, clean * (1 + NOISE * rng.standard_normal(q.size)), NOISE * clean)


def _grid(q_min: float, decades: float, rng: np.random.Generator) -> Array:
    """100 to 600 points, evenly or by equal factors."""
    ends, count = (q_min, q_min * 10**decades), int(rng.integers(100, 600))
    return np.linspace(*ends, count) if rng.random() < 0.5 else np.geomspace(*ends, count)


def dilute(families: Any, rng: np.random.Generator) -> Case:
    """A body on a window of 1.2 to 2.2 decades that has at least `POINTS` points below q Rg = 1.3."""
    one = body(families, rng)
    rg, i0 = truth(one)
    while True:
        q = _grid(_between(rng, 0.1, 1.0) / rg, rng.uniform(1.2, 2.2), rng)
        if np.sum(q * rg < 1.3) >= POINTS:
            break
    return _measured(one[0], rg, q, intensity(one[0], one[1], q), i0 * _between(rng, 1e-5, 1e-3), rng)


def without(kind: str, rng: np.random.Generator) -> Case:
    """A curve that has no Guinier region in its window."""
    q_min, decades, r = _between(rng, 1e-3, 1e-2), rng.uniform(1.0, 2.2), _between(rng, 15, 80)
    name, parameters = "cylinder", {}
    if kind == "rod":
        parameters = {"radius": rng.uniform(0.02, 0.25) / q_min, "length": _between(rng, 8, 100) / q_min}
    elif kind == "sheet":
        parameters = {"radius": _between(rng, 8, 60) / q_min, "length": rng.uniform(0.02, 0.3) / q_min}
    elif kind == "power law":
        name, parameters = "power_law", {"power": rng.uniform(1, 4)}
    elif kind == "upturn":
        q = _grid(q_min, decades, rng)
        small = np.exp(-((q / q_min * rng.uniform(0.1, 0.3)) ** 2) / 3)
        return _measured(
            kind, 0.0, q, small + rng.uniform(1, 30) * (q / q_min) ** -rng.uniform(2.5, 4), 1e-3, rng
        )
    else:  # spheres that interact; the window begins below the peak, and ends below it, too, or far above
        phi = rng.uniform(0.1, 0.4)
        parameters = {"radius": r, "radius_effective": r}
        if kind == "charged":
            phi = rng.uniform(0.03, 0.25)
            parameters |= {"charge": rng.uniform(8, 40), "concentration_salt": _between(rng, 1e-4, 0.02)}
        parameters["volfraction"] = phi
        name = "sphere@hayter_msa" if kind == "charged" else "sphere@hardsphere"
        peak = 2 * np.pi / (0.9 * (4 / 3 * np.pi * r**3 / phi) ** (1 / 3))
        q_min = peak / 10 ** rng.uniform(0.3, 1.2)
        decades = np.log10(0.9 * peak / q_min) if rng.random() < 0.3 else decades
    q = _grid(q_min, decades, rng)
    clean = intensity(name, parameters, q)
    return _measured(kind, 0.0, q, clean, float(clean.max()) * _between(rng, 1e-5, 1e-3), rng)


NONE = ("rod", "sheet", "power law", "upturn", "charged", "hard spheres")


def rows_of(cases: list[Case]) -> tuple[list[Any], float]:
    """An answer for each case, and CPU milliseconds for one."""
    began = time.process_time()
    answers = [guinier(case.q, case.intensity, case.sigma) for case in cases]
    return answers, 1e3 * (time.process_time() - began) / len(cases)


def freesas_rows(cases: list[Case], nothing: list[Case]) -> list[list[str]]:
    """The same curves by freesas' searches for a Guinier region; none where it is not installed."""
    if find_spec("freesas") is None:
        return []
    import logging

    from freesas import autorg

    logging.getLogger("freesas").setLevel(logging.CRITICAL)
    rows = []
    for name in ("auto_guinier", "autoRg"):
        found = [_by_freesas(getattr(autorg, name), case) for case in cases]
        right = [abs(rg / case.rg - 1) < SHARE for (rg, _), case in zip(found, cases, strict=True)]
        covered = [abs(rg - case.rg) < error for (rg, error), case in zip(found, cases, strict=True)]
        refused = [not _by_freesas(getattr(autorg, name), case)[0] > 0 for case in nothing]
        shares = (f"{100 * np.mean(one):.0f} %" for one in (right, covered, refused))
        rows.append([f"freesas {name}", *shares])
    return rows


def _by_freesas(search: Any, case: Case) -> tuple[float, float]:
    """Rg and its error; NaN where it finds none, by whatever exception."""
    try:
        found = search(np.stack([case.q, case.intensity, case.sigma], axis=1))
    except Exception:
        return np.nan, np.nan
    return float(found.Rg), float(found.sigma_Rg)


def _of_bodies(title: str, cases: list[Case]) -> tuple[list[str], float]:
    answers, spent = rows_of(cases)
    off = np.array([a.rg / c.rg - 1 if a else np.nan for a, c in zip(answers, cases, strict=True)])
    pull = np.array(
        [(a.rg - c.rg) / a.rg_error if a else np.nan for a, c in zip(answers, cases, strict=True)]
    )
    right, given = np.abs(off) < SHARE, np.isfinite(off)
    return [
        title, str(len(cases)), f"{100 * np.mean(right):.1f} %", f"{100 * np.nanmedian(np.abs(off)):.2f} %",
        f"{100 * np.mean(np.abs(pull[given]) < 1):.0f} %", f"{100 * np.mean(np.abs(pull[given]) < 2):.0f} %",
        str(int(np.sum(~given))),
    ], spent  # fmt: skip


def tables(count: int, seed: int) -> str:
    """The page."""
    rng = np.random.default_rng(seed)
    half = count // 2
    known = [dilute(KNOWN, rng) for _ in range(count - half)]
    others = [dilute(OTHERS, rng) for _ in range(half)]
    (all_row, spent), (known_row, _), (other_row, _) = (
        _of_bodies(title, cases)
        for title, cases in (("all", known + others), ("families of the prior", known), ("others", others))
    )
    head = ["bodies", "curves", "within 3 %", "median error", "within 1 σ", "within 2 σ", "refused"]
    first = markdown(head, [all_row, known_row, other_row])
    lines, nothing = [], []
    for kind in NONE:
        of_kind = [without(kind, rng) for _ in range(half // 3)]
        nothing += of_kind
        answers, _ = rows_of(of_kind)
        lines.append([kind, str(len(answers)), f"{100 * np.mean([not a for a in answers]):.0f} %"])
    second = markdown(["curves without a Guinier region", "curves", "refused"], lines)
    third = markdown(
        ["for comparison, all curves", "within 3 %", "within 1 σ", "refused without a region"],
        freesas_rows(known + others, nothing),
    )
    said = str(__doc__).partition("`` ")[2].partition(" ``--series")[0]
    return (
        "# Radius of gyration without a model\n\n"
        f"Made by `python -m benchmarks curves/guinier --write`, which {said}"
        f"\n\n{first}\n{second}\n{third}\n{spent:.1f} ms of CPU a curve.\n"
    )


def main() -> None:
    """Print or write the tables, or print the prior."""
    parser = parser_of(__doc__.splitlines()[0], count=(300, "Dilute bodies."), seed=2026)
    parser.add_argument("--series", action="store_true", help="Print the prior, nothing else.")
    given = parser.parse_args()
    if given.series:
        for share, mean, factor in series():
            lower = [float(f"{x:.6g}") for x in factor[np.tril_indices(len(mean))]]
            print(f"Series({share:.4g}, {tuple(float(f'{x:.6g}') for x in mean)}, {tuple(lower)})")
        return
    page = tables(given.count, given.seed)
    if given.write:
        Path(__file__).with_suffix(".md").write_text(page, encoding="utf-8")
    print(page)
