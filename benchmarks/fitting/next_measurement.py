"""Does the measurement that ``sasnet next`` recommends decide, and do its promises hold?

``python -m benchmarks fitting/next_measurement --work W`` draws samples by formulas that share nothing with
sasmodels, measures each once in D2O for a short time in the middle setting of an instrument, and fits it.
Samples whose likeliest model has a probability below 70 % are ambiguous. Of these the recommended measurement
is made and fitted together with the first; so are a random one of those offered and two rules of thumb (the
other two of 0, 42 and 100 % D2O; the same again for longer), each for the same time and for twice that.
``--third 0|1|2`` does a third of the samples. What is computed is kept in W; ``--write`` keeps the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sasnet_plugin.types import Curve

from ..asked import parser_of
from ..independent_curves import form_factors as form
from ..independent_curves.instruments import Sample, smeared
from ..independent_curves.size_distributions import sizes_of
from ..kept import Here, run
from ..tables import markdown

Array = np.ndarray
#: 10⁻⁶ Å⁻² squared times Å³ in cm⁻¹.
UNIT = 1e-4
D2O, H2O = 6.356, -0.559
#: Samples that are drawn; those that are ambiguous are counted.
COUNT, AMBIGUOUS = 240, 0.70
#: Time of the first measurement, s, and name of its setting.
FIRST_TIME, FIRST_SETTING = 600.0, "6 m"
INSTRUMENT = "reactor_sans"
LIMIT = 60.0
#: Multiples of the recommended time that the other strategies get.
MULTIPLES = (1.0, 2.0)
STRATEGIES = ("recommended", "random", "0/42/100 % D2O", "the same longer")


def homogeneous(fraction: float, density: float, squared: Callable[[Array], Array]) -> Callable[[float], Any]:
    """I(q) in a solvent: volume fraction times contrast squared times V P(q)."""
    return lambda solvent: lambda q: UNIT * fraction * (density - solvent) ** 2 * squared(q)


def draw(index: int) -> tuple[str, frozenset[str], Callable[[float], Any], float]:
    """A sample: its form, models that are right, I(q) by solvent, and its largest size, Å."""
    rng = np.random.default_rng([index, 72])
    kind = ("spheres", "ellipsoids", "cylinders", "core-shell", "vesicles", "discs")[index % 6]
    fraction, density = float(rng.uniform(0.002, 0.02)), float(rng.uniform(0.0, 4.0))
    if kind == "spheres":
        mean, width = float(rng.uniform(25, 60)), float(rng.uniform(0.05, 0.25))
        sizes, numbers = sizes_of("Schulz", mean, width)
        volumes = form.sphere_volume(sizes)

        def of_spheres(q: Array) -> Array:
            squared = form.sphere_amplitude(q[:, None], sizes[None, :]) ** 2
            return np.asarray(squared @ (numbers * volumes**2) / (numbers @ volumes))

        return kind, frozenset({"sphere"}), homogeneous(fraction, density, of_spheres), 2.5 * mean
    if kind == "ellipsoids":
        short, ratio = float(rng.uniform(20, 40)), float(rng.uniform(1.4, 2.5))
        polar, equatorial = (short * ratio, short) if rng.random() < 0.5 else (short, short * ratio)
        volume = float(form.sphere_volume(1.0)) * polar * equatorial**2

        def of_ellipsoids(q: Array) -> Array:
            return volume * form.ellipsoid_moments(q, polar, equatorial)[1]

        right = frozenset({"ellipsoid", "triaxial_ellipsoid"})
        return kind, right, homogeneous(fraction, density, of_ellipsoids), 2 * max(polar, equatorial)
    if kind in ("cylinders", "discs"):
        radius = float(rng.uniform(15, 30) if kind == "cylinders" else rng.uniform(40, 80))
        length = radius * float(rng.uniform(4, 10) if kind == "cylinders" else rng.uniform(0.3, 0.7))
        volume = np.pi * radius**2 * length

        def of_cylinders(q: Array) -> Array:
            return volume * form.cylinder_form(q, radius, length)

        right = frozenset({"cylinder", "elliptical_cylinder", "capped_cylinder", "barbell"})
        return kind, right, homogeneous(fraction, density, of_cylinders), max(2 * radius, length)
    core = float(rng.uniform(25, 45))
    shell = float(rng.uniform(10, 25))
    inner = float(rng.uniform(-0.5, 1.0))
    outer = float(rng.uniform(1.0, 4.0))
    width = float(rng.uniform(0.05, 0.15))

    def of_layers(solvent: float) -> Callable[[Array], Array]:
        sizes, numbers = sizes_of("Schulz", core, width)
        contrasts = np.array([(solvent if kind == "vesicles" else inner), outer]) - solvent

        def intensity(q: Array) -> Array:
            amplitudes = [
                form.layered_sphere_amplitude(q, np.array([r, r + shell]), contrasts) for r in sizes
            ]
            volume = numbers @ form.sphere_volume(sizes + shell)
            return UNIT * fraction * np.asarray(numbers @ np.square(amplitudes)) / volume

        return intensity

    right = {"vesicles": {"vesicle", "core_shell_sphere"}, "core-shell": {"core_shell_sphere"}}[kind]
    return kind, frozenset(right), of_layers, 2 * (core + shell)


def measured(
    of_solvent: Callable[[float], Any],
    largest: float,
    offer: Any,
    solvent: float,
    seconds: float,
    seed: Sequence[int],
) -> Curve:
    """The curve that a measurement gives: resolution, counts, and a background that is subtracted."""
    rng = np.random.default_rng(seed)
    q, dq = np.asarray(offer.curve.q), np.asarray(offer.curve.dq)
    sample = Sample(of_solvent(solvent), largest, (float(q[0]), float(q[-1])))
    expected = smeared(sample, q, dq, None)
    level = 0.05 + 0.4 * (D2O - solvent) / (D2O - H2O)  # incoherent, 1/cm
    counts = np.maximum((expected + level) * offer.exposure * seconds, 0.5)
    sigma = np.hypot((expected + level) / np.sqrt(counts), 0.005 * expected)
    intensity = expected + sigma * rng.standard_normal(q.size) + 0.02 * level
    return Curve(
        q, intensity, sigma, dq=dq, file=f"{offer.name.replace('/', ' ')}.dat", intensity_unit="cm⁻¹"
    )


def solve(contestant: str, index: int, seed: int) -> dict[str, Any]:
    """What the strategies find of one sample."""
    from sasnet_plugin.fitting.api import fit_with
    from sasnet_plugin.fitting.problem.contrast import contrast_of
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.planning.measurements import WATERS, read_instrument
    from sasnet_plugin.planning.next_measurement import next_measurement

    kind, right, of_solvent, largest = draw(index)
    settings = {each.name: each for each in read_instrument(INSTRUMENT)}
    first = measured(of_solvent, largest, settings[FIRST_SETTING], D2O, FIRST_TIME, [index, seed, 0])
    options = FitOptions(contrast=contrast_of(None, "D2O"), time_limit=LIMIT)
    began = time.process_time()
    result = fit_with(Here(), first, options)
    row: dict[str, Any] = {"index": index, "kind": kind, "fit_seconds": time.process_time() - began}
    if result.best is None:
        return row | {"model": "", "ambiguous": False, "success": False, "seconds": row["fit_seconds"]}
    began = time.process_time()
    plan = next_measurement(result, solvents=WATERS, instrument=INSTRUMENT, time=600.0)
    row["plan_seconds"] = time.process_time() - began
    row |= {"model": result.best.name, "rivals": dict(plan.rivals), "now": plan.now}
    row["ambiguous"] = plan.now < AMBIGUOUS
    if not row["ambiguous"]:
        return row | {"success": False, "seconds": row["fit_seconds"]}
    row["before"] = max(plan.rivals, key=lambda name: plan.rivals[name]) in right
    row["among"] = any(name in right for name in plan.rivals)
    best = plan.ranked[0]
    look = best.final
    row |= {
        "recommended": best.name,
        "time": look.time,
        "promised": look.chance,
        "reached": plan.recommended is not None,
    }
    offered = [each.outlook.measurement for each in plan.ranked]
    rng = np.random.default_rng([index, seed, 1])
    other = offered[int(rng.integers(len(offered)))]
    again = next(each for each in offered if each.name == FIRST_SETTING)
    rule = [
        each for each in offered if each.name in (f"{FIRST_SETTING}, in H2O", f"{FIRST_SETTING}, in 40%D2O")
    ]
    chosen = {
        "recommended": [best.outlook.measurement],
        "random": [other],
        STRATEGIES[2]: rule,
        STRATEGIES[3]: [again],
    }
    for strategy, offers in chosen.items():
        for multiple in MULTIPLES if strategy != "recommended" else (1.0,):
            row[f"{strategy} × {multiple:g}"] = _leads(
                first, of_solvent, largest, offers, multiple * look.time, right, index, seed
            )
    return row | {"success": row["recommended × 1"]["right"], "seconds": time.process_time() - began}


def _leads(
    first: Curve, of_solvent: Any, largest: float, offers: Sequence[Any], seconds: float,
    right: frozenset[str], index: int, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """Whether the right form leads once the offers were measured, the time shared among them."""
    from sasnet_plugin.data.sample.described import sample_of
    from sasnet_plugin.fitting.api import fit_sample
    from sasnet_plugin.fitting.task import FitOptions
    from sasnet_plugin.materials import densities

    curves, solvents = [first], [D2O]
    for i, offer in enumerate(offers):
        solvent = D2O if offer.solvent is None else offer.solvent
        curve = measured(of_solvent, largest, offer, solvent, seconds / len(offers), [index, seed, 2, i])
        curves.append(replace(curve, file=f"{i + 2} {curve.file}"))
        solvents.append(solvent)
    described = {"solvents": {str(i + 1): value for i, value in enumerate(solvents)}}
    sample = sample_of(
        curves, described, sld=densities(None), share=(), own_names=(), ties=(), source="sample"
    )
    began = time.process_time()
    result = fit_sample(Here(), sample, FitOptions(time_limit=LIMIT))
    best = max(result.fits, key=lambda fit: fit.weight, default=None)
    return {
        "right": best is not None and best.name in right, "model": best.name if best else "",
        "weight": best.weight if best else 0.0, "explained": result.explained,
        "kind": sample.kind, "seconds": time.process_time() - began,
    }  # fmt: skip


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Shares of ambiguous samples whose right form leads, and whether promises hold."""
    ambiguous = [row for row in rows if row["ambiguous"]]
    n = len(ambiguous)
    lines = [["before", f"{n}", _share([row["before"] for row in ambiguous])]]
    for strategy in STRATEGIES:
        for multiple in MULTIPLES if strategy != "recommended" else (1.0,):
            key = f"{strategy} × {multiple:g}"
            lines.append([key, f"{n}", _share([row[key]["right"] for row in ambiguous])])
    promised = [row for row in ambiguous if row["reached"]]
    lines.append(
        [
            "recommended, where 95 % is promised",
            f"{len(promised)}",
            _share([r["recommended × 1"]["right"] for r in promised]),
        ]
    )
    among = [row for row in ambiguous if row["among"]]
    lines.append(
        [
            "recommended, the right form among the possible ones",
            f"{len(among)}",
            _share([r["recommended × 1"]["right"] for r in among]),
        ]
    )
    text = markdown(["measurement (× its time)", "samples", "right form leads %"], lines)
    plans = [row["plan_seconds"] for row in ambiguous]
    cost = (
        f"\nA plan takes {np.median(plans):.0f} CPU-seconds (median; largest {max(plans):.0f}).\n"
        if plans
        else ""
    )
    return text + cost


def _share(found: Sequence[bool]) -> str:
    if not found:
        return "–"
    share = float(np.mean(found))
    return (
        f"{100 * share:.0f} ± {100 * np.sqrt(max(share * (1 - share), 0.25 / len(found)) / len(found)):.0f}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print and keep."""
    parser = parser_of(__doc__, work=True, count=COUNT, seed=1, workers=1)
    parser.add_argument("--third", type=int, choices=(0, 1, 2), help="only every third sample")
    asked = parser.parse_args(arguments)
    Path(asked.work).mkdir(parents=True, exist_ok=True)
    numbers = [i for i in range(asked.count) if asked.third is None or i // 6 % 3 == asked.third]
    rows = run(solve, "next", numbers, asked.seed, asked.work, asked.workers)
    text = "# The next measurement\n\n" + table(rows)
    print(text)
    if asked.write:
        Path(__file__).with_suffix(".md").write_text(text, encoding="utf-8")
    return 0
