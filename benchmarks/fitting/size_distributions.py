"""Are mean and width of broad size distributions right, and is an interaction named only where there is one?

``python -m benchmarks fitting/size_distributions --work W`` fits 60 curves of spheres without interaction
(Gaussian, Schulz, log-normal, 5 to 60 %) and 30 of spheres that interact (hard, charged, sticky). The curves
are sums over sizes by numpy; structure factors are those of `independent_curves`. ``--third`` takes every
third one. ``--write`` keeps the table.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..common import markdown, parser_of, percent, run, show, this_process
from ..independent_curves.structure_factors import (
    debye_hueckel,
    hard_sphere_mixture,
    liquid,
    sticky_spheres,
)

Array = NDArray[np.float64]
SAMPLES, CONTROLS = 60, 30
KINDS = ("gaussian", "schulz", "lognormal")
INTERACTIONS = ("hard spheres", "charged spheres", "sticky spheres")
#: Names of an interaction in a headline or a caution.
INTERACTION = re.compile(r"@|hard sphere|sticky|charged|square.?well|interact", re.IGNORECASE)
#: Of scattering length density, Å⁻², and its square times Å³ in 1/cm.
CONTRAST = 3e-6
LIMIT = 90.0


def density(kind: str, size: Array, width: float) -> Array:
    """Number density of sizes over the centre: a Gaussian's mean before it is cut at 0, Schulz's mean, or a
    log-normal's median, whose `width` is the standard deviation of ln R.
    """
    if kind == "gaussian":
        return np.exp(-0.5 * ((size - 1) / width) ** 2)
    if kind == "schulz":
        log = (1 / width**2 - 1) * np.log(size) - size / width**2
        return np.exp(log - log.max())
    return np.exp(-0.5 * (np.log(size) / width) ** 2) / size


def sizes_of(kind: str, width: float) -> tuple[Array, Array]:
    """Sizes over the centre and shares of particles, to far beyond the sizes that scatter."""
    log_size = np.linspace(-4.0, 8 * width**2 + 8 * width if kind == "lognormal" else 3.0, 6001)
    size = np.exp(log_size)
    share = density(kind, size, width) * size
    return size, share / share.sum()


def amplitude(q: Array, radius: Array) -> Array:
    """F(q) of spheres over the contrast, Å³, (n, k)."""
    x = np.outer(q, radius)
    return 4 * np.pi * radius**3 * (np.sin(x) - x * np.cos(x)) / x**3


def moments(size: Array, share: Array) -> tuple[float, float]:
    """Mean and relative standard deviation."""
    mean = float(share @ size)
    return mean, float(np.sqrt(share @ (size - mean) ** 2)) / mean


def sample(index: int, rng: np.random.Generator) -> tuple[Callable[[Array], Array], dict[str, Any]]:
    """I(q) without noise, 1/cm, and the truth of a sample without interaction."""
    kind, width = KINDS[index % 3], 0.05 + 0.55 * (index // 3) / (SAMPLES // 3 - 1)
    size, share = sizes_of(kind, width)
    # The size that Guinier's law shows lies within what an instrument sees.
    shown = float(np.sqrt((share @ size**8) / (share @ size**6)))
    radius = size * np.exp(rng.uniform(np.log(60.0), np.log(300.0))) / shown
    keep = share * size**6 > 1e-12 * np.max(share * size**6)
    fraction = 0.004 / (share @ (4 / 3 * np.pi * radius**3))

    def intensity(q: Array) -> Array:
        return 1e8 * CONTRAST**2 * fraction * amplitude(q, radius[keep]) ** 2 @ share[keep]

    mean, relative = moments(radius, share)
    return intensity, {"kind": kind, "width": width, "mean": mean, "relative": relative}


def control(index: int, rng: np.random.Generator) -> tuple[Callable[[Array], Array], dict[str, Any]]:
    """I(q) without noise, 1/cm, and the truth of spheres that interact."""
    kind, fraction = INTERACTIONS[index % 3], float(rng.uniform(0.08, 0.3))
    size, share = sizes_of("gaussian", 0.08)
    keep = share > 1e-8 * share.max()
    middle = float(rng.uniform(30.0, 90.0))
    radius = middle * size[keep][::20]
    share = share[keep][::20] / share[keep][::20].sum()
    numbers = fraction / (share @ (4 / 3 * np.pi * radius**3))

    def intensity(q: Array) -> Array:
        found = amplitude(q, radius)
        if kind == "hard spheres":
            scattered = hard_sphere_mixture(q, radius, share, fraction, found)
        elif kind == "sticky spheres":
            scattered = found**2 @ share * sticky_spheres(q, middle, fraction, 0.15)
        else:
            energy, decay = debye_hueckel(middle / 3, 2 * middle, 0.003)
            scattered = found**2 @ share * liquid(q, 2 * middle, 0.4 * fraction, energy, decay)
        return 1e8 * CONTRAST**2 * numbers * scattered

    return intensity, {"kind": kind, "width": 0.08, "mean": middle, "relative": 0.08, "fraction": fraction}


def measured(intensity: Callable[[Array], Array], rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """q, I and dI: 0.5 to 3 % and a floor, on a background that nobody subtracted."""
    q = np.geomspace(0.003, rng.uniform(0.2, 0.4), int(rng.integers(100, 180)))
    clean = intensity(q)
    clean = clean + rng.uniform(1e-5, 1e-4) * clean.max()
    error = np.hypot(np.exp(rng.uniform(np.log(0.005), np.log(0.03))) * clean, 0.1 * clean.min())
    return q, clean + error * rng.standard_normal(q.size), error


def solve(_: str, index: int, seed: int) -> dict[str, Any]:
    """Fit one curve, the samples first, then the controls."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.result.reported_values import value_of
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.types import Curve

    rng = np.random.default_rng([seed, index])
    make = sample if index < SAMPLES else control
    intensity, truth = make(index % SAMPLES, rng)
    q, values, error = measured(intensity, rng)
    began = time.process_time()
    found = fit_with(this_process(), Curve(q, values, error, file="sample.dat"), FitOptions(time_limit=LIMIT))
    best, text = found.best or found.fits[0], str(found)
    row = {"index": index, **truth, "model": best.name, "seconds": time.process_time() - began, "text": text}
    row["success"] = best.structure_factor is None
    row |= {"chisq": best.reduced_chisq, "distribution": dict(best.distributions)}
    for key, name in (("mean", "radius"), ("relative", "radius_pd")):
        if name in best.parameters:
            row[f"fitted_{key}"], row[f"error_{key}"] = value_of(best, name)
    return row


def is_right(row: dict[str, Any], key: str, errors: float = 2.0) -> bool:
    """Whether a value is within so many of its errors of the truth."""
    error = row.get(f"error_{key}")
    return error is not None and abs(row[f"fitted_{key}"] - row[key]) <= errors * error


def names_interaction(row: dict[str, Any]) -> bool:
    """Whether headline or cautions name one."""
    return "@" in row["model"] or bool(INTERACTION.search(row["text"]))


def report(rows: Sequence[dict[str, Any]]) -> str:
    """The table: one row for each kind of distribution, and one for each interaction."""
    head = [
        "curves", "number", "mean in 2 errors", "width in 2 errors", "both", "median error of mean, %",
        "of width, %", "interaction named", "CPU s",
    ]  # fmt: skip
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    samples = [row for row in rows if row["index"] < SAMPLES]
    for kind in KINDS:
        for low, high in ((0.0, 0.3), (0.3, 1.0)):
            chosen = [row for row in samples if row["kind"] == kind and low <= row["width"] < high]
            groups.append((f"{kind}, {'below' if low == 0 else 'from'} 30 %", chosen))
    groups.append(("all without interaction", samples))
    groups += [(kind, [row for row in rows if row["kind"] == kind]) for kind in INTERACTIONS]
    groups.append(("all with interaction", [row for row in rows if row["index"] >= SAMPLES]))
    return markdown(head, [[name, *_cells(chosen)] for name, chosen in groups if chosen])


def _cells(rows: Sequence[dict[str, Any]]) -> list[str]:
    named = sum(map(names_interaction, rows))
    seconds = f"{np.mean([row['seconds'] for row in rows]):.1f}"
    if rows[0]["index"] >= SAMPLES:
        return [str(len(rows)), *["–"] * 5, str(sum(not row["success"] for row in rows)), seconds]
    right = {key: np.array([is_right(row, key) for row in rows]) for key in ("mean", "relative")}
    off = {
        key: 100 * float(np.median([abs(row.get(f"fitted_{key}", np.inf) / row[key] - 1) for row in rows]))
        for key in right
    }
    shares = [percent(float(np.mean(value))) for value in right.values()]
    both = percent(float(np.mean(right["mean"] & right["relative"])))
    return [
        str(len(rows)),
        *shares,
        both,
        f"{off['mean']:.1f}",
        f"{off['relative']:.1f}",
        str(named),
        seconds,
    ]


_WORDS = """# Broad size distributions

Spheres without interaction, whose sizes have a Gaussian, Schulz or log-normal distribution of 5 to 60 %, and
spheres that interact. Of the latter an interaction counts as named where the best model has one.

"""


def main(argv: list[str] | None = None) -> None:
    """Run, and print or write the table."""
    parser = parser_of(__doc__, work=True, seed=1, workers=1)
    parser.add_argument("--third", action="store_true", help="every third curve alone")
    asked = parser.parse_args(argv)
    numbers = [i for i in range(SAMPLES + CONTROLS) if not asked.third or i // 3 % 3 == 0]
    rows = run(solve, "here", numbers, asked.seed, asked.work, asked.workers)
    show(_WORDS + report(rows), asked.write, __file__)
    for row in rows:
        wrong = [key for key in ("mean", "relative") if not is_right(row, key)]
        if (row["index"] < SAMPLES) != row["success"] or (row["index"] < SAMPLES and wrong):
            fitted = ", ".join(
                f"{key} {row.get(f'fitted_{key}', np.nan):.4g} ± {row.get(f'error_{key}') or np.nan:.2g}"
                f" (true {row[key]:.4g})"
                for key in ("mean", "relative")
            )
            print(row["index"], row["kind"], f"{row['width']:.2f}", row["model"], row["distribution"], fitted)
